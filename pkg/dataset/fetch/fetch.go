package fetch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Progress tells how far a file has come.
type Progress struct {
	File  string
	Bytes int64 // on disk, those of an earlier attempt included
	Total int64 // 0 if not known
}

// Settings are the choices for a fetch; the zero value is the default.
type Settings struct {
	// Progress is called from the calling goroutine: for each file at
	// the start, at most ten times a second while bytes arrive, and at the end,
	// when Bytes equals Total. Nil means no reports.
	Progress func(Progress)
	// Stall is how long a connection may deliver nothing before it is given up;
	// 0 means 30 s.
	Stall time.Duration
}

const (
	defaultStall   = 30 * time.Second
	reportInterval = 100 * time.Millisecond
	// maxReconnects bounds how often one mirror may break off and go on.
	maxReconnects = 20
	// maxFetch bounds a file of unknown size.
	maxFetch = 1 << 30
)

// Dataset downloads the data set with the given short name (mnist, cifar10,
// cifar100) into dir, which dataset.Dir chooses and Dataset creates. See
// [Source.Fetch].
func Dataset(ctx context.Context, name, dir string, s *Settings) error {
	source, err := findSource(name)
	if err != nil {
		return err
	}
	return source.Fetch(ctx, dir, s)
}

// Fetch downloads the files of src into dir/Folder.
//
// A file that is there and has the right SHA-256 is not fetched again, and the
// members of an archive are not if all are there with their right sizes. The
// others arrive under the name with .part appended, and take their place, in one
// step, only when the checksum is right. A cut connection is resumed where it
// broke, by the same mirror as long as it delivers, then by the next one, and by
// the next call of Fetch if all fail or ctx is cancelled. What fails its checksum
// is discarded; a file that was there before stays as it was. Archives are
// unpacked (only the members that src names, whatever else they contain) and
// then removed.
//
// The error is one sentence: what failed at each mirror and what to do, or the
// trouble with the disk, or ctx's.
func (src Source) Fetch(ctx context.Context, dir string, s *Settings) error {
	if dir == "" {
		return errors.New("fetch: no data directory: give one, because the user has no cache directory")
	}
	if s == nil {
		s = &Settings{}
	}
	folder := filepath.Join(dir, src.Folder)
	for _, file := range src.Files {
		f := &fetcher{Settings: *s, file: file, mirrors: src.Mirrors}
		f.Stall = cmp.Or(f.Stall, defaultStall)
		var err error
		if len(file.Members) == 0 {
			_, err = f.fetch(ctx, folder)
		} else if !complete(folder, file.Members) {
			err = f.fetchAndUnpack(ctx, dir, src.Folder)
		}
		if err != nil {
			return fmt.Errorf("fetch: %s could not be fetched: %w", file.Name, err)
		}
	}
	return nil
}

// fetcher fetches one file.
type fetcher struct {
	Settings
	file    File
	mirrors []string

	part     *os.File // what has arrived
	size     int64    // of part
	total    int64    // of the file, 0 if not known yet
	reported time.Time
}

// diskError is trouble that no mirror can help with.
type diskError struct{ err error }

func (e diskError) Error() string {
	return e.err.Error() + ": make room or give a directory that can be written to"
}
func (e diskError) Unwrap() error { return e.err }

// fetch makes sure that the file is in folder and reports whether it had to be
// downloaded.
func (f *fetcher) fetch(ctx context.Context, folder string) (downloaded bool, err error) {
	path := filepath.Join(folder, f.file.Name)
	sum, n, err := checksum(path)
	if err == nil && sum == f.file.SHA256 {
		f.size, f.total = n, n
		f.report(true)
		return false, nil
	}
	other := err == nil // packed again, perhaps
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return false, diskError{err}
	}
	partPath := path + ".part"
	f.part, err = os.OpenFile(partPath, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return false, diskError{err}
	}
	defer f.part.Close()
	f.total = f.file.Bytes
	if err := f.fromMirrors(ctx, folder); err != nil {
		if f.size == 0 {
			f.part.Close()
			os.Remove(partPath) // it is empty: if it stays, no harm is done
		}
		if other {
			err = fmt.Errorf("%w; the file that is there has not the published SHA-256, but is read all the same if its content is sound", err)
		}
		return false, err
	}
	if err := cmp.Or(f.part.Sync(), f.part.Close()); err != nil {
		return false, diskError{err}
	}
	if err := os.Rename(partPath, path); err != nil {
		return false, diskError{err}
	}
	f.total = f.size
	f.report(true)
	return true, nil
}

// fromMirrors fills part with the file, its checksum verified.
func (f *fetcher) fromMirrors(ctx context.Context, folder string) error {
	var failures []string
	for _, mirror := range f.mirrors {
		err := f.fromMirror(ctx, mirror+f.file.Name)
		var disk diskError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &disk):
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("%w: the next fetch goes on after the %d bytes that have arrived", context.Cause(ctx), f.size)
		}
		failures = append(failures, fmt.Sprintf("%s: %v", mirror+f.file.Name, err))
	}
	if len(failures) == 0 {
		failures = []string{"no address is known"}
	}
	return fmt.Errorf("%s: check the network, or put the file into %s by hand", strings.Join(failures, "; "), folder)
}

// fromMirror fills part from one address. It goes on after a cut as long as each
// connection brings something.
func (f *fetcher) fromMirror(ctx context.Context, address string) error {
	if err := f.seekEnd(); err != nil {
		return err
	}
	resumed := f.size > 0
	for range maxReconnects {
		before := f.size
		err := f.connect(ctx, address)
		if err == nil {
			sum, _, err := checksum(f.part.Name())
			if err != nil {
				return diskError{err}
			}
			if sum == f.file.SHA256 {
				return nil
			}
			if err := f.restart(); err != nil {
				return err
			}
			if resumed { // the fault may be in the bytes that were there
				resumed = false
				continue
			}
			return fmt.Errorf("its SHA-256 is %s, want %s (the download is discarded, nothing else is touched)", sum, f.file.SHA256)
		}
		if f.size <= before || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("the connection broke %d times", maxReconnects)
}

// connect asks for the bytes that part lacks and appends them. A nil error means
// that the server has no more.
func (f *fetcher) connect(ctx context.Context, address string) error {
	if f.file.Bytes > 0 && f.size > f.file.Bytes {
		if err := f.restart(); err != nil {
			return err
		}
	}
	if f.size > 0 && f.size == f.file.Bytes {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(f.Stall, func() {
		cancel(fmt.Errorf("it delivered nothing for %v", f.Stall))
	})
	defer stalled.Stop()

	response, err := f.request(ctx, address)
	if err != nil {
		return explain(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK && f.size > 0 { // the server does not resume
		if err := f.restart(); err != nil {
			return err
		}
	}
	limit := cmp.Or(f.file.Bytes, maxFetch)
	if n := response.ContentLength; n >= 0 {
		if f.file.Bytes > 0 && f.size+n != f.file.Bytes || f.size+n > limit {
			return fmt.Errorf("it offers %d bytes, want %d", f.size+n, limit)
		}
		f.total = f.size + n
	}
	f.report(true)
	buffer := make([]byte, 1<<16)
	for {
		stalled.Reset(f.Stall)
		n, err := response.Body.Read(buffer)
		stalled.Stop() // neither the disk nor Progress counts
		if f.size+int64(n) > limit {
			return errors.Join(fmt.Errorf("it delivers more than %d bytes", limit), f.restart())
		}
		if _, err := f.part.Write(buffer[:n]); err != nil {
			return diskError{err}
		}
		f.size += int64(n)
		f.report(false)
		switch {
		case err == io.EOF && f.size < f.file.Bytes:
			return fmt.Errorf("the connection ended after %d of %d bytes", f.size, f.file.Bytes)
		case err == io.EOF:
			return nil
		case err != nil:
			return explain(ctx, err)
		}
	}
}

// request asks for the file from byte size on, or from its beginning if the
// server cannot do that. The status of the response is 200, or 206 with bytes
// from size on.
func (f *fetcher) request(ctx context.Context, address string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Encoding", "identity") // the checksum is of the file as published
	if f.size > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", f.size))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		return response, nil
	case http.StatusPartialContent:
		if strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", f.size)) && f.size > 0 {
			return response, nil
		}
	case http.StatusRequestedRangeNotSatisfiable:
	default:
		response.Body.Close()
		return nil, fmt.Errorf("it answers %s", response.Status)
	}
	response.Body.Close()
	if f.size == 0 {
		return nil, fmt.Errorf("it answers %s to a request for the whole file", response.Status)
	}
	if err := f.restart(); err != nil {
		return nil, err
	}
	return f.request(ctx, address)
}

// restart empties part.
func (f *fetcher) restart() error {
	if err := f.part.Truncate(0); err != nil {
		return diskError{err}
	}
	return f.seekEnd()
}

// seekEnd sets the position and size to the end of part.
func (f *fetcher) seekEnd() error {
	n, err := f.part.Seek(0, io.SeekEnd)
	if err != nil {
		return diskError{err}
	}
	f.size = n
	return nil
}

// report calls Progress, unless it did so a moment ago and need not.
func (f *fetcher) report(must bool) {
	if now := time.Now(); f.Progress != nil && (must || now.Sub(f.reported) >= reportInterval) {
		f.reported = now
		f.Progress(Progress{File: f.file.Name, Bytes: f.size, Total: f.total})
	}
}

// explain says why a request with ctx failed: that it stalled, or the network's
// words without the address.
func explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var address *url.Error
	if errors.As(err, &address) {
		return address.Err
	}
	return err
}

// checksum returns the SHA-256, in hexadecimal, and the size of a file.
func checksum(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

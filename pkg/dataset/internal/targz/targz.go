// Package targz reads chosen files out of a gzip'ed tar that may be anything: cut,
// damaged, or made to do harm. No name in the archive becomes a path.
package targz

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// maxOthers bounds what an archive may contain beside the wanted members.
const maxOthers = 16 << 20

// Read reads the archive and calls take for each of the wanted members, which it
// has as folder/name, in its order. A member may hold at most limit bytes. All
// must be there, once, as regular files; everything else is passed over, and of
// all together no more is unpacked than the members and 16 MiB may hold.
//
// An error says what is wrong with the archive, without its name. An error of
// take stops the work and is returned as it is, unless the archive is the cause.
func Read(r io.Reader, folder string, members []string, limit int64, take func(name string, size int64, r io.Reader) error) error {
	z, err := gzip.NewReader(r)
	switch {
	case err == io.EOF:
		return errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is cut short")
	case err != nil:
		return fmt.Errorf("it cannot be read: %w", err)
	}
	all := int64(len(members))*limit + maxOthers
	bounded := &io.LimitedReader{R: z, N: all}
	archive := tar.NewReader(bounded)
	missing := slices.Clone(members)
	err = func() error {
		for {
			header, err := archive.Next()
			if err == io.EOF { // of the tar; the gzip stream ends, with its checksum, a little later
				_, err := io.Copy(io.Discard, bounded)
				return err
			}
			if err != nil {
				return err
			}
			inside, name := path.Split(path.Clean(header.Name))
			if inside != folder+"/" || !slices.Contains(members, name) {
				continue
			}
			at := slices.Index(missing, name)
			switch {
			case at < 0:
				return ownError{fmt.Errorf("its %s is there twice", name)}
			case header.Typeflag != tar.TypeReg:
				return ownError{fmt.Errorf("its %s is not a regular file", name)}
			case header.Size > limit:
				return ownError{fmt.Errorf("its %s has %d bytes, more than %d", name, header.Size, limit)}
			}
			body := &member{Reader: archive}
			if err := take(name, header.Size, body); err != nil {
				if body.err != nil {
					return body.err
				}
				return ownError{err}
			}
			missing = slices.Delete(missing, at, at+1)
		}
	}()
	var own ownError
	switch {
	case errors.As(err, &own):
		return own.error
	case bounded.N <= 0:
		return fmt.Errorf("it unpacks to more than %d bytes", all)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is cut short")
	case err != nil:
		return fmt.Errorf("it cannot be read: %w", err)
	case len(missing) > 0:
		return fmt.Errorf("it lacks %s/%s", folder, strings.Join(missing, ", "))
	}
	return nil
}

// ownError is an error that is not of the stream.
type ownError struct{ error }

// member is the content of a member; it remembers the error that ended it.
type member struct {
	io.Reader
	err error
}

func (m *member) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b)
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

package fetch

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sgdlab/pkg/dataset/internal/targz"
)

// complete reports whether folder has the members with their sizes.
func complete(folder string, members []File) bool {
	for _, m := range members {
		info, err := os.Stat(filepath.Join(folder, m.Name))
		if err != nil || !info.Mode().IsRegular() || info.Size() != m.Bytes {
			return false
		}
	}
	return true
}

// fetchAndUnpack fetches the archive into dir and its members into dir/folder.
// The archive is removed, unless it was there before.
func (f *fetcher) fetchAndUnpack(ctx context.Context, dir, folder string) error {
	downloaded, err := f.fetch(ctx, dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, f.file.Name)
	if err := unpack(ctx, path, dir, folder, f.file.Members); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	if downloaded {
		os.Remove(path) // if it cannot be removed, it only takes room
	}
	return nil
}

// unpack puts the members of the archive into dir/folder, none before all are
// unpacked.
func unpack(ctx context.Context, archive, dir, folder string, members []File) error {
	r, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer r.Close()
	temp := filepath.Join(dir, folder+".part")
	defer os.RemoveAll(temp)
	os.RemoveAll(temp) // an earlier attempt may have been killed
	if err := os.Mkdir(temp, 0o755); err != nil {
		return diskError{err}
	}

	want := map[string]int64{}
	var names []string
	var largest int64
	for _, m := range members {
		names = append(names, m.Name)
		want[m.Name] = m.Bytes
		largest = max(largest, m.Bytes)
	}
	err = targz.Read(r, folder, names, largest, func(name string, size int64, r io.Reader) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if size != want[name] {
			return fmt.Errorf("its %s has %d bytes, want %d", name, size, want[name])
		}
		w, err := os.OpenFile(filepath.Join(temp, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return diskError{err}
		}
		defer w.Close()
		_, err = io.Copy(w, r)
		if err := cmp.Or(err, w.Sync(), w.Close()); err != nil {
			return diskError{err}
		}
		return nil
	})
	if err != nil {
		return err
	}
	target := filepath.Join(dir, folder)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return diskError{err}
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(temp, name), filepath.Join(target, name)); err != nil {
			return diskError{err}
		}
	}
	return nil
}

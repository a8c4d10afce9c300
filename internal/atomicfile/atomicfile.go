// Package atomicfile replaces files in one piece.
package atomicfile

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Write makes data the content of the file at path, with the permissions 0644 before
// umask. At every moment, also if the process is killed or the machine stops, the file has
// its old content or all of the new one. The data go through path + ".tmp", so that a
// killed writer leaves one such file at most; two processes must not write the same path.
func Write(path string, data []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	return fill(f, path, data)
}

// Replace is Write for a path that several processes may write at once, the last one
// winning; it makes the folder, and the permissions are 0644 exactly. A writer killed in
// the middle leaves a hidden file beside path.
func Replace(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		os.Remove(f.Name())
		return err
	}
	return fill(f, path, data)
}

// fill writes data to the temporary file f and renames it to path, or removes it.
func fill(f *os.File, path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			f.Close() // closed already or not, the error to report is the first
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename in dir durable. Windows has no such call.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return nil
}

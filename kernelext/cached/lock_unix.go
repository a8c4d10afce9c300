//go:build unix

package cached

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock makes this the only holder of the lock at path, among all goroutines and programs,
// until unlock is called or the program ends. It calls waiting once if it must wait.
func lock(path string, waiting func()) (unlock func(), err error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
		if err == unix.EWOULDBLOCK {
			waiting()
			waiting = func() {}
			err = flock(f, unix.LOCK_EX)
		}
		if err != nil {
			f.Close()
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
		// The last holder has removed the file; a lock on it excludes nobody any more.
		mine, err := f.Stat()
		if err == nil {
			var there os.FileInfo
			if there, err = os.Stat(path); err == nil && os.SameFile(mine, there) {
				return func() {
					_ = os.Remove(path)
					f.Close()
				}, nil
			}
		}
		f.Close()
	}
}

// flock calls the system until no signal gets in between.
func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

package noise

import (
	"errors"
	"fmt"
	"os"
	"unsafe"
)

// Store says where a [Covariance] keeps the per-sample gradients.
type Store int

const (
	// Automatic keeps them in memory if they fit Settings.MaxBytes, otherwise in a file if
	// Settings.Dir names a folder for it, otherwise nowhere.
	Automatic Store = iota
	// InMemory keeps them in memory, however much that takes.
	InMemory
	// InFile keeps them in a file that is mapped into memory, without limit to the size:
	// the operating system keeps in memory what it can.
	InFile
	// Recompute keeps nothing: every pass over the gradients computes them again.
	Recompute
)

// String returns "automatic", "in memory", "in a file" or "recomputed".
func (s Store) String() string {
	switch s {
	case Automatic:
		return "automatic"
	case InMemory:
		return "in memory"
	case InFile:
		return "in a file"
	case Recompute:
		return "recomputed"
	}
	return fmt.Sprintf("Store(%d)", int(s))
}

// choose returns the store for gradients of the given size.
func (s Store) choose(size, maxBytes int64, dir string) Store {
	switch {
	case s != Automatic:
		return s
	case size <= maxBytes:
		return InMemory
	case dir != "":
		return InFile
	}
	return Recompute
}

var errClosed = errors.New("noise: the covariance was closed and its gradients are gone: make a new one")

// file is where gradients go: written once from the front, then mapped. It has no name
// where the operating system allows that, so that nothing is left of it even after a
// crash.
type file struct {
	f             *os.File
	dir           string
	written, size int64
	mapped        []byte
}

// newFile returns an empty file for size bytes in dir, "" meaning the usual one.
func newFile(dir string, size int64) (*file, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	f, err := os.CreateTemp(dir, "sgdlab-gradients-*")
	if err != nil {
		return nil, fmt.Errorf("noise: no file for the gradients: %w: check Settings.Dir", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("noise: no file for the gradients in %s: %w", dir, err), f.Close())
	}
	return &file{f: f, dir: dir, size: size}, nil
}

// write appends numbers.
func (f *file) write(data []byte) error {
	n, err := f.f.Write(data)
	f.written += int64(n)
	if err != nil {
		return fmt.Errorf("noise: writing gradients to %s failed after %d of %d bytes: %w: make room, or choose another Settings.Dir, or Recompute", f.dir, f.written, f.size, errors.Unwrap(err))
	}
	return nil
}

// finish maps what was written.
func (f *file) finish() error {
	mapped, err := mapFile(f.f, int(f.written))
	if err != nil {
		return fmt.Errorf("noise: the gradients in %s cannot be mapped into memory: %w: choose InMemory or Recompute", f.dir, err)
	}
	f.mapped = mapped
	return nil
}

// close gives disk and memory back.
func (f *file) close() error {
	err := f.f.Close()
	if f.mapped != nil {
		err = errors.Join(err, unmapFile(f.mapped))
		f.mapped = nil
	}
	return err
}

// asBytes views numbers as bytes, asNumbers bytes as numbers.
func asBytes[T float32 | float64](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(*new(T))))
}

func asNumbers[T float32 | float64](b []byte) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(*new(T))))
}

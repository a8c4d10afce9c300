package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"sgdlab/pkg/internal/atomicfile"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, want := range []string{"first", "", "a longer text than the first"} {
		if err := atomicfile.Write(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("got %d files, want only the one written", len(entries))
	}
}

func TestWriteKeepsTheOldFileOnFailure(t *testing.T) {
	dir := t.TempDir()
	if err := atomicfile.Write(filepath.Join(dir, "missing", "a"), nil); err == nil {
		t.Error("writing into a missing folder: got no error")
	}
	// A folder cannot be replaced by a file: the rename fails after everything else.
	path := filepath.Join(dir, "b")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("x")); err == nil {
		t.Error("replacing a folder: got no error")
	}
	if _, err := os.Stat(filepath.Join(path, "inside")); err != nil {
		t.Error("the folder is gone")
	}
	if _, err := os.Stat(path + ".tmp"); err == nil {
		t.Error("the temporary file was left behind")
	}
}

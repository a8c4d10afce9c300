package atomicfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sgdlab/internal/atomicfile"
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

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "a")
	texts := []string{"one", "two", "three", "four"}
	done := make(chan error)
	for _, text := range texts { // several writers of one path
		go func() { done <- atomicfile.Replace(path, []byte(text)) }()
	}
	for range texts {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !slices.Contains(texts, string(got)) {
		t.Errorf("got %q, %v, want one of %q", got, err, texts)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("got %d files, want only the one written", len(entries))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("got mode %v, %v, want 0644", info.Mode(), err)
	}
	if err := atomicfile.Replace(filepath.Join(path, "below"), nil); err == nil {
		t.Error("a file as a folder: got no error")
	}
}

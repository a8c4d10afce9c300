package cached

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// position is a place in a source file.
type position struct {
	file string
	line int
}

// codeAt identifies the code that a call of Value at p runs, see the package comment.
func codeAt(p position) (string, error) {
	base, trusted, err := baseCode()
	if err != nil {
		return "", err
	}
	root := moduleRoot()
	switch main := cellFile(); {
	case trusted && main != "" && filepath.Clean(p.file) == main:
		cell, err := cellCode(main, p.line)
		if err != nil {
			return "", err
		}
		return base + cell, nil
	case trusted && root != "" && strings.HasPrefix(filepath.Clean(p.file), root+string(filepath.Separator)) && !strings.HasSuffix(p.file, "_test.go"):
		return base, nil
	}
	program, err := programCode()
	if err != nil {
		return "", err
	}
	return base + program, nil
}

// cellFile returns the source of the cell that this program is, or "". Programs that a
// cell starts see the same variable, but their file lies elsewhere.
func cellFile() string {
	dir := os.Getenv("GONB_TMP_DIR")
	program, err := os.Executable()
	if dir == "" || err != nil || !sameFolder(filepath.Dir(program), dir) {
		return ""
	}
	return filepath.Join(filepath.Clean(dir), "main.go")
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// moduleRoot returns the root of the module that this package was compiled from, or "" if
// the compiler was told to forget it (-trimpath).
var moduleRoot = sync.OnceValue(func() string {
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(filepath.Dir(file))) // …/kernelext/cached/code.go
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil || !filepath.IsAbs(root) {
		return ""
	}
	return filepath.Clean(root)
})

// baseCode returns a hash of the module's sources and of the way they were built, and
// whether the sources on disk are those of this program.
func baseCode() (code string, trusted bool, err error) {
	r := base()
	return r.code, r.trusted, r.err
}

type baseResult struct {
	code    string
	trusted bool
	err     error
}

var base = sync.OnceValue(func() baseResult {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH, os.Getenv("GOMLX_BACKEND"), os.Getenv("PJRT_PLUGIN_LIBRARY_PATH"))
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" || s.Key == "CGO_ENABLED" || s.Key == "GOEXPERIMENT" || s.Key == "GOAMD64" {
				fmt.Fprintln(h, s.Key, s.Value)
			}
		}
	}
	r := baseResult{}
	if root := moduleRoot(); root != "" {
		newest, err := hashSources(h, root)
		if err != nil {
			r.err = fmt.Errorf("cached: reading the sources of this module: %w", err)
			return r
		}
		r.trusted = newest.Before(buildBegin())
	}
	r.code = hex.EncodeToString(h.Sum(nil))
	return r
})

// buildBegin returns a time before which this program's sources were read. In a cell it
// is when GoNB wrote the program. Elsewhere builds are taken to last a minute at most.
func buildBegin() time.Time {
	if main := cellFile(); main != "" {
		if info, err := os.Stat(main); err == nil {
			return info.ModTime()
		}
		return time.Time{}
	}
	program, err := os.Executable()
	if err != nil {
		return time.Time{}
	}
	info, err := os.Stat(program)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime().Add(-time.Minute)
}

// programCode returns a hash of the running program's file.
var programCode = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cached: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cached: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("cached: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
})

// hashSources adds the name and the contents of every file of the module at root that
// can be compiled in, in a fixed order, and returns the time of the newest.
func hashSources(h hash.Hash, root string) (newest time.Time, err error) {
	paths := []string{filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum")}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path == root {
				return nil
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || name[0] == '.' || name[0] == '_' || name == "testdata" || name == "vendor" {
				return filepath.SkipDir // another module, or no packages
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".s", ".S", ".c", ".h", ".syso":
			if !strings.HasSuffix(name, "_test.go") {
				paths = append(paths, path)
			}
		}
		return nil
	})
	if err != nil {
		return newest, err
	}
	slices.Sort(paths)
	seen := map[string]bool{}
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // no go.sum, or saved by an editor at this moment
		}
		if err != nil {
			return newest, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return newest, err
		}
		fmt.Fprintf(h, "%s %d\n", filepath.ToSlash(name), len(data))
		h.Write(data)
		if filepath.Ext(path) == ".go" {
			embedded, err := embeds(path, data)
			if err != nil {
				return newest, err
			}
			paths = append(paths, embedded...)
		}
	}
	return newest, nil
}

// embeds returns the files that the Go file at path embeds, in order.
func embeds(path string, data []byte) ([]string, error) {
	var files []string
	for line := range bytes.Lines(data) {
		patterns, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("//go:embed "))
		if !ok {
			continue
		}
		for _, pattern := range strings.Fields(string(patterns)) {
			pattern = strings.TrimPrefix(strings.Trim(pattern, "\"`"), "all:")
			found, err := filepath.Glob(filepath.Join(filepath.Dir(path), filepath.FromSlash(pattern)))
			if err != nil {
				return nil, err
			}
			for _, f := range found {
				err := filepath.WalkDir(f, func(path string, d fs.DirEntry, err error) error {
					if err == nil && d.Type().IsRegular() {
						files = append(files, path)
					}
					return err
				})
				if err != nil {
					return nil, err
				}
			}
		}
	}
	return files, nil
}

package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// goXLA is the module that binds XLA.
const goXLA = "github.com/gomlx/go-xla"

// noInstaller stands in for go-xla's package installer, which can download plug-ins. No
// cell may do that (pkg/backend forbids it), but each cell with XLA would link the HTTP and
// TLS of Go's library for it: a quarter of what the linker has to do.
const noInstaller = `// Package installer downloads nothing.
package installer

import "errors"

// VerbosityLevel is not used.
type VerbosityLevel int

// Normal is not used.
const Normal VerbosityLevel = 0

// AutoInstall fails.
func AutoInstall(string, bool, VerbosityLevel) error {
	return errors.New("plug-ins are not downloaded from a cell: run sgdlab setup --xla")
}
`

// slim makes .lab/go-xla, a copy of go-xla without its installer, and .lab/go.work, which
// has it replace the original. Cells are built in that workspace, see kernelspec.Launch.
func (r *runner) slim(ctx context.Context) error {
	const step = "preparing go-xla for cells"
	out, err := r.run(ctx, r.lab.Root, goEnv, r.g.Exe, "list", "-m", "-f", "{{.Dir}}", goXLA)
	if err != nil {
		return explain(step, out, err)
	}
	tmp, err := os.MkdirTemp(r.lab.Path(), "tools-*")
	if err != nil {
		return explain(step, nil, err)
	}
	defer os.RemoveAll(tmp)
	err = errors.Join(
		copySource(tmp, strings.TrimSpace(string(out))),
		os.WriteFile(filepath.Join(tmp, "installer", "installer.go"), []byte(noInstaller), 0o644),
		// No requirements: versions are those of this project's go.mod.
		os.WriteFile(filepath.Join(tmp, "go.mod"), []byte("module "+goXLA+"\n\ngo 1.24\n"), 0o644),
	)
	if err != nil {
		return explain(step, nil, err)
	}
	goMod, err := os.ReadFile(filepath.Join(r.lab.Root, "go.mod"))
	if err != nil {
		return explain(step, nil, err)
	}
	work := fmt.Sprintf("%s\n\nuse (\n\t%q\n\t%q\n)\n", goLine.Find(goMod), r.lab.Root, r.lab.GoXLA())
	err = errors.Join(
		os.RemoveAll(r.lab.GoXLA()),
		os.Rename(tmp, r.lab.GoXLA()),
		os.WriteFile(r.lab.GoWork(), []byte(work), 0o644),
	)
	if err != nil {
		return explain(step, nil, err)
	}
	return nil
}

var goLine = regexp.MustCompile(`(?m)^go \S+`)

// copySource copies from src to dst what the go command compiles, but for programs, tests
// and the files of the package installer. The folders are made.
func copySource(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		switch {
		case name == "docs", name == "examples", name == filepath.Join("internal", "cmd"):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dst, name), 0o755)
		case filepath.Dir(name) == "installer", strings.HasSuffix(name, "_test.go"):
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".c", ".h":
		default:
			if name != "LICENSE" {
				return nil
			}
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dst, name), b, 0o644)
	})
}

package kernelspec

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// GoTool is the go command that builds cells, and its settings in the module.
type GoTool struct {
	Exe      string // absolute; of the toolchain that go.mod selects
	Version  string // as in "1.26.8"
	CGo      bool   // cgo works: there is a C compiler
	Cache    string // GOCACHE
	ModCache string // GOMODCACHE
}

const installGo = "install Go 1.26.5 or newer from go.dev/dl and put its bin folder first in PATH"

// FindGo returns the go command for the module at root: exe, or the first one in PATH if
// exe is empty or gone. An error is one sentence with the remedy: there is no go command,
// it is too old for the module, or go.mod cannot be read.
func FindGo(ctx context.Context, root, exe string) (*GoTool, error) {
	if _, err := os.Stat(exe); exe == "" || err != nil {
		if exe, err = exec.LookPath("go"); err != nil {
			return nil, errors.New("there is no go command in PATH: " + installGo)
		}
	}
	list := exec.CommandContext(ctx, exe, "list", "-m")
	list.Dir = root
	list.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	if out, err := list.CombinedOutput(); err != nil {
		line := lastLine(out, err)
		if strings.Contains(line, "requires go") || strings.Contains(line, "invalid go version") || strings.Contains(line, "toolchain not available") {
			return nil, fmt.Errorf("the go command %s is too old for %s (%s): install a newer Go from go.dev/dl and put its bin folder first in PATH", exe, root, line)
		}
		return nil, fmt.Errorf("the Go module in %s cannot be loaded: %s", root, line)
	}
	env := exec.CommandContext(ctx, exe, "env", "-json", "GOVERSION", "GOROOT", "CGO_ENABLED", "GOCACHE", "GOMODCACHE")
	env.Dir = root
	out, err := env.Output()
	if err != nil {
		return nil, fmt.Errorf("%s env does not work: %s", exe, lastLine(out, err))
	}
	var v struct{ GOVERSION, GOROOT, CGO_ENABLED, GOCACHE, GOMODCACHE string }
	if err := json.Unmarshal(out, &v); err != nil {
		return nil, fmt.Errorf("%s env answers nonsense: %w", exe, err)
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(v.GOVERSION, "go"), "-")
	return &GoTool{
		Exe:     filepath.Join(v.GOROOT, "bin", "go"),
		Version: version, CGo: v.CGO_ENABLED == "1",
		Cache: v.GOCACHE, ModCache: v.GOMODCACHE,
	}, nil
}

// lastLine returns the last line of a command's output that says something, or else its error.
func lastLine(out []byte, err error) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return cmp.Or(strings.TrimSpace(string(lines[len(lines)-1])), err.Error())
}

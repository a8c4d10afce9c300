package sgdlab_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the path of this module, with the slash before a package.
const module = "sgdlab/"

// packages holds the imports of every package that this module's packages depend on.
type packages map[string]struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// listPackages asks the go command. Tests do not count: they may use what they test.
func listPackages(t *testing.T) packages {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps", "./...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	all := packages{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
			Deps       []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all[p.ImportPath] = p
	}
}

// below reports whether path is one of roots or below one of them.
func below(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}

// TestArrows holds the arrows notebooks → kernelext → pkg, and who may import what.
func TestArrows(t *testing.T) {
	all := listPackages(t)

	imports := []struct {
		what    string   // these packages and those below them
		allowed []string // only these packages, and those below them, import them
	}{
		{module + "kernelext", []string{module + "kernelext"}},
		{"github.com/janpfeifer/gonb", []string{module + "kernelext"}},
		{"gonum.org/v1/plot", []string{module + "pkg/figure"}},
		{"github.com/gomlx", []string{module + "pkg/backend", module + "pkg/network", module + "pkg/noise", module + "pkg/sgd"}},
		{"github.com/spf13/cobra", []string{module + "kernelext/cmd"}},
		{"github.com/go-zeromq/zmq4", []string{module + "kernelext/notebook"}},
	}
	for _, rule := range imports {
		for path, p := range all {
			if !strings.HasPrefix(path, module) || below(path, rule.allowed...) {
				continue
			}
			for _, i := range p.Imports {
				if below(i, rule.what) {
					t.Errorf("%s imports %s; only %s may", path, i, strings.Join(rule.allowed, ", "))
				}
			}
		}
	}

	// Not even through other packages.
	depends := []struct{ from, never, why string }{
		{module + "pkg", module + "kernelext", "the library knows no notebook"},
		{module + "pkg/figure", "github.com/gomlx", "a cell that draws must not link it"},
		{module + "kernelext/show", "github.com/gomlx", "a cell that shows must not link it"},
		{module + "kernelext/show", "net/http", "it would make each cell slower to link"},
		{module + "kernelext/widget", "github.com/gomlx", "a cell with a slider must not link it"},
		{module + "kernelext/widget", "gonum.org", "a cell with a slider must not link it"},
		{module + "kernelext/widget", "net/http", "it would make each cell slower to link"},
		{module + "kernelext/cached", "github.com/gomlx", "a cell that reads a result must not link it"},
		{module + "pkg/problem", "github.com/gomlx", "toys need no engine"},
		{module + "pkg/spectrum", "github.com/gomlx", "spectra need no engine"},
		{module + "pkg/sgd/snapshot", "github.com/gomlx", "to read a trajectory needs no engine"},
		{module + "pkg/experiment/plane", "github.com/gomlx", "the plane needs no engine"},
	}
	for _, rule := range depends {
		found := false
		for path, p := range all {
			if !below(path, rule.from) {
				continue
			}
			found = true
			for _, dep := range p.Deps {
				if below(dep, rule.never) {
					t.Errorf("%s depends on %s: %s", path, dep, rule.why)
				}
			}
		}
		if !found {
			t.Errorf("no package is below %s: the rule holds nothing", rule.from)
		}
	}
}

// TestArrowsOrder holds the order of the library's layers: a package imports only
// packages of this module that stand in front of it.
func TestArrowsOrder(t *testing.T) {
	order := []string{
		"data", "internal",
		"pkg/internal", "pkg/ledger/claim", "pkg/problem", "pkg/internal/numtest", "pkg/dataset", "pkg/backend",
		"pkg/network", "pkg/noise", "pkg/spectrum", "pkg/sgd",
		"pkg/sde", "pkg/fokkerplanck", "pkg/potential", "pkg/variational", "pkg/trajectory",
		"pkg/figure", "pkg/ledger", "pkg/experiment",
		"kernelext",
	}
	place := func(path string) int {
		longest, at := "", -1
		for i, o := range order {
			if below(path, module+o) && len(o) > len(longest) {
				longest, at = o, i
			}
		}
		return at
	}
	for path, p := range listPackages(t) {
		if !strings.HasPrefix(path, module) {
			continue
		}
		if place(path) < 0 {
			t.Errorf("%s has no place in the order of %s: give it one", path, filepath.Base(t.Name()))
			continue
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, module) && place(i) > place(path) {
				t.Errorf("%s imports %s, which stands behind it in the order of layers", path, i)
			}
		}
	}
}

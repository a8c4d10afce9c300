package kernelspec

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"sgdlab/internal/atomicfile"
	"sgdlab/kernelext/notebook"
)

// Names of the two kernels.
const (
	Name   = "sgdlab"
	PureGo = "sgdlab-go"
)

var displayNames = map[string]string{
	Name:   "Go (sgdlab)",
	PureGo: "Go (sgdlab, pure Go)",
}

//go:embed logo-svg.svg
var logoSVG []byte

//go:embed logo-64x64.png
var logoPNG []byte

// Names returns the names of the kernels, the default one first.
func Names() []string { return []string{Name, PureGo} }

// Env returns the environment that the kernel called name adds to that of Jupyter, for
// programs built by g. Link time is what a cell waits for, and decides the flags:
//
//   - a cell that holds XLA links in-house (-linkmode=internal), not by the C linker;
//   - without the plug-in, or in the pure-Go kernel, XLA is left out (noxla), and with it C;
//   - no cell has debug information (-s); stack traces keep files and lines.
//
// GOPROXY=off keeps GoNB from asking the network before each build, and from replacing
// pinned versions by newer ones.
func (l Lab) Env(name string, g *GoTool) map[string]string {
	env := map[string]string{
		"GOEXPERIMENT": "simd",
		"GOPROXY":      "off",
		"GOFLAGS":      "-ldflags=-s -tags=noxla",
		"CGO_ENABLED":  "0",
		"SGDLAB_ROOT":  l.Root,
		"SGDLAB_GO":    g.Exe,
	}
	if name != PureGo && l.HasPlugin() && g.CGo {
		env["GOFLAGS"], env["CGO_ENABLED"] = "'-ldflags=-s -linkmode=internal'", "1"
		env["PJRT_PLUGIN_LIBRARY_PATH"] = l.PluginDir()
	}
	return env
}

// BuildEnv returns the environment in which the go command compiles the packages of the
// clone as it does for a cell of the kernel called name.
func (l Lab) BuildEnv(name string, g *GoTool) map[string]string {
	env := l.Env(name, g)
	env["GOWORK"] = "off"
	if withXLA(env["PJRT_PLUGIN_LIBRARY_PATH"], l) {
		env["GOWORK"] = l.GoWork()
	}
	return env
}

// withXLA reports whether cells are built with the go-xla of l, given the folder of the
// plug-in: without XLA nobody needs it.
func withXLA(pluginDir string, l Lab) bool {
	_, err := os.Stat(l.GoXLA())
	return pluginDir != "" && err == nil
}

// HasPlugin reports whether the XLA CPU plug-in is set up.
func (l Lab) HasPlugin() bool {
	_, err := os.Stat(l.Plugin())
	return err == nil
}

// Folder returns the folder of the kernel called name in a Jupyter data folder.
func Folder(dataDir, name string) string { return filepath.Join(dataDir, "kernels", name) }

// Install writes both kernels into dataDir, a Jupyter data folder: [Lab.DataDir], the
// share/jupyter of a Python environment, or [UserDataDir]. They run the programs in l.
// Files are replaced in one piece.
func Install(l Lab, dataDir string, g *GoTool) error {
	for _, name := range Names() {
		spec, err := json.MarshalIndent(notebook.Spec{
			Argv:          []string{l.Tool("sgdlab"), "kernel", "launch", "{connection_file}"},
			DisplayName:   displayNames[name],
			Language:      "go",
			InterruptMode: "message",
			Env:           l.Env(name, g),
		}, "", " ")
		if err != nil {
			return err
		}
		dir := Folder(dataDir, name)
		for file, data := range map[string][]byte{
			"kernel.json":    append(spec, '\n'),
			"logo-svg.svg":   logoSVG,
			"logo-64x64.png": logoPNG,
		} {
			if err := atomicfile.Replace(filepath.Join(dir, file), data); err != nil {
				return fmt.Errorf("kernelspec: writing the kernel %s: %w", name, err)
			}
		}
	}
	return nil
}

// Uninstall removes both kernels from dataDir. It returns the folders that it removed,
// and an error if there was none.
func Uninstall(dataDir string) (removed []string, err error) {
	for _, name := range Names() {
		dir := Folder(dataDir, name)
		if _, err := os.Stat(filepath.Join(dir, "kernel.json")); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return removed, fmt.Errorf("kernelspec: %w", err)
		}
		removed = append(removed, dir)
	}
	if removed == nil {
		return nil, fmt.Errorf("kernelspec: %s has no kernel of sgdlab", dataDir)
	}
	return removed, nil
}

// Environ returns base with the variables of env set, in a fixed order.
func Environ(base []string, env map[string]string) []string {
	out := slices.Clip(base)
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
}

package kernelspec

import (
	"os"
	"path/filepath"
	"strings"
)

// Lab is the folder .lab of a clone, in which set-up keeps everything that is not
// committed.
type Lab struct {
	Root string // the module root, absolute
}

// Path returns the path of a file in .lab.
func (l Lab) Path(elem ...string) string {
	return filepath.Join(append([]string{l.Root, ".lab"}, elem...)...)
}

// Tool returns the path of a program that set-up builds: gonb, gopls, goimports,
// staticcheck, sgdlab.
func (l Lab) Tool(name string) string { return l.Path("bin", name) }

// PluginDir returns the folder of the XLA CPU plug-in, the value for
// PJRT_PLUGIN_LIBRARY_PATH.
func (l Lab) PluginDir() string { return l.Path("pjrt") }

// Plugin returns the path of the XLA CPU plug-in. The file name is the one that go-xla
// looks for.
func (l Lab) Plugin() string { return filepath.Join(l.PluginDir(), "pjrt_c_api_cpu_plugin.so") }

// GoXLA returns the folder of the go-xla that cells are built with, a copy without its
// installer.
func (l Lab) GoXLA() string { return l.Path("go-xla") }

// GoWork returns the path of the workspace of the clone and [Lab.GoXLA].
func (l Lab) GoWork() string { return l.Path("go.work") }

// DataDir returns the Jupyter data folder of the clone, the value for JUPYTER_PATH.
func (l Lab) DataDir() string { return l.Path("share", "jupyter") }

// Venv returns the path of a program in the private Python environment.
func (l Lab) Venv(program string) string { return l.Path("venv", "bin", program) }

// UserDataDir returns the folder where Jupyter looks for the user's own kernels.
func UserDataDir() (string, error) {
	if dir := os.Getenv("JUPYTER_DATA_DIR"); dir != "" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, userData), nil
}

// modulePath is the path of this project's module.
const modulePath = "sgdlab"

// FindLab returns the Lab of the module that holds dir, if that module is this project.
func FindLab(dir string) (lab Lab, ok bool) {
	root, path := enclosingModule(dir)
	return Lab{root}, path == modulePath
}

// enclosingModule returns the closest folder upwards from dir that has a go.mod, and the
// module path that the file declares; both are empty if there is none.
func enclosingModule(dir string) (root, path string) {
	for {
		if b, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			return dir, declaredPath(string(b))
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ""
		}
		dir = parent
	}
}

func declaredPath(goMod string) string {
	for line := range strings.Lines(goMod) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return strings.Trim(fields[1], `"`)
		}
	}
	return ""
}

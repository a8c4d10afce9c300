package kernelspec_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// TestSecondClone: in another clone, not set up, the one kernel imports that clone's code.
func TestSecondClone(t *testing.T) {
	t.Parallel()
	second := t.TempDir()
	for file, text := range map[string]string{
		"go.mod":               "module sgdlab\n\ngo 1.26\n",
		"pkg/which/which.go":   "package which\n\n// Clone says which clone this is.\nconst Clone = \"the second\"\n",
		"notebooks/INDEX.md":   "",
		"kernelext/empty/x.go": "package empty\n",
	} {
		path := filepath.Join(second, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	k := kerneltest.Start(t, kernelspec.PureGo, notebook.KernelSettings{Dir: filepath.Join(second, "notebooks")})
	if got := kerneltest.Text(kerneltest.Run(t, k, "import \"sgdlab/pkg/which\"\n\n%%\nfmt.Println(which.Clone)")); got != "the second\n" {
		t.Errorf("got %q", got)
	}
}

// TestReadOnlyModuleCache: cells need only read what set-up has downloaded.
func TestReadOnlyModuleCache(t *testing.T) {
	t.Parallel()
	lab := kerneltest.Lab(t)
	g, err := kernelspec.FindGo(t.Context(), lab.Root, "")
	if err != nil {
		t.Fatal(err)
	}
	const readOnly = `mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" "$0" && ! touch "$0/written" 2>/dev/null && exec "$@"`
	wrap := []string{"unshare", "--mount", "sh", "-c", readOnly, g.ModCache}
	if err := exec.Command(wrap[0], append(wrap[1:], "true")...).Run(); err != nil {
		t.Skipf("a folder cannot be made read-only for one process here (unshare --mount: %v)", err)
	}
	spec, err := notebook.FindSpec(kernelspec.PureGo, lab.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	spec.Argv = append(wrap, spec.Argv...)
	k, err := notebook.Start(t.Context(), spec, &notebook.KernelSettings{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for _, code := range smoke[:2] {
		kerneltest.Run(t, k, code)
	}
}

// TestCommands installs the kernels beside a stock GoNB, which stays as it is, and asks
// the doctor about a clone that works and about one that does not.
func TestCommands(t *testing.T) {
	t.Parallel()
	lab := kerneltest.Lab(t)
	prefix := t.TempDir()
	gonb := filepath.Join(prefix, "share", "jupyter", "kernels", "gonb", "kernel.json")
	const stockSpec = `{"argv": ["gonb"], "display_name": "Go (gonb)", "language": "go"}`
	if err := os.MkdirAll(filepath.Dir(gonb), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(gonb, []byte(stockSpec), 0o666); err != nil {
		t.Fatal(err)
	}
	sgdlab := func(dir string, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, lab.Tool("sgdlab"), args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	installed := func() []string {
		t.Helper()
		entries, err := os.ReadDir(filepath.Dir(filepath.Dir(gonb)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}

	if out, err := sgdlab(prefix, "kernel", "install", "--prefix", prefix); err != nil || strings.Join(installed(), " ") != "gonb sgdlab sgdlab-go" {
		t.Errorf("install: %v, %s; there are %q", err, out, installed())
	}
	if out, err := sgdlab(prefix, "kernel", "uninstall", "--prefix", prefix); err != nil || strings.Join(installed(), " ") != "gonb" {
		t.Errorf("uninstall: %v, %s; there are %q", err, out, installed())
	}
	if out, err := sgdlab(prefix, "kernel", "uninstall", "--prefix", prefix); err == nil {
		t.Errorf("uninstalling twice: %s", out)
	}
	if b, err := os.ReadFile(gonb); err != nil || string(b) != stockSpec {
		t.Errorf("the stock GoNB was changed: %v, %s", err, b)
	}
	out, err := sgdlab(prefix, "kernel", "doctor")
	if err != nil || strings.Contains(out, "BROKEN") || !strings.Contains(out, "a cell  ") {
		t.Errorf("the doctor of a clone that works: %v\n%s", err, out)
	}
}

// TestDoctorFails: where a cell would not work the command ends with an error, after a
// table with a remedy for each trouble.
func TestDoctorFails(t *testing.T) {
	t.Parallel()
	lab := kerneltest.Lab(t)
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "go.mod"), []byte("module sgdlab\n\ngo 1.26\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	// The program works for the clone around the working directory if it is in no clone.
	exe := filepath.Join(broken, "sgdlab")
	b, err := os.ReadFile(lab.Tool("sgdlab"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, b, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "doctor")
	cmd.Dir = broken
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("got %v", err)
	}
	if n := strings.Count(string(out), "BROKEN"); n == 0 || strings.Count(string(out), "→ ") < n {
		t.Errorf("got %d troubles in\n%s", n, out)
	}
}

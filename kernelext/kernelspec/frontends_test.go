package kernelspec_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// optional returns a command of a Python tool that set-up does not install; the test is
// skipped where it is neither in the clone's environment nor in PATH.
func optional(t *testing.T, lab kernelspec.Lab, name string, args ...string) *exec.Cmd {
	t.Helper()
	path := lab.Venv(name)
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed; .lab/venv/bin/pip install %[1]s", name)
		}
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "JUPYTER_PATH="+lab.DataDir(), "JUPYTER_CONFIG_DIR="+t.TempDir(), "JUPYTER_RUNTIME_DIR="+t.TempDir())
	return cmd
}

// TestJupytext turns the tour into text and back.
func TestJupytext(t *testing.T) {
	t.Parallel()
	lab := kerneltest.Lab(t)
	tour := filepath.Join(lab.Root, "notebooks", "00_tour.ipynb")
	for _, format := range []string{"md", "md:myst", "go:percent"} {
		if out, err := optional(t, lab, "jupytext", "--to", format, "--test-strict", tour).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", format, err, out)
		}
	}
}

// TestPapermill runs a notebook that was given parameters, and one that has their defaults;
// papermill itself cannot write Go.
func TestPapermill(t *testing.T) {
	t.Parallel()
	lab := kerneltest.Lab(t)
	nb := &notebook.Notebook{Minor: 5, Metadata: map[string]any{
		"kernelspec": map[string]any{"name": kernelspec.Name, "display_name": "Go (sgdlab)", "language": "go"},
	}}
	for i, source := range []string{"const (\n\tsteps = 3\n\tnet   = \"small-fc\"\n)", "import \"fmt\"\n\n%%\nfmt.Println(net, steps)"} {
		nb.Cells = append(nb.Cells, &notebook.Cell{ID: string(rune('a' + i)), Type: notebook.Code, Source: source, Metadata: map[string]any{}})
	}
	nb.Cells[0].Metadata["tags"] = []any{"parameters"}
	changed, err := notebook.WithParameters(nb, map[string]string{"steps": "7", "net": "tiny-fc"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		nb   *notebook.Notebook
		want string
	}{"defaults": {nb, "small-fc 3\n"}, "changed": {changed, "tiny-fc 7\n"}} {
		in, out := filepath.Join(dir, name+".ipynb"), filepath.Join(dir, name+"-out.ipynb")
		if err := tt.nb.WriteFile(in); err != nil {
			t.Fatal(err)
		}
		if said, err := optional(t, lab, "papermill", in, out, "--no-progress-bar").CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, said)
		}
		ran, err := notebook.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(said(ran), ""); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

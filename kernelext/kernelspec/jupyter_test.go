package kernelspec_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// jupyter returns a command of the clone's own Jupyter, which ends with the test.
func jupyter(t *testing.T, lab kernelspec.Lab, args ...string) *exec.Cmd {
	t.Helper()
	if _, err := os.Stat(lab.Venv("jupyter")); err != nil {
		t.Skip("JupyterLab is not set up; ./scripts/test --python sets it up")
	}
	cmd := exec.CommandContext(t.Context(), lab.Venv("jupyter"), args...)
	cmd.Env = append(os.Environ(), "JUPYTER_PATH="+lab.DataDir(), "JUPYTER_CONFIG_DIR="+t.TempDir(), "JUPYTER_RUNTIME_DIR="+t.TempDir())
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// cells of the notebook that all front-ends run. The folder is no module: imports come from
// the clone that installed the kernel.
var smoke = []string{
	"%%\nfmt.Println(\"d =\", problem.T1().Dim())", // the import is found
	"import \"sgdlab/kernelext/show\"\n\n%%\nshow.Table(map[string]int{\"N\": problem.T1().Samples()})",
	"%%\nfmt.Println(undefined)", // may fail
}

func writeSmoke(t *testing.T) (path string) {
	t.Helper()
	nb := &notebook.Notebook{Minor: 5, Metadata: map[string]any{
		"kernelspec": map[string]any{"name": kernelspec.Name, "display_name": "Go (sgdlab)", "language": "go"},
	}}
	for i, source := range smoke {
		nb.Cells = append(nb.Cells, &notebook.Cell{ID: fmt.Sprint("cell-", i), Type: notebook.Code, Source: source, Metadata: map[string]any{}})
	}
	nb.Cells[2].Metadata["tags"] = []any{"raises-exception"}
	path = filepath.Join(t.TempDir(), "smoke.ipynb")
	if err := nb.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// said returns the texts that the cells of a notebook show.
func said(nb *notebook.Notebook) []string {
	texts := make([]string, len(nb.Cells))
	for i, c := range nb.Cells {
		for _, o := range c.Outputs {
			texts[i] += o.Text
			if s, ok := o.Data["text/plain"].(string); ok {
				texts[i] += s
			}
			if o.Type == "error" {
				texts[i] += o.Ename
			}
		}
	}
	return texts
}

// TestFrontEnds runs one notebook through this project's runner, nbconvert and nbclient: the
// cells must say the same.
func TestFrontEnds(t *testing.T) {
	t.Parallel()
	lab := kerneltest.Lab(t)
	spec, err := notebook.FindSpec(kernelspec.Name, lab.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	path := writeSmoke(t)
	nb, err := notebook.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := notebook.Run(t.Context(), nb, spec, &notebook.Settings{Kernel: notebook.KernelSettings{Dir: filepath.Dir(path)}})
	if err != nil {
		t.Fatal(err)
	}
	want := said(ours.Notebook)
	if want[0] != "d = 2\n" || !strings.Contains(want[1], "4") || !strings.Contains(want[2], "ERROR") {
		t.Errorf("the cells say %q", want)
	}

	for _, args := range [][]string{
		{"nbconvert", "--to", "notebook", "--execute", "--inplace"},
		{"execute", "--inplace"},
	} {
		t.Run(args[0], func(t *testing.T) {
			path := writeSmoke(t)
			if out, err := jupyter(t, lab, append(args, path)...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			nb, err := notebook.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := said(nb)
			for i := range smoke {
				if got[i] != want[i] {
					t.Errorf("cell %d says %q, want as in our runner %q", i, got[i], want[i])
				}
			}
			if d := notebook.Compare(ours.Notebook, nb, nil); d != nil {
				t.Errorf("compared with our runner: %v", d)
			}
		})
	}
}

// startLab starts JupyterLab as ./scripts/lab does, on dir and with the token "secret"; it
// ends with the test.
func startLab(t *testing.T, lab kernelspec.Lab, dir string, args ...string) (address string) {
	t.Helper()
	jupyter(t, lab) // skips
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	listener.Close()

	var output bytes.Buffer
	server := exec.CommandContext(t.Context(), lab.Tool("sgdlab"), append([]string{"lab", "--no-browser", "--port", port, "--dir", dir, "--", "--IdentityProvider.token=secret"}, args...)...)
	server.Stdout, server.Stderr = &output, &output
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	server.WaitDelay = 10 * time.Second
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		<-ended // the context of the test has ended before
		if t.Failed() {
			t.Logf("the server wrote\n%s", output.String())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	address = "http://127.0.0.1:" + port
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/lab?token=secret", nil)
		if err != nil {
			t.Fatal(err)
		}
		if reply, err := http.DefaultClient.Do(request); err == nil {
			reply.Body.Close()
			if reply.StatusCode != http.StatusOK {
				t.Fatalf("the page of JupyterLab: %s", reply.Status)
			}
			return address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("JupyterLab ended: %v\n%s", err, output.String())
		case <-ctx.Done():
			t.Fatalf("JupyterLab does not answer\n%s", output.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestJupyterLab runs a cell through JupyterLab.
func TestJupyterLab(t *testing.T) {
	t.Parallel()
	lab := kerneltest.Lab(t)
	address := startLab(t, lab, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()

	// A second one on the same port says what to do.
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "http://"), ":")
	out, err := exec.CommandContext(ctx, lab.Tool("sgdlab"), "lab", "--no-browser", "--port", port).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "choose another one with --port") {
		t.Errorf("a busy port: got %v, %q, want another port to be proposed", err, out)
	}

	python := exec.CommandContext(ctx, lab.Venv("python"), filepath.Join("testdata", "labcell.py"), address, "secret", kernelspec.Name, smoke[0])
	python.Env = jupyter(t, lab).Env
	got, err := python.CombinedOutput()
	if want := "d = 2\nok\n"; err != nil || string(got) != want {
		t.Errorf("a cell in JupyterLab: got %v, %q, want %q", err, got, want)
	}
}

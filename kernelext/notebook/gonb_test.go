package notebook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sgdlab/kernelext/notebook"
)

// moduleRoot returns the folder of go.mod.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod in the folders above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// gonb returns a kernel that is GoNB without a launcher, with the settings of the kernel
// "Go (sgdlab, pure Go)". It writes a kernel.json and reads it.
func gonb(t testing.TB) *notebook.Spec {
	t.Helper()
	root := moduleRoot(t)
	bin := filepath.Join(root, ".lab", "bin")
	exe, err := exec.LookPath(filepath.Join(bin, "gonb"))
	if err != nil {
		if exe, err = exec.LookPath("gonb"); err != nil {
			t.Skip("gonb is neither in .lab/bin nor in PATH: run ./scripts/lab once")
		}
		bin = filepath.Dir(exe)
	}
	dir := t.TempDir()
	spec := `{
 "argv": [` + strconv.Quote(exe) + `, "--kernel", "{connection_file}", ` + strconv.Quote("-go_work="+root) + `],
 "display_name": "GoNB", "language": "go", "interrupt_mode": "message",
 "env": {"GOEXPERIMENT": "simd", "GOPROXY": "off", "GOFLAGS": "-ldflags=-s -tags=noxla", "GOWORK": "", "PATH": "` + bin + `:${PATH}"}
}`
	if err := os.WriteFile(filepath.Join(dir, "kernel.json"), []byte(spec), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := notebook.ReadSpec(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const figureCell = `import (
	"bytes"
	"image"
	"image/png"

	"github.com/janpfeifer/gonb/gonbui"
)

%%
var b bytes.Buffer
if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
	panic(err)
}
gonbui.DisplayPNG(b.Bytes())
gonbui.Sync()`

func TestGoNB(t *testing.T) {
	spec := gonb(t)
	emptyTemp(t)
	nb := chapter(
		"%%\nfmt.Println(\"hello, λ\")",
		figureCell,
		"#raises-exception\n%%\nx := 1",
		"#raises-exception\n%%\nvar m map[string]int\nm[\"a\"] = 1",
		"import \"sgdlab/kernelext/show\"\n\n%%\nbar := show.Progress(\"work\", 3)\nfor range 3 {\n\tbar.Add(1)\n}\nshow.Markdown(\"$x$\")",
	)
	r, err := notebook.Run(t.Context(), nb, spec, &notebook.Settings{Progress: func(p notebook.Progress) {
		if p.Ended {
			t.Logf("cell %d: %.2f s", p.Cell, p.Seconds)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	cells := r.Notebook.Cells
	if got := short(cells[0].Outputs); len(got) != 1 || got[0] != "stdout: hello, λ\n" {
		t.Errorf("print: got %q", got)
	}
	if o := cells[1].Outputs; len(o) != 1 {
		t.Errorf("figure: got %d outputs", len(o))
	} else if data, ok := o[0].Data["image/png"].(string); !ok {
		t.Errorf("figure: got %v", o[0].Data)
	} else {
		b, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := png.Decode(bytes.NewReader(b)); err != nil || m.Bounds().Dx() != 30 {
			t.Errorf("figure: %v", err)
		}
	}
	words := func(c *notebook.Cell) string { return notebook.Words(&notebook.Reply{Outputs: c.Outputs}) }
	if got := words(cells[2]); got != "line 2: declared and not used: x" {
		t.Errorf("a mistake: got %q", got)
	}
	if got := words(cells[3]); got != "panic: assignment to entry in nil map (line 3)" {
		t.Errorf("a panic: got %q", got)
	}
	if o := cells[4].Outputs; len(o) != 2 || !strings.Contains(o[0].Data["text/plain"].(string), "work: 3 of 3") || o[1].Data["text/markdown"] != "$x$" {
		t.Errorf("progress: got %d outputs, want the final state and a text", len(o))
	}
	encoded, err := r.Notebook.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(encoded), os.TempDir()) {
		t.Error("the notebook names temporary folders")
	}
	if page := render(t, r.Notebook, nil); asks.MatchString(page) {
		t.Errorf("the page asks for %s", asks.FindString(page))
	}
}

func TestGoNBEndlessLoop(t *testing.T) {
	spec := gonb(t)
	emptyTemp(t)
	nb := chapter("%%\nfor {\n}", "%%\nfmt.Println(\"never\")")
	r, err := notebook.Run(t.Context(), nb, spec, &notebook.Settings{CellTimeout: 2 * time.Second})
	var failed *notebook.CellError
	if !errors.As(err, &failed) || !errors.Is(err, notebook.ErrTimeout) || failed.Cell != 1 || failed.Count != 1 {
		t.Errorf("got %v", err)
	}
	if r.Notebook.Cells[1].Outputs != nil {
		t.Error("a cell after a failure has run")
	}
	var death *notebook.DeathError
	if errors.As(err, &death) {
		t.Errorf("the kernel had to be killed: %v", err)
	}
}

// A program that ignores interrupts is killed, with the processes it has started.
func TestGoNBStubbornProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("GoNB waits five seconds before it kills a program")
	}
	spec := gonb(t)
	emptyTemp(t)
	k, err := notebook.Start(t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	pids := make(chan int, 1)
	go func() {
		defer cancel()
		for range 1200 { // two minutes, for slow machines
			if b, err := os.ReadFile(file); err == nil && len(b) > 0 {
				pid, _ := strconv.Atoi(string(b))
				pids <- pid
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		pids <- 0
	}()
	_, err = k.Execute(ctx, `import (
	"os/exec"
	"os/signal"
)

%%
signal.Ignore(os.Interrupt)
cmd := exec.Command("sleep", "1000")
if err := cmd.Start(); err != nil {
	panic(err)
}
if err := os.WriteFile(`+strconv.Quote(file+".new")+`, []byte(fmt.Sprint(cmd.Process.Pid)), 0o666); err != nil {
	panic(err)
}
if err := os.Rename(`+strconv.Quote(file+".new")+`, `+strconv.Quote(file)+`); err != nil {
	panic(err)
}
for {
}`)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if pid := <-pids; pid == 0 || alive(pid) {
		t.Errorf("process %d is left", pid)
	}
}

func TestGoNBKernelsInParallel(t *testing.T) {
	spec := gonb(t)
	emptyTemp(t)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			text := strconv.Itoa(i)
			r, err := notebook.Run(t.Context(), chapter("%%\nfmt.Println("+text+")"), spec, nil)
			if err != nil || short(r.Notebook.Cells[0].Outputs)[0] != "stdout: "+text+"\n" {
				t.Errorf("kernel %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// Jupyter's own tools work on the same kernel: nbclient executes, nbconvert renders, and
// the outputs are those of Run.
func TestJupyterTools(t *testing.T) {
	root := moduleRoot(t)
	python := filepath.Join(root, ".lab", "venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Skip("there is no Python environment in .lab/venv: run sgdlab setup --python")
	}
	data := filepath.Join(root, ".lab", "share", "jupyter")
	spec, err := notebook.FindSpec("sgdlab-go", data)
	if err != nil {
		t.Skipf("the kernel is not installed, run sgdlab kernel install: %v", err)
	}
	dir := t.TempDir()
	t.Setenv("JUPYTER_PATH", data)
	t.Setenv("IPYTHONDIR", filepath.Join(dir, "ipython"))
	t.Setenv("JUPYTER_CONFIG_DIR", filepath.Join(dir, "config"))
	nb := chapter("#md\n# Title\n\n$x$", "%%\nfmt.Println(\"hello\", 6*7)", "#raises-exception\n%%\nx := 1", "import \"sgdlab/kernelext/show\"\n\n%%\nshow.Table(map[string]int{\"a\": 1})")
	for i, c := range nb.Cells {
		c.ID, c.Outputs, c.ExecutionCount = "cell-"+strconv.Itoa(i), nil, 0
	}
	nb.Metadata["kernelspec"] = map[string]any{"name": "sgdlab-go", "display_name": "Go (sgdlab, pure Go)", "language": "go"}
	path := filepath.Join(dir, "small.ipynb")
	if err := nb.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	ours, err := notebook.Run(t.Context(), nb, spec, &notebook.Settings{Kernel: notebook.KernelSettings{Dir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(dir, "ours.ipynb")
	if err := ours.Notebook.WriteFile(written); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", jupyterTools, path, written)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	theirs, err := notebook.ReadFile(filepath.Join(dir, "executed.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if d := notebook.Compare(theirs, ours.Notebook, nil); d != nil {
		t.Errorf("nbclient and Run differ: %v", d)
	}
	before, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(filepath.Join(dir, "again.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(after), string(before)); diff != "" {
		t.Errorf("nbformat writes our notebook in another way (-nbformat +ours):\n%s", diff)
	}
	if page, err := os.ReadFile(filepath.Join(dir, "page.html")); err != nil || !strings.Contains(string(page), "hello 42") {
		t.Errorf("nbconvert's page lacks the output: %v", err)
	}
}

// jupyterTools executes the first notebook as nbconvert --execute does, by nbclient, and
// checks, writes and converts the second one.
const jupyterTools = `
import sys, nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor

nb = nbformat.read(sys.argv[1], 4)
ExecutePreprocessor(timeout=300, record_timing=False).preprocess(nb, {"metadata": {"path": "."}})
nbformat.write(nb, "executed.ipynb")

ours = nbformat.read(sys.argv[2], 4)
nbformat.validate(ours)
nbformat.write(ours, "again.ipynb")
with open("page.html", "w") as f:
    f.write(HTMLExporter().from_notebook_node(ours)[0])
`

// The time for a cell that prints a line, changed each time so that it is compiled and
// linked anew: GoNB's part and ours.
func BenchmarkGoNBCell(b *testing.B) {
	spec := gonb(b)
	k, err := notebook.Start(b.Context(), spec, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	n := 0
	for b.Loop() {
		n++
		if r, err := k.Execute(b.Context(), "%%\nfmt.Println("+strconv.Itoa(n)+")"); err != nil || r.Status != "ok" {
			b.Fatal(err)
		}
	}
}

// Our part alone: start, cells and end of a kernel that does nothing.
func BenchmarkKernelStart(b *testing.B) {
	for b.Loop() {
		k, err := notebook.Start(b.Context(), fake("sound"), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := k.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCell(b *testing.B) {
	k, err := notebook.Start(b.Context(), fake("sound"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	for b.Loop() {
		if r, err := k.Execute(b.Context(), "print a"); err != nil || r.Status != "ok" {
			b.Fatal(err)
		}
	}
}

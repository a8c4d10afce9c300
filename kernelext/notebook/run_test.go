package notebook_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sgdlab/kernelext/notebook"
)

// chapter returns a notebook of code cells; a line "#tag" before the code gives a cell a
// tag, "#md" makes it a Markdown cell.
func chapter(cells ...string) *notebook.Notebook {
	nb := &notebook.Notebook{Minor: 5, Metadata: map[string]any{}}
	for _, source := range cells {
		c := &notebook.Cell{Type: notebook.Code, Source: source, Metadata: map[string]any{}, ExecutionCount: 77,
			Outputs: []*notebook.Output{{Type: "stream", Name: "stdout", Text: "old\n"}}}
		if rest, ok := strings.CutPrefix(source, "#"); ok {
			tag, code, _ := strings.Cut(rest, "\n")
			c.Source = code
			if tag == "md" {
				c.Type, c.Outputs = notebook.Markdown, nil
			} else {
				c.Metadata["tags"] = []any{tag}
			}
		}
		nb.Cells = append(nb.Cells, c)
	}
	return nb
}

func outputs(nb *notebook.Notebook) [][]string {
	var all [][]string
	for _, c := range nb.Cells {
		all = append(all, short(c.Outputs))
	}
	return all
}

func TestRun(t *testing.T) {
	emptyTemp(t)
	nb := chapter("#md\n# Title", "print a\ndisplay p 0%", "", "#skip-execution\ncrash", "#raises-exception\nfail on purpose", "update p 100%\nprint b")
	var events []notebook.Progress
	r, err := notebook.Run(t.Context(), nb, fake("sound"), &notebook.Settings{Progress: func(p notebook.Progress) { events = append(events, p) }})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{nil, {"stdout: a\n", "display_data: 100%"}, nil, {"stdout: old\n"}, {"error: Trouble: on purpose"}, {"stdout: b\n"}}
	if diff := cmp.Diff(want, outputs(r.Notebook)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	var counts []int
	for _, c := range r.Notebook.Cells {
		counts = append(counts, c.ExecutionCount)
	}
	if diff := cmp.Diff([]int{77, 1, 0, 77, 2, 3}, counts); diff != "" {
		t.Errorf("execution counts (-want +got):\n%s", diff)
	}
	if short(nb.Cells[1].Outputs)[0] != "stdout: old\n" {
		t.Error("Run has changed its argument")
	}
	if r.Cells != 3 || r.Seconds <= 0 || r.StartSeconds <= 0 || len(r.CellSeconds) != 6 || r.CellSeconds[1] <= 0 || r.CellSeconds[3] != 0 {
		t.Errorf("result: %+v", r)
	}
	if r.Notebook.Metadata["language_info"].(map[string]any)["name"] != "fake" {
		t.Errorf("metadata: %v", r.Notebook.Metadata)
	}
	if len(events) != 6 || events[0].Ended || !events[1].Ended || events[5].Cell != 3 || events[5].Cells != 3 || events[5].Failed || !strings.HasPrefix(events[4].Source, "update") {
		t.Errorf("progress: %+v", events)
	}
	b, err := r.Notebook.Encode()
	if err != nil || !strings.Contains(string(b), `"version": 1.5`) {
		t.Errorf("language_info is not written as it came: %v", err)
	}
}

func TestRunStopsAtAFailure(t *testing.T) {
	for _, tt := range []struct {
		name, cell string
		words      string
		outputs    int
		is         error
	}{
		{"error", "print b\nfail badly", "Trouble: badly", 2, nil},
		{"standard error", "stderr one\nstderr two\nfail x", "one\ntwo", 2, nil},
		{"crash", "print b\ncrash memory", "the kernel died: exit status 7; its last words: out of memory", 1, nil},
		{"time", "print b\nwait", "the cell was stopped: it ran longer than 200ms", 2, notebook.ErrTimeout},
		{"time, though failures are allowed", "#raises-exception\nwait", "it ran longer", 1, notebook.ErrTimeout},
		{"crash, though failures are allowed", "#raises-exception\ncrash memory", "the kernel died", 0, nil},
	} {
		emptyTemp(t)
		failed := false
		s := &notebook.Settings{Name: "03_potential", CellTimeout: 200 * time.Millisecond, Progress: func(p notebook.Progress) { failed = p.Failed }}
		r, err := notebook.Run(t.Context(), chapter("#md\ntext", "print a", tt.cell, "print never"), fake("sound"), s)
		var e *notebook.CellError
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v, want a CellError", tt.name, err)
			continue
		}
		if e.Name != "03_potential" || e.Cell != 3 || e.Count != 2 || !strings.Contains(e.Words, tt.words) || !strings.HasPrefix(err.Error(), "03_potential, cell 3 (In [2]): ") || !failed {
			t.Errorf("%s: got %+v", tt.name, e)
		}
		if tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v is not %v", tt.name, err, tt.is)
		}
		got := outputs(r.Notebook)
		if len(got[1]) != 1 || len(got[2]) != tt.outputs || got[3] != nil {
			t.Errorf("%s: outputs %q, want %d of the failed cell and none after it", tt.name, got, tt.outputs)
		}
	}
}

func TestRunCancelled(t *testing.T) {
	emptyTemp(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := notebook.Run(ctx, chapter("wait"), fake("sound"), &notebook.Settings{Progress: func(notebook.Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestRunWithoutKernel(t *testing.T) {
	emptyTemp(t)
	r, err := notebook.Run(t.Context(), chapter("print a"), fake("dies"), &notebook.Settings{Name: "00_tour"})
	if err == nil || !strings.HasPrefix(err.Error(), "00_tour: ") || r == nil || len(r.Notebook.Cells[0].Outputs) != 0 {
		t.Errorf("got %v", err)
	}
}

// A small part of what GoNB displays for an error of the compiler.
const gonbBox = `<style>.gonb-err-location {}</style>
<div class="jp-RenderedText" data-mime-type="application/vnd.jupyter.stderr">

<div style="white-space: pre-wrap;"> # gonb_21085137</div>

<div style="white-space: pre-wrap;"><span class="gonb-err-hover-area"><span class="gonb-cell-line-info">Cell[4]: Line 2</span> <span class="gonb-err-location">./main.go:10:1: </span></span>cannot use &#34;a&#34; (untyped) as <-chan int<div class="gonb-err-context">
<div class="gonb-err-line">x := 1
</div>
</div></div>

<div style="white-space: pre-wrap;"><span class="gonb-err-hover-area"><span class="gonb-cell-line-info">Cell[4]: Line 7</span> <span class="gonb-err-location">./main.go:12:1: </span></span>undefined: y<div class="gonb-err-context"></div></div>
</div>`

func TestWords(t *testing.T) {
	stderr := func(s string) *notebook.Output { return &notebook.Output{Type: "stream", Name: "stderr", Text: s} }
	box := &notebook.Output{Type: "display_data", Data: map[string]any{"text/html": gonbBox}}
	library := &notebook.Output{Type: "display_data", Data: map[string]any{"text/html": `<style>.gonb-err-location {}</style>
<div><div style="white-space: pre-wrap;"> # sgdlab/pkg/x</div>
<div style="white-space: pre-wrap;"> pkg/x/x.go:2:13: cannot use &#34;a&#34; as int value</div>
<div style="white-space: pre-wrap;"> </div></div>`}}
	long := strings.Repeat("a line\n", 50)
	for _, tt := range []struct {
		name  string
		reply notebook.Reply
		want  string
	}{
		{"compiler", notebook.Reply{Evalue: `failed to run "go build": exit status 1`, Outputs: []*notebook.Output{box}},
			"line 2: cannot use \"a\" (untyped) as <-chan int\nline 7: undefined: y"},
		{"compiler, another package", notebook.Reply{Evalue: `failed to run "go build": exit status 1`, Outputs: []*notebook.Output{library}},
			"pkg/x/x.go:2:13: cannot use \"a\" as int value"},
		{"panic", notebook.Reply{Evalue: "exit status 2", Outputs: []*notebook.Output{
			stderr("panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmain.main()\n\t \x1b[7m[[ Cell [6] Line 3 ]]\x1b[0m main.go:11 +0x67\nexit status 2\n"), box}},
			"panic: assignment to entry in nil map (line 2)"},
		{"show.Must", notebook.Reply{Evalue: "exit status 1", Outputs: []*notebook.Output{stderr("Stopped by an error: dataset: no MNIST\nexit status 1\n")}},
			"Stopped by an error: dataset: no MNIST"},
		{"exit", notebook.Reply{Evalue: "exit status 3", Outputs: []*notebook.Output{stderr("exit status 3\n")}},
			"the program ended with exit status 3 and gave no reason"},
		{"signal", notebook.Reply{Evalue: "signal: interrupt", Outputs: []*notebook.Output{stderr("^C\nsignal: interrupt\n")}},
			"the program ended with signal: interrupt and gave no reason"},
		{"raw errors", notebook.Reply{Ename: "ERROR", Evalue: "main.go:3: undefined: y"}, "main.go:3: undefined: y"},
		{"other kernels", notebook.Reply{Ename: "NameError", Evalue: "name 'x' is not defined"}, "NameError: name 'x' is not defined"},
		{"nothing", notebook.Reply{}, "it failed and gave no reason"},
		{"long", notebook.Reply{Outputs: []*notebook.Output{stderr(long + "the end\n")}}, strings.Repeat("a line\n", 10) + "the end"},
	} {
		if got := notebook.Words(&tt.reply); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/pkg/dataset/fetch"
)

// call runs the command line and returns what it prints.
func call(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestHelp(t *testing.T) {
	out, err := call(t, "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"setup", "doctor", "kernel", "walk", "run", "site", "lab", "data", "figures"} {
		if !strings.Contains(out, "\n  "+c+" ") {
			t.Errorf("the help has no command %s:\n%s", c, out)
		}
	}
	if out, err := call(t, "kernel", "--help"); err != nil || !strings.Contains(out, "launch") || !strings.Contains(out, "uninstall") {
		t.Errorf("kernel --help: %v\n%s", err, out)
	}
}

func TestMisuse(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"wlak"}, "unknown command"},
		{[]string{"walk", "--quick", "--full"}, "quick full"},
		{[]string{"walk", "--check", "--full"}, "check full"},
		{[]string{"setup", "--xla", "--no-xla"}, "xla no-xla"},
		{[]string{"kernel", "install", "--user", "--prefix", "x"}, "user prefix"},
		{[]string{"walk", "99_nothing"}, `there is no chapter "99_nothing"; there are 00_tour`},
		{[]string{"figures", "fig9"}, `there is no figure "fig9"; the nearest names are 10/fig4, fig4, `},
		{[]string{"figures", "t1", "--format", "jpeg"}, `there is no format "jpeg": choose of svg, pdf, png`},
		{[]string{"figures", "t1", "--results", "/no/such/folder"}, "there is no result /no/such/folder/t1.json"},
		{[]string{"data", "fetch"}, "requires at least 1 arg"},
		{[]string{"data", "fetch", "nmist", "--dir", "/no/such/folder"}, "nmist"},
		{[]string{"run", "/no/such.ipynb"}, "/no/such.ipynb"},
		{[]string{"run"}, "name the notebooks"},
		{[]string{"run", "--check", "99"}, `there is no chapter "99"`},
		{[]string{"run", "--check", "--save"}, "check save"},
		{[]string{"run", "--save", "--full"}, "full save"},
		{[]string{"site", "--notebooks", "/no/such/folder"}, "there are no chapters in /no/such/folder"},
		{[]string{"kernel", "launch"}, "the connection file is missing"},
	} {
		_, err := call(t, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("sgdlab %s: got error %v, want one with %q", strings.Join(c.args, " "), err, c.want)
		}
	}
}

func TestChapters(t *testing.T) {
	lab := kernelspec.Lab{Root: t.TempDir()}
	if _, err := chapters(lab, nil); err == nil {
		t.Error("a clone without chapters gives no error")
	}
	dir := filepath.Join(lab.Root, "notebooks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"10_limit_cycle.ipynb", "00_tour.ipynb", "01_minibatch_noise.ipynb", "INDEX.md", "draft.ipynb"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ names, want []string }{
		{nil, []string{"00_tour", "01_minibatch_noise", "10_limit_cycle"}},
		{[]string{"10", "tour", "0"}, []string{"00_tour", "10_limit_cycle"}},
		{[]string{"1"}, []string{"01_minibatch_noise"}},
		{[]string{"notebooks/01_minibatch_noise.ipynb"}, []string{"01_minibatch_noise"}},
	} {
		paths, err := chapters(lab, c.names)
		var got []string
		for _, p := range paths {
			got = append(got, stem(p))
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("chapters %q: got %q, %v, want %q", c.names, got, err, c.want)
		}
	}
}

func TestProgress(t *testing.T) {
	reports := []fetch.Progress{
		{File: "a.gz", Bytes: 0, Total: 2_000_000}, {File: "a.gz", Bytes: 1_000_000, Total: 2_000_000}, {File: "a.gz", Bytes: 2_000_000, Total: 2_000_000},
		{File: "b.gz", Bytes: 500, Total: 1000}, {File: "b.gz", Bytes: 1000, Total: 1000},
	}
	var plain bytes.Buffer
	p := newProgress(&plain)
	for _, r := range reports {
		p.report(r)
	}
	p.end()
	lines := strings.Split(plain.String(), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "a.gz: fetching 2.0 MB") || !strings.HasPrefix(lines[2], "b.gz: goes on after") {
		t.Errorf("in a file: got\n%s\nwant two plain lines for each file", plain.String())
	}
	if strings.ContainsAny(plain.String(), "\r\x1b") {
		t.Errorf("in a file: control characters in %q", plain.String())
	}

	var terminal bytes.Buffer
	p = &progress{out: &terminal, width: 80}
	for _, r := range reports {
		p.report(r)
	}
	p.end()
	if n := strings.Count(terminal.String(), "\n"); n != 2 {
		t.Errorf("on a terminal: %d lines, want one for each file: %q", n, terminal.String())
	}
	for _, r := range append(reports, fetch.Progress{File: "c", Bytes: 12345}) {
		for _, width := range []int{30, 80, 300} {
			if n := utf8.RuneCountInString(bar(r, width)); n >= max(width, 50) {
				t.Errorf("the bar of %v has %d columns in a terminal of %d", r, n, width)
			}
		}
	}
	if full := bar(reports[2], 80); strings.Contains(full, "░") || !strings.Contains(full, "100 %") {
		t.Errorf("a complete file: got %q", full)
	}
}

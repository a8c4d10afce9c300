package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

func TestFigures(t *testing.T) {
	out := t.TempDir()
	if _, err := call(t, "figures", "T1", "--format", "png,svg", "--out", out); err != nil {
		t.Fatal(err)
	}
	got, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(got) != 2 {
		t.Errorf("got the files %q, want a PNG and an SVG", got)
	}
	list, err := call(t, "figures", "--list")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nfig1b ", "recorded result", "all figures of the chapter: 10. The limit cycle"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list has no %q:\n%s", want, list)
		}
	}
}

// display is a code cell that has shown figures.
func display(tag string, names ...string) *notebook.Cell {
	c := &notebook.Cell{Type: notebook.Code, Source: "%%", Metadata: map[string]any{"tags": []any{tag}}}
	for _, name := range names {
		c.Outputs = append(c.Outputs,
			&notebook.Output{Type: "display_data", Data: map[string]any{"image/png": "AAAA", "text/plain": "[" + name + "] What " + name + " shows.\nMore."}},
			&notebook.Output{Type: "display_data", Data: map[string]any{"text/plain": "[no-figure] A text."}})
	}
	return c
}

// gallery returns a runner on a clone with two chapters.
func gallery(t *testing.T) *runner {
	t.Helper()
	r := &runner{lab: kernelspec.Lab{Root: t.TempDir()}}
	for name, cells := range map[string][]*notebook.Cell{
		"03_valley": {display("", "valley", "current"), display("", "valley")},
		"10_cycle":  {display("figure=fig4", "valley", "path"), display("figure=fig4", "other")},
	} {
		if err := writeNotebook(&notebook.Notebook{Cells: cells, Minor: 4}, filepath.Join(r.lab.Root, "notebooks", name+".ipynb")); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestChooseFigures(t *testing.T) {
	all, err := gallery(t).figures("/no/such/folder")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, k := range all {
		if k.chapter != "" {
			ids = append(ids, k.id)
		}
	}
	if want := []string{"03", "03/valley", "03/current", "03/valley-2", "10", "10/valley", "fig4", "10/path", "10/other"}; !slices.Equal(ids, want) {
		t.Errorf("got %q, want %q", ids, want)
	}
	for _, tt := range []struct {
		id, chapter, name string
	}{
		{"10/valley", "10_cycle", "valley"}, {"Fig4", "10_cycle", "valley"}, {"valley-2", "03_valley", "valley-2"}, {"path", "10_cycle", "path"},
		{"3", "03_valley", ""}, {"03", "03_valley", ""}, {"03_valley", "03_valley", ""},
	} {
		got, err := choose([]string{tt.id}, all)
		if err != nil || len(got) != 1 || stem(got[0].chapter) != tt.chapter || got[0].name != tt.name {
			t.Errorf("%s: got %+v, %v, want %q of %s", tt.id, got, err, tt.name, tt.chapter)
		}
	}
	for id, want := range map[string]string{
		"valley": `several chapters have a figure "valley": choose 03/valley or 10/valley`,
		"valey":  `there is no figure "valey"; the nearest names are 03/valley, 10/valley, `,
		"fig5":   `there is no figure "fig5"; the nearest names are fig4, `,
		"4":      `there is no figure "4"`,
		"curr":   `the nearest names are 03/current`,
	} {
		if _, err := choose([]string{id}, all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", id, err, want)
		}
	}
	if got, err := choose(nil, all); err != nil || len(got) != 0 {
		t.Errorf("without names and results: got %v, %v", got, err)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"fig1a", "fig1b", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 2},
	} {
		if got, back := distance(tt.a, tt.b), distance(tt.b, tt.a); got != tt.want || back != tt.want {
			t.Errorf("%q and %q: got %d and %d, want %d", tt.a, tt.b, got, back, tt.want)
		}
	}
}

func TestCollect(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "figures")
	r := &runner{env: map[string]string{}}
	for range 2 { // the second run begins anew
		r.collect(dir)
		cells := [][]string{nil, {"a.svg", "a.png", "b.svg"}, nil, {"a.svg", "a.png"}}
		for i, files := range cells {
			for _, f := range files {
				if err := os.MkdirAll(r.env["SGDLAB_FIGURES"], 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(r.env["SGDLAB_FIGURES"], f), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.finished(i); err != nil {
				t.Fatal(err)
			}
		}
		found, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range found {
			names = append(names, f.Name())
		}
		if want := []string{"a-2.png", "a-2.svg", "a.png", "a.svg", "b.svg"}; !slices.Equal(names, want) {
			t.Errorf("got %q, want %q", names, want)
		}
	}
}

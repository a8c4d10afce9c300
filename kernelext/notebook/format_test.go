package notebook_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sgdlab/kernelext/notebook"
)

// The files were written by nbformat 5.11.1, the Python package that Jupyter reads and
// writes notebooks with. They hold all kinds of cells and outputs, fields that the format
// does not know, numbers in several forms, and all characters that Python takes for the
// end of a line or escapes.
func TestRoundTrip(t *testing.T) {
	for _, name := range []string{"jupyter.ipynb", "jupyter44.ipynb"} {
		path := filepath.Join("testdata", name)
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		nb, err := notebook.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := nb.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-Jupyter +ours):\n%s", name, diff)
		}
	}
}

func TestFields(t *testing.T) {
	nb, err := notebook.ReadFile("testdata/jupyter.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	md, code := nb.Cells[0], nb.Cells[1]
	if md.ID != "md-1" || md.Type != notebook.Markdown || !strings.HasPrefix(md.Source, "# Title λ\n\nFormula") || !md.HasTag("intro") || md.HasTag("outro") {
		t.Errorf("Markdown cell: %+v", md)
	}
	if code.ExecutionCount != 3 || len(code.Outputs) != 5 || code.Outputs[0].Text != "a\nb\r50%\r100%\nend\x00\x1f\x7f" || code.Outputs[2].Data["text/html"] != "<p>\n</p>" ||
		!reflect.DeepEqual(code.Outputs[2].Data["application/json"], []any{"x\n", "y"}) || len(code.Outputs[4].Traceback) != 2 {
		t.Errorf("code cell: %+v", code)
	}
	if nb.Minor != 5 || nb.Metadata["Ünïcode"] != "schlüssel" {
		t.Errorf("notebook: %+v", nb)
	}
}

// Unknown fields are kept wherever they are, transient ones are dropped as in Jupyter.
func TestUnknownFields(t *testing.T) {
	const in = `{"nbformat": 4, "nbformat_minor": 9, "future": {"x": 1E+2}, "metadata": {"signature": "s", "orig_nbformat": 4},
	 "cells": [{"cell_type": "code", "id": "a", "new": "1\n2", "metadata": {"trusted": true, "k": 0.10}, "source": "x", "execution_count": null,
	   "outputs": [{"output_type": "stream", "name": "stdout", "text": [], "more": [1, "é"]}]}]}`
	nb, err := notebook.Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	b, err := nb.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"x": 1E+2`, `"new": "1\n2"`, `"k": 0.10`, `"é"`, `"nbformat_minor": 9`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is lost:\n%s", want, b)
		}
	}
	for _, not := range []string{"signature", "orig_nbformat", "trusted"} {
		if strings.Contains(string(b), not) {
			t.Errorf("%s is kept", not)
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	cell := func(s string) string {
		return `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "markdown", "metadata": {}, "source": "a"}, ` + s + `]}`
	}
	for _, tt := range []struct{ name, text, want string }{
		{"empty", " \n", "is empty"},
		{"cut", "{\n \"cells\": [\n", "is damaged in line 3 (it ends too early)"},
		{"not JSON", "{\n \"cells\": [\n  {,}\n", "is damaged in line 3"},
		{"two values", "{} {}", "is damaged in line 1"},
		{"conflict", "{\n<<<<<<< HEAD\n \"cells\": [],\n=======\n", "merge conflict in line 2"},
		{"list", "[1]", "is JSON but not a notebook"},
		{"other JSON", `{"a": 1}`, "it has no nbformat"},
		{"version 3", `{"nbformat": 3, "worksheets": []}`, "is in version 3 of the notebook format: open it in Jupyter and save it"},
		{"version 5", `{"nbformat": 5}`, "is in version 5"},
		{"no cells", `{"nbformat": 4, "metadata": {}}`, "no list of cells"},
		{"type of version", `{"nbformat": "4"}`, "nbformat"},
		{"cell", cell(`1`), "cell 2: it is no object"},
		{"kind of cell", cell(`{"cell_type": "heading", "source": ""}`), `cell 2: its type is "heading"`},
		{"source", cell(`{"cell_type": "code", "source": [1]}`), "cell 2: source is no text"},
		{"outputs", cell(`{"cell_type": "code", "source": "", "outputs": {}}`), "cell 2: outputs is no list"},
		{"output", cell(`{"cell_type": "code", "source": "", "outputs": [null]}`), "cell 2: an output is no object"},
		{"kind of output", cell(`{"cell_type": "code", "source": "", "outputs": [{"output_type": "pyout"}]}`), `cell 2: an output has the type "pyout"`},
		{"count", cell(`{"cell_type": "code", "source": "", "execution_count": 1.5}`), "cell 2: execution_count is 1.5"},
		{"traceback", cell(`{"cell_type": "code", "source": "", "outputs": [{"output_type": "error", "traceback": [1]}]}`), "cell 2: a line of a traceback"},
	} {
		path := filepath.Join(t.TempDir(), "ch.ipynb")
		if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := notebook.ReadFile(path)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "ch.ipynb") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one sentence with %q", tt.name, err, tt.want)
		}
	}
	if _, err := notebook.ReadFile(filepath.Join(t.TempDir(), "missing.ipynb")); err == nil || !strings.Contains(err.Error(), "missing.ipynb") {
		t.Errorf("missing file: %v", err)
	}
}

// What is written is what encoding/json reads, whatever the texts.
func TestEncodeIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source, output, key := rapid.String().Draw(t, "source"), rapid.String().Draw(t, "output"), rapid.String().Draw(t, "key")
		nb := &notebook.Notebook{Minor: 5, Metadata: map[string]any{key: []int{1}}, Cells: []*notebook.Cell{{
			ID: "a", Type: notebook.Code, Source: source,
			Outputs: []*notebook.Output{{Type: "display_data", Data: map[string]any{"text/plain": output}}},
		}}}
		b, err := nb.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%v:\n%s", err, b)
		}
		again, err := notebook.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := again.Cells[0]; got.Source != source || got.Outputs[0].Data["text/plain"] != output {
			t.Errorf("got %q and %q, want %q and %q", got.Source, got.Outputs[0].Data["text/plain"], source, output)
		}
	})
}

func TestEncodeFails(t *testing.T) {
	nb := &notebook.Notebook{Metadata: map[string]any{"f": func() {}}}
	if err := nb.WriteFile(filepath.Join(t.TempDir(), "x.ipynb")); err == nil {
		t.Error("a function in the metadata: no error")
	}
}

func TestWriteFile(t *testing.T) {
	nb, err := notebook.ReadFile("testdata/jupyter.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "new", "x.ipynb")
	for range 2 { // also over an existing file
		if err := nb.WriteFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := nb.WriteFile(filepath.Join(file, "x.ipynb")); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("a file for a folder: %v", err)
	}
}

func TestCloneSharesNothingThatChanges(t *testing.T) {
	nb, err := notebook.ReadFile("testdata/jupyter.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	before, err := nb.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c := nb.Clone()
	c.Metadata["new"], c.Minor = 1, 4
	c.Cells[1].Outputs[0], c.Cells[1].Source, c.Cells[0].Metadata["new"] = &notebook.Output{}, "", 1
	c.Cells = c.Cells[:1]
	if after, err := nb.Encode(); err != nil || string(after) != string(before) {
		t.Errorf("the original has changed: %v", err)
	}
}

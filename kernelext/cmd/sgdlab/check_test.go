package main

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// lineAt returns a picture of a black line at a height, in base64.
func lineAt(t *testing.T, y int) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 300, 200))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for x := range 300 {
		for dy := range 3 {
			m.SetGray(x, y+dy, color.Gray{})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// run returns what has come out of a chapter of three cells; the third has a tag.
func run(t *testing.T, number string, height int, third, tag string) *notebook.Notebook {
	t.Helper()
	text := func(s string) []*notebook.Output {
		return []*notebook.Output{{Type: "stream", Name: "stdout", Text: s}}
	}
	cells := []*notebook.Cell{
		{Source: "import \"fmt\"\n\n%%\nfmt.Println(rank())", Outputs: text("rank " + number)},
		{Source: "%%\nshow.Figure(p)\n// the end", Outputs: []*notebook.Output{{Type: "display_data", Data: map[string]any{
			"image/png": lineAt(t, height), "image/svg+xml": "<svg/>", "text/plain": "[line] A line."}}}},
		{Source: "%%\nfmt.Println(cores())", Outputs: text(third)},
	}
	for i, c := range cells {
		c.Type, c.Metadata, c.ExecutionCount = notebook.Code, map[string]any{}, i+1
	}
	if tag != "" {
		cells[2].Metadata["tags"] = []any{tag}
	}
	return &notebook.Notebook{Cells: cells, Minor: 4, Metadata: map[string]any{"language_info": map[string]any{"version": "1"}}}
}

func TestCheckedAndSaved(t *testing.T) {
	r := &runner{lab: kernelspec.Lab{Root: "/no/such/clone"}}
	path := filepath.Join(t.TempDir(), "03_chapter.ipynb")
	empty := run(t, "0", 50, "0", "varies")
	for _, c := range empty.Cells {
		c.Outputs, c.ExecutionCount = nil, 0
	}
	if err := empty.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	check := r.checked(out)
	first := &notebook.Result{Notebook: run(t, "9.14", 50, "2 cores", "varies")}
	first.Notebook.Metadata["language_info"] = map[string]any{"version": "2"}
	if words, trouble, err := check(path, first); err != nil || trouble != nil || !strings.HasPrefix(words, "not compared, it has no outputs yet") {
		t.Errorf("without outputs: got %q, %q, %v", words, trouble, err)
	}
	if words, _, err := r.saved(path, first); err != nil || !strings.HasSuffix(words, "outputs of 3 cells changed") {
		t.Fatalf("saving: got %q, %v", words, err)
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(kept, []byte("svg")) || !bytes.Contains(kept, []byte("9.14")) || !bytes.Contains(kept, []byte(`"version": "1"`)) {
		t.Error("saved: an SVG, no number, or the version of another Go")
	}

	same := &notebook.Result{Notebook: run(t, "9.15", 50, "64 cores", "varies")} // the last decimal
	if words, trouble, err := check(path, same); err != nil || trouble != nil || words != "as saved" {
		t.Errorf("the same: got %q, %q, %v", words, trouble, err)
	}
	if words, _, err := r.saved(path, same); err != nil || words != "unchanged" {
		t.Errorf("saving the same: got %q, %v", words, err)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, again) {
		t.Errorf("saving the same has changed the file: %v", err)
	}

	edited, err := notebook.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited.Cells[0].Source += " // edited"
	edit := filepath.Join(t.TempDir(), "03_chapter.ipynb")
	if err := edited.WriteFile(edit); err != nil {
		t.Fatal(err)
	}
	same.Notebook.Cells[0].Source = edited.Cells[0].Source
	if _, trouble, err := check(edit, same); err == nil || strings.Join(trouble, "") != "the code has changed since the outputs were saved" {
		t.Errorf("edited: got %q, %v", trouble, err)
	}
	if words, _, err := r.saved(edit, same); err != nil || !strings.HasPrefix(words, "saved") {
		t.Errorf("saving the edited one: got %q, %v", words, err)
	}
	if words, trouble, err := check(edit, same); err != nil || words != "as saved" {
		t.Errorf("edited and saved: got %q, %q, %v", words, trouble, err)
	}

	for _, tt := range []struct {
		name string
		ran  *notebook.Notebook
		want string
	}{
		{"a number", run(t, "9.41", 50, "", "varies"), "cell 1 (In [1]): fmt.Println(rank())\n  9.14 has become 9.41 after \"rank \""},
		{"a picture", run(t, "9.14", 90, "", "varies"), "cell 2 (In [2]): show.Figure(p)\n  the picture \"[line] A line.\" looks different: by 0.0"},
	} {
		words, trouble, err := check(path, &notebook.Result{Notebook: tt.ran})
		if words != "1 difference" || !strings.HasPrefix(strings.Join(trouble, "\n"), tt.want) || err == nil || !strings.Contains(err.Error(), "03_chapter: 1 difference") {
			t.Errorf("%s: got %q, %q, %v, want %q", tt.name, words, trouble, err, tt.want)
		}
	}
	files, err := filepath.Glob(filepath.Join(out, "03_chapter", "cell02-1-*.png"))
	if err != nil || len(files) != 2 {
		t.Errorf("pictures that differ: got the files %q, want the saved one and the one of now", files)
	}

	if words, _, err := r.saved(path, &notebook.Result{Notebook: run(t, "9.41", 50, "", "varies")}); err != nil || !strings.HasSuffix(words, "outputs of 2 cells changed") {
		t.Errorf("saving another number: got %q, %v, want the number and the cell that varies", words, err)
	}
	if _, _, err := r.saved(path, &notebook.Result{Notebook: run(t, "1", 50, "read /no/such/clone/data", "")}); err == nil || !strings.Contains(err.Error(), "names the folder") {
		t.Errorf("saving a path of this machine: got %v", err)
	}
}

// TestChaptersAreSaved holds the committed chapters to their form: outputs of the code that
// is there, none of an error, pictures with words for those who do not see them, and no
// large files. Whether the outputs are right is sgdlab walk --check's to say.
func TestChaptersAreSaved(t *testing.T) {
	paths, err := filepath.Glob("../../../notebooks/[0-9][0-9]_*.ipynb")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no chapters: %v", err)
	}
	chapters := map[string]*notebook.Notebook{}
	saved := 0
	for _, path := range paths {
		nb, err := notebook.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		chapters[path] = nb
		if hasOutputs(nb) {
			saved++
		}
	}
	if saved == 0 {
		t.Skip("no chapter has outputs; sgdlab run --save makes them")
	}
	for path, nb := range chapters {
		name := stem(path)
		remedy := "sgdlab run --save " + name
		if info, err := os.Stat(path); err != nil || info.Size() > notebookLimit {
			t.Errorf("%s: more than %d bytes (%v): %s", name, notebookLimit, err, remedy)
		}
		if !hasOutputs(nb) || savedCode(nb) != nb.CodeDigest() {
			t.Errorf("%s: there are no outputs of this code: %s", name, remedy)
		}
		for i, c := range nb.Cells {
			if c.Type == notebook.Code && c.ExecutionCount == 0 && !c.HasTag("skip-execution") {
				t.Errorf("%s, cell %d has not run: %s", name, i+1, remedy)
			}
			for _, o := range c.Outputs {
				if o.Type == "error" && !c.HasTag("raises-exception") {
					t.Errorf("%s, cell %d: an error is saved", name, i+1)
				}
				if _, ok := o.Data["image/svg+xml"]; ok {
					t.Errorf("%s, cell %d: an SVG is saved: %s", name, i+1, remedy)
				}
				if _, ok := o.Data["image/png"]; !ok {
					continue
				}
				meta, _ := o.Metadata["image/png"].(map[string]any)
				if alt, _ := meta["alt"].(string); alt == "" {
					t.Errorf("%s, cell %d: a picture without alternative text", name, i+1)
				}
			}
		}
	}
}

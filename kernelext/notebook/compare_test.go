package notebook_test

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"sgdlab/kernelext/notebook"
)

// with returns a notebook of one code cell with one output.
func with(outputs ...*notebook.Output) *notebook.Notebook {
	return &notebook.Notebook{Cells: []*notebook.Cell{{Type: notebook.Code, Source: "x", Outputs: outputs}}}
}

func printed(s string) *notebook.Output {
	return &notebook.Output{Type: "stream", Name: "stdout", Text: s}
}

func shown(kind, data string) *notebook.Output {
	return &notebook.Output{Type: "display_data", Data: map[string]any{kind: data}}
}

func TestCompareTexts(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"rank 9.14", "rank 9.14", true},
		{"rank 9.14", "rank 9.15", true}, // rounded the other way
		{"rank 9.14", "rank 9.16", false},
		{"rank 40", "rank 41", false}, // integers are exact
		{"rank 40", "stable rank 40", false},
		{"loss 0.123456789", "loss 0.123456791", true},
		{"loss 1.5e-16", "loss 4.2e-16", true}, // below the absolute tolerance
		{"loss 1.5e-6", "loss 4.2e-6", false},
		{"loss 1.50e+6", "loss 1.51e+6", true},
		{"1·10−16", "9·10−16", true},
		{"x = −0.5", "x = 0.5", false},
		{"x = -0.5", "x = −0.5", true},
		{"took 12 s", "took 3 min 20 s", true},
		{"took 0.35 s, 500 per second", "took 12 ms, 1200.5 per second", true},
		{"5 steps", "6 steps", false},
		{"a  b\n", "a b", true},
		{"50%\r100%\n", "99%\r100%\n", true},
		{"\x1b[31mred\x1b[0m", "red", true},
		{"at /tmp/gonb_01234567/main.go:3", "at main.go:3", true},
		{"NaN 1", "NaN 2", false},
		{"", "x", false},
	} {
		for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			d := notebook.Compare(with(printed(pair[0])), with(printed(pair[1])), nil)
			if same := len(d) == 0; same != tt.same {
				t.Errorf("%q and %q: got %v, want same %v", pair[0], pair[1], d, tt.same)
			}
		}
	}
	loose := &notebook.CompareSettings{Relative: 0.1}
	if d := notebook.Compare(with(printed("9.14")), with(printed("9.4")), loose); d != nil {
		t.Errorf("within ten per cent: %v", d)
	}
	html := with(shown("text/html", "<b>rank</b> 3.20"))
	if d := notebook.Compare(html, with(shown("text/html", `<i style="width:7px">rank</i> 3.21`)), nil); d != nil {
		t.Errorf("tags: %v", d)
	}
	table := func(a, b string) *notebook.Notebook {
		return with(shown("text/html", "<table><tr><th>size</th><th>rank</th></tr><tr><td>"+a+"</td><td>"+b+"·10<sup>−3</sup></td></tr></table>"))
	}
	if d := notebook.Compare(table("0.25", "4.0"), table("0.25", "4.7"), nil); len(d) != 1 || d[0].What != `4.0·10−3 has become 4.7·10−3 after "size rank 0.25 "` {
		t.Errorf("cells of a table: %v", d)
	}
}

func TestCompareTolerance(t *testing.T) {
	tagged := func(tag, text string) *notebook.Notebook {
		nb := with(printed(text))
		nb.Cells[0].Metadata = map[string]any{"tags": []any{tag}}
		return nb
	}
	for _, tt := range []struct{ tag, got, want string }{
		{"", "loss 2.08, rank 41", `[cell 1: 2.00 has become 2.08 after "loss " cell 1: 40 has become 41 after "loss 2.08, rank "]`},
		{"tolerance=0.05", "loss 2.08, rank 41", "[]"},
		{"tolerance=0.05", "loss 2.12, rank 41", `[cell 1: 2.00 has become 2.12 after "loss "]`},
		{"tolerance=none", "loss 2.00, rank 40", "[cell 1: the tag tolerance=none has no number between 0 and 1]"},
	} {
		got := fmt.Sprint(notebook.Compare(with(printed("loss 2.00, rank 40")), tagged(tt.tag, tt.got), nil))
		if want := strings.ReplaceAll(tt.want, "loss 2.08, rank ", "loss 2.00, rank "); got != want {
			t.Errorf("%s %s: got %s, want %s", tt.tag, tt.got, got, want)
		}
	}
	many := notebook.Compare(with(printed("1 2 3 4 5 6 7 8")), with(printed("2 3 4 5 6 7 8 9")), nil)
	if len(many) != 6 || many[5].What != "and 3 more numbers" {
		t.Errorf("many numbers: got %v", many)
	}
}

func TestCompareOutputs(t *testing.T) {
	stderr := &notebook.Output{Type: "stream", Name: "stderr", Text: "warning 1"}
	failure := &notebook.Output{Type: "error", Ename: "E", Evalue: "bad"}
	two := with(printed("a"))
	two.Cells = append(two.Cells, &notebook.Cell{Type: notebook.Markdown})
	changed := with(printed("b"))
	changed.Cells[0].Source = "y"
	varies := with(printed("b"))
	varies.Cells[0].Metadata = map[string]any{"tags": []any{"varies"}}
	for _, tt := range []struct {
		name string
		a, b *notebook.Notebook
		want string
	}{
		{"same", with(printed("a")), with(printed("a")), ""},
		{"standard error", with(stderr, printed("a")), with(printed("a")), ""},
		{"cells", with(), two, "one notebook has 1 cells, the other 2"},
		{"code", with(printed("a")), changed, "cell 1: the code has changed since the outputs were made"},
		{"tag", with(), varies, ""},
		{"number", with(printed("a")), with(), "cell 1: it had 1 output and has 0 outputs"},
		{"type", with(printed("a")), with(failure), "cell 1: an output was stream and is error"},
		{"error", with(failure), with(&notebook.Output{Type: "error", Ename: "E", Evalue: "worse"}), `cell 1: "E: bad" has become "E: worse"`},
		{"value", with(printed("stable rank 9.14 of 40")), with(printed("stable rank 12.7 of 40")), `cell 1: 9.14 has become 12.7 after "stable rank "`},
		{"kind", with(shown("text/html", "a")), with(shown("image/png", "a")), "cell 1: a display with and one without text/html"},
		{"damaged", with(shown("image/png", "AAAA")), with(shown("image/png", "BBBB")), "cell 1: a picture is damaged"},
		{"unknown kinds", with(shown("x/y", "a")), with(shown("x/y", "b")), ""},
	} {
		d := notebook.Compare(tt.a, tt.b, nil)
		if got := strings.Trim(fmt.Sprint(d), "[]"); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// drawing returns a picture of white paper with a line of a colour at a height.
func drawing(t *testing.T, width, height, line int, c color.Color) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.White)
			if line <= y && y < line+3 {
				m.Set(x, y, c)
			}
		}
	}
	return encoded(t, m)
}

func TestComparePictures(t *testing.T) {
	black, blue := color.RGBA{A: 255}, color.RGBA{B: 255, A: 255}
	original := drawing(t, 480, 480, 200, black) // fields of 10×10 points
	for _, tt := range []struct {
		name string
		data string
		same bool
	}{
		{"the same", original, true},
		{"in lines", original[:76] + "\n" + original[76:] + "\n", true},
		{"a point lower, in the same fields", drawing(t, 480, 480, 201, black), true},
		{"elsewhere", drawing(t, 480, 480, 300, black), false},
		{"in another colour", drawing(t, 480, 480, 200, blue), false},
		{"a point wider", drawing(t, 481, 480, 200, black), true},
		{"of another shape", drawing(t, 500, 480, 200, black), false},
		{"five points lower", drawing(t, 480, 480, 208, black), false},
	} {
		d := notebook.Compare(with(shown("image/png", original)), with(shown("image/png", tt.data)), nil)
		if same := len(d) == 0; same != tt.same {
			t.Errorf("%s: got %v, want same %v", tt.name, d, tt.same)
		}
	}
}

func TestCompareSmallPictures(t *testing.T) {
	large, small, moved := drawing(t, 800, 600, 200, color.Black), drawing(t, 400, 300, 100, color.Black), drawing(t, 400, 300, 130, color.Black)
	if d := notebook.Compare(with(shown("image/png", large)), with(shown("image/png", small)), &notebook.CompareSettings{Picture: 0.05}); d != nil {
		t.Errorf("half the size: %v", d)
	}
	d := notebook.Compare(with(shown("image/png", large)), with(shown("image/png", moved)), nil)
	if len(d) != 1 || !strings.Contains(d[0].What, "looks different") {
		t.Errorf("half the size, and the line elsewhere: %v", d)
	}
	html := func(data string) *notebook.Notebook {
		return with(shown("text/html", `<p>a</p><img src="data:image/png;base64,`+data+`">`))
	}
	if d := notebook.Compare(html(small), html(moved), nil); len(d) != 1 {
		t.Errorf("within HTML: %v", d)
	}
	if d := notebook.Compare(html(small), html(small), nil); d != nil {
		t.Errorf("the same within HTML: %v", d)
	}
	matrix, entry := image.NewGray(image.Rect(0, 0, 49, 49)), image.NewGray(image.Rect(0, 0, 49, 49))
	entry.SetGray(7, 3, color.Gray{Y: 100})
	if d := notebook.Compare(html(encoded(t, matrix)), html(encoded(t, entry)), nil); len(d) != 1 {
		t.Errorf("one entry of a matrix: %v", d)
	}
	named := func(data, text string) *notebook.Notebook {
		return with(&notebook.Output{Type: "display_data", Data: map[string]any{"image/png": data, "text/plain": text}})
	}
	d = notebook.Compare(named(small, "[well] A well of depth 3.2"), named(moved, "[well] A well of depth 4.2"), nil)
	if len(d) != 2 || !strings.Contains(d[0].What, `the picture "[well] A well of depth 3.2" looks different`) || !strings.Contains(d[1].What, "3.2 has become 4.2") {
		t.Errorf("with a text: %v", d)
	}
}

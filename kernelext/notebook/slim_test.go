package notebook_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"sgdlab/kernelext/notebook"
)

// encoded returns m as a PNG in base64.
func encoded(t *testing.T, m image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func pictureOf(t *testing.T, o *notebook.Output) image.Image {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(o.Data["image/png"].(string))
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// cloudy is a picture with thousands of colours that compresses badly.
func cloudy(width, height int, seed uint64) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	rng := rand.New(rand.NewPCG(seed, 0))
	for y := range height {
		for x := range width {
			v := uint8(rng.IntN(240))
			m.Set(x, y, color.NRGBA{v, uint8(100 * x / width), uint8(100 * y / height), 255})
		}
	}
	return m
}

func TestSlim(t *testing.T) {
	display := &notebook.Output{Type: "display_data", Data: map[string]any{
		"image/png": encoded(t, cloudy(300, 200, 1)), "image/svg+xml": "<svg/>", "text/plain": "[a] clouds"}}
	nb := with(display, printed("a"), shown("image/svg+xml", "<svg/>"))
	before, err := nb.Encode()
	if err != nil {
		t.Fatal(err)
	}
	slim, err := notebook.Slim(nb, 1e6)
	if err != nil {
		t.Fatal(err)
	}
	o := slim.Cells[0].Outputs
	if _, ok := o[0].Data["image/svg+xml"]; ok || o[2].Data["image/svg+xml"] == nil || o[0].Data["text/plain"] != "[a] clouds" {
		t.Error("SVG beside a PNG goes, everything else stays")
	}
	paletted, ok := pictureOf(t, o[0]).(*image.Paletted)
	if !ok || len(paletted.Palette) > 256 || paletted.Bounds().Dx() != 300 {
		t.Error("the PNG has no palette of 256 colours, or another size")
	}
	// 256 boxes of equal error in 240×100×100 colours have sides of about 21.
	worst := 0
	m := pictureOf(t, display)
	for y := range 200 {
		for x := range 300 {
			r1, g1, b1, _ := m.At(x, y).RGBA()
			r2, g2, b2, _ := paletted.At(x, y).RGBA()
			for _, pair := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}} {
				worst = max(worst, int(max(pair[0], pair[1])-min(pair[0], pair[1]))>>8)
			}
		}
	}
	if worst > 32 {
		t.Errorf("a colour is off by %d of 255", worst)
	}
	if after, err := nb.Encode(); err != nil || !bytes.Equal(before, after) {
		t.Error("Slim has changed its argument")
	}
	again, err := notebook.Slim(slim, 1e6)
	if err != nil || again.Cells[0].Outputs[0].Data["image/png"] != o[0].Data["image/png"] {
		t.Errorf("a slim notebook becomes another one: %v", err)
	}
	if d := notebook.Compare(slim, nb, &notebook.CompareSettings{Picture: 0.05}); d != nil {
		t.Errorf("a slim notebook is not the same as before: %v", d)
	}
}

func TestSlimExactColours(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		m.Set(i%64, i/64, color.RGBA{uint8(i % 16 * 16), uint8(i / 64 % 16), 7, 255}) // 256 colours
	}
	slim, err := notebook.Slim(with(shown("image/png", encoded(t, m))), 1e6)
	if err != nil {
		t.Fatal(err)
	}
	got := pictureOf(t, slim.Cells[0].Outputs[0])
	for i := range 64 * 64 {
		if want := m.RGBAAt(i%64, i/64); color.RGBAModel.Convert(got.At(i%64, i/64)) != want {
			t.Fatalf("point %d: got %v, want %v", i, got.At(i%64, i/64), want)
		}
	}
}

func TestSlimLimit(t *testing.T) {
	large, small := shown("image/png", encoded(t, cloudy(300, 200, 1))), shown("image/png", encoded(t, cloudy(24, 16, 2)))
	nb := with(large, small)
	size := func(limit int) (n int, widths [2]int) {
		slim, err := notebook.Slim(nb, limit)
		if err != nil {
			t.Fatal(err)
		}
		b, err := slim.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range slim.Cells[0].Outputs {
			widths[i] = pictureOf(t, o).Bounds().Dx()
		}
		if d := notebook.Compare(nb, slim, &notebook.CompareSettings{Picture: 0.05}); d != nil {
			t.Errorf("in %d bytes: %v", limit, d)
		}
		return len(b), widths
	}
	full, _ := size(math.MaxInt)
	for _, part := range []float64{0.8, 0.6, 0.4} {
		limit := int(part * float64(full))
		if n, widths := size(limit); n > limit || widths[1] != 24 {
			t.Errorf("limit %d: got %d bytes, widths %v; the small picture need not change", limit, n, widths)
		}
	}
	if _, err := notebook.Slim(nb, 3000); err == nil || !strings.Contains(err.Error(), "more than 3 kB") {
		t.Errorf("an impossible limit: got %v", err)
	}
	if _, err := notebook.Slim(with(shown("image/png", "AAAA")), 1e6); err == nil || !strings.Contains(err.Error(), "cell 1: a picture is damaged") {
		t.Errorf("a damaged picture: got %v", err)
	}
}

func TestSlimTransparent(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 20, 20))
	m.Set(3, 3, color.NRGBA{R: 9, A: 90})
	data := encoded(t, m)
	slim, err := notebook.Slim(with(shown("image/png", data)), 1e6)
	if err != nil || slim.Cells[0].Outputs[0].Data["image/png"] != data {
		t.Errorf("a transparent picture has changed: %v", err)
	}
}

func TestKeep(t *testing.T) {
	build := func(tag string, cells ...[2]string) *notebook.Notebook {
		nb := &notebook.Notebook{}
		for i, c := range cells {
			cell := &notebook.Cell{Type: notebook.Code, Source: c[0], Metadata: map[string]any{}, ExecutionCount: i + 1, Outputs: []*notebook.Output{printed(c[1])}}
			if tag != "" && c[0] == "v" {
				cell.Metadata["tags"] = []any{tag}
			}
			nb.Cells = append(nb.Cells, cell)
		}
		return nb
	}
	texts := func(nb *notebook.Notebook) string {
		var all []string
		for _, c := range nb.Cells {
			all = append(all, c.Outputs[0].Text)
		}
		return strings.Join(all, ", ")
	}
	old := build("varies", [2]string{"a", "1.00 in 3 s"}, [2]string{"v", "cores 2"}, [2]string{"b", "x 5"})
	for _, tt := range []struct {
		name string
		ran  *notebook.Notebook
		want string
	}{
		{"nothing new", build("varies", [2]string{"a", "1.01 in 9 s"}, [2]string{"v", "cores 8"}, [2]string{"b", "x 5"}), "1.00 in 3 s, cores 2, x 5"},
		{"a number", build("varies", [2]string{"a", "1.00 in 9 s"}, [2]string{"v", "cores 8"}, [2]string{"b", "x 6"}), "1.00 in 3 s, cores 8, x 6"},
		{"an edited cell", build("varies", [2]string{"a2", "1.00 in 9 s"}, [2]string{"v", "cores 8"}, [2]string{"b", "x 5"}), "1.00 in 9 s, cores 8, x 5"},
		{"a new cell", build("varies", [2]string{"n", "new"}, [2]string{"a", "1.00 in 9 s"}, [2]string{"v", "cores 8"}, [2]string{"b", "x 5"}), "new, 1.00 in 3 s, cores 8, x 5"},
		{"a cell gone", build("varies", [2]string{"b", "x 5"}, [2]string{"a", "1.00 in 9 s"}), "x 5, 1.00 in 3 s"},
	} {
		kept := notebook.Keep(old, tt.ran, nil)
		if got := texts(kept); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		for i, c := range kept.Cells {
			if c.ExecutionCount != i+1 {
				t.Errorf("%s: cell %d has the count %d", tt.name, i+1, c.ExecutionCount)
			}
		}
	}
}

package figure_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"sgdlab/pkg/figure"
)

func TestBadDataNameTheField(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	spectra := func(change func(*figure.SpectrumFigure)) error {
		r := spectrumData()
		change(&r)
		_, err := figure.GradientNoiseSpectra(r)
		return err
	}
	t1 := func(change func(*figure.T1Figure)) error {
		r := t1Data()
		change(&r)
		_, err := figure.T1Panel(r)
		return err
	}
	scatter := func(change func(*figure.BatchScatterFigure)) error {
		r := scatterData()
		change(&r)
		_, err := figure.BatchScatter(r)
		return err
	}
	variance := func(change func(*figure.BatchVarianceFigure)) error {
		r := varianceData()
		change(&r)
		_, err := figure.BatchVariance(r)
		return err
	}
	paper := func(change func(*figure.MapFigure)) error {
		r := mapData()
		change(&r)
		_, err := figure.PaperMap(r)
		return err
	}
	tests := []struct {
		want string
		err  error
	}{
		{"Network", spectra(func(r *figure.SpectrumFigure) { r.Network = "" })},
		{"Dim", spectra(func(r *figure.SpectrumFigure) { r.Dim = 0 })},
		{"Samples", spectra(func(r *figure.SpectrumFigure) { r.Samples = -1 })},
		{"Checkpoints is empty", spectra(func(r *figure.SpectrumFigure) { r.Checkpoints = nil })},
		{"Checkpoints[1].Values is empty", spectra(func(r *figure.SpectrumFigure) { r.Checkpoints[1].Values = nil })},
		{"Checkpoints[2].Values[5] is NaN", spectra(func(r *figure.SpectrumFigure) { r.Checkpoints[2].Values[5] = nan })},
		{"Checkpoints[0].Values has 917", spectra(func(r *figure.SpectrumFigure) { r.Dim = 10 })},
		{"no positive eigenvalue", spectra(func(r *figure.SpectrumFigure) { r.Checkpoints[0].Values = []float64{0, -1} })},
		{"Checkpoints[0].Mean is +Inf", spectra(func(r *figure.SpectrumFigure) { r.Checkpoints[0].Mean = inf })},
		{"Std is NaN", spectra(func(r *figure.SpectrumFigure) { r.Checkpoints[0].Std = nan })},
		{"must be positive", spectra(func(r *figure.SpectrumFigure) { r.Checkpoints[0].CutF32 = 0 })},

		{"LearningRate", t1(func(r *figure.T1Figure) { r.LearningRate = nan })},
		{"BatchSize", t1(func(r *figure.T1Figure) { r.BatchSize = 0 })},
		{"Centres is empty", t1(func(r *figure.T1Figure) { r.Centres = nil })},
		{"Centres is 2×3", t1(func(r *figure.T1Figure) { r.Centres = mat.NewDense(2, 3, nil) })},
		{"Minimum has 0", t1(func(r *figure.T1Figure) { r.Minimum = nil })},
		{"Hessian is empty", t1(func(r *figure.T1Figure) { r.Hessian = nil })},
		{"Hessian is not positive definite", t1(func(r *figure.T1Figure) { r.Hessian = mat.NewSymDense(2, []float64{1, 2, 2, 1}) })},
		{"Covariance is 3×3", t1(func(r *figure.T1Figure) { r.Covariance = mat.NewSymDense(3, nil) })},
		{"Diffusion[1] is NaN", t1(func(r *figure.T1Figure) { r.Diffusion.SetSym(0, 1, nan) })},
		{"T1Figure.X has 572 values, T1Figure.Y has 571", t1(func(r *figure.T1Figure) { r.Y = r.Y[1:] })},
		{"T1Figure.Y[3] is +Inf", t1(func(r *figure.T1Figure) { r.Y[3] = inf })},
		{"AreaRateError", t1(func(r *figure.T1Figure) { r.AreaRateError = nan })},

		{"System", scatter(func(r *figure.BatchScatterFigure) { r.System = "" })},
		{"Gradient has 1", scatter(func(r *figure.BatchScatterFigure) { r.Gradient = r.Gradient[:1] })},
		{"Gradient[0] is NaN", scatter(func(r *figure.BatchScatterFigure) { r.Gradient[0] = nan })},
		{"Diffusion is empty", scatter(func(r *figure.BatchScatterFigure) { r.Diffusion = nil })},
		{"no noise", scatter(func(r *figure.BatchScatterFigure) { r.Diffusion = mat.NewSymDense(2, nil) })},
		{"Batches has 0", scatter(func(r *figure.BatchScatterFigure) { r.Batches = nil })},
		{"Batches[1]: BatchSize 0", scatter(func(r *figure.BatchScatterFigure) { r.Batches[1].BatchSize = 0 })},
		{"Batches[0].X has 3 values", scatter(func(r *figure.BatchScatterFigure) { r.Batches[0].X = r.Batches[0].X[:3] })},
		{"Batches[2].X is empty", scatter(func(r *figure.BatchScatterFigure) { r.Batches[2].X, r.Batches[2].Y = nil, nil })},

		{"System", variance(func(r *figure.BatchVarianceFigure) { r.System = "" })},
		{"BatchSizes is empty", variance(func(r *figure.BatchVarianceFigure) { r.BatchSizes = nil })},
		{"BatchSizes must ascend", variance(func(r *figure.BatchVarianceFigure) { r.BatchSizes[5] = 7 })},
		{"Printed has 2 values", variance(func(r *figure.BatchVarianceFigure) { r.Printed = r.Printed[:2] })},
		{"Enumerated[0] is NaN", variance(func(r *figure.BatchVarianceFigure) { r.Enumerated[0] = nan })},
		{"Corrected has the value -1", variance(func(r *figure.BatchVarianceFigure) { r.Corrected[0] = -1 })},
		{"no curve", variance(func(r *figure.BatchVarianceFigure) {
			*r = figure.BatchVarianceFigure{System: "x", Samples: 6, BatchSizes: r.BatchSizes}
		})},

		{"Rows has no cells", paper(func(r *figure.MapFigure) { r.Rows = nil })},
		{"Rows[1].Label", paper(func(r *figure.MapFigure) { r.Rows[1].Label = "" })},
		{"Rows[0].Cells[2].Label", paper(func(r *figure.MapFigure) { r.Rows[0].Cells[2].Label = "" })},
		{"Verdict is 9", paper(func(r *figure.MapFigure) { r.Rows[0].Cells[2].Verdict = 9 })},
	}
	for _, tt := range tests {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) || !strings.HasPrefix(tt.err.Error(), "figure: ") {
			t.Errorf("got error %v, want one of package figure with %q", tt.err, tt.want)
		}
	}
}

func TestFiguresLeaveTheirDataAlone(t *testing.T) {
	r, want := spectrumData(), spectrumData()
	r.Checkpoints[0], r.Checkpoints[2] = r.Checkpoints[2], r.Checkpoints[0]
	want.Checkpoints[0], want.Checkpoints[2] = want.Checkpoints[2], want.Checkpoints[0]
	if _, err := figure.GradientNoiseSpectra(r); err != nil || !reflect.DeepEqual(r, want) {
		t.Errorf("GradientNoiseSpectra changed its data (err %v)", err)
	}
	s, sWant := scatterData(), scatterData()
	s.Batches[0], s.Batches[2] = s.Batches[2], s.Batches[0]
	sWant.Batches[0], sWant.Batches[2] = sWant.Batches[2], sWant.Batches[0]
	if _, err := figure.BatchScatter(s); err != nil || !reflect.DeepEqual(s, sWant) {
		t.Errorf("BatchScatter changed its data (err %v)", err)
	}
}

func TestNoGlobalDefaultIsChanged(t *testing.T) {
	font, handler, line, glyph := plot.DefaultFont, plot.DefaultTextHandler, plotter.DefaultLineStyle, plotter.DefaultGlyphStyle
	if _, err := figure.T1Panel(t1Data()); err != nil {
		t.Fatal(err)
	}
	if plot.DefaultFont != font || plot.DefaultTextHandler != handler ||
		!reflect.DeepEqual(plotter.DefaultLineStyle, line) || !reflect.DeepEqual(plotter.DefaultGlyphStyle, glyph) {
		t.Error("a default of gonum/plot was changed")
	}
}

func TestSave(t *testing.T) {
	p, err := figure.BatchVariance(varianceData())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new", "folder")
	for name, magic := range map[string]string{"a.svg": "<?xml", "a.PDF": "%PDF-", "a.png": "\x89PNG\r\n"} {
		path := filepath.Join(dir, name)
		if err := figure.Save(p, 0, 0, path); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(data, []byte(magic)) {
			t.Errorf("%s begins with %q (err %v), want %q", name, data[:min(8, len(data))], err, magic)
		}
		if err := figure.Save(p, 8*vg.Centimeter, 6*vg.Centimeter, path); err != nil { // over the old file
			t.Fatal(err)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) > 0 {
		t.Errorf("temporary files were left: %v", names)
	}

	for _, path := range []string{"a.jpeg", "a", "svg"} {
		if err := figure.Save(p, 0, 0, filepath.Join(dir, path)); err == nil || !strings.Contains(err.Error(), "choose svg, pdf or png") {
			t.Errorf("Save to %s: got error %v, want one that names the formats", path, err)
		}
	}
	if err := figure.Save(p, -1, 5, filepath.Join(dir, "b.svg")); err == nil || !strings.Contains(err.Error(), "two positive lengths") {
		t.Errorf("negative size: got error %v", err)
	}
	file := filepath.Join(dir, "a.svg")
	if err := figure.Save(p, 0, 0, filepath.Join(file, "b.svg")); err == nil || !strings.Contains(err.Error(), "a.svg") {
		t.Errorf("a folder that is a file: got error %v, want one that names it", err)
	}
}

func TestSVGIsWellFormedAndDescribed(t *testing.T) {
	r := scatterData()
	r.System = `a & <b> "c"`
	p, err := figure.BatchScatter(r)
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Encode("svg")
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	var title, text string
	for depth := ""; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth = token.Name.Local
		case xml.CharData:
			switch depth {
			case "title":
				title += string(token)
			case "text":
				text += string(token)
			}
		}
	}
	if got := strings.TrimSpace(title); got != p.Alt() {
		t.Errorf("title: got %q, want the alternative text %q", got, p.Alt())
	}
	if !strings.Contains(text, "full gradient g") {
		t.Errorf("the text of the SVG is not text: %q", text)
	}
	if !bytes.Contains(data, []byte("'Liberation Sans',Arial")) {
		t.Error("the SVG names no fallback for its font")
	}
	if all, kept := bytes.Count(data, []byte("<text ")), bytes.Count(data, []byte(`<text xml:space="preserve" `)); all == 0 || kept != all {
		t.Errorf("%d of %d texts keep their spaces; without them a superscript stands apart from its number", kept, all)
	}
}

// Exports are committed, so they must not change by themselves.
func TestEqualPicturesAreEqualFiles(t *testing.T) {
	files := map[string][]byte{}
	for range 2 {
		p, err := figure.BatchVariance(varianceData())
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"svg", "pdf", "png"} {
			data, err := p.Encode(format)
			if err != nil {
				t.Fatal(err)
			}
			if old := files[format]; old != nil && !bytes.Equal(old, data) {
				t.Errorf("%s: two drawings differ", format)
			}
			files[format] = data
		}
	}
	if !bytes.Contains(files["pdf"], []byte("CreationDate (D:20180101000000)")) {
		t.Error("the PDF carries the time of drawing")
	}
}

func TestPlainPlotsCanBeShown(t *testing.T) {
	p := figure.Default().New()
	p.X.Label.Text, p.Y.Label.Text, p.Title.Text = "x", "y", "a plot of one's own"
	p.Add(&plotter.Line{XYs: plotter.XYs{{X: 0, Y: 1}, {X: 1, Y: -1}}, LineStyle: plotter.DefaultLineStyle})
	for _, d := range []figure.Drawer{p, figure.Of(p, "own", "caption", "alt")} {
		for name, encode := range map[string]func(figure.Drawer, vg.Length, vg.Length) ([]byte, error){
			"svg": figure.SVG, "pdf": figure.PDF, "png": figure.PNG,
		} {
			if data, err := encode(d, 0, 0); err != nil || len(data) < 1000 {
				t.Errorf("%T as %s: %d bytes, error %v", d, name, len(data), err)
			}
		}
	}
}

func TestCaptionsComeFromTheNumbers(t *testing.T) {
	r := spectrumData()
	p, err := figure.GradientNoiseSpectra(r)
	if err != nil {
		t.Fatal(err)
	}
	// Ranks by hand: 10^−(i/scale)^0.7 > 917·2⁻²³ for i < scale·(3.96135)^(1/0.7), which is
	// 407.3, 371.6 and 335.9.
	for _, want := range []string{"d = 917", "N = 30,596", "rank 408 (44.5 %)", "rank 372", "rank 336", "20 %", "100 %"} {
		if !strings.Contains(p.Caption(), want) {
			t.Errorf("caption lacks %q: %s", want, p.Caption())
		}
	}
	toy, err := figure.GradientNoiseSpectra(narrowSpectrum())
	if err != nil {
		t.Fatal(err)
	}
	if want := "21 eigenvalues are structural zeros"; !strings.Contains(toy.Caption(), want) {
		t.Errorf("caption lacks %q: %s", want, toy.Caption())
	}
	panel, err := figure.T1Panel(t1Data())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"−0.00486486", "400,000 steps", "η = 0.1, b = 1"} {
		if !strings.Contains(panel.Caption(), want) {
			t.Errorf("caption lacks %q: %s", want, panel.Caption())
		}
	}
}

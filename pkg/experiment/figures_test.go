package experiment_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"

	"sgdlab/pkg/experiment"
	"sgdlab/pkg/figure"
	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/spectrum"
)

// made is a result with numbers that are easy to check.
func made() *experiment.GradientNoiseResult {
	r := &experiment.GradientNoiseResult{Name: "made"}
	r.Numbers = experiment.GradientNoiseNumbers{
		Network: "some-fc", DataSet: "some data", Dim: 4, Samples: 100,
		Checkpoints: []experiment.GradientNoiseCheckpoint{
			{Fraction: 0.25, TestAccuracy: 0.5, CutF32: 1e-3, CutF64: 1e-9, Spectrum: spectrum.Spectrum{Values: []float64{0, 1, 2, 3}, Mean: 1.5, Std: 1.1, RankF32: spectrum.Count{Lower: 3, Upper: 3}, RankF64: spectrum.Count{Lower: 3, Upper: 4}}},
			{Fraction: 1, TestAccuracy: 0.75, CutF32: 2e-3, CutF64: 2e-9, Spectrum: spectrum.Spectrum{Values: []float64{0, 0, 0, 8}, Mean: 2, Std: 3.5, RankF32: spectrum.Count{Lower: 1, Upper: 1}, StableRank: 1}},
		},
		Paper: experiment.PaperSpectrum{Figure: "9", Mean: 10, Std: 20, RankPercent: 30},
	}
	return r
}

func TestTables(t *testing.T) {
	n := made().Numbers
	rows := n.Table()
	want := []experiment.SpectrumRow{
		{Of: "25 % of training", TestAccuracy: 50, Mean: 1.5, Std: 1.1, RankF32: 75, RankF64: 75},
		{Of: "100 % of training", TestAccuracy: 75, Mean: 2, Std: 3.5, RankF32: 25, StableRank: 1},
	}
	if !slices.Equal(rows, want) {
		t.Errorf("got %+v, want %+v", rows, want)
	}
	beside := []experiment.PaperRow{
		{Quantity: "mean of λ(D)", Ours: 2, Paper: 10},
		{Quantity: "standard deviation of λ(D)", Ours: 3.5, Paper: 20},
		{Quantity: "rank of D, float32 rule, % of d", Ours: 25, Paper: 30},
	}
	if got := n.BesidePaper(); !slices.Equal(got, beside) {
		t.Errorf("got %+v, want %+v", got, beside)
	}
	n.Paper = experiment.PaperSpectrum{}
	if got := n.BesidePaper(); got != nil {
		t.Errorf("without a panel in the paper: got %+v", got)
	}
}

func TestFiguresOfResults(t *testing.T) {
	r := made()
	f := experiment.SpectrumFigure(r)
	if f.Network != "some-fc" || f.Dim != 4 || len(f.Checkpoints) != 2 || f.Checkpoints[1].CutF32 != 2e-3 {
		t.Errorf("got %+v", f)
	}
	if _, err := figure.GradientNoiseSpectra(f); err != nil {
		t.Errorf("it cannot be drawn: %v", err)
	}
	t1, err := experiment.T1Panel(context.Background(), experiment.T1Settings{Steps: 4000, Points: 50, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	panel := experiment.T1Figure(t1)
	numtest.Close(t, "exact area rate", panel.AreaRateExact, t1.Numbers.AreaRateExact, 0)
	if len(panel.X) != 50 || len(panel.Y) != 50 || panel.Steps != 4000 || panel.AreaRate != t1.Numbers.AreaRate.Value || panel.AreaRateError != t1.Numbers.AreaRate.Error {
		t.Errorf("got %+v", panel)
	}
	if _, err := figure.T1Panel(panel); err != nil {
		t.Errorf("it cannot be drawn: %v", err)
	}
}

func TestAccuracyFigure(t *testing.T) {
	r := &experiment.TrainingResult{}
	r.Numbers = experiment.TrainingNumbers{Network: "some-fc", Epochs: []experiment.Epoch{{Epoch: 1, TestAccuracy: 0.5}, {Epoch: 2, TestAccuracy: 0.75}, {Epoch: 3, TestAccuracy: 0.7}}}
	c := &experiment.TrainingResult{}
	c.Settings.Images = experiment.Fig2c().Images
	f := experiment.AccuracyFigure(r, c)
	if got, want := f.Curves[0], (figure.Curve{Label: "some-fc", X: []float64{1, 2, 3}, Y: []float64{50, 75, 70}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := f.Curves[1].Label; got != "cifar10, augmented" {
		t.Errorf("got the label %q", got)
	}
	if want := "At the end: some-fc: 70.0 %, best 75.0 %."; f.Remark != want {
		t.Errorf("got %q, want %q", f.Remark, want)
	}
}

// The committed results are those of the full settings, and what they say about themselves
// is consistent.
func TestCommittedResults(t *testing.T) {
	results := filepath.Join("..", "..", "data", "results")
	t1, err := experiment.LoadT1(filepath.Join(results, "t1.json"))
	if err != nil {
		t.Fatal(err)
	}
	if want := experiment.T1(); !reflect.DeepEqual(t1.Settings, want) {
		t.Errorf("t1.json: got settings %+v, want %+v", t1.Settings, want)
	}
	// Four million steps are normal to all purposes: |z| > 6 has the probability 2e-9.
	numtest.Close(t, "area rate", t1.Numbers.AreaRate.Value, -0.00486486, 6*t1.Numbers.AreaRate.Error)

	for name, want := range map[string]struct {
		settings     experiment.GradientNoiseSettings
		dim, samples int
		accuracy     float64 // at least
	}{
		"fig1a": {experiment.Fig1a(), 13_338, 60_000, 0.99},
		"fig1b": {experiment.Fig1b(), 3978, 60_000, 0.95},
		"fig2a": {experiment.Fig2a(), 26_982, 50_000, 0.78},
		"fig2c": {experiment.Fig2c(), 26_982, 50_000, 0.80},
	} {
		path := filepath.Join(results, name+".json")
		r, err := experiment.LoadGradientNoise(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r.Settings, want.settings) {
			t.Errorf("%s: got settings %+v, want %+v", name, r.Settings, want.settings)
		}
		n := r.Numbers
		if n.Dim != want.dim || n.Samples != want.samples || len(n.Checkpoints) != 3 || len(n.Losses) != r.Settings.Training.Epochs {
			t.Errorf("%s: d = %d, N = %d, %d checkpoints, %d losses", name, n.Dim, n.Samples, len(n.Checkpoints), len(n.Losses))
		}
		for _, c := range n.Checkpoints {
			checkCheckpoint(t, fmt.Sprintf("%s, epoch %d: ", name, c.Epoch), c, float64(n.Dim))
		}
		if end, _ := n.Checkpoint(1); end.TestAccuracy < want.accuracy || end.Spectrum.Rest != 0 {
			t.Errorf("%s: test accuracy %v, want %v or more; %d eigenvalues missing", name, end.TestAccuracy, want.accuracy, end.Spectrum.Rest)
		}
	}
}

// checkCheckpoint checks what the numbers of a checkpoint say about each other.
func checkCheckpoint(t *testing.T, name string, c experiment.GradientNoiseCheckpoint, d float64) {
	s := c.Spectrum
	if s.Rest == 0 {
		// Seven digits of every eigenvalue that counts, three of the others.
		numtest.Close(t, name+"Σλ/tr D", floats.Sum(s.Values)/(s.Mean*d), 1, 1e-6)
		numtest.Close(t, name+"Σλ²/tr D²", floats.Dot(s.Values, s.Values)/((s.Mean*s.Mean+s.Std*s.Std)*d), 1, 1e-6)
		if s.EntropyRank < s.ParticipationRatio || s.EntropyRank > d {
			t.Errorf("%sentropy rank %v, participation ratio %v", name, s.EntropyRank, s.ParticipationRatio)
		}
	} else if sum := floats.Sum(s.Values); sum > s.Mean*d || sum+float64(s.Rest)*s.RestMax < s.Mean*d {
		t.Errorf("%sΣλ = %v of %v in %d values, the other %d at most %v", name, sum, s.Mean*d, len(s.Values), s.Rest, s.RestMax)
	}
	numtest.Close(t, name+"PR/d", s.ParticipationRatio/d, s.Mean*s.Mean/(s.Mean*s.Mean+s.Std*s.Std), 1e-6)
	numtest.Close(t, name+"cut-off", c.CutF32, s.Max()*d*0x1p-23, 1e-6*c.CutF32)
	above := 0
	for _, v := range s.Values {
		if v > c.CutF32 {
			above++
		}
	}
	if above < s.RankF32.Lower || above > s.RankF32.Upper {
		t.Errorf("%s%d eigenvalues above the cut-off, rank %v", name, above, s.RankF32)
	}
	if !(1 <= s.StableRank && s.StableRank <= s.ParticipationRatio) {
		t.Errorf("%sstable rank %v, participation ratio %v are not in order", name, s.StableRank, s.ParticipationRatio)
	}
}

func TestDrawings(t *testing.T) {
	dir := filepath.Join("..", "..", "data", "results")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no results in %s: %v", dir, err)
	}
	drawn := map[string]bool{
		filepath.Join(dir, "circulation.json"):    true, // a table, of package plane
		filepath.Join(dir, "fig1a-training.json"): true, // accuracies, of the table of panels
		filepath.Join(dir, "fig2a-training.json"): true,
		filepath.Join(dir, "fig2c-training.json"): true,
		filepath.Join(dir, "fig3.json"):           true, // numbers of verdicts, of package ledger
		filepath.Join(dir, "remark15.json"):       true, // a table
		filepath.Join(dir, "remark16.json"):       true, // a table
	}
	ids := map[string]bool{}
	for _, d := range experiment.Drawings() {
		if ids[d.ID] {
			t.Errorf("two drawings are called %s", d.ID)
		}
		path := filepath.Join(dir, d.File())
		ids[d.ID], drawn[path] = true, true
		if !slices.Contains(files, path) {
			continue
		}
		if p, err := d.Draw(path); err != nil || p.Name() == "" || p.Alt() == "" || d.What == "" {
			t.Errorf("%s: %v", d.ID, err)
		}
	}
	for _, f := range files {
		if !drawn[f] {
			t.Errorf("no figure is drawn from %s: add it to Drawings", f)
		}
	}
}

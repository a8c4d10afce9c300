package experiment

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/figure"
	"sgdlab/pkg/problem"
)

// Drawing is a figure that is drawn from a recorded result.
type Drawing struct {
	ID   string // of the figure
	What string // it shows, in a line
	Draw func(path string) (*figure.Picture, error)

	result string // stem of the result's file; empty: ID
}

// File returns the name of the result's file under data/results.
func (d Drawing) File() string { return cmp.Or(d.result, d.ID) + ".json" }

// Drawings returns the figures that are drawn from the results under data/results, in the
// order of the paper. To draw one trains and measures nothing.
func Drawings() []Drawing {
	return []Drawing{
		{"t1", "T1: minibatch SGD against the continuous equation", func(path string) (*figure.Picture, error) {
			r, err := LoadT1(path)
			if err != nil {
				return nil, err
			}
			return figure.T1Panel(T1Figure(r))
		}, ""},
		{"fig1a", "Fig. 1a: spectrum of the gradient noise of small-lenet on MNIST", drawSpectra, ""},
		{"fig1b", "Fig. 1b: spectrum of the gradient noise of small-fc on MNIST", drawSpectra, ""},
		{"fig2a", "Fig. 2a: spectrum of the gradient noise of small-allcnn on CIFAR-10", drawSpectra, ""},
		{"fig2b", "Fig. 2b: spectrum of the gradient noise of small-allcnn on CIFAR-100", drawSpectra, ""},
		{"fig2c", "Fig. 2c: spectrum of the gradient noise of small-allcnn on CIFAR-10, augmented", drawSpectra, ""},
		{"remark14", "Remark 14: spectra of the gradient noise on mixtures of 2, 10 and 50 classes", func(path string) (*figure.Picture, error) {
			r, err := LoadComparison(path)
			if err != nil {
				return nil, err
			}
			return figure.GradientNoiseSpectra(ComparisonFigure(r, "tiny-fc with 50 outputs", "Gaussian mixtures", "2 classes", "10 classes", "50 classes"))
		}, ""},
		{"fig3a", "Fig. 3a: spectrum of the increments of tiny-fc, with null models", drawTrajectory(func(a Fig3Analysis, _ int) (*figure.Picture, error) {
			return figure.IncrementSpectrum(a.IncrementFigure(true))
		}), "fig3"},
		{"fig3b", "Fig. 3b: autocorrelation of the weights of tiny-fc, with null models", drawTrajectory(func(a Fig3Analysis, _ int) (*figure.Picture, error) {
			return figure.WeightCorrelation(a.CorrelationFigure(true))
		}), "fig3"},
		{"fig3c", "Fig. 3c: gradient of tiny-fc, with null models", drawTrajectory(func(a Fig3Analysis, dim int) (*figure.Picture, error) {
			return figure.GradientNorm(a.GradientFigure(true, dim))
		}), "fig3"},
	}
}

// drawTrajectory draws from the run at the settings of the paper.
func drawTrajectory(draw func(a Fig3Analysis, dim int) (*figure.Picture, error)) func(path string) (*figure.Picture, error) {
	return func(path string) (*figure.Picture, error) {
		r, err := LoadFig3(path)
		if err != nil {
			return nil, err
		}
		a, ok := r.Numbers.Paper()
		if !ok {
			return nil, fmt.Errorf("experiment: %s has no run at the settings of the paper", path)
		}
		return draw(a, r.Numbers.Dim)
	}
}

func drawSpectra(path string) (*figure.Picture, error) {
	r, err := LoadGradientNoise(path)
	if err != nil {
		return nil, err
	}
	return figure.GradientNoiseSpectra(SpectrumFigure(r))
}

// SpectrumFigure returns what [figure.GradientNoiseSpectra] draws: Fig. 1 or 2 of the paper
// from the result r.
//
//	p, err := figure.GradientNoiseSpectra(experiment.SpectrumFigure(result))
func SpectrumFigure(r *GradientNoiseResult) figure.SpectrumFigure {
	n := r.Numbers
	f := figure.SpectrumFigure{Network: n.Network, DataSet: strings.Replace(n.DataSet, " train", "", 1), Dim: n.Dim, Samples: n.Samples}
	if r.Settings.Images.Augment != (dataset.Augmentation{}) {
		f.Network += ", trained with augmentation" // D is of the images as they are
	}
	for _, c := range n.Checkpoints {
		f.Checkpoints = append(f.Checkpoints, figure.SpectrumCheckpoint{
			Fraction: c.Fraction, Values: c.Spectrum.Values, Mean: c.Spectrum.Mean, Std: c.Spectrum.Std,
			CutF32: c.CutF32, CutF64: c.CutF64, From: c.Spectrum.RestMax,
		})
	}
	return f
}

// RankFigure returns what [figure.Curves] draws: the share of the d eigenvalues above a
// threshold, at the end of training of every result, over the threshold relative to λmax;
// dots mark the float32 rule of the paper, λmax·d·2⁻²³. A threshold that is not 0 is marked
// with the shares above it, in the order of the results.
//
//	p, err := figure.Curves(experiment.RankFigure(1e-4, result))
func RankFigure(threshold float64, results ...*GradientNoiseResult) figure.CurvesFigure {
	f := figure.CurvesFigure{
		Title: "How many eigenvalues count", Stem: "rank-by-threshold",
		XLabel: "threshold / λmax", YLabel: "eigenvalues above it (% of d)", LogX: true, LogY: true,
		Remark: "Dots: the float32 rule of the paper.",
	}
	var shares []string
	for _, r := range results {
		end, ok := r.Numbers.Checkpoint(1)
		if !ok {
			continue
		}
		curve := figure.Curve{Label: r.Settings.imagesLabel(r.Numbers.Network)}
		share := func(threshold float64) float64 {
			return 100 * float64(len(end.Spectrum.Values)-sort.SearchFloat64s(end.Spectrum.Values, threshold)) / float64(r.Numbers.Dim)
		}
		top := end.Spectrum.Max()
		for e := -8.0; e <= -0.5; e += 0.125 {
			curve.X = append(curve.X, math.Pow(10, e))
			curve.Y = append(curve.Y, share(top*math.Pow(10, e)))
		}
		f.Curves = append(f.Curves, curve)
		f.Points = append(f.Points, figure.CurvePoint{X: end.CutF32 / top, Y: share(end.CutF32)})
		shares = append(shares, fmt.Sprintf("%.2g %%", share(top*threshold)))
	}
	if threshold != 0 {
		f.Rules = []figure.CurveRule{{X: threshold, Label: strings.Join(shares, ", ")}}
	}
	return f
}

// ComparisonFigure returns what [figure.GradientNoiseSpectra] draws: the spectra of some
// cases of a comparison, for its first seed, under the names of network and data.
//
//	p, err := figure.GradientNoiseSpectra(experiment.ComparisonFigure(result, "tiny-fc", "Gaussian mixtures", "2 classes", "10 classes"))
func ComparisonFigure(r *ComparisonResult, network, data string, cases ...string) figure.SpectrumFigure {
	f := figure.SpectrumFigure{Network: network, DataSet: data, Samples: r.Settings.Samples}
	for i, name := range cases {
		at := slices.IndexFunc(r.Numbers, func(n ComparedNoise) bool { return n.Case == name })
		if at < 0 {
			continue
		}
		n := r.Numbers[at]
		top := slices.Max(n.Values)
		f.Dim = max(f.Dim, n.Dim)
		f.Checkpoints = append(f.Checkpoints, figure.SpectrumCheckpoint{
			Label: name, Fraction: float64(i), Values: n.Values, Mean: n.Mean.Value, Std: n.Std.Value,
			CutF32: top * float64(n.Dim) * 0x1p-23, CutF64: top * float64(n.Dim) * 0x1p-52,
		})
	}
	return f
}

// ComparedRow is a line of the table of a comparison: test accuracy, training loss, mean and
// standard deviation of the eigenvalues, participation ratio with its standard error.
type ComparedRow struct {
	Case          string
	Dim           int     `show:"d"`
	TestAccuracy  float64 `show:"accuracy" unit:"%"`
	TrainLoss     float64 `show:"loss" unit:"nats"`
	Mean          float64 `show:"mean λ"`
	Std           float64 `show:"sd of λ"`
	Participation float64 `show:"PR" unit:"% of d"`
	Error         float64 `show:"error"`
}

// ComparisonTable returns the numbers of every case.
//
//	for _, row := range experiment.ComparisonTable(result) {
//		fmt.Println(row.Case, row.Dim, row.Mean)
//	}
func ComparisonTable(r *ComparisonResult) []ComparedRow {
	var rows []ComparedRow
	for _, n := range r.Numbers {
		percent := 100 / float64(n.Dim)
		rows = append(rows, ComparedRow{
			n.Case, n.Dim, 100 * n.TestAccuracy.Value, n.TrainLoss.Value, n.Mean.Value, n.Std.Value,
			n.Participation.Value * percent, n.Participation.Error * percent,
		})
	}
	return rows
}

// LoadComparison reads a result of [DataDiversity] or [Architectures] from the file at path.
//
//	result, err := experiment.LoadComparison("../data/results/remark14.json")
func LoadComparison(path string) (*ComparisonResult, error) {
	return Load[ComparisonSettings, []ComparedNoise](path)
}

// TrainingNoiseTable returns the numbers of every mode.
//
//	for _, row := range experiment.TrainingNoiseTable(result) {
//		fmt.Println(row.Mode, row.TraceRatio, row.Cosine)
//	}
func TrainingNoiseTable(r *TrainingNoiseResult) []TrainingNoiseRow {
	var rows []TrainingNoiseRow
	for _, m := range r.Numbers {
		rows = append(rows, TrainingNoiseRow{m.Mode, m.TraceRatio.Value, m.TraceRatio.Error, m.Cosine, m.Shift.Value, m.Shift.Error})
	}
	return rows
}

// TrainingNoiseRow is a line of the table of [TrainingNoise].
type TrainingNoiseRow struct {
	Mode       string  `show:"batches in mode"`
	TraceRatio float64 `show:"b tr C / tr D"`
	TraceError float64 `show:"error of it"`
	Cosine     float64 `show:"cosine of C and D"`
	Shift      float64 `show:"|mean − ∇f| / |∇f|"`
	ShiftError float64 `show:"chance"`
}

// LoadTrainingNoise reads a result of [TrainingNoise] from the file at path.
//
//	result, err := experiment.LoadTrainingNoise("../data/results/remark15.json")
func LoadTrainingNoise(path string) (*TrainingNoiseResult, error) {
	return Load[TrainingNoiseSettings, []ModeNoise](path)
}

// OverlapRow is a line of the table of overlaps.
type OverlapRow struct {
	Network string
	From    string
	To      string
	Cosine  float64 `show:"cosine of the matrices"`
	Chance  float64 `show:"by chance"`
	Median  float64 `show:"median principal angle" unit:"°"`
	Largest float64 `show:"largest" unit:"°"`
}

// OverlapTable returns a line for each pair of checkpoints of each result.
//
//	for _, row := range experiment.OverlapTable(result) {
//		fmt.Println(row.From, row.To, row.Cosine)
//	}
func OverlapTable(results ...*GradientNoiseResult) []OverlapRow {
	var rows []OverlapRow
	for _, r := range results {
		for _, o := range r.Numbers.Overlaps {
			k := len(o.Angles)
			rows = append(rows, OverlapRow{
				r.Numbers.Network, fmt.Sprintf("%.0f\u00a0%%", 100*o.From), fmt.Sprintf("%.0f\u00a0%%", 100*o.To),
				o.Cosine, o.Chance, o.Angles[k/2] * 180 / math.Pi, o.Angles[k-1] * 180 / math.Pi,
			})
		}
	}
	return rows
}

// AngleFigure returns what [figure.Curves] draws: the principal angles between the leading
// eigenvectors of D(x) at every two checkpoints of r.
//
//	p, err := figure.Curves(experiment.AngleFigure(result))
func AngleFigure(r *GradientNoiseResult) figure.CurvesFigure {
	f := figure.CurvesFigure{
		Title: "How far the leading eigenvectors of D turn, " + r.Numbers.Network, Stem: r.Name + "-angles",
		XLabel: "principal angle, smallest first", YLabel: "angle (degrees)",
		Remark: "0° means the same direction, 90° one that the other point of training does not have among its leading ones.",
	}
	for _, o := range r.Numbers.Overlaps {
		c := figure.Curve{Label: fmt.Sprintf("%.0f → %.0f %%", 100*o.From, 100*o.To), Marked: true}
		for i, a := range o.Angles {
			c.X, c.Y = append(c.X, float64(i+1)), append(c.Y, a*180/math.Pi)
		}
		f.Curves = append(f.Curves, c)
	}
	return f
}

// AccuracyFigure returns what [figure.Curves] draws: the test accuracy after every epoch of
// some trainings, labelled by the images for CIFAR and by the network for MNIST.
//
//	p, err := figure.Curves(experiment.AccuracyFigure(result))
func AccuracyFigure(results ...*TrainingResult) figure.CurvesFigure {
	f := figure.CurvesFigure{
		Title: "Test accuracy along training", Stem: "test-accuracy",
		XLabel: "epoch", YLabel: "test accuracy (%)",
	}
	var ends []string
	for _, r := range results {
		c := figure.Curve{Label: r.Settings.imagesLabel(r.Numbers.Network)}
		for _, e := range r.Numbers.Epochs {
			c.X, c.Y = append(c.X, float64(e.Epoch)), append(c.Y, 100*e.TestAccuracy)
		}
		f.Curves = append(f.Curves, c)
		if len(c.Y) > 0 {
			ends = append(ends, fmt.Sprintf("%s: %.1f %%, best %.1f %%", c.Label, c.Y[len(c.Y)-1], slices.Max(c.Y)))
		}
	}
	f.Remark = "At the end: " + strings.Join(ends, "; ") + "."
	return f
}

// imagesLabel returns the name of the images for a legend, that of the network for MNIST.
func (s GradientNoiseSettings) imagesLabel(network string) string {
	label := network
	if set := s.Images; set.Set == "cifar10" || set.Set == "cifar100" {
		label = set.Set
		if set.Augment != (dataset.Augmentation{}) {
			label += ", augmented"
		}
	}
	return label
}

// LoadTraining reads a result of [Training] from the file at path.
//
//	result, err := experiment.LoadTraining("../data/results/fig1a-training.json")
func LoadTraining(path string) (*TrainingResult, error) {
	return Load[GradientNoiseSettings, TrainingNumbers](path)
}

// T1Figure returns what [figure.T1Panel] draws from the result r.
//
//	p, err := figure.T1Panel(experiment.T1Figure(result))
func T1Figure(r *T1Result) figure.T1Figure {
	f := figure.NewT1Figure(problem.T1(), r.Settings.LearningRate, r.Settings.BatchSize)
	f.X, f.Y, f.Steps = r.Numbers.X, r.Numbers.Y, r.Settings.Steps
	f.AreaRate, f.AreaRateError = r.Numbers.AreaRate.Value, r.Numbers.AreaRate.Error
	return f
}

// LoadGradientNoise reads a result of [GradientNoise] from the file at path.
//
//	result, err := experiment.LoadGradientNoise("../data/results/fig1b.json")
func LoadGradientNoise(path string) (*GradientNoiseResult, error) {
	return Load[GradientNoiseSettings, GradientNoiseNumbers](path)
}

// LoadT1 reads a result of [T1Panel] from the file at path.
func LoadT1(path string) (*T1Result, error) { return Load[T1Settings, T1Numbers](path) }

// SpectrumRow is a line of the table under Figs. 1 and 2: one checkpoint, or the paper.
type SpectrumRow struct {
	Of            string  `show:"D(x) at"`
	TestAccuracy  float64 `show:"test accuracy" unit:"%"`
	Mean          float64 `show:"mean λ"`
	Std           float64 `show:"sd of λ"`
	RankF32       float64 `show:"rank, float32 rule" unit:"% of d"`
	RankF64       float64 `show:"rank, float64 rule" unit:"% of d"`
	Participation float64 `show:"participation ratio"`
	StableRank    float64 `show:"stable rank"`
	EntropyRank   float64 `show:"entropy rank"`
}

// Table returns the numbers of every checkpoint. Means and standard deviations are over
// all d eigenvalues; the ranks count eigenvalues above λmax·d·ε.
func (n GradientNoiseNumbers) Table() []SpectrumRow {
	var rows []SpectrumRow
	percent := func(count int) float64 { return 100 * float64(count) / float64(n.Dim) }
	for _, c := range n.Checkpoints {
		s := c.Spectrum
		rows = append(rows, SpectrumRow{
			Of: fmt.Sprintf("%.0f %% of training", 100*c.Fraction), TestAccuracy: 100 * c.TestAccuracy, Mean: s.Mean, Std: s.Std,
			RankF32: percent(s.RankF32.Lower), RankF64: percent(s.RankF64.Lower),
			Participation: s.ParticipationRatio, StableRank: s.StableRank, EntropyRank: s.EntropyRank,
		})
	}
	return rows
}

// PanelRow is a line of the table of all panels: our numbers at the end of training beside
// those that the paper prints.
type PanelRow struct {
	Panel        string
	Network      string
	TestAccuracy float64 `show:"accuracy" unit:"%"`
	Mean         float64 `show:"mean λ"`
	PaperMean    float64 `show:"paper: mean"`
	Std          float64 `show:"sd of λ"`
	PaperStd     float64 `show:"paper: sd"`
	Rank         float64 `show:"rank" unit:"% of d"`
	PaperRank    float64 `show:"paper: rank" unit:"% of d"`
}

// PanelTable returns a line for each result.
//
//	for _, row := range experiment.PanelTable(result) {
//		fmt.Println(row.Panel, row.Rank, row.PaperRank)
//	}
func PanelTable(results ...*GradientNoiseResult) []PanelRow {
	var rows []PanelRow
	for _, r := range results {
		n := r.Numbers
		end, ok := n.Checkpoint(1)
		if !ok {
			continue
		}
		percent := 100 / float64(n.Dim)
		rows = append(rows, PanelRow{
			n.Paper.Figure, n.Network, 100 * end.TestAccuracy, end.Spectrum.Mean, n.Paper.Mean, end.Spectrum.Std, n.Paper.Std,
			float64(end.Spectrum.RankF32.Lower) * percent, n.Paper.RankPercent,
		})
	}
	return rows
}

// PaperRow is our value of a number that the paper prints, beside the paper's.
type PaperRow struct {
	Quantity string
	Ours     float64
	Paper    float64 `show:"the paper"`
}

// BesidePaper returns our numbers at the end of training beside those of the paper's panel;
// nil if the paper has none. They are not expected to agree: the paper does not say how long
// it trained, and its table does not fit one convention (erratum E19).
func (n GradientNoiseNumbers) BesidePaper() []PaperRow {
	end, ok := n.Checkpoint(1)
	if !ok || n.Paper.Figure == "" {
		return nil
	}
	return []PaperRow{
		{"mean of λ(D)", end.Spectrum.Mean, n.Paper.Mean},
		{"standard deviation of λ(D)", end.Spectrum.Std, n.Paper.Std},
		{"rank of D, float32 rule, % of d", 100 * float64(end.Spectrum.RankF32.Lower) / float64(n.Dim), n.Paper.RankPercent},
	}
}

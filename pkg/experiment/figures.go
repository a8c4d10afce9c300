package experiment

import (
	"fmt"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/problem"
)

// Drawing is a figure that is drawn from a recorded result.
type Drawing struct {
	ID   string // of the figure, and stem of the result's file under data/results
	What string // it shows, in a line
	Draw func(path string) (*figure.Picture, error)
}

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
		}},
		{"fig1b", "Fig. 1b: spectrum of the gradient noise of small-fc on MNIST", drawSpectra},
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
func SpectrumFigure(r *GradientNoiseResult) figure.SpectrumFigure {
	n := r.Numbers
	f := figure.SpectrumFigure{Network: n.Network, DataSet: n.DataSet, Dim: n.Dim, Samples: n.Samples}
	for _, c := range n.Checkpoints {
		f.Checkpoints = append(f.Checkpoints, figure.SpectrumCheckpoint{
			Fraction: c.Fraction, Values: c.Spectrum.Values, Mean: c.Spectrum.Mean, Std: c.Spectrum.Std,
			CutF32: c.CutF32, CutF64: c.CutF64,
		})
	}
	return f
}

// T1Figure returns what [figure.T1Panel] draws from the result r.
func T1Figure(r *T1Result) figure.T1Figure {
	f := figure.NewT1Figure(problem.T1(), r.Settings.LearningRate, r.Settings.BatchSize)
	f.X, f.Y, f.Steps = r.Numbers.X, r.Numbers.Y, r.Settings.Steps
	f.AreaRate, f.AreaRateError = r.Numbers.AreaRate.Value, r.Numbers.AreaRate.Error
	return f
}

// LoadGradientNoise reads a result of [GradientNoise] from the file at path.
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

package experiment

import (
	"fmt"
	"math"
	"slices"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/trajectory"
)

// LoadFig3 reads a result of [Fig3] from the file at path.
//
//	result, err := experiment.LoadFig3("../data/results/fig3.json")
func LoadFig3(path string) (*Fig3Result, error) { return Load[Fig3Settings, Fig3Numbers](path) }

// Run returns the analysis of the chain with the given name, see [ChainSettings.Name].
func (n Fig3Numbers) Run(name string) (Fig3Analysis, bool) {
	for _, a := range n.Runs {
		if a.Chain.Name() == name {
			return a, true
		}
	}
	return Fig3Analysis{}, false
}

// Paper returns the longest run at the settings of the paper: learning rate 10⁻³, momentum
// 0.9, batch norm in training mode. It is false if there is none.
//
//	result, err := experiment.LoadFig3("../data/results/fig3.json")
//	paper, ok := result.Numbers.Paper()
func (n Fig3Numbers) Paper() (Fig3Analysis, bool) {
	return n.longest(func(c ChainSettings) bool {
		return c.Training.LearningRate.At(0) == 1e-3 && c.Training.Momentum.Kind == sgd.HeavyBall && c.Training.Sampling == noise.IndexWalk && !c.Frozen
	})
}

// Theory returns the longest run as the theory of the paper wants it: no momentum, independent
// batches, frozen batch norm, so that eq. (1) holds; among equals the one with the smallest
// learning rate. It is false if there is none.
//
//	result, err := experiment.LoadFig3("../data/results/fig3.json")
//	theory, ok := result.Numbers.Theory()
func (n Fig3Numbers) Theory() (Fig3Analysis, bool) {
	return n.longest(func(c ChainSettings) bool {
		return c.Frozen && c.Training.Momentum.Kind == sgd.None && c.Training.Sampling == noise.WithReplacement
	})
}

// Rotation pools the slopes of the runs that are those of [Fig3Numbers.Theory] but for the
// given seeds, weighted by their errors. It is false if one is missing.
func (n Fig3Numbers) Rotation(seeds ...uint64) (slope trajectory.Estimate, ok bool) {
	theory, ok := n.Theory()
	if !ok {
		return slope, false
	}
	var weights float64
	for _, seed := range seeds {
		chain := theory.Chain
		chain.Training.Seed = seed
		a, ok := n.Run(chain.Name())
		if !ok {
			return trajectory.Estimate{}, false
		}
		w := 1 / (a.Rotation.Slope.Error * a.Rotation.Slope.Error)
		slope.Value += w * a.Rotation.Slope.Value
		weights += w
	}
	return trajectory.Estimate{Value: slope.Value / weights, Error: 1 / math.Sqrt(weights)}, true
}

// Longest returns n with the runs alone that have the most epochs.
func (n Fig3Numbers) Longest() Fig3Numbers {
	most := 0
	for _, a := range n.Runs {
		most = max(most, a.Epochs)
	}
	n.Runs = slices.DeleteFunc(slices.Clone(n.Runs), func(a Fig3Analysis) bool { return a.Epochs < most })
	return n
}

func (n Fig3Numbers) longest(of func(ChainSettings) bool) (best Fig3Analysis, found bool) {
	for _, a := range n.Runs {
		if of(a.Chain) && (a.Epochs > best.Epochs || a.Epochs == best.Epochs && a.Chain.Training.LearningRate.At(0) < best.Chain.Training.LearningRate.At(0)) {
			best, found = a, true
		}
	}
	return best, found
}

// Label names the settings of the chain for a figure, as in "η = 0.1, no momentum, i.i.d., BN frozen".
//
//	s := experiment.Fig3Quick()
//	fmt.Println(s.Chains[0].Label())
func (s ChainSettings) Label() string {
	momentum := map[sgd.MomentumKind]string{sgd.None: "no momentum", sgd.HeavyBall: "heavy ball", sgd.Nesterov: "Nesterov"}[s.Training.Momentum.Kind]
	sampling := map[noise.Sampling]string{noise.WithReplacement: "i.i.d."}[s.Training.Sampling]
	if sampling == "" {
		sampling = s.Training.Sampling.String()
	}
	norm := "BN training"
	if s.Frozen {
		norm = "BN frozen"
	}
	label := fmt.Sprintf("η = %g, %s, %s, %s", s.Training.LearningRate.At(0), momentum, sampling, norm)
	if s.Training.Seed != 1 {
		label += fmt.Sprintf(", seed %d", s.Training.Seed)
	}
	return label
}

func (a Fig3Analysis) title() string {
	images := ""
	if a.Chain.Samples != 0 {
		images = fmt.Sprintf(", N = %d", a.Chain.Samples)
	}
	return fmt.Sprintf("tiny-fc, %s%s, %d epochs", a.Chain.Label(), images, a.Epochs)
}

func floatsOf(v []int) []float64 {
	out := make([]float64, len(v))
	for i, k := range v {
		out[i] = float64(k)
	}
	return out
}

// IncrementFigure returns what [figure.IncrementSpectrum] draws, Fig. 3a: with null models, or
// as the paper has it.
func (a Fig3Analysis) IncrementFigure(nulls bool) figure.RunFigure {
	s := a.Spectrum
	r := figure.RunFigure{Run: a.title(), Measured: figure.Ribbon{Label: "the weights", X: s.Frequency, Y: s.Amplitude}}
	for i, y := range s.Amplitude {
		r.Measured.Low = append(r.Measured.Low, max(0, y-s.SD[i]))
		r.Measured.High = append(r.Measured.High, y+s.SD[i])
	}
	r.Remark = fmt.Sprintf("%d of the weights move, as %.1f independent ones would.", s.Weights, s.Effective)
	if !nulls {
		return r
	}
	white := figure.Ribbon{Label: "white noise, 99 %", X: s.Frequency}
	for i := range s.Frequency {
		white.Y = append(white.Y, trajectory.WhiteAmplitude)
		white.Low = append(white.Low, max(0, trajectory.WhiteAmplitude-s.WhiteBand(i)))
		white.High = append(white.High, trajectory.WhiteAmplitude+s.WhiteBand(i))
	}
	r.Nulls = []figure.Ribbon{white, {Label: "relaxation fitted\nto each weight", X: s.Frequency, Y: s.AR1}}
	return r
}

// CorrelationFigure returns what [figure.WeightCorrelation] draws, Fig. 3b: with null models, or as the
// paper has it, beside the band of white noise alone.
func (a Fig3Analysis) CorrelationFigure(nulls bool) figure.RunFigure {
	c := a.Correlation
	lags := floatsOf(c.Lags)
	r := figure.RunFigure{Run: a.title(), Measured: figure.Ribbon{Label: "the weights", X: lags, Y: c.Mean, Low: c.Low, High: c.High}}
	band := figure.Ribbon{Label: "white noise, 99 %", X: lags}
	for range lags {
		band.Low, band.High = append(band.Low, -c.Band()), append(band.High, c.Band())
	}
	r.Nulls = []figure.Ribbon{band}
	r.Remark = fmt.Sprintf("%.0f %% of all weights and lags are within the band of white noise.", 100*c.Inside)
	if nulls {
		r.Nulls = append(r.Nulls, figure.Ribbon{Label: "random walk", X: lags, Y: a.RandomWalk}, figure.Ribbon{Label: "relaxation fitted\nto each weight", X: lags, Y: c.AR1})
	}
	return r
}

// GradientFigure returns what [figure.GradientNorm] draws, Fig. 3c: with the plateau of a stationary
// law without force, or as the paper has it.
func (a Fig3Analysis) GradientFigure(nulls bool, dim int) figure.RunFigure {
	r := figure.RunFigure{Run: a.title(), Measured: figure.Ribbon{Label: "measured", X: a.Epoch, Y: a.Gradient}}
	if !nulls {
		return r
	}
	ends := []float64{a.Epoch[0], a.Epoch[len(a.Epoch)-1]}
	add := func(label string, squared float64) {
		if squared > 0 {
			y := math.Sqrt(squared / float64(dim))
			r.Nulls = append(r.Nulls, figure.Ribbon{Label: label, X: ends, Y: []float64{y, y}})
		}
	}
	g := a.Gradients
	add("√(β⁻¹tr(D∇²f)/d)", g.Plateau)
	add("linear chain", g.Chain)
	r.Remark = fmt.Sprintf("Second half: ⟨‖∇f‖²⟩ = %.3g ± %.1g, β⁻¹tr(D∇²f) = %.3g at the mean weights, linear chain with its momentum and sampling %.3g (%d flat or slow modes left out).",
		g.Squared.Value, g.Squared.Error, g.Plateau, g.Chain, g.LeftOut)
	return r
}

// AreaFigure returns what [figure.AreaRates] draws.
func (a Fig3Analysis) AreaFigure() figure.AreaFigure {
	r := figure.AreaFigure{
		Run: a.title(), Unit: "per epoch, in standard deviations",
		Remark: fmt.Sprintf("Directions: the %d steepest that remember from one epoch to the next; %d forget sooner. All pairs together: p = %.2g. Measured areas over those of linear theory: %.2f ± %.2f.",
			len(a.Rotation.Curvature), a.Rotation.TooFast, a.Rotation.P, a.Rotation.Slope.Value, a.Rotation.Slope.Error),
	}
	for _, p := range a.Rotation.Pairs {
		r.Pairs = append(r.Pairs, figure.AreaPair{Label: fmt.Sprintf("%d, %d", p.I+1, p.J+1), Area: p.Area.Value, Error: p.Area.Error, Theory: p.Linear, P: p.P})
	}
	return r
}

// fig3Level is the level of the tests behind the answers, after correction for their number.
const fig3Level = 0.05

// low returns the mean amplitude of the spectrum of the increments over the ten lowest
// frequencies, its value for white noise plus the 99 % band of such a mean, and its value for
// the relaxation fitted to each weight.
func (a Fig3Analysis) low() (amplitude, white, relaxation float64) {
	s, count := a.Spectrum, 0
	for i, c := range s.Count {
		if count >= 10 {
			break
		}
		amplitude += float64(c) * s.Amplitude[i]
		relaxation += float64(c) * s.AR1[i]
		count += c
	}
	n := float64(count)
	return amplitude / n, trajectory.WhiteAmplitude + 2.576*math.Sqrt((1-math.Pi/4)/(s.Effective*n)), relaxation / n
}

// lowFrequencies answers whether the increments have a bump at low frequency, Remark 17: more than
// white noise would have. A run that is not stationary explains one.
func (a Fig3Analysis) lowFrequencies() figure.Answer {
	amplitude, white, _ := a.low()
	switch {
	case amplitude <= white:
		return figure.No
	case !a.Stationary.Passed:
		return figure.Explained
	}
	return figure.Yes
}

// longMemory answers whether the autocorrelation leaves the band of white noise for longer than
// a random walk or the fitted relaxation would.
func (a Fig3Analysis) longMemory() figure.Answer {
	if a.Correlation.Inside > 0.9 {
		return figure.No
	}
	for i, r := range a.Correlation.Mean {
		if r > max(a.RandomWalk[i], a.Correlation.AR1[i])+2*a.Correlation.Band()+0.1 {
			return figure.Yes
		}
	}
	return figure.Explained
}

// largeGradient answers whether the mean square of the gradient stays as large as the linear
// chain has it, or larger, Remark 18; up to a quarter more the linear chain explains it.
func (a Fig3Analysis) largeGradient() figure.Answer {
	g := a.Gradients
	switch {
	case g.Squared.Value < g.Chain/2:
		return figure.No
	case g.Squared.Value <= 1.25*g.Chain:
		return figure.Explained
	case !a.Stationary.Passed:
		return figure.Open
	}
	return figure.Yes
}

// irreversible answers whether probability circulates in the planes of the steepest directions,
// and whether linear theory has this circulation too.
func (a Fig3Analysis) irreversible() figure.Answer {
	switch {
	case a.Rotation.P > fig3Level/2 && a.Rotation.PSlope > fig3Level/2: // two tests
		return figure.No
	case len(a.Rotation.Linear) == 0:
		return figure.Open
	case a.pLinear(func(c trajectory.Comparison) float64 { return c.PSkew }) > fig3Level:
		return figure.Explained
	case !a.Stationary.Passed:
		return figure.Open
	}
	return figure.Yes
}

// beyondLinear answers whether the symmetric lag covariances differ from those of linear theory.
func (a Fig3Analysis) beyondLinear() figure.Answer {
	switch {
	case len(a.Rotation.Linear) == 0:
		return figure.Open
	case a.pLinear(func(c trajectory.Comparison) float64 { return c.PSym }) > fig3Level:
		return figure.No
	case !a.Stationary.Passed:
		return figure.Open
	}
	return figure.Yes
}

func (a Fig3Analysis) answers() Fig3Answers {
	stationary := figure.No
	if a.Stationary.Passed {
		stationary = figure.Yes
	}
	return Fig3Answers{stationary, a.lowFrequencies(), a.longMemory(), a.largeGradient(), a.irreversible(), a.beyondLinear()}
}

// pLinear is the smallest p over the lags, corrected for their number.
func (a Fig3Analysis) pLinear(of func(trajectory.Comparison) float64) float64 {
	p := 1.0
	for _, c := range a.Rotation.Linear {
		p = min(p, of(c)*float64(len(a.Rotation.Linear)))
	}
	return p
}

// SurveyFigure returns what [figure.Survey] draws: which observation of the paper survives where.
func (n Fig3Numbers) SurveyFigure() figure.SurveyFigure {
	r := figure.SurveyFigure{
		Title:   "What survives where",
		Columns: []string{"stationary", "low\nfrequencies", "long\nmemory", "large\ngradient", "irreversible", "beyond\nlinear"},
		Remark:  fmt.Sprintf("Stationary: no check of the second half of the run rejects at 1 %%. Other tests at %.0f %% after correction for their number.", 100*fig3Level),
	}
	for _, a := range n.Runs {
		q := a.Answers
		r.Rows = append(r.Rows, figure.SurveyRow{
			Label:   a.Chain.Label(),
			Answers: []figure.Answer{q.Stationary, q.LowFrequencies, q.LongMemory, q.LargeGradient, q.Irreversible, q.BeyondLinear},
		})
	}
	return r
}

// Fig3SurveyRow is a line of the table of answers.
type Fig3SurveyRow struct {
	Run            string
	Epochs         int
	Stationary     string
	LowFrequencies string `show:"low frequencies"`
	LongMemory     string `show:"long memory"`
	LargeGradient  string `show:"large gradient"`
	Irreversible   string
	BeyondLinear   string `show:"beyond linear"`
}

// SurveyTable returns the answers of every run, those of [Fig3Numbers.SurveyFigure] with the
// lengths of the runs.
//
//	result, err := experiment.LoadFig3("../data/results/fig3.json")
//	rows := result.Numbers.SurveyTable()
func (n Fig3Numbers) SurveyTable() (rows []Fig3SurveyRow) {
	for _, a := range n.Runs {
		q := a.Answers
		rows = append(rows, Fig3SurveyRow{
			a.Chain.Label(), a.Epochs, q.Stationary.String(), q.LowFrequencies.String(), q.LongMemory.String(),
			q.LargeGradient.String(), q.Irreversible.String(), q.BeyondLinear.String(),
		})
	}
	return rows
}

// Fig3StationaryRow is a line of the table of the checks of stationarity.
type Fig3StationaryRow struct {
	Run      string
	Epochs   int
	Loss     float64 `show:"p, loss"`
	Modes    float64 `show:"p, modes"`
	Balance  float64 `show:"⟨x·∇f⟩ / ½η⟨‖∇f_b‖²⟩"`
	PBalance float64 `show:"p"`
	Scale    float64 `show:"‖W₁‖, end/beginning"`
	Moved    float64 `show:"mean moved" unit:"sd"`
}

// StationaryTable returns the checks of every run.
//
//	result, err := experiment.LoadFig3("../data/results/fig3.json")
//	rows := result.Numbers.StationaryTable()
func (n Fig3Numbers) StationaryTable() (rows []Fig3StationaryRow) {
	for _, a := range n.Runs {
		s := a.Stationary
		rows = append(rows, Fig3StationaryRow{a.Chain.Label(), a.Epochs, min(s.Loss.PMean, s.Loss.PVariance), s.Modes, s.Balance, s.PBal, s.Scale, s.Moved})
	}
	return rows
}

// Fig3GradientRow is a line of the table of gradients.
type Fig3GradientRow struct {
	Run     string
	Squared float64 `show:"⟨‖∇f‖²⟩"`
	Plateau float64 `show:"β⁻¹tr(D∇²f)"`
	Chain   float64 `show:"linear chain"`
	Ratio   float64 `show:"measured / linear chain"`
}

// GradientTable returns the gradients of every run beside those of a stationary law without force.
//
//	result, err := experiment.LoadFig3("../data/results/fig3.json")
//	rows := result.Numbers.GradientTable()
func (n Fig3Numbers) GradientTable() (rows []Fig3GradientRow) {
	for _, a := range n.Runs {
		g := a.Gradients
		rows = append(rows, Fig3GradientRow{a.Chain.Label(), g.Squared.Value, g.Plateau, g.Chain, g.Squared.Value / g.Chain})
	}
	return rows
}

// Fig3RotationRow is a line of the table of tests of reversibility.
type Fig3RotationRow struct {
	Run       string
	P         float64 `show:"p, reversible"`
	Pairs     string  `show:"pairs that turn"`
	Slope     float64 `show:"areas, measured/linear"`
	Error     float64 `show:"±"`
	Size      float64 `show:"‖Ĉₐ(1)‖/‖Σ‖ measured"`
	Linear    float64 `show:"linear theory"`
	PSkew     float64 `show:"p, antisymmetric"`
	PSym      float64 `show:"p, symmetric"`
	Variances float64 `show:"variance, measured/linear"`
}

// RotationTable returns the tests of every run; p-values of the comparison are the smallest
// over the lags times their number, the last column is a mean over the directions.
//
//	result, err := experiment.LoadFig3("../data/results/fig3.json")
//	rows := result.Numbers.RotationTable()
func (n Fig3Numbers) RotationTable() (rows []Fig3RotationRow) {
	for _, a := range n.Runs {
		r := a.Rotation
		row := Fig3RotationRow{Run: a.Chain.Label(), P: r.P, Slope: r.Slope.Value, Error: r.Slope.Error}
		turn := 0
		for _, p := range r.Pairs {
			if p.P <= fig3Level {
				turn++
			}
		}
		row.Pairs = fmt.Sprintf("%d of %d", turn, len(r.Pairs))
		row.PSkew, row.PSym = math.NaN(), math.NaN()
		if len(r.Linear) > 0 {
			row.Size, row.Linear = r.Linear[0].SkewSize, r.Linear[0].SkewChain
			row.PSkew = min(1, a.pLinear(func(c trajectory.Comparison) float64 { return c.PSkew }))
			row.PSym = min(1, a.pLinear(func(c trajectory.Comparison) float64 { return c.PSym }))
		}
		for i, v := range r.Predicted {
			row.Variances += r.Variance[i] / v / float64(len(r.Predicted))
		}
		rows = append(rows, row)
	}
	return rows
}

package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sgdlab/pkg/problem"
)

// T1Figure is what [T1Panel] draws: stochastic gradient descent on a sum of quadratics
// with a common Hessian in the plane. [NewT1Figure] fills in all that has a closed form;
// X, Y, Steps, AreaRate and AreaRateError are measured by the caller.
type T1Figure struct {
	LearningRate float64 // η
	BatchSize    int     // b, drawn with replacement

	Centres    *mat.Dense    // minima cₖ of the samples, in rows (N×2)
	Minimum    []float64     // of f (2)
	Hessian    *mat.SymDense // F of the loss (2×2)
	Diffusion  *mat.SymDense // D, the covariance of the per-sample gradients (2×2)
	Covariance *mat.SymDense // Σ of the weights at stationarity (2×2)

	// AreaRateExact is the mean of ½(x₁Δx₂ − x₂Δx₁) per step at stationarity, negative
	// for a clockwise turn.
	AreaRateExact float64

	X, Y          []float64 // weights x₁ and x₂ along a run, of equal length; up to 1,200 of them are drawn
	Steps         int       // length of the run that AreaRate is the mean of
	AreaRate      float64   // measured, per step
	AreaRateError float64   // its standard error

	Style *Style // nil means Default()
}

// NewT1Figure returns the closed forms of p at the learning rate eta and batches of b
// with replacement. It panics if p is not in the plane and where
// [problem.CommonHessian.StationaryCovariance] does.
func NewT1Figure(p *problem.CommonHessian, eta float64, b int) T1Figure {
	if p.Dim() != 2 {
		panic(fmt.Sprintf("figure: the T1 panel is drawn in the plane: got %d weights, want 2", p.Dim()))
	}
	return T1Figure{
		LearningRate:  eta,
		BatchSize:     b,
		Centres:       p.Centres(),
		Minimum:       p.Minimum(),
		Hessian:       p.Hessian(),
		Diffusion:     p.Diffusion(),
		Covariance:    p.StationaryCovariance(eta, b),
		AreaRateExact: p.AreaRatePerStep(eta, b).At(0, 1),
	}
}

// panelSigmas is the size of the drawn ellipses in standard deviations.
const panelSigmas = 2

// T1Panel draws the system in one picture: contours of the loss, the minima cₖ of the
// samples, samples of the run, the 2σ ellipses of one step's noise η²D/b and of the
// stationary law Σ, the stationary current as arrows, and the measured area rate beside
// the exact one.
//
// The mean velocity of the current at x, half the sum of a step forward and a step of
// the time-reversed chain, is −AΣ⁻¹x with the antisymmetric area rate matrix A of
// [problem.CommonHessian.AreaRatePerStep]: it runs along the ellipses of Σ.
//
//	result, err := experiment.T1Panel(ctx, experiment.T1Quick())
//	p, err := figure.T1Panel(experiment.T1Figure(result))
func T1Panel(r T1Figure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = "Stochastic gradient descent on T1: loss, noise, stationary law, current"
	p.X.Label.Text = "weight x₁"
	p.Y.Label.Text = "weight x₂"
	p.X.Padding, p.Y.Padding = 0, 0

	mean := [2]float64{r.Minimum[0], r.Minimum[1]}
	reach := 0.0 // half the width of the data about the minimum
	for k := range r.Centres.RawMatrix().Rows {
		reach = max(reach, math.Abs(r.Centres.At(k, 0)-mean[0]), math.Abs(r.Centres.At(k, 1)-mean[1]))
	}
	stationary := ellipse(mean, r.Covariance, panelSigmas)
	for _, q := range stationary {
		reach = max(reach, math.Abs(q.X-mean[0]), math.Abs(q.Y-mean[1]))
	}
	reach *= 1.28

	// Contours of the loss at f − min f = 1, 4, 9, … units, such that the first are
	// well inside the picture.
	var inverse mat.SymDense
	invert2(&inverse, r.Hessian)
	unit := reach / math.Sqrt(inverse.At(0, 0)) / 5
	for i := 1.0; i <= 16; i++ {
		p.Add(&plotter.Line{XYs: ellipse(mean, &inverse, i*unit), LineStyle: s.line(s.Faint, s.HairWidth*1.3)})
	}

	if len(r.X) > 0 {
		p.Add(&plotter.Scatter{XYs: thinned(r.X, r.Y), GlyphStyle: draw.GlyphStyle{
			Color: s.pale(s.Palette[sky], 0.55), Radius: vg.Points(0.9), Shape: draw.CircleGlyph{},
		}})
	}

	// One step's noise η²D/b, in the units of the weights.
	var kick mat.SymDense
	kick.ScaleSym(r.LearningRate*r.LearningRate/float64(r.BatchSize), r.Diffusion)
	step := ellipse(mean, &kick, panelSigmas)
	p.Add(
		&plotter.Line{XYs: stationary, LineStyle: s.line(s.Palette[blue], s.LineWidth*1.25)},
		&plotter.Line{XYs: step, LineStyle: s.line(s.Palette[vermilion], s.LineWidth*1.25)},
	)

	for _, arc := range r.currentArrows(mean) {
		p.Add(arrow{points: arc, line: s.line(s.Palette[green], s.LineWidth*1.25), head: vg.Points(8)})
	}

	for k := range r.Centres.RawMatrix().Rows {
		x, y := r.Centres.At(k, 0), r.Centres.At(k, 1)
		p.Add(&plotter.Scatter{XYs: plotter.XYs{{X: x, Y: y}}, GlyphStyle: draw.GlyphStyle{
			Color: s.Ink, Radius: vg.Points(3), Shape: draw.CircleGlyph{},
		}})
		p.Add(note{
			x: x, y: y, dx: vg.Points(6), style: s.text(s.TextSize, s.Ink, draw.XLeft, draw.YCenter),
			text: "c" + subscript(k+1),
		})
	}

	// Names stand left and right of the cloud, tied to their curve by a thin line.
	text := s.text(s.TextSize, s.Ink, draw.XLeft, draw.YCenter)
	text.Color = s.Palette[blue]
	x, y := extreme(stationary, 1, 0.1)
	p.Add(label{x: x, y: y, toX: mean[0] + 0.58*reach, toY: y + 0.16*reach, line: s.line(text.Color, s.HairWidth), style: text, text: "stationary law Σ, 2σ", paper: s.Paper})
	text.Color = s.Palette[vermilion]
	x, y = extreme(step, -1, -0.12)
	p.Add(label{x: x, y: y, toX: mean[0] - 0.58*reach, toY: y - 0.1*reach, line: s.line(text.Color, s.HairWidth), style: text, text: "noise of one step\nη²D/b, 2σ", paper: s.Paper})
	text.Color, text.XAlign = s.Muted, draw.XCenter
	x, y = extreme(ellipse(mean, &inverse, 5*unit), 0.35, -1)
	p.Add(note{x: x, y: y, style: text, text: "loss f = const", paper: s.Paper})

	p.X.Min, p.X.Max = mean[0]-reach, mean[0]+reach
	p.Y.Min, p.Y.Max = mean[1]-reach, mean[1]+reach

	box := s.text(s.TextSize, s.Palette[green], draw.XLeft, draw.YTop)
	lines := "stationary current: area swept per step\nexact  " + number(r.AreaRateExact, 4)
	if r.Steps > 0 {
		lines += "\nmeasured  " + valueError(r.AreaRate, r.AreaRateError) + fmt.Sprintf("   (%s steps)", count(r.Steps))
	}
	p.Add(note{x: 0.015, y: 0.98, inArea: true, style: box, text: lines, paper: s.Paper})
	setting := s.text(s.TextSize, s.Ink, draw.XRight, draw.YBottom)
	p.Add(note{
		x: 0.985, y: 0.02, inArea: true, style: setting, paper: s.Paper,
		text: fmt.Sprintf("η = %v, b = %d, with replacement", r.LearningRate, r.BatchSize),
	})

	return &Picture{
		Plot: p, Stem: "t1-panel", Width: 15 * vg.Centimeter, Height: 12.5 * vg.Centimeter,
		Text: r.Caption(), AltText: r.Alt(), EqualAxes: true,
	}, nil
}

// currentArrows returns six arcs, in the direction of the current, on an ellipse of Σ a
// little outside the drawn one.
func (r T1Figure) currentArrows(mean [2]float64) []plotter.XYs {
	if r.AreaRateExact == 0 {
		return nil
	}
	curve := ellipse(mean, r.Covariance, 1.25*panelSigmas)
	clockwise := signedArea(curve) < 0
	if clockwise != (r.AreaRateExact < 0) {
		slices.Reverse(curve)
	}
	const arrows, chords = 6, 19 // of the 180/6 = 30 chords between two arrows
	var arcs []plotter.XYs
	for i := range arrows {
		start := i * ellipseSegments / arrows
		arcs = append(arcs, curve[start:start+chords+1])
	}
	return arcs
}

// signedArea returns the area inside a closed curve, positive if it turns
// counter-clockwise.
func signedArea(curve plotter.XYs) float64 {
	var area float64
	for i := 1; i < len(curve); i++ {
		area += curve[i-1].X*curve[i].Y - curve[i-1].Y*curve[i].X
	}
	return area / 2
}

// Caption returns what the panel shows, with the area rates.
func (r T1Figure) Caption() string {
	if r.check() != nil {
		return ""
	}
	s := fmt.Sprintf("Stochastic gradient descent on the sum of %s quadratics with a common Hessian (minima cₖ, η = %v, b = %d with replacement). "+
		"Grey: contours of the loss. Red: 2σ ellipse of the noise of one step, covariance η²D/b. Blue: 2σ ellipse of the stationary covariance Σ",
		count(r.Centres.RawMatrix().Rows), r.LearningRate, r.BatchSize)
	if len(r.X) > 0 {
		s += fmt.Sprintf(", with %s points of a run", count(len(thinned(r.X, r.Y))))
	}
	s += ". Their axes agree neither with each other nor with those of the loss: noise that does not commute with the Hessian makes the weights turn (green arrows). " +
		"Area swept per step: exact " + number(r.AreaRateExact, 6)
	if r.Steps > 0 {
		s += fmt.Sprintf(", measured %s over %s steps", valueError(r.AreaRate, r.AreaRateError), count(r.Steps))
	}
	return s + "."
}

// Alt returns a description of the panel for those who do not see it.
func (r T1Figure) Alt() string {
	if r.check() != nil {
		return ""
	}
	turn := "clockwise"
	if r.AreaRateExact > 0 {
		turn = "counter-clockwise"
	}
	return fmt.Sprintf("Two weights in the plane: elliptic contours of the loss, %d sample minima, a tilted ellipse for the noise of one step and a differently tilted one "+
		"for the stationary law, with arrows that turn %s along it.", r.Centres.RawMatrix().Rows, turn)
}

func (r T1Figure) check() error {
	if !(r.LearningRate > 0) || r.BatchSize < 1 {
		return fmt.Errorf("figure: T1Figure.LearningRate %v and BatchSize %d must be positive", r.LearningRate, r.BatchSize)
	}
	if r.Centres == nil || r.Centres.IsEmpty() {
		return fmt.Errorf("figure: T1Figure.Centres is empty: there is nothing to draw")
	}
	n, d := r.Centres.Dims()
	if d != 2 || len(r.Minimum) != 2 {
		return fmt.Errorf("figure: T1Figure.Centres is %d×%d and Minimum has %d values: the panel is drawn in the plane, N×2 and 2 are needed", n, d, len(r.Minimum))
	}
	err := firstError(
		finite("T1Figure.LearningRate", r.LearningRate),
		finite("T1Figure.Centres", r.Centres.RawMatrix().Data...),
		finite("T1Figure.Minimum", r.Minimum...),
		matrix2("T1Figure.Hessian", r.Hessian),
		matrix2("T1Figure.Diffusion", r.Diffusion),
		matrix2("T1Figure.Covariance", r.Covariance),
		finite("T1Figure.AreaRateExact", r.AreaRateExact),
		finite("T1Figure.AreaRate", r.AreaRate),
		finite("T1Figure.AreaRateError", r.AreaRateError),
		finite("T1Figure.X", r.X...),
		finite("T1Figure.Y", r.Y...),
	)
	if err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		m    *mat.SymDense
	}{{"Hessian", r.Hessian}, {"Covariance", r.Covariance}} {
		if !(m.m.At(0, 0) > 0 && mat.Det(m.m) > 0) {
			return fmt.Errorf("figure: T1Figure.%s is not positive definite: it has no ellipse", m.name)
		}
	}
	if len(r.X)+len(r.Y) > 0 {
		return sameLength("T1Figure.X", len(r.X), "T1Figure.Y", len(r.Y))
	}
	return nil
}

// invert2 stores the inverse of the 2×2 matrix m in dst.
func invert2(dst, m *mat.SymDense) {
	det := m.At(0, 0)*m.At(1, 1) - m.At(0, 1)*m.At(0, 1)
	*dst = *mat.NewSymDense(2, []float64{m.At(1, 1) / det, -m.At(0, 1) / det, -m.At(0, 1) / det, m.At(0, 0) / det})
}

// subscript formats a small positive integer as a subscript.
func subscript(n int) string {
	out := ""
	for _, c := range fmt.Sprint(n) {
		out += string('₀' + c - '0')
	}
	return out
}

// valueError formats a value with its standard error, both to the second digit of the
// error: −0.004862 ± 0.000014.
func valueError(v, err float64) string {
	if !(err > 0) {
		return number(v, 4)
	}
	decimals := max(0, 1-int(math.Floor(math.Log10(err))))
	if decimals > 9 {
		return number(v, 6) + " ± " + number(err, 2)
	}
	return trueMinus(fmt.Sprintf("%.*f", decimals, v)) + " ± " + fmt.Sprintf("%.*f", decimals, err)
}

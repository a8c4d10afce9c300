package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// DecayFigure is what [Decay] draws: quantities that fall exponentially, such as the
// free energy above its minimum.
//
//	r := figure.DecayFigure{System: "REF", Curves: []figure.DecayCurve{{Label: "β = 1", T: []float64{0, 1, 2}, Value: []float64{1, 0.14, 0.02}}}}
type DecayFigure struct {
	System   string // as in "Example 19"
	Quantity string // what falls; empty: "free energy"
	Symbol   string // of it, with its unit; empty: "F(t) − F(∞)"
	Time     string // on the horizontal axis; empty: "time t"
	Curves   []DecayCurve
	Style    *Style // nil means Default()
}

// DecayCurve is one curve.
type DecayCurve struct {
	Label string    // as in "λ = 0.5"
	T     []float64 // times (n), ascending
	Value []float64 // at them (n), positive; leave out what round-off has made of the end

	// Gap is the spectral gap of the generator: a free energy falls like e^(−2·Gap·t) in
	// the end, which is drawn as a dashed line. Zero draws none.
	Gap float64
}

// Decay draws the curves on a logarithmic axis, with the slopes 2·gap dashed.
// [chaudhari2018] Theorem 5. It returns an error that names the field for data that
// cannot be drawn.
//
//	p, err := figure.Decay(figure.DecayFigure{System: "REF", Curves: []figure.DecayCurve{{Label: "β = 1", T: []float64{0, 1, 2}, Value: []float64{1, 0.14, 0.02}}}})
func Decay(r DecayFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = r.System + ": decay of the " + r.quantity()
	p.X.Label.Text, p.Y.Label.Text = r.time(), r.quantity()+"  "+r.symbol()
	logAxes(p, false, true)
	var all plotter.XYs
	var lines []plot.Plotter
	guides := false
	ends := endLabels{style: s}
	for i, c := range r.Curves {
		ink := s.Palette[curveColors[i]]
		points := make(plotter.XYs, len(c.T))
		for k := range points {
			points[k] = plotter.XY{X: c.T[k], Y: c.Value[k]}
		}
		all = append(all, points...)
		lines = append(lines, &plotter.Line{XYs: points, LineStyle: s.line(ink, s.LineWidth)})
		last := points[len(points)-1]
		label := c.Label
		if c.Gap > 0 {
			guides = true
			label += fmt.Sprintf("\n2·gap = %s", number(2*c.Gap, 3))
			line := c.slope()
			all = append(all, line...)
			p.Add(&plotter.Line{XYs: line, LineStyle: s.dashed(s.dark(ink), s.HairWidth*1.5)})
		}
		ends.add(last.X, last.Y, s.dark(ink), label)
	}
	p.Add(lines...)
	xmin, xmax, ymin, ymax := plotter.XYRange(all)
	p.X.Min, p.X.Max = padded(xmin, xmax, 0.01, false)
	p.Y.Min, p.Y.Max = padded(ymin, ymax, 0.04, true)
	p.Add(&ends)
	if guides {
		p.Add(key{x: 0.985, y: 0.985, style: s.text(s.TextSize, s.Muted, draw.XLeft, draw.YCenter), paper: s.Paper, rows: []keyRow{
			{line: s.dashed(s.Muted, s.HairWidth*1.5), text: "slope −2·gap", color: s.Muted},
		}})
	}
	return &Picture{
		Plot: p, Stem: slug(r.System + " decay"), Width: 15 * vg.Centimeter, Height: 9.5 * vg.Centimeter,
		Text: r.Caption(), AltText: r.Alt(),
	}, nil
}

func (r DecayFigure) quantity() string {
	if r.Quantity == "" {
		return "free energy"
	}
	return r.Quantity
}

func (r DecayFigure) symbol() string {
	if r.Symbol == "" {
		return "F(t) − F(∞)"
	}
	return r.Symbol
}

func (r DecayFigure) time() string {
	if r.Time == "" {
		return "time t"
	}
	return r.Time
}

// slope returns the line e^(−2·gap·t) a little above the second half of the curve.
func (c DecayCurve) slope() plotter.XYs {
	n := len(c.T)
	from := sortedIndex(c.T, (c.T[0]+c.T[n-1])/2)
	lift := math.Inf(-1)
	for i := from; i < n; i++ {
		lift = max(lift, math.Log(c.Value[i])+2*c.Gap*c.T[i])
	}
	const above = 0.55
	a, b := c.T[from], c.T[n-1]
	return plotter.XYs{
		{X: a, Y: math.Exp(lift + above - 2*c.Gap*a)},
		{X: b, Y: math.Exp(lift + above - 2*c.Gap*b)},
	}
}

// sortedIndex returns the first i with t[i] ≥ v, at most the last index.
func sortedIndex(t []float64, v float64) int {
	i, _ := slices.BinarySearch(t, v)
	return min(i, len(t)-1)
}

// measured returns the rate −d log Value/dt over the last tenth of the time.
func (c DecayCurve) measured() float64 {
	n := len(c.T)
	from := min(sortedIndex(c.T, c.T[n-1]-0.1*(c.T[n-1]-c.T[0])), n-2)
	return -math.Log(c.Value[n-1]/c.Value[from]) / (c.T[n-1] - c.T[from])
}

// Caption returns what the figure shows, with the measured rates.
func (r DecayFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	s := fmt.Sprintf("Decay of the %s %s of %s, on a logarithmic axis. Rate over the last tenth of the time:", r.quantity(), r.symbol(), r.System)
	for i, c := range r.Curves {
		if i > 0 {
			s += ";"
		}
		s += fmt.Sprintf(" %s: %s", c.Label, number(c.measured(), 4))
		if c.Gap > 0 {
			s += fmt.Sprintf(" (dashed: 2·gap = %s)", number(2*c.Gap, 4))
		}
	}
	return s + "."
}

// Alt returns a description of the figure for those who do not see it.
func (r DecayFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	var parts []string
	for _, c := range r.Curves {
		n := len(c.T)
		parts = append(parts, fmt.Sprintf("%s from %s to %s at t = %s", c.Label, number(c.Value[0], 2), number(c.Value[n-1], 2), number(c.T[n-1], 3)))
	}
	return fmt.Sprintf("Falling curves of the %s of %s on a logarithmic axis: %s.", r.quantity(), r.System, strings.Join(parts, "; "))
}

func (r DecayFigure) check() error {
	if r.System == "" {
		return fmt.Errorf("figure: DecayFigure.System is empty: name the system, as in %q", "Example 19")
	}
	if len(r.Curves) == 0 {
		return fmt.Errorf("figure: DecayFigure.Curves is empty: there is nothing to draw")
	}
	if len(r.Curves) > len(curveColors) {
		return fmt.Errorf("figure: DecayFigure.Curves has %d curves: at most %d can be told apart", len(r.Curves), len(curveColors))
	}
	for i, c := range r.Curves {
		name := fmt.Sprintf("DecayFigure.Curves[%d]", i)
		if c.Label == "" {
			return fmt.Errorf("figure: %s.Label is empty: name the curve, as in %q", name, "λ = 0.5")
		}
		if err := firstError(
			sameLength(name+".T", len(c.T), name+".Value", len(c.Value)),
			finite(name+".T", c.T...), finite(name+".Value", c.Value...), finite(name+".Gap", c.Gap),
			onAxis(name+".Value", true, c.Value),
		); err != nil {
			return err
		}
		if len(c.T) < 2 || !slices.IsSorted(c.T) || c.T[0] == c.T[len(c.T)-1] || c.T[len(c.T)-1] == c.T[len(c.T)-2] {
			return fmt.Errorf("figure: %s.T must ascend over at least two times", name)
		}
		if c.Gap < 0 {
			return fmt.Errorf("figure: %s.Gap is %v: a gap is not negative", name, c.Gap)
		}
	}
	return nil
}

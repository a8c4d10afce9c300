package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// CurvesFigure is what [Curves] draws: a small line chart.
//
//	r := figure.CurvesFigure{Title: "Noise of a batch", XLabel: "batch size b", YLabel: "tr var / tr D",
//		Curves: []figure.Curve{{Label: "1/b", X: []float64{1, 2, 4}, Y: []float64{1, 0.5, 0.25}}}}
type CurvesFigure struct {
	Title          string
	Stem           string // of file names; empty: made from Title
	XLabel, YLabel string // symbol and unit
	LogX, LogY     bool   // logarithmic axes
	Curves         []Curve
	Points         []CurvePoint // marked and named
	Rules          []CurveRule  // vertical lines with a name
	Remark         string       // what the caption says after the title; the slopes of guided curves follow
	Style          *Style       // nil means Default()
}

// Curve is one curve of a chart.
//
//	c := figure.Curve{Label: "1/b", X: []float64{1, 2, 4}, Y: []float64{1, 0.5, 0.25}, Kind: figure.Dots}
type Curve struct {
	Label  string    // stands at the right end of the curve, in its colour
	X, Y   []float64 // of one length, X in ascending order
	Error  []float64 // half lengths of error bars; nil: none
	Kind   CurveKind
	Marked bool // a dot at each point, for measured values

	// Guide draws a dashed line of this slope beside the curve, on axes that are both
	// logarithmic: the order of a method. Zero draws none.
	Guide float64
}

// CurveOf returns the curve of y at the abscissas x (n).
//
//	c := figure.CurveOf("1/b", []float64{1, 2, 4, 8}, func(b float64) float64 { return 1 / b })
func CurveOf(label string, x []float64, y func(x float64) float64) Curve {
	c := Curve{Label: label, X: x, Y: make([]float64, len(x))}
	for i, v := range x {
		c.Y[i] = y(v)
	}
	return c
}

// CurveKind is how the points of a curve are joined.
type CurveKind int

const (
	Solid  CurveKind = iota // a line
	Dashed                  // a dashed line, for theory
	Dots                    // dots without a line, for measured values
)

// CurvePoint is a marked point with its name.
type CurvePoint struct {
	X, Y  float64
	Label string
}

// CurveRule is a vertical line with its name at the top.
type CurveRule struct {
	X     float64
	Label string
}

// Curves draws the chart, with each curve labelled at its right end. It returns an error
// that names the field for data that cannot be drawn.
//
//	p, err := figure.Curves(figure.CurvesFigure{Title: "Noise of a batch", XLabel: "batch size b", YLabel: "tr var / tr D",
//		Curves: []figure.Curve{{Label: "1/b", X: []float64{1, 2, 4}, Y: []float64{1, 0.5, 0.25}}}})
func Curves(r CurvesFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = r.Title
	p.X.Label.Text, p.Y.Label.Text = r.XLabel, r.YLabel
	p.Y.Label.Padding = vg.Points(6) // for subscripts
	logAxes(p, r.LogX, r.LogY)
	var all plotter.XYs
	var ends endLabels
	ends.style = s
	var front []plot.Plotter
	for i, curve := range r.Curves {
		ink := s.Palette[curveColors[i]]
		points := curve.points()
		all = append(all, points...)
		if curve.Error != nil {
			bars := errorBars{points: points, half: curve.Error, line: s.line(ink, s.HairWidth*1.6), log: r.LogY}
			all = append(all, bars.ends()...)
			front = append(front, bars)
		}
		switch curve.Kind {
		case Solid:
			p.Add(&plotter.Line{XYs: points, LineStyle: s.line(ink, s.LineWidth)})
		case Dashed:
			p.Add(&plotter.Line{XYs: points, LineStyle: s.dashed(ink, s.LineWidth)})
		}
		if curve.Marked || curve.Kind == Dots {
			front = append(front, dots{points: points, glyph: draw.GlyphStyle{Color: ink, Radius: vg.Points(2.7), Shape: dotGlyph{edge: s.Paper}}})
		}
		if curve.Label != "" {
			last := points[len(points)-1]
			ends.add(last.X, last.Y, s.dark(ink), curve.Label)
		}
		if curve.Guide != 0 {
			line, above := r.guide(i)
			all = append(all, line...)
			p.Add(&plotter.Line{XYs: line, LineStyle: s.dashed(s.Muted, s.HairWidth*1.6)})
			n := note{
				x: line[len(line)/2].X, y: line[len(line)/2].Y, dx: vg.Points(5), dy: vg.Points(2),
				style: s.text(s.TextSize, s.Muted, draw.XLeft, draw.YBottom), text: "slope " + trimmed(curve.Guide),
			}
			if above != (curve.Guide < 0) { // the other side of the line is free
				n.style.XAlign, n.dx = draw.XRight, -n.dx
			}
			if !above {
				n.style.YAlign, n.dy = draw.YTop, -n.dy
			}
			front = append(front, n)
		}
	}
	text := s.text(s.TextSize, s.Ink, draw.XCenter, draw.YBottom)
	for _, q := range r.Points {
		all = append(all, plotter.XY{X: q.X, Y: q.Y})
		front = append(front,
			dots{points: plotter.XYs{{X: q.X, Y: q.Y}}, glyph: draw.GlyphStyle{Color: s.Ink, Radius: vg.Points(3.2), Shape: dotGlyph{edge: s.Paper}}},
			note{x: q.X, y: q.Y, dy: vg.Points(6), style: text, text: q.Label},
		)
	}
	for _, q := range r.Rules {
		all = append(all, plotter.XY{X: q.X, Y: all[0].Y})
		line := s.dashed(s.Muted, s.HairWidth*1.4)
		line.Dashes = []vg.Length{vg.Points(1.5), vg.Points(2.5)}
		p.Add(rule{x: q.X, line: line})
	}
	xmin, xmax, ymin, ymax := plotter.XYRange(all)
	for i, q := range r.Rules {
		left := q.X-xmin > 0.6*(xmax-xmin)
		if r.LogX {
			left = math.Log(q.X/xmin) > 0.6*math.Log(xmax/xmin)
		}
		front = append(front, ruleName{x: q.X, style: s.text(s.TextSize, s.Muted, draw.XLeft, draw.YTop), text: q.Label, left: left, row: i % 2, paper: s.Paper})
	}
	p.X.Min, p.X.Max = padded(xmin, xmax, 0.02, r.LogX)
	p.Y.Min, p.Y.Max = padded(ymin, ymax, 0.06, r.LogY)
	if !r.LogY && ymin >= 0 && ymin < 0.3*ymax {
		p.Y.Min = 0
	}
	if len(r.Points)+len(r.Rules) > 0 {
		_, p.Y.Max = padded(p.Y.Min, p.Y.Max, 0.08, r.LogY) // room for names
	}
	p.Add(front...)
	p.Add(&ends)
	stem := r.Stem
	if stem == "" {
		stem = slug(r.Title)
	}
	return &Picture{Plot: p, Stem: stem, Width: 15 * vg.Centimeter, Height: 9.5 * vg.Centimeter, Text: r.Caption(), AltText: r.Alt()}, nil
}

// curveColors are positions in Style.Palette, in the order of the curves.
var curveColors = []int{blue, vermilion, green, purple, orange, sky}

// logAxes makes axes logarithmic.
func logAxes(p *plot.Plot, x, y bool) {
	if x {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	if y {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	}
}

// padded widens [lo, hi] by a fraction of its length, on a logarithmic axis if log is
// set. An empty range gets a length.
func padded(lo, hi, fraction float64, log bool) (a, b float64) {
	if log {
		a, b = padded(math.Log(lo), math.Log(hi), fraction, false)
		return math.Exp(a), math.Exp(b)
	}
	if hi == lo {
		lo, hi = lo-0.5*max(1, abs(lo)), hi+0.5*max(1, abs(hi))
	}
	return lo - fraction*(hi-lo), hi + fraction*(hi-lo)
}

// trimmed formats a slope: −2, 1.5.
func trimmed(v float64) string { return trueMinus(fmt.Sprintf("%.3g", v)) }

func (c Curve) points() plotter.XYs {
	points := make(plotter.XYs, len(c.X))
	for i := range points {
		points[i] = plotter.XY{X: c.X[i], Y: c.Y[i]}
	}
	return points
}

// guide returns a line of the slope of curve i in log-log coordinates beside the second
// half of its points: above or below them, where it keeps farther from the other curves.
func (r CurvesFigure) guide(i int) (line plotter.XYs, above bool) {
	const apart = 2.2
	c := r.Curves[i]
	from := (len(c.X) - 1) / 2
	a, b := c.X[from], c.X[len(c.X)-1]
	lo, hi := math.Inf(1), 0.0 // of the points in units of (x/a)^slope
	for k := from; k < len(c.X); k++ {
		v := c.Y[k] / math.Pow(c.X[k]/a, c.Guide)
		lo, hi = min(lo, v), max(hi, v)
	}
	best := -1.0
	for _, factor := range []float64{hi * apart, lo / apart} {
		room := math.Inf(1)
		for k, other := range r.Curves {
			for m, x := range other.X {
				if k != i && x >= a && x <= b {
					room = min(room, math.Abs(math.Log(other.Y[m]/factor)-c.Guide*math.Log(x/a)))
				}
			}
		}
		if room <= best {
			continue
		}
		best, above, line = room, factor > hi, nil
		for k := range 9 {
			x := a * math.Pow(b/a, float64(k)/8)
			line = append(line, plotter.XY{X: x, Y: factor * math.Pow(x/a, c.Guide)})
		}
	}
	return line, above
}

// measuredSlope returns the slope of the last two points in log-log coordinates.
func (c Curve) measuredSlope() float64 {
	n := len(c.X)
	return math.Log(c.Y[n-1]/c.Y[n-2]) / math.Log(c.X[n-1]/c.X[n-2])
}

// Caption returns the title, Remark, and the slopes of the curves with a guide.
func (r CurvesFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	s := r.Title + "."
	if r.Remark != "" {
		s += " " + r.Remark
	}
	for _, c := range r.Curves {
		if c.Guide != 0 {
			s += fmt.Sprintf(" Slope of %s between its last two points: %s (dashed: %s).", c.Label, trueMinus(fmt.Sprintf("%.2f", c.measuredSlope())), trimmed(c.Guide))
		}
	}
	return s
}

// Alt returns a description of the chart for those who do not see it.
func (r CurvesFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	var parts []string
	for i, c := range r.Curves {
		name := c.Label
		if name == "" {
			name = fmt.Sprintf("curve %d", i+1)
		}
		n := len(c.X)
		parts = append(parts, fmt.Sprintf("%s from (%s, %s) to (%s, %s)", name, number(c.X[0], 3), number(c.Y[0], 3), number(c.X[n-1], 3), number(c.Y[n-1], 3)))
	}
	return fmt.Sprintf("Line chart of %s against %s: %s.", r.YLabel, r.XLabel, strings.Join(parts, "; "))
}

func (r CurvesFigure) check() error {
	if r.Title == "" || r.XLabel == "" || r.YLabel == "" {
		return fmt.Errorf("figure: CurvesFigure.Title %q, XLabel %q and YLabel %q must not be empty", r.Title, r.XLabel, r.YLabel)
	}
	if len(r.Curves) == 0 {
		return fmt.Errorf("figure: CurvesFigure.Curves is empty: there is nothing to draw")
	}
	if len(r.Curves) > len(curveColors) {
		return fmt.Errorf("figure: CurvesFigure.Curves has %d curves: at most %d can be told apart", len(r.Curves), len(curveColors))
	}
	for i, c := range r.Curves {
		name := fmt.Sprintf("CurvesFigure.Curves[%d]", i)
		if err := firstError(
			sameLength(name+".X", len(c.X), name+".Y", len(c.Y)),
			finite(name+".X", c.X...), finite(name+".Y", c.Y...), finite(name+".Error", c.Error...), finite(name+".Guide", c.Guide),
			onAxis(name+".X", r.LogX, c.X), onAxis(name+".Y", r.LogY, c.Y),
		); err != nil {
			return err
		}
		if !slices.IsSorted(c.X) {
			return fmt.Errorf("figure: %s.X must ascend: sort the points", name)
		}
		if c.Kind < Solid || c.Kind > Dots {
			return fmt.Errorf("figure: %s.Kind is %d: choose Solid, Dashed or Dots", name, c.Kind)
		}
		if c.Error != nil {
			if err := sameLength(name+".Error", len(c.Error), name+".Y", len(c.Y)); err != nil {
				return err
			}
			if slices.Min(c.Error) < 0 {
				return fmt.Errorf("figure: %s.Error has the value %v: the half length of a bar is not negative", name, slices.Min(c.Error))
			}
		}
		if c.Guide != 0 && (!r.LogX || !r.LogY || len(c.X) < 2) {
			return fmt.Errorf("figure: %s.Guide needs two logarithmic axes and two points", name)
		}
	}
	for i, q := range r.Points {
		name := fmt.Sprintf("CurvesFigure.Points[%d]", i)
		if err := firstError(
			finite(name, q.X, q.Y), onAxis(name+".X", r.LogX, []float64{q.X}), onAxis(name+".Y", r.LogY, []float64{q.Y}),
		); err != nil {
			return err
		}
	}
	for i, q := range r.Rules {
		name := fmt.Sprintf("CurvesFigure.Rules[%d].X", i)
		if err := firstError(finite(name, q.X), onAxis(name, r.LogX, []float64{q.X})); err != nil {
			return err
		}
	}
	return nil
}

// onAxis returns an error that names the field if a logarithmic axis lacks a value.
func onAxis(field string, log bool, values []float64) error {
	if !log {
		return nil
	}
	for i, v := range values {
		if v <= 0 {
			return fmt.Errorf("figure: %s[%d] is %v: a logarithmic axis shows positive numbers only, leave it out", field, i, v)
		}
	}
	return nil
}

// dots marks points.
type dots struct {
	points plotter.XYs
	glyph  draw.GlyphStyle
}

// Plot draws the marks.
func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, q := range d.points {
		c.DrawGlyph(d.glyph, vg.Point{X: tx(q.X), Y: ty(q.Y)})
	}
}

// errorBars are vertical bars about points.
type errorBars struct {
	points plotter.XYs
	half   []float64
	line   draw.LineStyle
	log    bool // the lower end stays on a logarithmic axis
}

// ends returns the ends of all bars.
func (e errorBars) ends() plotter.XYs {
	var out plotter.XYs
	for i, q := range e.points {
		low := q.Y - e.half[i]
		if e.log {
			low = max(low, q.Y/10)
		}
		out = append(out, plotter.XY{X: q.X, Y: low}, plotter.XY{X: q.X, Y: q.Y + e.half[i]})
	}
	return out
}

// Plot draws the bars.
func (e errorBars) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	ends := e.ends()
	const cap = 2.5
	for i := 0; i < len(ends); i += 2 {
		x, a, b := tx(ends[i].X), ty(ends[i].Y), ty(ends[i+1].Y)
		c.StrokeLine2(e.line, x, a, x, b)
		c.StrokeLine2(e.line, x-vg.Points(cap), a, x+vg.Points(cap), a)
		c.StrokeLine2(e.line, x-vg.Points(cap), b, x+vg.Points(cap), b)
	}
}

// endLabels are texts right of the data area, at the height of the ends of curves. Where
// they would lie on each other they move apart; a thin line ties a text to its curve
// where the curve ends before the area or the text has moved.
type endLabels struct {
	style  Style
	labels []endLabel
}

type endLabel struct {
	x, y  float64
	color color.RGBA
	text  string
}

func (e *endLabels) add(x, y float64, c color.RGBA, text string) {
	e.labels = append(e.labels, endLabel{x, y, c, text})
}

const endGap = vg.Length(12) // from the data area to the texts

// GlyphBoxes makes room for the texts.
func (e *endLabels) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var boxes []plot.GlyphBox
	for _, l := range e.labels {
		sty := e.style.text(e.style.TextSize, l.color, draw.XLeft, draw.YCenter)
		boxes = append(boxes, plot.GlyphBox{X: 1, Y: 0.5, Rectangle: vg.Rectangle{Max: vg.Point{X: endGap + sty.Width(l.text), Y: 1}}})
	}
	return boxes
}

// Plot draws the texts.
func (e *endLabels) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	order := make([]int, len(e.labels))
	at := make([]vg.Length, len(e.labels))
	height := make([]vg.Length, len(e.labels))
	sty := e.style.text(e.style.TextSize, color.Black, draw.XLeft, draw.YCenter)
	for i, l := range e.labels {
		order[i] = i
		at[i] = min(max(ty(l.y), c.Min.Y), c.Max.Y)
		height[i] = sty.Height(l.text) + 0.15*sty.Font.Size
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case at[a] < at[b]:
			return -1
		case at[a] > at[b]:
			return 1
		}
		return 0
	})
	for range 100 { // push neighbours apart until none overlap
		moved := false
		for k := 1; k < len(order); k++ {
			a, b := order[k-1], order[k]
			if short := (height[a]+height[b])/2 - (at[b] - at[a]); short > 0.01 {
				at[a] -= short / 2
				at[b] += short / 2
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	for i, l := range e.labels {
		sty.Color = l.color
		x, y := tx(l.x), ty(l.y)
		from := x + vg.Points(2)
		if to := c.Max.X + endGap - vg.Points(3); abs(float64(at[i]-y)) > 2 || c.Max.X-x > endGap {
			c.StrokeLine2(e.style.line(l.color, e.style.HairWidth*0.8), from, y, to, at[i])
		}
		fillText(c, sty, vg.Point{X: c.Max.X + endGap, Y: at[i]}, l.text)
	}
}

package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ProductionFigure is what [ProductionBars] draws: the entropy production of a relaxing
// density, split as in potential.Production.
type ProductionFigure struct {
	System       string    // as in "Example 19, λ = 1.5"
	Times        []float64 // of the bars (n), ascending
	Adiabatic    []float64 // at these times (n), nats per unit of time; keeps the current going
	NonAdiabatic []float64 // at these times (n); −d KL/dt, what Theorem 5 speaks of
	Stationary   float64   // production of the steady state, known otherwise; zero: not drawn
	Style        *Style    // nil means Default()
}

// ProductionBars draws stacked bars: the adiabatic part below, the non-adiabatic part
// above. [chaudhari2018] Theorem 5 and App. B, erratum E25. It returns an error that
// names the field for data that cannot be drawn.
//
//	p, err := figure.ProductionBars(figure.ProductionFigure{System: "Example 19", Times: []float64{0.5, 1}, Adiabatic: []float64{0.2, 0.3}, NonAdiabatic: []float64{0.4, 0.1}})
func ProductionBars(r ProductionFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = "Entropy production of " + r.System
	p.X.Label.Text, p.Y.Label.Text = "time t", "entropy production  (nats per unit of time)"
	ticks := make(plot.ConstantTicks, len(r.Times))
	largest := r.Stationary
	for i, t := range r.Times {
		ticks[i] = plot.Tick{Value: float64(i), Label: trueMinus(fmt.Sprintf("%.3g", t))}
		largest = max(largest, r.Adiabatic[i]+r.NonAdiabatic[i])
	}
	p.X.Tick.Marker = ticks
	p.X.Tick.Length = 0
	p.X.Min, p.X.Max = -0.6, float64(len(r.Times))-0.4
	p.Y.Min, p.Y.Max = 0, largest/0.77 // the key stands above the bars
	lower, upper := s.Palette[blue], s.pale(s.Palette[orange], 0.85)
	p.Add(bars{lower: r.Adiabatic, upper: r.NonAdiabatic, colors: [2]color.RGBA{lower, upper}})
	rows := []keyRow{
		{glyph: &draw.GlyphStyle{Color: upper, Radius: vg.Points(4), Shape: boxGlyph{}}, text: "non-adiabatic: −dKL/dt", color: s.dark(s.Palette[orange])},
		{glyph: &draw.GlyphStyle{Color: lower, Radius: vg.Points(4), Shape: boxGlyph{}}, text: "adiabatic: keeps the current going", color: lower},
	}
	if r.Stationary > 0 {
		line := s.dashed(s.Ink, s.HairWidth*1.6)
		p.Add(level{y: r.Stationary, line: line})
		rows = append(rows, keyRow{line: line, text: "steady state, exact: " + number(r.Stationary, 4), color: s.Ink})
	}
	p.Add(key{x: 0.985, y: 0.985, style: s.text(s.TextSize, s.Ink, draw.XLeft, draw.YCenter), rows: rows, paper: s.Paper})
	return &Picture{
		Plot: p, Stem: slug(r.System + " entropy production"), Width: 15 * vg.Centimeter, Height: 9.5 * vg.Centimeter,
		Text: r.Caption(), AltText: r.Alt(),
	}, nil
}

// Caption returns what the figure shows, with the first and last numbers.
func (r ProductionFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	n := len(r.Times) - 1
	s := fmt.Sprintf("Entropy production of %s, in nats per unit of time. Blue: adiabatic part, which keeps the current going. Orange: non-adiabatic part, −dKL/dt. At t = %s: %s + %s; at t = %s: %s + %s.",
		r.System, number(r.Times[0], 3), number(r.Adiabatic[0], 4), number(r.NonAdiabatic[0], 4),
		number(r.Times[n], 3), number(r.Adiabatic[n], 4), number(r.NonAdiabatic[n], 4))
	if r.Stationary > 0 {
		s += " Dashed: production of the steady state, " + number(r.Stationary, 4) + "."
	}
	return s
}

// Alt returns a description of the figure for those who do not see it.
func (r ProductionFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	var parts []string
	for i, t := range r.Times {
		parts = append(parts, fmt.Sprintf("t = %s: %s and %s", number(t, 3), number(r.Adiabatic[i], 2), number(r.NonAdiabatic[i], 2)))
	}
	return fmt.Sprintf("Stacked bars of the adiabatic and the non-adiabatic entropy production of %s. %s.", r.System, strings.Join(parts, "; "))
}

func (r ProductionFigure) check() error {
	if r.System == "" {
		return fmt.Errorf("figure: ProductionFigure.System is empty: name the system, as in %q", "Example 19, λ = 1.5")
	}
	if err := firstError(
		sameLength("ProductionFigure.Times", len(r.Times), "ProductionFigure.Adiabatic", len(r.Adiabatic)),
		sameLength("ProductionFigure.Times", len(r.Times), "ProductionFigure.NonAdiabatic", len(r.NonAdiabatic)),
		finite("ProductionFigure.Times", r.Times...),
		finite("ProductionFigure.Adiabatic", r.Adiabatic...),
		finite("ProductionFigure.NonAdiabatic", r.NonAdiabatic...),
		finite("ProductionFigure.Stationary", r.Stationary),
	); err != nil {
		return err
	}
	if !slices.IsSorted(r.Times) {
		return fmt.Errorf("figure: ProductionFigure.Times must ascend: got %v", r.Times)
	}
	positive := false
	for _, part := range []struct {
		name   string
		values []float64
	}{{"Adiabatic", r.Adiabatic}, {"NonAdiabatic", r.NonAdiabatic}, {"Stationary", []float64{r.Stationary}}} {
		if v := slices.Min(part.values); v < -1e-9 {
			return fmt.Errorf("figure: ProductionFigure.%s has the value %v: entropy production is not negative", part.name, v)
		}
		positive = positive || slices.Max(part.values) > 0
	}
	if !positive {
		return fmt.Errorf("figure: ProductionFigure has no positive production: there is nothing to draw")
	}
	return nil
}

// bars are stacked bars at x = 0, 1, 2, …
type bars struct {
	lower, upper []float64
	colors       [2]color.RGBA
}

// Plot draws the bars.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for i := range b.lower {
		middle := b.lower[i]
		for k, part := range [2][2]float64{{0, middle}, {middle, middle + b.upper[i]}} {
			box := vg.Rectangle{
				Min: vg.Point{X: tx(float64(i) - 0.36), Y: ty(part[0])},
				Max: vg.Point{X: tx(float64(i) + 0.36), Y: ty(math.Max(part[0], part[1]))},
			}
			c.SetColor(b.colors[k])
			c.Fill(box.Path())
		}
	}
}

// level is a horizontal line over the whole width.
type level struct {
	y    float64
	line draw.LineStyle
}

// Plot draws the line.
func (l level) Plot(c draw.Canvas, p *plot.Plot) {
	_, ty := p.Transforms(&c)
	c.StrokeLine2(l.line, c.Min.X, ty(l.y), c.Max.X, ty(l.y))
}

// boxGlyph is a filled square.
type boxGlyph struct{}

// DrawGlyph draws the square.
func (boxGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	r := sty.Radius
	c.SetColor(sty.Color)
	c.Fill(vg.Rectangle{Min: vg.Point{X: pt.X - r, Y: pt.Y - r}, Max: vg.Point{X: pt.X + r, Y: pt.Y + r}}.Path())
}

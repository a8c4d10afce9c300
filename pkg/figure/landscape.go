package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sgdlab/pkg/problem"
)

// LandscapeFigure is what [Landscape] draws: a potential and a vector field in the
// plane, side by side for several systems, as in Fig. 4 of [chaudhari2018].
//
//	s := problem.EX19(0.5).System()
//	r := figure.LandscapeFigure{System: s.Name, Box: s.Box, Panels: []figure.LandscapePanel{{Potential: s.Potential, Vectors: s.Drift}}}
type LandscapeFigure struct {
	System string      // as in "Example 19"
	Title  string      // empty: System with what is drawn
	Stem   string      // of file names; empty: made from System
	Box    problem.Box // what is shown
	Panels []LandscapePanel
	Scalar string // what shades and level lines show, as in "loss f", or "f, or Φ" where panels differ; empty: "potential Φ"
	Field  string // what the vectors are, as in "current Jˢˢ"; empty: "drift"

	Arrows    bool      // a grid of arrows instead of streamlines
	LinesOnly bool      // level lines of Φ without shades
	Levels    []float64 // of Φ (k), ascending; nil: 12 levels, dense near the minimum
	MaxSpeed  float64   // speed of the widest lines; zero: what a tenth of the box exceeds
	Columns   int       // zero means one row
	Path      string    // what the paths are, as in "path of 40 time units"; empty: "simulated path"
	Style     *Style    // nil means Default()
}

// LandscapePanel is one system. The functions are given points x (2) of the box.
//
//	s := problem.EX19(0.5).System()
//	panel := figure.LandscapePanel{Title: "λ = 0.5", Potential: s.Potential, Vectors: s.Drift, Modes: [][]float64{{1, 0}, {-1, 0}}}
type LandscapePanel struct {
	Title        string                    // as in "λ = 0.5"
	Potential    func(x []float64) float64 // Φ, or another Scalar; nil: no shades and level lines
	Vectors      func(dst, x []float64)    // the field, into dst (2); nil: none
	Modes        [][]float64               // of the stationary density, points (2)
	Zeros        [][]float64               // of the drift, points (2)
	PathX, PathY []float64                 // x₁ and x₂ along a path, of equal length; may be empty
}

// Landscape draws Φ as shades (darker is deeper) and level lines, the field as evenly
// spaced streamlines or as a grid of arrows, with widths proportional to its length up
// to MaxSpeed, and marks for the modes of the density and the zeros of the drift.
// [chaudhari2018] Fig. 4. It returns an error that names the field for data that cannot
// be drawn.
//
//	s := problem.EX19(0.5).System()
//	p, err := figure.Landscape(figure.LandscapeFigure{System: s.Name, Box: s.Box, Panels: []figure.LandscapePanel{{Potential: s.Potential, Vectors: s.Drift}}})
func Landscape(r LandscapeFigure) (*Picture, error) {
	maxSpeed, err := r.check()
	if err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	var g panels
	g.columns = r.Columns
	var seen struct{ potential, field, modes, zeros, path bool }
	field := s.dark(s.Palette[blue])
	modes := draw.GlyphStyle{Color: s.Palette[vermilion], Radius: vg.Points(3), Shape: dotGlyph{edge: s.Paper}}
	zeros := draw.GlyphStyle{Color: s.Ink, Radius: vg.Points(5.8), Shape: diamondGlyph{inside: s.Paper}}
	path := s.line(s.Palette[orange], s.LineWidth*0.6)
	for _, panel := range r.Panels {
		p := s.New()
		p.Title.Text = panel.Title
		p.Title.Padding = vg.Points(4)
		p.Title.TextStyle = s.text(s.LabelSize, s.Ink, draw.XCenter, draw.YTop)
		p.X.Label.Text, p.Y.Label.Text = "x₁", "x₂"
		p.X.Padding, p.Y.Padding = 0, 0
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = r.Box.XMin, r.Box.XMax, r.Box.YMin, r.Box.YMax
		if panel.Potential != nil {
			seen.potential = true
			p.Add(r.levels(s, panel)...)
		}
		if len(panel.PathX) > 0 {
			seen.path = true
			p.Add(route{box: r.Box, xs: panel.PathX, ys: panel.PathY, line: path})
		}
		if panel.Vectors != nil {
			seen.field = true
			p.Add(r.vectors(s, panel.Vectors, maxSpeed, field))
		}
		if len(panel.Zeros) > 0 {
			seen.zeros = true
			p.Add(spots{box: r.Box, points: panel.Zeros, glyph: zeros})
		}
		if len(panel.Modes) > 0 {
			seen.modes = true
			p.Add(spots{box: r.Box, points: panel.Modes, glyph: modes})
		}
		g.pictures = append(g.pictures, &Picture{Plot: p, EqualAxes: true})
	}
	var rows []keyRow
	if seen.field {
		rows = append(rows, keyRow{line: s.line(field, vg.Points(1.6)), text: r.field(), color: field})
	}
	if seen.modes {
		rows = append(rows, keyRow{glyph: &modes, text: "mode of the density", color: s.Palette[vermilion]})
	}
	if seen.zeros {
		rows = append(rows, keyRow{glyph: &zeros, text: "zero of the drift", color: s.Ink})
	}
	if seen.path {
		wide := path
		wide.Width = s.LineWidth
		rows = append(rows, keyRow{line: wide, text: r.path(), color: s.dark(s.Palette[orange])})
	}
	if seen.potential {
		rows = append(rows, keyRow{line: s.line(s.contour(), s.HairWidth*1.4), text: "level of " + r.symbol(), color: s.Muted})
	}
	if len(rows) > 0 {
		g.strip = &strip{style: s, rows: rows}
	}
	width := vg.Length(panelWidth)
	if len(r.Panels) == 1 || r.Columns == 1 {
		width = 12 * vg.Centimeter
	} else if len(r.Panels) == 2 || r.Columns == 2 {
		width = 15 * vg.Centimeter
	}
	p := g.picture(s, r.title(seen.potential, seen.field), width, 0)
	p.Stem = cmp.Or(r.Stem, slug(r.System+" landscape"))
	p.Text, p.AltText = r.Caption(), r.Alt()
	return p, nil
}

func (r LandscapeFigure) field() string {
	if r.Field == "" {
		return "drift"
	}
	return r.Field
}

func (r LandscapeFigure) scalar() string {
	if strings.TrimSpace(r.Scalar) == "" {
		return "potential Φ"
	}
	return strings.TrimSpace(r.Scalar)
}

// symbol is the last word of the name of the scalar, "f, or Φ" for "loss f, or potential Φ".
func (r LandscapeFigure) symbol() string {
	names := strings.Split(r.scalar(), ", or ")
	for i, name := range names {
		names[i] = name[strings.LastIndexByte(name, ' ')+1:]
	}
	return strings.Join(names, ", or ")
}

func (r LandscapeFigure) path() string {
	if r.Path == "" {
		return "simulated path"
	}
	return r.Path
}

func (r LandscapeFigure) title(potential, field bool) string {
	switch {
	case r.Title != "":
		return r.Title
	case potential && field:
		return r.System + ": " + r.scalar() + " and " + r.field()
	case potential:
		return r.System + ": " + r.scalar()
	case field:
		return r.System + ": " + r.field()
	}
	return r.System
}

// contour is the colour of level lines.
func (s Style) contour() color.RGBA { return s.pale(s.Muted, 0.55) }

// levels returns the shades and level lines of Φ.
func (r LandscapeFigure) levels(s Style, panel LandscapePanel) []plot.Plotter {
	n := sample(panel.Potential, r.Box)
	lo, hi := slices.Min(n.values), slices.Max(n.values)
	levels := r.Levels
	if levels == nil {
		const count = 12
		for k := 1.0; k < count; k++ {
			levels = append(levels, lo+(hi-lo)*k*k/(count*count))
		}
	}
	var out []plot.Plotter
	if !r.LinesOnly {
		grid := Cells{Box: n.box, NX: n.nx + 1, NY: n.ny + 1, Values: n.values}
		// The corners of n are the centres of a grid half a cell larger all around.
		hx, hy := (n.box.XMax-n.box.XMin)/float64(n.nx)/2, (n.box.YMax-n.box.YMin)/float64(n.ny)/2
		grid.Box = problem.Box{XMin: n.box.XMin - hx, XMax: n.box.XMax + hx, YMin: n.box.YMin - hy, YMax: n.box.YMax + hy}
		out = append(out, newRaster(r.Box, func(u, v float64) color.RGBA {
			phi := grid.At([]float64{n.box.XMin + u*(n.box.XMax-n.box.XMin), n.box.YMin + v*(n.box.YMax-n.box.YMin)})
			band, _ := slices.BinarySearch(levels, phi)
			return s.pale(s.Palette[sky], 0.62*(1-float64(band)/float64(len(levels))))
		}))
	}
	for _, level := range levels {
		for _, line := range n.levelLines(level) {
			out = append(out, &plotter.Line{XYs: line, LineStyle: s.line(s.contour(), s.HairWidth)})
		}
	}
	return out
}

// vectors returns the field as streamlines or arrows.
func (r LandscapeFigure) vectors(s Style, field func(dst, x []float64), maxSpeed float64, ink color.RGBA) plot.Plotter {
	across := 22.0
	if n := len(r.Panels); n > 1 && r.Columns != 1 {
		across = 17
	}
	if r.Arrows {
		return quiver{
			field: field, box: r.Box, across: int(across) - 2, maxSpeed: maxSpeed, least: maxSpeed / 200,
			width: vg.Points(1.5), hair: vg.Points(0.5), color: ink,
		}
	}
	separation := min(r.Box.XMax-r.Box.XMin, r.Box.YMax-r.Box.YMin) / across
	return flow{
		lines: streamlines(field, r.Box, separation), maxSpeed: maxSpeed, perHead: streamPerHead * separation,
		width: vg.Points(1.9), hair: vg.Points(0.35), color: ink,
	}
}

// Caption returns what the figure shows, with the marked points.
func (r LandscapeFigure) Caption() string {
	maxSpeed, err := r.check()
	if err != nil {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s.", r.System)
	has := func(f func(p LandscapePanel) bool) bool { return slices.ContainsFunc(r.Panels, f) }
	if has(func(p LandscapePanel) bool { return p.Potential != nil }) {
		if r.LinesOnly {
			fmt.Fprintf(&out, " Grey: level lines of the %s.", r.scalar())
		} else {
			fmt.Fprintf(&out, " Shades and grey lines: the %s, darker where it is lower.", r.scalar())
		}
	}
	if has(func(p LandscapePanel) bool { return p.Vectors != nil }) {
		if r.Arrows {
			fmt.Fprintf(&out, " Blue arrows: %s, with length and width proportional to its magnitude up to %s, and constant above.", r.field(), number(maxSpeed, 2))
		} else {
			fmt.Fprintf(&out, " Blue lines: streamlines of the %s, with a width proportional to its magnitude up to %s, and constant above.", r.field(), number(maxSpeed, 2))
		}
	}
	if has(func(p LandscapePanel) bool { return len(p.Modes) > 0 }) {
		out.WriteString(" Red dots: modes of the stationary density.")
	}
	if has(func(p LandscapePanel) bool { return len(p.Zeros) > 0 }) {
		out.WriteString(" Diamonds: zeros of the drift.")
	}
	if has(func(p LandscapePanel) bool { return len(p.PathX) > 0 }) {
		fmt.Fprintf(&out, " Orange: %s.", r.path())
	}
	for i, p := range r.Panels {
		var marks []string
		if len(p.Modes) > 0 {
			marks = append(marks, plural(len(p.Modes), "mode")+" "+pointList(p.Modes))
		}
		if len(p.Zeros) > 0 {
			marks = append(marks, plural(len(p.Zeros), "zero")+" of the drift "+pointList(p.Zeros))
		}
		if len(marks) > 0 {
			fmt.Fprintf(&out, " %s: %s.", panelName(p.Title, i), strings.Join(marks, "; "))
		}
	}
	return out.String()
}

// Alt returns a description of the figure for those who do not see it.
func (r LandscapeFigure) Alt() string {
	if _, err := r.check(); err != nil {
		return ""
	}
	lines := "streamlines"
	if r.Arrows {
		lines = "arrows"
	}
	var parts []string
	for i, p := range r.Panels {
		var part []string
		if p.Potential != nil {
			part = append(part, "level lines of "+r.symbol())
		}
		if p.Vectors != nil {
			part = append(part, lines+" of the "+r.field())
		}
		if n := len(p.Modes); n > 0 {
			part = append(part, plural(n, "mode"))
		}
		if n := len(p.Zeros); n > 0 {
			part = append(part, plural(n, "zero")+" of the drift")
		}
		if len(p.PathX) > 0 {
			part = append(part, "a path")
		}
		parts = append(parts, panelName(p.Title, i)+": "+strings.Join(part, ", "))
	}
	return fmt.Sprintf("%s in the plane, %s. %s.", r.System, plural(len(r.Panels), "panel"), strings.Join(parts, "; "))
}

// panelName is the title of a panel, or its number.
func panelName(title string, i int) string {
	if title == "" {
		return fmt.Sprintf("Panel %d", i+1)
	}
	title, _, _ = strings.Cut(title, "\n")
	return title
}

// plural formats a number of things: "1 mode", "2 modes".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}

// pointList formats points with three decimals: (0.902, 0.389), (−0.902, −0.389).
func pointList(points [][]float64) string {
	out := make([]string, len(points))
	for i, p := range points {
		out[i] = fmt.Sprintf("(%s, %s)", decimals(p[0], 3), decimals(p[1], 3))
	}
	return strings.Join(out, ", ")
}

// decimals formats v with n decimals and a true minus sign; zero has none.
func decimals(v float64, n int) string {
	s := fmt.Sprintf("%.*f", n, v)
	if strings.Trim(s, "-0.") == "" {
		return "0"
	}
	return trueMinus(s)
}

// check returns the speed of the widest lines.
func (r LandscapeFigure) check() (maxSpeed float64, err error) {
	if strings.TrimSpace(r.System) == "" {
		return 0, fmt.Errorf("figure: LandscapeFigure.System is empty: name the system, as in %q", "Example 19")
	}
	if len(r.Panels) == 0 {
		return 0, fmt.Errorf("figure: LandscapeFigure.Panels is empty: there is nothing to draw")
	}
	if r.Columns < 0 {
		return 0, fmt.Errorf("figure: LandscapeFigure.Columns is %d: it must not be negative", r.Columns)
	}
	if !(r.MaxSpeed >= 0) || math.IsInf(r.MaxSpeed, 1) {
		return 0, fmt.Errorf("figure: LandscapeFigure.MaxSpeed is %v: a finite speed, or zero, is needed", r.MaxSpeed)
	}
	if err := firstError(checkBox("LandscapeFigure.Box", r.Box), finite("LandscapeFigure.Levels", r.Levels...)); err != nil {
		return 0, err
	}
	if !slices.IsSorted(r.Levels) {
		return 0, fmt.Errorf("figure: LandscapeFigure.Levels must ascend: got %v", r.Levels)
	}
	maxSpeed = r.MaxSpeed
	for i, p := range r.Panels {
		name := fmt.Sprintf("LandscapeFigure.Panels[%d]", i)
		if p.Potential == nil && p.Vectors == nil {
			return 0, fmt.Errorf("figure: %s has neither Potential nor Vectors: there is nothing to draw", name)
		}
		if err := firstError(
			checkPoints(name+".Modes", p.Modes), checkPoints(name+".Zeros", p.Zeros),
			finite(name+".PathX", p.PathX...), finite(name+".PathY", p.PathY...),
		); err != nil {
			return 0, err
		}
		if len(p.PathX)+len(p.PathY) > 0 {
			if err := sameLength(name+".PathX", len(p.PathX), name+".PathY", len(p.PathY)); err != nil {
				return 0, err
			}
		}
		if p.Potential != nil {
			if err := finiteOn(name+".Potential", p.Potential, r.Box); err != nil {
				return 0, err
			}
		}
		if p.Vectors != nil {
			speed, err := topSpeed(name+".Vectors", r.Box, p.Vectors)
			if err != nil {
				return 0, err
			}
			if r.MaxSpeed == 0 {
				maxSpeed = max(maxSpeed, speed)
			}
		}
	}
	return maxSpeed, nil
}

// finiteOn returns an error that names the field and the first point where f is not
// finite, of those where its level lines are sampled.
func finiteOn(field string, f func(x []float64) float64, box problem.Box) error {
	n := sample(f, box)
	for k, v := range n.values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			x, y := n.at(float64(k%(n.nx+1)), float64(k/(n.nx+1)))
			return fmt.Errorf("figure: %s is %v at (%.4g, %.4g): only finite numbers can be drawn", field, v, x, y)
		}
	}
	return nil
}

// checkPoints returns an error that names the field unless all points are finite pairs.
func checkPoints(field string, points [][]float64) error {
	for i, p := range points {
		if len(p) != 2 {
			return fmt.Errorf("figure: %s[%d] has %d coordinates: the panel is drawn in the plane, 2 are needed", field, i, len(p))
		}
		if err := finite(fmt.Sprintf("%s[%d]", field, i), p...); err != nil {
			return err
		}
	}
	return nil
}

// spots marks the points that lie in the box.
type spots struct {
	box    problem.Box
	points [][]float64
	glyph  draw.GlyphStyle
}

// Plot draws the marks.
func (s spots) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, q := range s.points {
		if s.box.Contains(q) {
			c.DrawGlyph(s.glyph, vg.Point{X: tx(q[0]), Y: ty(q[1])})
		}
	}
}

// maxRoute is the largest number of points of a path that is drawn: more would make the
// vector formats heavy and show a blot.
const maxRoute = 6000

// route draws a path, clipped to the box.
type route struct {
	box    problem.Box
	xs, ys []float64
	line   draw.LineStyle
}

// Plot draws the path.
func (r route) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	n := min(len(r.xs), maxRoute)
	pts := make([]vg.Point, n)
	for i := range pts {
		k := i * len(r.xs) / n
		pts[i] = vg.Point{X: tx(r.xs[k]), Y: ty(r.ys[k])}
	}
	c.StrokeLines(r.line, c.ClipLinesXY(pts)...)
}

// dotGlyph is a disc with a thin edge that sets it off from what is below.
type dotGlyph struct{ edge color.Color }

// DrawGlyph draws the disc.
func (g dotGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	draw.CircleGlyph{}.DrawGlyph(c, draw.GlyphStyle{Color: g.edge, Radius: sty.Radius + vg.Points(1)}, pt)
	c.SetColor(sty.Color)
	draw.CircleGlyph{}.DrawGlyph(c, sty, pt)
}

// diamondGlyph is a square that stands on a corner.
type diamondGlyph struct{ inside color.Color }

// DrawGlyph draws the diamond.
func (g diamondGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	r := sty.Radius
	corners := []vg.Point{{X: pt.X + r, Y: pt.Y}, {X: pt.X, Y: pt.Y + r}, {X: pt.X - r, Y: pt.Y}, {X: pt.X, Y: pt.Y - r}, {X: pt.X + r, Y: pt.Y}}
	c.FillPolygon(g.inside, corners[:4])
	c.StrokeLines(draw.LineStyle{Color: sty.Color, Width: vg.Points(1.3)}, append(corners, corners[1]))
}

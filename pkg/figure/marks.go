package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// note is a text in the data area.
type note struct {
	x, y   float64 // data coordinates, or fractions of the data area
	inArea bool    // x and y are fractions
	dx, dy vg.Length
	style  text.Style
	text   string
	paper  color.Color // if not nil, the text stands on a rectangle of this colour
}

// Plot draws the text.
func (n note) Plot(c draw.Canvas, p *plot.Plot) {
	var pt vg.Point
	if n.inArea {
		pt = vg.Point{X: c.X(n.x), Y: c.Y(n.y)}
	} else {
		tx, ty := p.Transforms(&c)
		pt = vg.Point{X: tx(n.x), Y: ty(n.y)}
	}
	pt = pt.Add(vg.Point{X: n.dx, Y: n.dy})
	if n.paper != nil {
		box := n.style.Rectangle(n.text)
		size := n.style.Font.Size
		shift := vg.Point{X: pt.X, Y: pt.Y + n.style.FontExtents().Descent}
		box.Min = box.Min.Add(shift).Add(vg.Point{X: -0.25 * size})
		box.Max = box.Max.Add(shift).Add(vg.Point{X: 0.25 * size})
		c.SetColor(n.paper)
		c.Fill(box.Path())
	}
	fillText(c, n.style, pt, n.text)
}

// label is a text beside a curve, tied to the point (x, y) of it by a line to
// (toX, toY), where the text begins or, if that lies to the left, ends.
type label struct {
	x, y, toX, toY float64
	line           draw.LineStyle
	style          text.Style
	text           string
	paper          color.Color
}

// Plot draws the line and the text.
func (l label) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	c.StrokeLine2(l.line, tx(l.x), ty(l.y), tx(l.toX), ty(l.toY))
	n := note{x: l.toX, y: l.toY, dx: vg.Points(3), style: l.style, text: l.text, paper: l.paper}
	n.style.XAlign, n.style.YAlign = draw.XLeft, draw.YCenter
	if l.toX < l.x {
		n.style.XAlign, n.dx = draw.XRight, -n.dx
	}
	n.Plot(c, p)
}

// rule is a vertical line over the whole height.
type rule struct {
	x    float64
	line draw.LineStyle
}

// Plot draws the line.
func (r rule) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	if x := tx(r.x); c.ContainsX(x) {
		c.StrokeLine2(r.line, x, c.Min.Y, x, c.Max.Y)
	}
}

// ruleName is the name of a rule, at the top beside it.
type ruleName struct {
	x     float64
	style text.Style
	text  string
	left  bool // the name stands on the left of the line
	row   int  // counted from the top
	paper color.Color
}

// Plot draws the name.
func (r ruleName) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	n := note{y: 1, inArea: true, style: r.style, text: r.text, paper: r.paper}
	size := r.style.Font.Size
	n.style.XAlign, n.style.YAlign = draw.XLeft, draw.YTop
	n.dx, n.dy = tx(r.x)-c.Min.X+0.5*size, -(0.2+1.5*vg.Length(r.row))*size
	if r.left {
		n.style.XAlign = draw.XRight
		n.dx -= size
	}
	n.Plot(c, p)
}

// keyRow is one row of a key: a sample of a mark and what it stands for.
type keyRow struct {
	line  draw.LineStyle
	glyph *draw.GlyphStyle // drawn instead of the line if not nil
	text  string
	color color.Color
}

// key explains marks that lie too close together to be labelled one by one. It stands
// with its upper right corner at a fraction (x, y) of the data area, or with its upper
// left one if left is set.
type key struct {
	x, y  float64
	left  bool
	style text.Style
	title string
	rows  []keyRow
	paper color.Color
}

// Plot draws the key.
func (k key) Plot(c draw.Canvas, _ *plot.Plot) {
	size := k.style.Font.Size
	sample, gap, pitch := 2.4*size, 0.6*size, 1.5*size
	width := k.style.Width(k.title)
	for _, row := range k.rows {
		width = max(width, sample+gap+k.style.Width(row.text))
	}
	lines := len(k.rows)
	if k.title != "" {
		lines++
	}
	left := c.X(k.x)
	if !k.left {
		left -= width
	}
	y := c.Y(k.y)
	if k.paper != nil {
		c.SetColor(k.paper)
		box := vg.Rectangle{
			Min: vg.Point{X: left - 0.5*size, Y: y - vg.Length(lines)*pitch - 0.2*size},
			Max: vg.Point{X: left + width + 0.5*size, Y: y + 0.2*size},
		}
		c.Fill(box.Path())
	}
	sty := k.style
	sty.XAlign, sty.YAlign = draw.XLeft, draw.YCenter
	y -= pitch / 2
	if k.title != "" {
		fillText(c, sty, vg.Point{X: left, Y: y}, k.title)
		y -= pitch
	}
	for _, row := range k.rows {
		if row.glyph != nil {
			c.DrawGlyph(*row.glyph, vg.Point{X: left + sample/2, Y: y})
		} else {
			c.StrokeLine2(row.line, left, y, left+sample, y)
		}
		sty.Color = row.color
		fillText(c, sty, vg.Point{X: left + sample + gap, Y: y}, row.text)
		y -= pitch
	}
}

// arrow is a curved arrow through data points, with its head at the last one.
type arrow struct {
	points plotter.XYs
	line   draw.LineStyle
	head   vg.Length
}

// Plot draws the arrow.
func (a arrow) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	pts := make([]vg.Point, len(a.points))
	for i, q := range a.points {
		pts[i] = vg.Point{X: tx(q.X), Y: ty(q.Y)}
	}
	tip := pts[len(pts)-1]
	// The shaft ends where the head begins, so that the tip stays sharp.
	back := len(pts) - 1
	for back > 0 && math.Hypot(float64(tip.X-pts[back].X), float64(tip.Y-pts[back].Y)) < 0.8*float64(a.head) {
		back--
	}
	c.StrokeLines(a.line, pts[:back+1])
	dir := math.Atan2(float64(tip.Y-pts[back].Y), float64(tip.X-pts[back].X))
	corner := func(turn float64) vg.Point {
		return vg.Point{
			X: tip.X - a.head*vg.Length(math.Cos(dir+turn)),
			Y: tip.Y - a.head*vg.Length(math.Sin(dir+turn)),
		}
	}
	c.FillPolygon(a.line.Color, []vg.Point{tip, corner(0.42), corner(-0.42)})
}

// ellipseSegments is the number of chords of a drawn ellipse.
const ellipseSegments = 180

// ellipse returns the points x with (x−mean)ᵀ C⁻¹ (x−mean) = radius², a closed curve
// that starts and ends at the long axis. C may be singular: then it is a segment.
func ellipse(mean [2]float64, c *mat.SymDense, radius float64) plotter.XYs {
	var eig mat.EigenSym
	eig.Factorize(c, true)
	var v mat.Dense
	eig.VectorsTo(&v)
	l := eig.Values(nil)
	minor, major := radius*math.Sqrt(max(0, l[0])), radius*math.Sqrt(max(0, l[1]))
	points := make(plotter.XYs, ellipseSegments+1)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / ellipseSegments)
		points[i].X = mean[0] + major*cos*v.At(0, 1) + minor*sin*v.At(0, 0)
		points[i].Y = mean[1] + major*cos*v.At(1, 1) + minor*sin*v.At(1, 0)
	}
	return points
}

// extreme returns the point of a curve that lies farthest in the direction (ux, uy).
func extreme(points plotter.XYs, ux, uy float64) (x, y float64) {
	best := math.Inf(-1)
	for _, p := range points {
		if s := p.X*ux + p.Y*uy; s > best {
			best, x, y = s, p.X, p.Y
		}
	}
	return x, y
}

// matrix2 returns an error that names the field unless m is a finite 2×2 matrix.
func matrix2(field string, m *mat.SymDense) error {
	if m == nil || m.IsEmpty() {
		return fmt.Errorf("figure: %s is empty: a 2×2 matrix is needed", field)
	}
	if n := m.SymmetricDim(); n != 2 {
		return fmt.Errorf("figure: %s is %d×%d: a 2×2 matrix is needed", field, n, n)
	}
	return finite(field, m.At(0, 0), m.At(0, 1), m.At(1, 1))
}

// maxPoints is the largest number of points of one cloud: more would make the vector
// formats heavy without showing more.
const maxPoints = 1200

// thinned returns the pairs (xs[i], ys[i]), or evenly spaced ones among them if there
// are more than maxPoints.
func thinned(xs, ys []float64) plotter.XYs {
	n := min(len(xs), maxPoints)
	points := make(plotter.XYs, n)
	for i := range points {
		k := i * len(xs) / n
		points[i] = plotter.XY{X: xs[k], Y: ys[k]}
	}
	return points
}

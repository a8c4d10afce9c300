package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Drawer is anything that fills a canvas: a [Picture] or a *plot.Plot.
type Drawer interface {
	// Draw draws on all of c.
	Draw(c draw.Canvas)
}

// Picture is a plot with what is needed to show it: the stem of its file name, the size
// it was made for, a caption, and a text for those who do not see it.
type Picture struct {
	*plot.Plot
	Stem          string    // of file names, without extension
	Width, Height vg.Length // zero means 16 cm × 10 cm
	Text          string    // the caption; Markdown and Unicode, one paragraph
	AltText       string    // says in a sentence or two what is seen
	EqualAxes     bool      // one unit of x is as long as one unit of y
}

const (
	defaultWidth  = 16 * vg.Centimeter
	defaultHeight = 10 * vg.Centimeter
)

// Of wraps a plot of the caller's own into a Picture of the default size.
func Of(p *plot.Plot, stem, caption, alt string) *Picture {
	return &Picture{Plot: p, Stem: stem, Text: caption, AltText: alt}
}

// Name returns the stem of the file names.
func (p *Picture) Name() string { return p.Stem }

// Caption returns the caption.
func (p *Picture) Caption() string { return p.Text }

// Alt returns the alternative text.
func (p *Picture) Alt() string { return p.AltText }

// Save writes the picture as [Save] does.
func (p *Picture) Save(w, h vg.Length, path string) error { return Save(p, w, h, path) }

// Size returns the width and height the picture was made for.
func (p *Picture) Size() (w, h vg.Length) {
	if p.Width <= 0 || p.Height <= 0 {
		return defaultWidth, defaultHeight
	}
	return p.Width, p.Height
}

// Draw draws the picture on c: the plot, its title and its axis labels, which it centres
// on the data area. With EqualAxes it first widens the range of one axis as far as c
// needs.
func (p *Picture) Draw(c draw.Canvas) {
	if p.BackgroundColor != nil {
		c.SetColor(p.BackgroundColor)
		c.Fill(c.Rectangle.Path())
	}
	q := *p.Plot
	q.Title.Text, q.X.Label.Text, q.Y.Label.Text = "", "", ""
	title, x, y := &p.Title, &p.X.Label, &p.Y.Label
	inner := p.inside(c)
	for range 3 { // the ranges move the ticks, the ticks the data area
		if !p.EqualAxes {
			break
		}
		area := q.DataCanvas(inner)
		w, h := float64(area.Max.X-area.Min.X), float64(area.Max.Y-area.Min.Y)
		unit := math.Max((q.X.Max-q.X.Min)/w, (q.Y.Max-q.Y.Min)/h)
		widen(&q.X, unit*w)
		widen(&q.Y, unit*h)
	}
	q.Draw(inner)

	area := q.DataCanvas(inner)
	if title.Text != "" {
		sty := title.TextStyle
		sty.XAlign, sty.YAlign = draw.XCenter, draw.YTop
		fillText(c, sty, vg.Point{X: area.Center().X, Y: c.Max.Y - margin}, title.Text)
	}
	if x.Text != "" {
		sty := x.TextStyle
		sty.XAlign, sty.YAlign = draw.XCenter, draw.YBottom
		fillText(c, sty, vg.Point{X: area.Center().X, Y: c.Min.Y + margin}, x.Text)
	}
	if y.Text != "" {
		sty := y.TextStyle
		sty.Rotation += math.Pi / 2
		sty.XAlign, sty.YAlign = draw.XCenter, draw.YTop
		fillText(c, sty, vg.Point{X: c.Min.X + margin, Y: area.Center().Y}, y.Text)
	}
}

// margin is kept free around a picture.
const margin = 0.1 * vg.Centimeter

// inside returns the part of c that is left for the data, the axes and their ticks by
// the title and the axis labels.
func (p *Picture) inside(c draw.Canvas) draw.Canvas {
	inner := draw.Crop(c, margin, -2*margin, margin, -2*margin)
	if title := &p.Title; title.Text != "" {
		inner.Max.Y -= title.TextStyle.Height(title.Text) + title.Padding
	}
	if x := &p.X.Label; x.Text != "" {
		inner.Min.Y += x.TextStyle.Height(x.Text) + x.Padding
	}
	if y := &p.Y.Label; y.Text != "" {
		inner.Min.X += y.TextStyle.Height(y.Text) + y.Padding
	}
	return inner
}

// widen gives the axis a range of the given length about the same middle.
func widen(a *plot.Axis, length float64) {
	middle := (a.Min + a.Max) / 2
	a.Min, a.Max = middle-length/2, middle+length/2
}

// finite returns an error that names the field unless all values are finite numbers.
func finite(field string, values ...float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			if len(values) == 1 {
				return fmt.Errorf("figure: %s is %v: only finite numbers can be drawn", field, v)
			}
			return fmt.Errorf("figure: %s[%d] is %v: only finite numbers can be drawn", field, i, v)
		}
	}
	return nil
}

// sameLength returns an error that names both fields unless their lengths agree and are
// not zero.
func sameLength(a string, na int, b string, nb int) error {
	if na == 0 {
		return fmt.Errorf("figure: %s is empty: there is nothing to draw", a)
	}
	if na != nb {
		return fmt.Errorf("figure: %s has %d values, %s has %d: they must have the same length", a, na, b, nb)
	}
	return nil
}

// firstError returns the first error that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

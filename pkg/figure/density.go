package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// DensityFigure is what [DensityMap] draws: densities in the plane side by side, in the
// same colours.
//
//	r := figure.DensityFigure{System: "REF", Maps: []figure.Density{plane.Exact("closed form", problem.REF().System(), problem.REF().System().Box, 96)}}
type DensityFigure struct {
	System   string // as in "Example 19, λ = 1.5"
	Title    string // empty: "Stationary density of" System
	Stem     string // of file names; empty: made from System
	Maps     []Density
	Max      float64 // density of the darkest colour; zero: the largest of all
	Quantity string  // as in "probability current"; of the arrows; empty: "current"
	Columns  int     // zero means one row
	Style    *Style  // nil means Default()
}

// Density is one map. All maps of a figure show the same box.
//
//	d := figure.Density{Title: "X ~ N(0, I)", Cells: figure.Sample(problem.Box{XMin: -3, XMax: 3, YMin: -3, YMax: 3}, 48, 48, law.Density)}
type Density struct {
	Title string // as in "finite volumes"
	Cells Cells  // densities, not masses

	// KL and TV are the Kullback–Leibler divergence (nats) and the total variation
	// distance ½∫|ρ−ρ′| of this density from Reference. They are shown where Reference,
	// as in "closed form", is not empty.
	KL, TV    float64
	Reference string

	Current func(dst, x []float64) // drawn as arrows; nil: none
	Modes   [][]float64            // points (2)
}

// DensityMap draws densities as heat maps in a perceptually uniform scale from white to
// dark blue, with a colour bar, the distances from a reference in the titles, and
// currents as arrows. It returns an error that names the field for data that cannot be
// drawn.
//
//	s := problem.REF().System()
//	p, err := figure.DensityMap(figure.DensityFigure{System: s.Name, Maps: []figure.Density{plane.Exact("closed form", s, s.Box, 96)}})
func DensityMap(r DensityFigure) (*Picture, error) {
	maxSpeed, err := r.check()
	if err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	top := r.top()
	bar := &colorBar{style: s, max: top, label: "density ρ"}
	g := panels{columns: r.Columns, bar: bar}
	modes := draw.GlyphStyle{Color: s.Palette[orange], Radius: vg.Points(2.6), Shape: dotGlyph{edge: s.Paper}}
	ink := s.Palette[vermilion]
	var rows []keyRow
	for _, d := range r.Maps {
		p := s.New()
		p.Title.Text = d.title()
		p.Title.Padding = vg.Points(4)
		p.Title.TextStyle = s.text(s.LabelSize, s.Ink, draw.XCenter, draw.YTop)
		p.X.Label.Text, p.Y.Label.Text = "x₁", "x₂"
		p.X.Padding, p.Y.Padding = 0, 0
		box, cells := d.Cells.Box, d.Cells
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = box.XMin, box.XMax, box.YMin, box.YMax
		p.Add(newRaster(box, func(u, v float64) color.RGBA {
			i, j := int(u*float64(cells.NX)), int(v*float64(cells.NY))
			return densityColor(cells.Values[j*cells.NX+i] / top)
		}))
		if d.Current != nil {
			across := 13
			if len(r.Maps) > 2 && r.Columns != 1 {
				across = 10
			}
			p.Add(quiver{
				field: d.Current, box: box, across: across, maxSpeed: maxSpeed, least: maxSpeed / 15,
				width: vg.Points(1.5), hair: vg.Points(0.5), color: ink,
			})
			if !slices.ContainsFunc(rows, func(k keyRow) bool { return k.glyph == nil }) {
				rows = append(rows, keyRow{line: s.line(ink, s.LineWidth), text: r.quantity(), color: ink})
			}
		}
		if len(d.Modes) > 0 {
			p.Add(spots{box: box, points: d.Modes, glyph: modes})
			if !slices.ContainsFunc(rows, func(k keyRow) bool { return k.glyph != nil }) {
				rows = append(rows, keyRow{glyph: &modes, text: "mode", color: s.dark(s.Palette[orange])})
			}
		}
		g.pictures = append(g.pictures, &Picture{Plot: p, EqualAxes: true})
	}
	if rows != nil {
		g.strip = &strip{style: s, rows: rows}
	}
	width := vg.Length(panelWidth)
	if len(r.Maps) == 1 || r.Columns == 1 {
		width = 12 * vg.Centimeter
	}
	p := g.picture(s, cmp.Or(r.Title, "Stationary density of "+r.System), width, 0)
	p.Stem = cmp.Or(r.Stem, slug(r.System+" density"))
	p.Text, p.AltText = r.Caption(), r.Alt()
	return p, nil
}

func (r DensityFigure) quantity() string {
	if r.Quantity == "" {
		return "current"
	}
	return r.Quantity
}

// top returns the density of the darkest colour.
func (r DensityFigure) top() float64 {
	top := r.Max
	for _, d := range r.Maps {
		if r.Max == 0 {
			top = max(top, slices.Max(d.Cells.Values))
		}
	}
	return top
}

// title returns the lines above a map.
func (d Density) title() string {
	if d.Reference == "" {
		return d.Title
	}
	return fmt.Sprintf("%s\nKL %s, TV %s", d.Title, number(d.KL, 2), number(d.TV, 2))
}

// Caption returns what the figure shows, with the distances between the densities.
func (r DensityFigure) Caption() string {
	maxSpeed, err := r.check()
	if err != nil {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "Density of %s, in the same colours", r.System)
	if r.Max > 0 {
		fmt.Fprintf(&out, " (darkest from %s on)", number(r.Max, 3))
	}
	out.WriteString(".")
	for i, d := range r.Maps {
		fmt.Fprintf(&out, " %s: %d×%d cells", panelName(d.Title, i), d.Cells.NX, d.Cells.NY)
		if d.Reference != "" {
			fmt.Fprintf(&out, ", KL %s nats and total variation %s from the %s", number(d.KL, 3), number(d.TV, 3), d.Reference)
		}
		out.WriteString(".")
	}
	if maxSpeed > 0 {
		fmt.Fprintf(&out, " Red arrows: %s, with length and width proportional to its magnitude up to %s.", r.quantity(), number(maxSpeed, 2))
	}
	if slices.ContainsFunc(r.Maps, func(d Density) bool { return len(d.Modes) > 0 }) {
		out.WriteString(" Orange dots: modes.")
	}
	return out.String()
}

// Alt returns a description of the figure for those who do not see it.
func (r DensityFigure) Alt() string {
	if _, err := r.check(); err != nil {
		return ""
	}
	var parts []string
	for i, d := range r.Maps {
		cells := d.Cells
		k := 0
		for i, v := range cells.Values {
			if v > cells.Values[k] {
				k = i
			}
		}
		x := cells.Box.XMin + (cells.Box.XMax-cells.Box.XMin)*(float64(k%cells.NX)+0.5)/float64(cells.NX)
		y := cells.Box.YMin + (cells.Box.YMax-cells.Box.YMin)*(float64(k/cells.NX)+0.5)/float64(cells.NY)
		parts = append(parts, fmt.Sprintf("%s: largest density %s near (%s, %s)", panelName(d.Title, i), number(cells.Values[k], 2), decimals(x, 2), decimals(y, 2)))
	}
	return fmt.Sprintf("Heat maps of the density of %s. %s.", r.System, strings.Join(parts, "; "))
}

// check returns the length of the longest arrows.
func (r DensityFigure) check() (maxSpeed float64, err error) {
	if r.System == "" {
		return 0, fmt.Errorf("figure: DensityFigure.System is empty: name the system, as in %q", "Example 19, λ = 1.5")
	}
	if len(r.Maps) == 0 {
		return 0, fmt.Errorf("figure: DensityFigure.Maps is empty: there is nothing to draw")
	}
	if r.Columns < 0 {
		return 0, fmt.Errorf("figure: DensityFigure.Columns is %d: it must not be negative", r.Columns)
	}
	if !(r.Max >= 0) || math.IsInf(r.Max, 1) {
		return 0, fmt.Errorf("figure: DensityFigure.Max is %v: a finite density, or zero, is needed", r.Max)
	}
	for i, d := range r.Maps {
		name := fmt.Sprintf("DensityFigure.Maps[%d]", i)
		if err := firstError(
			d.Cells.check(name+".Cells"), checkPoints(name+".Modes", d.Modes),
			finite(name+".KL", d.KL), finite(name+".TV", d.TV),
		); err != nil {
			return 0, err
		}
		if d.Cells.Box != r.Maps[0].Cells.Box {
			return 0, fmt.Errorf("figure: %s.Cells.Box is %v, that of Maps[0] %v: all maps must show the same box", name, d.Cells.Box, r.Maps[0].Cells.Box)
		}
		if slices.Max(d.Cells.Values) <= 0 {
			return 0, fmt.Errorf("figure: %s.Cells has no positive density: there is nothing to draw", name)
		}
		if d.Current != nil {
			// Currents are large in small places, so it is the largest that counts.
			if _, err := topSpeed(name+".Current", d.Cells.Box, d.Current); err != nil {
				return 0, err
			}
			maxSpeed = max(maxSpeed, largestSpeed(d.Cells, d.Current))
		}
	}
	return maxSpeed, nil
}

// largestSpeed returns the largest length of the field at the centres of cells.
func largestSpeed(c Cells, field func(dst, x []float64)) (largest float64) {
	d := make([]float64, 2)
	for k := range c.Values {
		field(d, []float64{
			c.Box.XMin + (c.Box.XMax-c.Box.XMin)*(float64(k%c.NX)+0.5)/float64(c.NX),
			c.Box.YMin + (c.Box.YMax-c.Box.YMin)*(float64(k/c.NX)+0.5)/float64(c.NY),
		})
		if s := math.Hypot(d[0], d[1]); s > largest {
			largest = s
		}
	}
	return largest
}

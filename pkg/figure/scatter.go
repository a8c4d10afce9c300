package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// BatchScatterFigure is what [BatchScatter] draws: gradients of mini-batches in two
// coordinates of the weights, or projected on two directions.
//
//	r := figure.BatchScatterFigure{System: "T1 at x = (1, 1)", Gradient: []float64{1, 3},
//		Diffusion: mat.NewSymDense(2, []float64{1, 1.8, 1.8, 9}), Batches: []figure.BatchCloud{cloud}}
type BatchScatterFigure struct {
	System         string        // as in "T1 at x = (1, 1)"
	XLabel, YLabel string        // of the axes; empty: "gradient component 1" and 2
	Gradient       []float64     // g, the full gradient (2)
	Diffusion      *mat.SymDense // D (2×2)
	Batches        []BatchCloud  // at most four; drawn in the order of decreasing spread
	Drawn          string        // a sentence for the caption on how they were drawn
	Style          *Style        // nil means Default()
}

// BatchCloud holds the gradients of batches of one size.
//
//	c := figure.BatchCloud{BatchSize: 2, Factor: 0.5, X: []float64{0.1, 1.2}, Y: []float64{-0.3, 0.4}}
type BatchCloud struct {
	BatchSize int       // b
	Factor    float64   // c in var(∇f_b) = c·D, as in noise.Sampling.CovarianceFactor
	X, Y      []float64 // both components, of equal length; up to 1,200 of the points are drawn
}

// scatterSigmas is the size of the drawn ellipses in standard deviations.
const scatterSigmas = 2

// BatchScatter draws the gradients of mini-batches around the full gradient g, with the
// 2σ ellipse of their covariance c·D for each batch size. [chaudhari2018] Definition 1
// and App. A. It returns an error that names the field for data that cannot be drawn.
//
//	p, err := figure.BatchScatter(figure.BatchScatterFigure{System: "T1 at x = (1, 1)", Gradient: []float64{1, 3},
//		Diffusion: mat.NewSymDense(2, []float64{1, 1.8, 1.8, 9}), Batches: []figure.BatchCloud{cloud}})
func BatchScatter(r BatchScatterFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = "Mini-batch gradients of " + r.System
	p.X.Label.Text, p.Y.Label.Text = r.axes()
	p.X.Padding, p.Y.Padding = 0, 0

	mean := [2]float64{r.Gradient[0], r.Gradient[1]}
	clouds := r.ordered()
	colors := []int{sky, orange, green, purple}
	text := s.text(s.TextSize, s.Ink, draw.XLeft, draw.YCenter)
	box := plotter.XYs{{X: mean[0], Y: mean[1]}} // what must be in the picture
	var curves []plot.Plotter
	var rows []keyRow
	for i, cloud := range clouds {
		pale, ink := s.pale(s.Palette[colors[i]], 0.6), s.dark(s.Palette[colors[i]])
		points := thinned(cloud.X, cloud.Y)
		p.Add(&plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: pale, Radius: vg.Points(1.2), Shape: draw.CircleGlyph{}}})
		var c mat.SymDense
		c.ScaleSym(cloud.Factor, r.Diffusion)
		curve := ellipse(mean, &c, scatterSigmas)
		line := s.line(ink, s.LineWidth*1.1)
		curves = append(curves, &plotter.Line{XYs: curve, LineStyle: line})
		rows = append(rows, keyRow{line: line, text: "b = " + count(cloud.BatchSize), color: ink})
		box = append(append(box, points...), curve...)
	}
	p.Add(curves...)

	// The corners that a tilted ellipse leaves free hold the key and the name of g.
	xmin, xmax, ymin, ymax := plotter.XYRange(box)
	side := 1.0
	if r.Diffusion.At(0, 1) < 0 {
		side = -1
	}
	p.Add(
		&plotter.Scatter{XYs: plotter.XYs{{X: mean[0], Y: mean[1]}}, GlyphStyle: draw.GlyphStyle{
			Color: s.Ink, Radius: vg.Points(4), Shape: draw.PlusGlyph{},
		}},
		label{
			x: mean[0], y: mean[1], toX: mean[0] + side*0.3*(xmax-xmin), toY: ymin + 0.06*(ymax-ymin),
			line: s.line(s.Ink, s.HairWidth), style: text, text: "full gradient g", paper: s.Paper,
		},
		key{x: 0.5 - 0.485*side, y: 0.985, left: side > 0, style: text, rows: rows, paper: s.Paper},
	)
	marginX, marginY := 0.06*(xmax-xmin), 0.06*(ymax-ymin)
	p.X.Min, p.X.Max = xmin-marginX, xmax+marginX
	p.Y.Min, p.Y.Max = ymin-marginY, ymax+marginY

	return &Picture{
		Plot: p, Stem: slug(r.System + " batch gradients"), Width: 15 * vg.Centimeter, Height: 10.5 * vg.Centimeter,
		Text: r.Caption(), AltText: r.Alt(),
	}, nil
}

// Caption returns what the figure shows, with the share of points inside each ellipse.
func (r BatchScatterFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	s := fmt.Sprintf("Gradients of mini-batches of %s around the full gradient g, with the %dσ ellipses of their covariance c·D. ", r.System, scatterSigmas)
	if r.Drawn != "" {
		s += r.Drawn + " "
	}
	s += "Share of the points inside the ellipse: "
	for i, cloud := range r.ordered() {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s %% for b = %s (c = %s, %s points)", number(100*r.inside(cloud), 3), count(cloud.BatchSize), number(cloud.Factor, 3), count(len(cloud.X)))
	}
	return s + fmt.Sprintf("; for a normal law it would be %s %%.", number(100*(1-math.Exp(-scatterSigmas*scatterSigmas/2.0)), 3))
}

// Alt returns a description of the figure for those who do not see it.
func (r BatchScatterFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	return fmt.Sprintf("Scatter of mini-batch gradients of %s for %d batch sizes around the full gradient; each cloud has the tilt of its ellipse and shrinks as the batch grows.",
		r.System, len(r.Batches))
}

func (r BatchScatterFigure) check() error {
	if r.System == "" {
		return fmt.Errorf("figure: BatchScatterFigure.System is empty: name the system, as in %q", "T1")
	}
	if len(r.Gradient) != 2 {
		return fmt.Errorf("figure: BatchScatterFigure.Gradient has %d values, want 2: project it on two directions", len(r.Gradient))
	}
	if n := len(r.Batches); n < 1 || n > 4 {
		return fmt.Errorf("figure: BatchScatterFigure.Batches has %d batch sizes: between one and four can be told apart", n)
	}
	if err := firstError(finite("BatchScatterFigure.Gradient", r.Gradient...), matrix2("BatchScatterFigure.Diffusion", r.Diffusion)); err != nil {
		return err
	}
	if !(mat.Trace(r.Diffusion) > 0) {
		return fmt.Errorf("figure: BatchScatterFigure.Diffusion has trace %v: there is no noise to draw", mat.Trace(r.Diffusion))
	}
	for i, cloud := range r.Batches {
		field := fmt.Sprintf("BatchScatterFigure.Batches[%d]", i)
		if cloud.BatchSize < 1 || !(cloud.Factor >= 0) || math.IsInf(cloud.Factor, 0) {
			return fmt.Errorf("figure: %s: BatchSize %d must be positive and Factor %v finite and not negative", field, cloud.BatchSize, cloud.Factor)
		}
		if err := firstError(
			sameLength(field+".X", len(cloud.X), field+".Y", len(cloud.Y)),
			finite(field+".X", cloud.X...),
			finite(field+".Y", cloud.Y...),
		); err != nil {
			return err
		}
	}
	return nil
}

func (r BatchScatterFigure) axes() (x, y string) {
	x, y = r.XLabel, r.YLabel
	if x == "" {
		x = "gradient component 1   (loss/weight)"
	}
	if y == "" {
		y = "gradient component 2   (loss/weight)"
	}
	return x, y
}

// ordered returns the clouds from the widest to the narrowest.
func (r BatchScatterFigure) ordered() []BatchCloud {
	clouds := slices.Clone(r.Batches)
	slices.SortStableFunc(clouds, func(a, b BatchCloud) int { return cmp.Compare(b.Factor, a.Factor) })
	return clouds
}

// inside returns the share of points with Mahalanobis distance at most scatterSigmas.
func (r BatchScatterFigure) inside(cloud BatchCloud) float64 {
	var eig mat.EigenSym
	eig.Factorize(r.Diffusion, true)
	var v mat.Dense
	eig.VectorsTo(&v)
	l := eig.Values(nil)
	n := 0
	for i := range cloud.X {
		dx, dy := cloud.X[i]-r.Gradient[0], cloud.Y[i]-r.Gradient[1]
		var distance float64
		for k := range 2 {
			u := v.At(0, k)*dx + v.At(1, k)*dy
			scale := cloud.Factor * l[k]
			switch {
			case scale > 1e-14*cloud.Factor*l[1]:
				distance += u * u / scale
			case u*u > 1e-20*(dx*dx+dy*dy):
				distance = math.Inf(1) // off the line that a singular D allows
			}
		}
		if distance <= scatterSigmas*scatterSigmas {
			n++
		}
	}
	return float64(n) / float64(len(cloud.X))
}

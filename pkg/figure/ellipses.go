package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sgdlab/pkg/problem"
)

// EllipsesFigure is what [Ellipses] draws: a linear equation dx = −Fx dt + √(2β⁻¹D) dW in
// the plane. [NewEllipsesFigure] fills in all but the path.
type EllipsesFigure struct {
	System     string        // as in "REF"
	Hessian    *mat.SymDense // F, if it is that of a loss (2×2); nil: no loss is drawn
	Diffusion  *mat.SymDense // D (2×2)
	Covariance *mat.SymDense // Σ at stationarity (2×2)
	Force      *mat.Dense    // V of j(x) = Vx (2×2), −QU; nil or zero: no orbits
	X, Y       []float64     // x₁ and x₂ along a path, of equal length; may be empty
	Path       string        // what the path is, as in "path of 10 time units"; empty: "simulated path"
	Style      *Style        // nil means Default()
}

// NewEllipsesFigure returns the closed forms of p. It panics if p is not in the plane, or
// where [problem.OrnsteinUhlenbeck.PotentialHessian] does.
//
//	p, err := figure.Ellipses(figure.NewEllipsesFigure(problem.REF()))
func NewEllipsesFigure(p *problem.OrnsteinUhlenbeck) EllipsesFigure {
	if p.Dim() != 2 {
		panic(fmt.Sprintf("figure: ellipses are drawn in the plane: got %d dimensions, want 2", p.Dim()))
	}
	r := EllipsesFigure{System: p.Name(), Diffusion: p.Diffusion(), Covariance: p.Covariance(), Force: new(mat.Dense)}
	r.Force.Mul(p.Skew(), p.PotentialHessian())
	r.Force.Scale(-1, r.Force)
	if f := p.Relaxation(); f.At(0, 1) == f.At(1, 0) {
		r.Hessian = mat.NewSymDense(2, []float64{f.At(0, 0), f.At(0, 1), f.At(0, 1), f.At(1, 1)})
	}
	return r
}

// Ellipses draws the 1σ ellipse of the stationary law Σ, ellipses of the same area with
// the shapes of the loss (level line) and of the noise D, orbits of ẋ = j(x) with their
// direction, and a path. Where the axes of loss and noise agree nothing turns.
// [chaudhari2018] Lemma 20. It returns an error that names the field for data that cannot
// be drawn.
//
//	p, err := figure.Ellipses(figure.NewEllipsesFigure(problem.REF()))
func Ellipses(r EllipsesFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.X.Label.Text, p.Y.Label.Text = "x₁", "x₂"
	p.X.Padding, p.Y.Padding = 0, 0
	size := math.Sqrt(mat.Det(r.Covariance)) // area/π of the 1σ ellipse of Σ
	same := func(c *mat.SymDense) plotter.XYs {
		return ellipse([2]float64{}, c, math.Sqrt(size/math.Sqrt(mat.Det(c))))
	}
	law := ellipse([2]float64{}, r.Covariance, 1)
	var reach plotter.XY // half the sides of what is shown
	show := func(curve plotter.XYs, part float64) plotter.XYs {
		for _, q := range curve {
			reach.X, reach.Y = max(reach.X, part*abs(q.X)), max(reach.Y, part*abs(q.Y))
		}
		return curve
	}
	var rows []keyRow
	if len(r.X) > 0 {
		line := s.line(s.pale(s.Palette[sky], 0.75), s.LineWidth*0.5)
		p.Add(&plotter.Line{XYs: r.path(), LineStyle: line})
		line.Width = s.LineWidth
		rows = append(rows, keyRow{line: line, text: r.pathName(), color: s.dark(s.Palette[sky])})
	}
	if r.turns() {
		line := s.line(s.Palette[green], s.LineWidth*0.7)
		for i, radius := range []float64{0.5, 1.5, 2} {
			orbit := r.orbit(radius)
			show(orbit, 1.05)
			p.Add(&plotter.Line{XYs: orbit, LineStyle: line})
			for k := range 2 {
				from := (k*ellipseSegments/2 + i*17) % (ellipseSegments - 1)
				p.Add(arrow{points: orbit[from : from+2], line: line, head: vg.Points(6.5)})
			}
		}
		rows = append(rows, keyRow{line: line, text: "orbits of ẋ = j(x)", color: s.Palette[green]})
	}
	if r.Hessian != nil {
		var inverse mat.SymDense
		invert2(&inverse, r.Hessian)
		line := s.line(s.Muted, s.LineWidth*1.2)
		p.Add(&plotter.Line{XYs: show(same(&inverse), 1.15), LineStyle: line})
		rows = append(rows, keyRow{line: line, text: "loss, f = const", color: s.Muted})
	}
	line := s.line(s.Palette[blue], s.LineWidth*1.5)
	p.Add(&plotter.Line{XYs: show(law, 1.3), LineStyle: line})
	rows = append(rows, keyRow{line: line, text: "stationary law Σ, 1σ", color: s.Palette[blue]})
	if mat.Det(r.Diffusion) > 0 {
		line := s.dashed(s.Palette[vermilion], s.LineWidth*1.2)
		p.Add(&plotter.Line{XYs: show(same(r.Diffusion), 1.15), LineStyle: line})
		rows = append(rows, keyRow{line: line, text: "noise D", color: s.Palette[vermilion]})
	}
	p.Add(spots{
		box: problem.Box{XMin: -1, XMax: 1, YMin: -1, YMax: 1}, points: [][]float64{{0, 0}},
		glyph: draw.GlyphStyle{Color: s.Ink, Radius: vg.Points(2.4), Shape: dotGlyph{edge: s.Paper}},
	})
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -reach.X, reach.X, -reach.Y, reach.Y

	g := panels{pictures: []*Picture{{Plot: p, EqualAxes: true}}, strip: &strip{style: s, rows: rows}}
	title := "stationary law, noise and rotation"
	if r.Hessian != nil {
		title = "stationary law, loss, noise and rotation"
	}
	out := g.picture(s, r.System+": "+title, 12*vg.Centimeter, 0)
	out.Stem, out.Text, out.AltText = slug(r.System+" ellipses"), r.Caption(), r.Alt()
	return out, nil
}

func (r EllipsesFigure) pathName() string {
	if r.Path == "" {
		return "simulated path"
	}
	return r.Path
}

// path returns the points of the path, at most maxRoute of them.
func (r EllipsesFigure) path() plotter.XYs {
	n := min(len(r.X), maxRoute)
	points := make(plotter.XYs, n)
	for i := range points {
		k := i * len(r.X) / n
		points[i] = plotter.XY{X: r.X[k], Y: r.Y[k]}
	}
	return points
}

// turns reports whether j is not zero.
func (r EllipsesFigure) turns() bool {
	return r.Force != nil && mat.Max(r.Force)-mat.Min(r.Force) > 1e-12
}

// orbit returns the solution of ẋ = Vx over one turn, from the point in the direction of
// x₁ on the ellipse of Σ with the given radius in standard deviations. V has no trace and
// a positive determinant ω², so x(t) = cos(ωt)·x + sin(ωt)/ω·Vx.
func (r EllipsesFigure) orbit(radius float64) plotter.XYs {
	var inverse mat.SymDense
	invert2(&inverse, r.Covariance)
	x := radius / math.Sqrt(inverse.At(0, 0))
	omega := math.Sqrt(mat.Det(r.Force))
	points := make(plotter.XYs, ellipseSegments+1)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / ellipseSegments)
		points[i] = plotter.XY{X: (cos + sin/omega*r.Force.At(0, 0)) * x, Y: sin / omega * r.Force.At(1, 0) * x}
	}
	return points
}

// Caption returns what the figure shows, with the axes and the period.
func (r EllipsesFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	s := r.System + ". Blue: 1σ ellipse of the stationary covariance Σ, its long axis at " + axisAngle(r.Covariance) + " to x₁."
	if mat.Det(r.Diffusion) > 0 {
		s += " Red, dashed: shape of the noise D, scaled to the same area, at " + axisAngle(r.Diffusion) + "."
	}
	if r.Hessian != nil {
		var inverse mat.SymDense
		invert2(&inverse, r.Hessian)
		s += " Grey: level line of the loss, of the same area, at " + axisAngle(&inverse) + "."
	}
	if r.turns() {
		s += fmt.Sprintf(" Green: orbits of ẋ = j(x), %s, with the period %s.", r.sense(), number(2*math.Pi/math.Sqrt(mat.Det(r.Force)), 4))
	} else {
		s += " The force j is zero: nothing turns."
	}
	if len(r.X) > 0 {
		s += " Light blue: " + r.pathName() + "."
	}
	return s
}

// axisAngle returns the angle between the long axis of the ellipse of c and x₁.
func axisAngle(c *mat.SymDense) string {
	angle := 90 / math.Pi * math.Atan2(2*c.At(0, 1), c.At(0, 0)-c.At(1, 1))
	return decimals(angle, 0) + "°"
}

// sense returns the direction of the orbits.
func (r EllipsesFigure) sense() string {
	if r.Force.At(1, 0) > 0 {
		return "counter-clockwise"
	}
	return "clockwise"
}

// Alt returns a description of the figure for those who do not see it.
func (r EllipsesFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	s := "Ellipses about the origin of the plane for " + r.System + ": the stationary law, the noise"
	if r.Hessian != nil {
		s += " and the loss"
	}
	if r.turns() {
		return s + ", and closed orbits of the force that turn " + r.sense() + " along the stationary law."
	}
	return s + "; no orbits, the force is zero."
}

func (r EllipsesFigure) check() error {
	if r.System == "" {
		return fmt.Errorf("figure: EllipsesFigure.System is empty: name the system, as in %q", "REF")
	}
	if err := firstError(
		matrix2("EllipsesFigure.Diffusion", r.Diffusion), matrix2("EllipsesFigure.Covariance", r.Covariance),
		finite("EllipsesFigure.X", r.X...), finite("EllipsesFigure.Y", r.Y...),
	); err != nil {
		return err
	}
	if !(r.Covariance.At(0, 0) > 0 && mat.Det(r.Covariance) > 0) {
		return fmt.Errorf("figure: EllipsesFigure.Covariance is not positive definite: it has no ellipse")
	}
	if r.Hessian != nil {
		if err := matrix2("EllipsesFigure.Hessian", r.Hessian); err != nil {
			return err
		}
		if !(r.Hessian.At(0, 0) > 0 && mat.Det(r.Hessian) > 0) {
			return fmt.Errorf("figure: EllipsesFigure.Hessian is not positive definite: it has no ellipse")
		}
	}
	if len(r.X)+len(r.Y) > 0 {
		if err := sameLength("EllipsesFigure.X", len(r.X), "EllipsesFigure.Y", len(r.Y)); err != nil {
			return err
		}
	}
	if r.Force == nil || r.Force.IsEmpty() {
		return nil
	}
	if m, n := r.Force.Dims(); m != 2 || n != 2 {
		return fmt.Errorf("figure: EllipsesFigure.Force is %d×%d: a 2×2 matrix is needed", m, n)
	}
	if err := finite("EllipsesFigure.Force", r.Force.At(0, 0), r.Force.At(0, 1), r.Force.At(1, 0), r.Force.At(1, 1)); err != nil {
		return err
	}
	if r.turns() && (math.Abs(mat.Trace(r.Force)) > 1e-9*mat.Norm(r.Force, 2) || !(mat.Det(r.Force) > 0)) {
		return fmt.Errorf("figure: EllipsesFigure.Force has the trace %v and the determinant %v: zero and a positive number are needed, or its orbits do not close", mat.Trace(r.Force), mat.Det(r.Force))
	}
	return nil
}

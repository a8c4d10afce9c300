package figure

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

var square = problem.Box{XMin: -2, XMax: 2, YMin: -2, YMax: 2}

func rotation(dst, x []float64) { dst[0], dst[1] = -3*x[1], 3*x[0] }

// The lines of a rotation are circles, closed unless the border cuts them, and every
// point knows its speed.
func TestStreamlinesFollowTheField(t *testing.T) {
	lines := streamlines(rotation, square, 0.2)
	closed := 0
	for _, line := range lines {
		first, last := line.points[0], line.points[len(line.points)-1]
		r := math.Hypot(first.X, first.Y)
		for i, p := range line.points {
			// RK4 with steps h = 0.02 on radii ≥ 0.1 errs by (h/r)⁴/120 per radian, over
			// one turn; a chord that ends on the border lies h²/8r inside.
			numtest.Close(t, "radius", math.Hypot(p.X, p.Y), r, 1e-3)
			numtest.Close(t, "speed", line.speed[i], 3*math.Hypot(p.X, p.Y), 1e-12)
		}
		if first == last {
			closed++
		} else if r < 2-0.2 {
			t.Errorf("the circle of radius %v is open", r)
		}
		// Along the field, not against it.
		a, b := line.points[0], line.points[1]
		if a.X*b.Y-a.Y*b.X <= 0 {
			t.Errorf("a line runs against the field at %v", a)
		}
	}
	if closed < 5 {
		t.Errorf("%d closed lines on a disc of ten separations, want at least 5", closed)
	}
}

// Lines keep half the separation from each other, and no place is farther than two
// separations from one.
func TestStreamlinesAreEvenlySpaced(t *testing.T) {
	const separation = 0.2
	for name, field := range map[string]func(dst, x []float64){
		"Example 19, λ = 1.5": problem.EX19(1.5).System().Drift,
		"Example 19, λ = 0":   problem.EX19(0).System().Drift,
		"uniform":             func(dst, x []float64) { dst[0], dst[1] = 1, 0.3 },
		"rotation":            rotation,
	} {
		lines := streamlines(field, square, separation)
		for i, a := range lines {
			for _, b := range lines[:i] {
				for _, p := range a.points {
					for _, q := range b.points {
						// The point on the border may come one step nearer.
						if d := math.Hypot(p.X-q.X, p.Y-q.Y); d < (streamNear-streamStep)*separation {
							t.Fatalf("%s: two lines are %v apart at %v, want at least %v", name, d, p, (streamNear-streamStep)*separation)
						}
					}
				}
			}
		}
		for i := range 41 {
			for j := range 41 {
				x, y := -2+0.1*float64(i), -2+0.1*float64(j)
				nearest := math.Inf(1)
				for _, line := range lines {
					for _, p := range line.points {
						nearest = min(nearest, math.Hypot(p.X-x, p.Y-y))
					}
				}
				if nearest > 2*separation {
					t.Errorf("%s: no line within %v of (%v, %v)", name, nearest, x, y)
				}
			}
		}
		again := streamlines(field, square, separation)
		if !slices.EqualFunc(lines, again, func(a, b streamline) bool { return slices.Equal(a.points, b.points) }) {
			t.Errorf("%s: the same arguments gave other lines", name)
		}
	}
}

// A spiral is not drawn as a cycle: erratum E8, Example 19 at λ = 1.5 has none.
func TestSpiralsStayOpen(t *testing.T) {
	for _, line := range streamlines(problem.EX19(1.5).System().Drift, square, 0.2) {
		if line.points[0] == line.points[len(line.points)-1] {
			t.Errorf("a line through %v is closed", line.points[0])
		}
	}
}

func TestStreamlinesStopWhereTheFieldEnds(t *testing.T) {
	sink := func(dst, x []float64) { dst[0], dst[1] = -x[0], -x[1] }
	half := func(dst, x []float64) { // vanishes on the left, not a number on top
		dst[0], dst[1] = 1, 0
		if x[0] < 0 {
			dst[0] = 0
		} else if x[1] > 1 {
			dst[0] = math.NaN()
		}
	}
	for _, line := range streamlines(sink, square, 0.25) {
		for _, p := range line.points {
			if !square.Contains([]float64{p.X, p.Y}) {
				t.Fatalf("a line leaves the box at %v", p)
			}
		}
	}
	for _, line := range streamlines(half, square, 0.25) {
		for _, p := range line.points {
			if p.X < -0.05 || p.Y > 1 {
				t.Fatalf("a line runs to %v, where there is no field", p)
			}
		}
	}
	if lines := streamlines(func(dst, _ []float64) { dst[0], dst[1] = 0, 0 }, square, 0.25); lines != nil {
		t.Errorf("a field that vanishes has %d lines", len(lines))
	}
}

func TestRibbonWidth(t *testing.T) {
	pts := []vg.Point{{X: 0, Y: 0}, {X: 10, Y: 0}, {X: 20, Y: 0}}
	got := ribbon(pts, []vg.Length{1, 2, 3})
	want := []vg.Point{{X: 0, Y: 1}, {X: 10, Y: 2}, {X: 20, Y: 3}, {X: 20, Y: -3}, {X: 10, Y: -2}, {X: 0, Y: -1}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	f := flow{maxSpeed: 2, width: 4, hair: 0.5}
	for speed, want := range map[float64]vg.Length{0: 0.5, 1: 2, 2: 4, 50: 4} {
		if got := f.at(speed); got != want {
			t.Errorf("width at speed %v: got %v, want %v", speed, got, want)
		}
	}
	line := plotter.XYs{{X: 0}, {X: 1}, {X: 2}, {X: 3}, {X: 4}}
	if got := headsAt(line, 2); !slices.Equal(got, []int{2, 4}) {
		t.Errorf("heads at %v, want [2 4]", got)
	}
	if got := headsAt(line, 100); !slices.Equal(got, []int{3}) {
		t.Errorf("heads at %v, want [3]", got)
	}
}

// Level lines lie on the level, close, and enclose what they should.
func TestLevelLines(t *testing.T) {
	n := sample(func(x []float64) float64 { return x[0]*x[0] + 4*x[1]*x[1] }, square)
	lines := n.levelLines(1)
	if len(lines) != 1 {
		t.Fatalf("got %d lines, want the one ellipse", len(lines))
	}
	if first, last := lines[0][0], lines[0][len(lines[0])-1]; first != last {
		t.Errorf("the ellipse is open: %v, %v", first, last)
	}
	for _, p := range lines[0] {
		// Linear between nodes h = 1/30 apart: h²/8 times the second derivative 8.
		numtest.Close(t, "value on the line", p.X*p.X+4*p.Y*p.Y, 1, 1.2e-3)
	}
	numtest.Close(t, "area", math.Abs(signedArea(lines[0])), math.Pi/2, 3e-3)

	// The two branches of a hyperbola end on the border.
	saddle := sample(func(x []float64) float64 { return x[0] * x[1] }, square)
	if got := len(saddle.levelLines(0.5)); got != 2 {
		t.Errorf("xy = ½ has %d lines, want 2", got)
	}
	if got := saddle.levelLines(5); got != nil {
		t.Errorf("a level outside the range has %d lines", len(got))
	}
	// A cell whose corners alternate has two segments, never a crossing.
	chess := nodes{box: square, nx: 1, ny: 1, values: []float64{1, 0, 0, 1}}
	if got := chess.levelLines(0.5); len(got) != 2 || len(got[0]) != 2 || len(got[1]) != 2 {
		t.Errorf("an alternating cell has the lines %v, want two segments", got)
	}
}

// Equal steps of density are equal distances in CIELAB, and always darker.
func TestDensityColorsAreUniform(t *testing.T) {
	const steps = 16
	var distances []float64
	last := rgbToLab(densityColor(0))
	if c := densityColor(0); c.R != 255 || c.G != 255 || c.B != 255 {
		t.Errorf("zero has the colour %v, want white", c)
	}
	for i := 1; i <= steps; i++ {
		lab := rgbToLab(densityColor(float64(i) / steps))
		if lab[0] >= last[0]-1 {
			t.Errorf("step %d: lightness %v after %v, want darker", i, lab[0], last[0])
		}
		distances = append(distances, math.Sqrt((lab[0]-last[0])*(lab[0]-last[0])+(lab[1]-last[1])*(lab[1]-last[1])+(lab[2]-last[2])*(lab[2]-last[2])))
		last = lab
	}
	// A step cuts the corners of the path, and channels are rounded to 1/255; a hue map
	// such as jet has a ratio above 5.
	if lo, hi := slices.Min(distances), slices.Max(distances); hi > 1.35*lo {
		t.Errorf("steps between %v and %v: not uniform", lo, hi)
	}
	if densityColor(-1) != densityColor(0) || densityColor(7) != densityColor(1) {
		t.Error("values outside of [0, 1] are not clamped")
	}
}

// rgbToLab is the inverse of labToRGB.
func rgbToLab(c interface{ RGBA() (r, g, b, a uint32) }) [3]float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		f := float64(v) / 0xFFFF
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	R, G, B := linear(r), linear(g), linear(b)
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124564*R + 0.3575761*G + 0.1804375*B) / 0.95047)
	y := f(0.2126729*R + 0.7151522*G + 0.0721750*B)
	z := f((0.0193339*R + 0.1191920*G + 0.9503041*B) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// Between centres a bilinear function is reproduced.
func TestCellsAt(t *testing.T) {
	c := Cells{Box: problem.Box{XMin: -1, XMax: 3, YMin: 0, YMax: 3}, NX: 8, NY: 3}
	f := func(x, y float64) float64 { return 2 + x - 3*y + 0.5*x*y }
	for k := range 24 {
		c.Values = append(c.Values, f(-0.75+0.5*float64(k%8), 0.5+float64(k/8)))
	}
	for _, p := range [][2]float64{{-0.75, 0.5}, {0.1, 1.3}, {2.7, 2.49}, {1, 1}} {
		numtest.Close(t, "At", c.At(p[:]), f(p[0], p[1]), 1e-14)
	}
	numtest.Close(t, "At beyond the last centre", c.At([]float64{9, 9}), f(2.75, 2.5), 1e-14)
	u := make([]float64, 2)
	VectorField(c, c)(u, []float64{1, 1})
	numtest.Close(t, "VectorField", u[0]+u[1], 2*f(1, 1), 1e-14)
}

// Data areas have one size, stand in line, and stay on the page at any size.
func TestPanelsStandInLine(t *testing.T) {
	var g panels
	for i := range 5 {
		p := Default().New()
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 2, 0, math.Pow(10, float64(i))
		p.Y.Label.Text = "y"
		if i == 1 {
			p.Title.Text = "two\nlines"
		}
		g.pictures = append(g.pictures, &Picture{Plot: p})
	}
	g.columns = 3
	g.strip = &strip{style: Default(), rows: []keyRow{{text: "a"}, {text: "b"}}}
	g.bar = &colorBar{style: Default(), max: 1, label: "ρ"}
	for _, equal := range []bool{false, true} {
		for _, q := range g.pictures {
			q.EqualAxes = equal
			if equal {
				q.Y.Max = 3
			}
		}
		for _, size := range []vg.Point{{X: 500, Y: 300}, {X: 500, Y: 900}, {X: 900, Y: 350}} {
			var rec recorder.Canvas
			l := g.layout(draw.NewCanvas(&rec, size.X, size.Y))
			first := l.areas[0].Size()
			for i, a := range l.areas {
				numtest.Close(t, "width", float64(a.Size().X), float64(first.X), 1e-6)
				numtest.Close(t, "height", float64(a.Size().Y), float64(first.Y), 1e-6)
				numtest.Close(t, "row", float64(a.Min.Y), float64(l.areas[i/3*3].Min.Y), 1e-6)
				numtest.Close(t, "column", float64(a.Min.X), float64(l.areas[i%3].Min.X), 1e-6)
				cell := l.cells[i]
				if cell.Min.X < -0.01 || cell.Min.Y < -0.01 || cell.Max.X > size.X+0.01 || cell.Max.Y > size.Y+0.01 {
					t.Errorf("picture %d of %v at %v leaves the page", i, size, cell)
				}
				if equal {
					numtest.Close(t, "height over width", float64(first.Y/first.X), 1.5, 1e-6)
				}
			}
		}
	}
}

// Texts at the ends of curves never lie on each other.
func TestEndLabelsKeepApart(t *testing.T) {
	s := Default()
	p := s.New()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	e := &endLabels{style: s}
	for _, y := range []float64{0.5, 0.5, 0.501, 0.499, 0.95, 0.96, 0.0} {
		e.add(1, y, s.Ink, "curve")
	}
	var rec recorder.Canvas
	e.Plot(draw.NewCanvas(&rec, 200, 200), p)
	var heights []float64
	for _, a := range rec.Actions {
		if f, ok := a.(*recorder.FillString); ok {
			heights = append(heights, float64(f.Point.Y))
		}
	}
	if len(heights) != 7 {
		t.Fatalf("got %d texts, want 7", len(heights))
	}
	slices.Sort(heights)
	for i := 1; i < len(heights); i++ {
		if gap := heights[i] - heights[i-1]; gap < float64(s.TextSize) {
			t.Errorf("two texts are %v points apart, want at least %v", gap, float64(s.TextSize))
		}
	}
}

// An orbit of ẋ = j solves the equation, closes, and lies on an ellipse of Σ.
func TestOrbits(t *testing.T) {
	r := NewEllipsesFigure(problem.REF())
	orbit := r.orbit(1.5)
	var inverse = r.Covariance
	det := inverse.At(0, 0)*inverse.At(1, 1) - inverse.At(0, 1)*inverse.At(0, 1)
	for i, p := range orbit {
		m := (inverse.At(1, 1)*p.X*p.X - 2*inverse.At(0, 1)*p.X*p.Y + inverse.At(0, 0)*p.Y*p.Y) / det
		numtest.Close(t, "Mahalanobis distance²", m, 2.25, 1e-12)
		if i > 0 { // along the force
			q := orbit[i-1]
			u, v := r.Force.At(0, 0)*q.X+r.Force.At(0, 1)*q.Y, r.Force.At(1, 0)*q.X+r.Force.At(1, 1)*q.Y
			if cos := (u*(p.X-q.X) + v*(p.Y-q.Y)) / math.Hypot(u, v) / math.Hypot(p.X-q.X, p.Y-q.Y); cos < 0.99 {
				t.Errorf("step %d runs at the cosine %v to the force", i, cos)
			}
		}
	}
	numtest.Close(t, "the end is the start", math.Hypot(orbit[0].X-orbit[180].X, orbit[0].Y-orbit[180].Y), 0, 1e-12)
}

// A legend names what every panel shows.
func TestSymbolOfTheScalar(t *testing.T) {
	for scalar, want := range map[string]string{
		"": "Φ", "loss f": "f", " |∇·j| ": "|∇·j|", "f, or Φ": "f, or Φ", "loss f, or potential Φ": "f, or Φ",
	} {
		if got := (LandscapeFigure{Scalar: scalar}).symbol(); got != want {
			t.Errorf("Scalar %q: got the symbol %q, want %q", scalar, got, want)
		}
	}
}

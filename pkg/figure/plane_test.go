package figure_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/problem"
)

func TestGoldenPlane(t *testing.T) {
	golden(t, []drawn{
		{"landscape", func() (*figure.Picture, error) { return figure.Landscape(landscapeData()) }},
		{"landscape_arrows", func() (*figure.Picture, error) { return figure.Landscape(arrowsData()) }},
		{"landscape_valley", func() (*figure.Picture, error) { return figure.Landscape(valleyData()) }},
		{"density", func() (*figure.Picture, error) { return figure.DensityMap(agreementData()) }},
		{"density_current", func() (*figure.Picture, error) { return figure.DensityMap(currentData()) }},
	})
}

// landscapeData is Fig. 4 of the paper.
func landscapeData() figure.LandscapeFigure {
	r := figure.LandscapeFigure{System: "Example 19", Box: problem.Box{XMin: -1.9, XMax: 1.9, YMin: -1.9, YMax: 1.9}}
	for i, strength := range []float64{0, 0.5, 1.5} {
		p := problem.EX19(strength)
		s := p.System()
		r.Panels = append(r.Panels, figure.LandscapePanel{
			Title: []string{"λ = 0", "λ = 0.5", "λ = 1.5"}[i], Potential: s.Potential, Vectors: s.Drift,
			Modes: [][]float64{{-1, 0}, {1, 0}}, Zeros: p.DriftZeros(),
		})
	}
	return r
}

// valleyData has a tall box, a loss and level lines without shades.
func valleyData() figure.LandscapeFigure {
	s := problem.CV()
	return figure.LandscapeFigure{
		System: "CV", Box: s.Box, Scalar: "loss f", Field: "drift −∇f", LinesOnly: true,
		Panels: []figure.LandscapePanel{{Title: "curved valley", Potential: s.Loss, Vectors: s.Drift, Zeros: [][]float64{{-1, 0.5}, {0, 0}, {1, 0.5}}}},
	}
}

// arrowsData has all that landscapeData has not: one panel, arrows, given levels, a path.
func arrowsData() figure.LandscapeFigure {
	p := problem.EX19R(1)
	s := p.System()
	r := figure.LandscapeFigure{
		System: "Repaired Example 19", Box: problem.Box{XMin: -1.9, XMax: 1.9, YMin: -1.4, YMax: 1.4},
		Field: "force j", Arrows: true, Levels: []float64{0.02, 0.1, 0.25, 0.5, 1, 2}, Path: "path of 6 time units",
	}
	panel := figure.LandscapePanel{Title: "λ = 1", Potential: s.Potential, Vectors: s.Force, Modes: [][]float64{{-1, 0}, {1, 0}}}
	x, u := []float64{1, 0}, make([]float64, 2)
	rng := rand.New(rand.NewPCG(4, 1))
	const dt = 0.005
	for range 1200 {
		panel.PathX, panel.PathY = append(panel.PathX, x[0]), append(panel.PathY, x[1])
		s.Drift(u, x)
		for i := range x {
			x[i] += u[i]*dt + math.Sqrt(2*dt)*rng.NormFloat64()
		}
	}
	r.Panels = []figure.LandscapePanel{panel}
	return r
}

// density returns e^(−Φ)/Z of Example 19 on a grid.
func density(box problem.Box, nx, ny int) figure.Cells {
	p := problem.EX19(1.5)
	s, z := p.System(), p.Partition()
	c := figure.Cells{Box: box, NX: nx, NY: ny}
	for k := range nx * ny {
		c.Values = append(c.Values, math.Exp(-s.Potential(centre(c, k)))/z)
	}
	return c
}

func centre(c figure.Cells, k int) []float64 {
	return []float64{
		c.Box.XMin + (c.Box.XMax-c.Box.XMin)*(float64(k%c.NX)+0.5)/float64(c.NX),
		c.Box.YMin + (c.Box.YMax-c.Box.YMin)*(float64(k/c.NX)+0.5)/float64(c.NY),
	}
}

// agreementData is a histogram of independent points beside the density they are from.
func agreementData() figure.DensityFigure {
	box := problem.Box{XMin: -2.6, XMax: 2.6, YMin: -3.2, YMax: 3.2}
	exact, coarse := density(box, 52, 64), density(box, 52, 64)
	histogram := figure.Cells{Box: box, NX: 52, NY: 64, Values: make([]float64, 52*64)}
	rng := rand.New(rand.NewPCG(5, 1))
	const n = 100_000
	for i := 0; i < n; {
		x := []float64{box.XMin + 5.2*rng.Float64(), box.YMin + 6.4*rng.Float64()}
		k := int((x[1]-box.YMin)/0.1)*52 + int((x[0]-box.XMin)/0.1)
		if rng.Float64() < exact.Values[k]/0.14 {
			histogram.Values[k] += 1 / (n * 0.01)
			i++
		}
	}
	return figure.DensityFigure{System: "Example 19, λ = 1.5", Maps: []figure.Density{
		{Title: "100,000 walkers", Cells: histogram, KL: 0.0131, TV: 0.0603, Reference: "closed form"},
		{Title: "finite volumes", Cells: coarse, KL: 1.2e-6, TV: 4.1e-4, Reference: "closed form"},
		{Title: "closed form", Cells: exact, Modes: [][]float64{{-1, 0}, {1, 0}}},
	}}
}

// currentData is one map with arrows.
func currentData() figure.DensityFigure {
	p := problem.EX19(1.5)
	s, z := p.System(), p.Partition()
	return figure.DensityFigure{
		System: "Example 19, λ = 1.5", Quantity: "probability current", Max: 0.15,
		Maps: []figure.Density{{
			Title: "closed form", Cells: density(problem.Box{XMin: -2.4, XMax: 2.4, YMin: -2.4, YMax: 2.4}, 96, 96), Modes: [][]float64{{-1, 0}, {1, 0}},
			Current: func(dst, x []float64) {
				s.Force(dst, x)
				rho := math.Exp(-s.Potential(x)) / z
				dst[0], dst[1] = dst[0]*rho, dst[1]*rho
			},
		}},
	}
}

// Sample and Bin agree on where a cell is: points on the centres of the cells of a density
// of 0, 1, 2 … give back its values; what lies outside counts in the total only.
func TestSampleAndBin(t *testing.T) {
	box := problem.Box{XMin: -1, XMax: 2, YMin: 0, YMax: 1}
	c := figure.Sample(box, 3, 2, func(x []float64) float64 { return 2*x[0] + 7*x[1] })
	var points []float64
	for k := range c.Values {
		if want := 2*centre(c, k)[0] + 7*centre(c, k)[1]; c.Values[k] != want {
			t.Errorf("cell %d: %v, want %v", k, c.Values[k], want)
		}
		for range k {
			points = append(points, centre(c, k)...)
		}
	}
	points = append(points, 5, 5, math.NaN(), 0, -1.5, 0.5, 0, 1)
	n := len(points) / 2
	b := figure.Bin(box, 3, 2, mat.NewDense(n, 2, points))
	for k, v := range b.Values {
		if want := float64(k) / float64(n) / 0.5; math.Abs(v-want) > 1e-15 {
			t.Errorf("density of cell %d: %v, want %v", k, v, want)
		}
	}
}

func TestTitlesAndStems(t *testing.T) {
	d := currentData()
	d.Title, d.Stem = "The current", "own"
	l := landscapeData()
	l.Title, l.Stem = "The drift", "own-too"
	a, err := figure.DensityMap(d)
	if err != nil || a.Title.Text != "The current" || a.Stem != "own" {
		t.Errorf("density: %q, %q, %v", a.Title.Text, a.Stem, err)
	}
	b, err := figure.Landscape(l)
	if err != nil || b.Title.Text != "The drift" || b.Stem != "own-too" {
		t.Errorf("landscape: %q, %q, %v", b.Title.Text, b.Stem, err)
	}
	if c := figure.CurveOf("square", []float64{1, 2, 3}, func(x float64) float64 { return x * x }); c.Y[2] != 9 || c.Label != "square" {
		t.Errorf("CurveOf: %+v", c)
	}
}

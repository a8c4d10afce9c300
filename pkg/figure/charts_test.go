package figure_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/problem"
)

func TestGoldenCharts(t *testing.T) {
	golden(t, []drawn{
		{"decay", func() (*figure.Picture, error) { return figure.Decay(decayData()) }},
		{"production", func() (*figure.Picture, error) { return figure.ProductionBars(productionData()) }},
		{"curves", func() (*figure.Picture, error) { return figure.Curves(curvesData()) }},
		{"curves_log", func() (*figure.Picture, error) { return figure.Curves(orderData()) }},
		{"ellipses", func() (*figure.Picture, error) { return figure.Ellipses(ellipsesData()) }},
		{"ellipses_rot", func() (*figure.Picture, error) {
			return figure.Ellipses(figure.NewEllipsesFigure(problem.ROT(2)))
		}},
		{"panels", func() (*figure.Picture, error) { return figure.Panels(panelsData()) }},
	})
}

// decayData has the spectral gaps of statements.md §7.
func decayData() figure.DecayFigure {
	r := figure.DecayFigure{System: "Example 19"}
	for i, gap := range []float64{0.7919, 0.9116, 1.0380} {
		c := figure.DecayCurve{Label: []string{"λ = 0", "λ = 0.5", "λ = 1.5"}[i], Gap: gap}
		for k := range 121 {
			t := 0.05 * float64(k)
			c.T = append(c.T, t)
			c.Value = append(c.Value, 1.1*math.Exp(-2*gap*t)+0.9*math.Exp(-(4+float64(i))*t))
		}
		r.Curves = append(r.Curves, c)
	}
	return r
}

func productionData() figure.ProductionFigure {
	r := figure.ProductionFigure{System: "Example 19, λ = 1.5", Times: []float64{0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2}, Stationary: 0.68138161 * 2.25}
	for _, t := range r.Times {
		r.Adiabatic = append(r.Adiabatic, r.Stationary*(1-0.6*math.Exp(-2*t)))
		r.NonAdiabatic = append(r.NonAdiabatic, 3.2*math.Exp(-3*t)+0.6*math.Exp(-2.08*t))
	}
	return r
}

// curvesData is like Φ_β along a valley.
func curvesData() figure.CurvesFigure {
	r := figure.CurvesFigure{
		Title: "Implicit potential along the valley", XLabel: "position along the valley s", YLabel: "Φ_β(s) − min Φ_β",
		Remark: "The minimum moves with the temperature.",
	}
	for i, beta := range []float64{1, 4, 16} {
		c := figure.Curve{Label: []string{"β = 1", "β = 4", "β = 16"}[i]}
		low := math.Inf(1)
		for k := range 121 {
			s := -3 + 0.05*float64(k)
			v := 0.25*s*s + math.Log(1+s*s*(1.4-0.3*s))/beta
			c.X, c.Y = append(c.X, s), append(c.Y, v)
			low = min(low, v)
		}
		for k := range c.Y {
			c.Y[k] -= low
		}
		r.Curves = append(r.Curves, c)
	}
	measured := figure.Curve{Label: "histogram, β = 1", Kind: figure.Dots}
	for k := 10; k < 121; k += 20 {
		measured.X = append(measured.X, r.Curves[0].X[k])
		measured.Y = append(measured.Y, r.Curves[0].Y[k]+0.05*math.Sin(float64(k)))
		measured.Error = append(measured.Error, 0.03+0.05*math.Abs(r.Curves[0].X[k]))
	}
	r.Curves = append(r.Curves, measured)
	r.Points = []figure.CurvePoint{{X: 0, Y: 0, Label: "mode"}}
	r.Rules = []figure.CurveRule{{X: 1.8, Label: "centre of the valley"}}
	return r
}

// orderData is like KL against grid size.
func orderData() figure.CurvesFigure {
	r := figure.CurvesFigure{
		Title: "KL of the finite-volume steady state from the closed form", Stem: "fv-order",
		XLabel: "cells along a side n", YLabel: "KL(π_h ‖ π)  (nats)", LogX: true, LogY: true,
	}
	for i, label := range []string{"upwind", "centred", "full tensor"} {
		c := figure.Curve{Label: label, Marked: true, Guide: []float64{-2, -4, 0}[i]}
		for _, n := range []float64{16, 32, 64, 128, 256} {
			c.X = append(c.X, n)
			c.Y = append(c.Y, []float64{0.4 * math.Pow(n, -2) * (1 + 3/n), 9 * math.Pow(n, -4) * (1 + 9/n), 30 * math.Pow(n, -4.1)}[i])
		}
		r.Curves = append(r.Curves, c)
	}
	return r
}

func ellipsesData() figure.EllipsesFigure {
	p := problem.REF()
	r := figure.NewEllipsesFigure(p)
	s := p.System()
	rng := rand.New(rand.NewPCG(6, 1))
	x, u := []float64{0, 0}, make([]float64, 2)
	d := s.Diffusion(x)
	const dt = 0.002
	// The Cholesky factor of 2β⁻¹D·dt.
	a := math.Sqrt(2 * dt / s.Beta * d.XX)
	b := 2 * dt / s.Beta * d.XY / a
	c := math.Sqrt(2*dt/s.Beta*d.YY - b*b)
	for range 2500 {
		r.X, r.Y = append(r.X, x[0]), append(r.Y, x[1])
		s.Drift(u, x)
		z, w := rng.NormFloat64(), rng.NormFloat64()
		x[0], x[1] = x[0]+dt*u[0]+a*z, x[1]+dt*u[1]+b*z+c*w
	}
	r.Path = "path of 5 time units"
	return r
}

// panelsData is a grid of pictures with the axes of their own.
func panelsData() figure.PanelsFigure {
	must := func(p *figure.Picture, err error) *figure.Picture {
		if err != nil {
			panic(err)
		}
		return p
	}
	return figure.PanelsFigure{
		Title: "Four charts on one page", Stem: "four", Columns: 2, Width: 24 * 28.35,
		Pictures: []*figure.Picture{
			must(figure.Decay(decayData())), must(figure.ProductionBars(productionData())),
			must(figure.Curves(curvesData())), must(figure.Curves(orderData())),
		},
	}
}

func TestBadPlaneDataNameTheField(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	landscape := func(change func(*figure.LandscapeFigure)) error {
		r := landscapeData()
		change(&r)
		_, err := figure.Landscape(r)
		return err
	}
	density := func(change func(*figure.DensityFigure)) error {
		r := agreementData()
		change(&r)
		_, err := figure.DensityMap(r)
		return err
	}
	decay := func(change func(*figure.DecayFigure)) error {
		r := decayData()
		change(&r)
		_, err := figure.Decay(r)
		return err
	}
	production := func(change func(*figure.ProductionFigure)) error {
		r := productionData()
		change(&r)
		_, err := figure.ProductionBars(r)
		return err
	}
	curves := func(change func(*figure.CurvesFigure)) error {
		r := curvesData()
		change(&r)
		_, err := figure.Curves(r)
		return err
	}
	ellipses := func(change func(*figure.EllipsesFigure)) error {
		r := ellipsesData()
		change(&r)
		_, err := figure.Ellipses(r)
		return err
	}
	panels := func(r figure.PanelsFigure) error {
		_, err := figure.Panels(r)
		return err
	}
	one := []*figure.Picture{figure.Of(figure.Default().New(), "one", "", "")}
	for _, tt := range []struct {
		want string
		err  error
	}{
		{"System", landscape(func(r *figure.LandscapeFigure) { r.System = "" })},
		{"Panels is empty", landscape(func(r *figure.LandscapeFigure) { r.Panels = nil })},
		{"Box[1] is +Inf", landscape(func(r *figure.LandscapeFigure) { r.Box.XMax = inf })},
		{"sides must have a length", landscape(func(r *figure.LandscapeFigure) { r.Box.YMax = r.Box.YMin })},
		{"Columns is -1", landscape(func(r *figure.LandscapeFigure) { r.Columns = -1 })},
		{"MaxSpeed is NaN", landscape(func(r *figure.LandscapeFigure) { r.MaxSpeed = nan })},
		{"Levels must ascend", landscape(func(r *figure.LandscapeFigure) { r.Levels = []float64{2, 1} })},
		{"Panels[1] has neither", landscape(func(r *figure.LandscapeFigure) { r.Panels[1].Potential, r.Panels[1].Vectors = nil, nil })},
		{"Panels[2].Potential is NaN at (-1.9, -1.9)", landscape(func(r *figure.LandscapeFigure) { r.Panels[2].Potential = func([]float64) float64 { return nan } })},
		{"Panels[0].Vectors is (+Inf, 0)", landscape(func(r *figure.LandscapeFigure) {
			r.Panels[0].Vectors = func(dst, _ []float64) { dst[0], dst[1] = inf, 0 }
		})},
		{"Panels[0].Modes[1] has 1", landscape(func(r *figure.LandscapeFigure) { r.Panels[0].Modes[1] = []float64{1} })},
		{"Panels[0].Zeros[0][1] is NaN", landscape(func(r *figure.LandscapeFigure) { r.Panels[0].Zeros = [][]float64{{0, nan}} })},
		{"Panels[0].PathX has 1", landscape(func(r *figure.LandscapeFigure) { r.Panels[0].PathX = []float64{1} })},

		{"System", density(func(r *figure.DensityFigure) { r.System = "" })},
		{"Maps is empty", density(func(r *figure.DensityFigure) { r.Maps = nil })},
		{"Max is -1", density(func(r *figure.DensityFigure) { r.Max = -1 })},
		{"Columns is -1", density(func(r *figure.DensityFigure) { r.Columns = -1 })},
		{"Maps[1].Cells has 0×64", density(func(r *figure.DensityFigure) { r.Maps[1].Cells.NX = 0 })},
		{"Maps[0].Cells.Values has 3", density(func(r *figure.DensityFigure) { r.Maps[0].Cells.Values = r.Maps[0].Cells.Values[:3] })},
		{"Maps[0].Cells.Values[7] is NaN", density(func(r *figure.DensityFigure) { r.Maps[0].Cells.Values[7] = nan })},
		{"Maps[2].Cells.Box", density(func(r *figure.DensityFigure) { r.Maps[2].Cells.Box.XMax = 7 })},
		{"Maps[1].Cells has no positive", density(func(r *figure.DensityFigure) { clear(r.Maps[1].Cells.Values) })},
		{"Maps[0].KL is +Inf", density(func(r *figure.DensityFigure) { r.Maps[0].KL = inf })},
		{"Maps[2].Current is (NaN, 0)", density(func(r *figure.DensityFigure) {
			r.Maps[2].Current = func(dst, _ []float64) { dst[0], dst[1] = nan, 0 }
		})},

		{"System", decay(func(r *figure.DecayFigure) { r.System = "" })},
		{"Curves is empty", decay(func(r *figure.DecayFigure) { r.Curves = nil })},
		{"7 curves", decay(func(r *figure.DecayFigure) { r.Curves = make([]figure.DecayCurve, 7) })},
		{"Curves[1].Label", decay(func(r *figure.DecayFigure) { r.Curves[1].Label = "" })},
		{"Curves[0].T has 120", decay(func(r *figure.DecayFigure) { r.Curves[0].T = r.Curves[0].T[1:] })},
		{"Curves[0].Value[3] is 0: a logarithmic axis", decay(func(r *figure.DecayFigure) { r.Curves[0].Value[3] = 0 })},
		{"Curves[2].T must ascend", decay(func(r *figure.DecayFigure) { r.Curves[2].T[5] = 0 })},
		{"Curves[2].Gap is -1", decay(func(r *figure.DecayFigure) { r.Curves[2].Gap = -1 })},

		{"System", production(func(r *figure.ProductionFigure) { r.System = "" })},
		{"Times is empty", production(func(r *figure.ProductionFigure) { r.Times = nil })},
		{"NonAdiabatic has 6", production(func(r *figure.ProductionFigure) { r.NonAdiabatic = r.NonAdiabatic[1:] })},
		{"Adiabatic[2] is NaN", production(func(r *figure.ProductionFigure) { r.Adiabatic[2] = nan })},
		{"NonAdiabatic has the value -1", production(func(r *figure.ProductionFigure) { r.NonAdiabatic[2] = -1 })},
		{"Times must ascend", production(func(r *figure.ProductionFigure) { r.Times[0] = 9 })},
		{"no positive production", production(func(r *figure.ProductionFigure) {
			r.Stationary = 0
			clear(r.Adiabatic)
			clear(r.NonAdiabatic)
		})},

		{"XLabel", curves(func(r *figure.CurvesFigure) { r.XLabel = "" })},
		{"Curves is empty", curves(func(r *figure.CurvesFigure) { r.Curves = nil })},
		{"7 curves", curves(func(r *figure.CurvesFigure) { r.Curves = make([]figure.Curve, 7) })},
		{"Curves[0].X must ascend", curves(func(r *figure.CurvesFigure) { r.Curves[0].X[0] = 5 })},
		{"Curves[1].Y[0] is NaN", curves(func(r *figure.CurvesFigure) { r.Curves[1].Y[0] = nan })},
		{"Curves[0].X[0] is -3: a logarithmic axis", curves(func(r *figure.CurvesFigure) { r.LogX = true })},
		{"Curves[3].Error has 1", curves(func(r *figure.CurvesFigure) { r.Curves[3].Error = []float64{1} })},
		{"Curves[3].Error has the value -1", curves(func(r *figure.CurvesFigure) { r.Curves[3].Error[0] = -1 })},
		{"Curves[0].Kind is 9", curves(func(r *figure.CurvesFigure) { r.Curves[0].Kind = 9 })},
		{"Curves[0].Guide needs", curves(func(r *figure.CurvesFigure) { r.Curves[0].Guide = 2 })},
		{"Points[0][1] is NaN", curves(func(r *figure.CurvesFigure) { r.Points[0].Y = nan })},
		{"Rules[0].X is +Inf", curves(func(r *figure.CurvesFigure) { r.Rules[0].X = inf })},

		{"System", ellipses(func(r *figure.EllipsesFigure) { r.System = "" })},
		{"Covariance is not positive definite", ellipses(func(r *figure.EllipsesFigure) { r.Covariance = mat.NewSymDense(2, nil) })},
		{"Hessian is not positive definite", ellipses(func(r *figure.EllipsesFigure) { r.Hessian = mat.NewSymDense(2, []float64{1, 2, 2, 1}) })},
		{"Diffusion is empty", ellipses(func(r *figure.EllipsesFigure) { r.Diffusion = nil })},
		{"Force is 3×3", ellipses(func(r *figure.EllipsesFigure) { r.Force = mat.NewDense(3, 3, nil) })},
		{"orbits do not close", ellipses(func(r *figure.EllipsesFigure) { r.Force = mat.NewDense(2, 2, []float64{1, 2, -2, 1}) })},
		{"X has 2500 values, EllipsesFigure.Y has 1", ellipses(func(r *figure.EllipsesFigure) { r.Y = r.Y[:1] })},

		{"Pictures is empty", panels(figure.PanelsFigure{Stem: "x"})},
		{"Pictures[1] is nil", panels(figure.PanelsFigure{Stem: "x", Pictures: append(one, nil)})},
		{"Stem is empty", panels(figure.PanelsFigure{Pictures: one})},
		{"Columns -1", panels(figure.PanelsFigure{Stem: "x", Pictures: one, Columns: -1})},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) || !strings.HasPrefix(tt.err.Error(), "figure: ") {
			t.Errorf("got error %v, want one of package figure with %q", tt.err, tt.want)
		}
	}
}

func TestPlaneCaptionsComeFromTheNumbers(t *testing.T) {
	for _, tt := range []drawn{
		// Zeros at λ = 0.5: statements.md §7, E8.
		{"1 zero of the drift (0, 0).", func() (*figure.Picture, error) { return figure.Landscape(landscapeData()) }},
		{"(0.902, 0.389)", func() (*figure.Picture, error) { return figure.Landscape(landscapeData()) }},
		{"λ = 1.5: 2 modes (−1.000, 0), (1.000, 0)", func() (*figure.Picture, error) { return figure.Landscape(landscapeData()) }},
		{"the loss f, darker where it is lower", func() (*figure.Picture, error) {
			r := landscapeData()
			r.Scalar = "loss f"
			return figure.Landscape(r)
		}},
		{"Orange: path of 6 time units.", func() (*figure.Picture, error) { return figure.Landscape(arrowsData()) }},
		{"finite volumes: 52×64 cells, KL 1.20·10⁻⁶ nats and total variation 4.10·10⁻⁴ from the closed form", func() (*figure.Picture, error) { return figure.DensityMap(agreementData()) }},
		{"darkest from 0.150 on", func() (*figure.Picture, error) { return figure.DensityMap(currentData()) }},
		{"λ = 0: 1.584 (dashed: 2·gap = 1.584)", func() (*figure.Picture, error) { return figure.Decay(decayData()) }},
		{"steady state, 1.533", func() (*figure.Picture, error) { return figure.ProductionBars(productionData()) }},
		{"Slope of upwind between its last two points: −2.02 (dashed: −2).", func() (*figure.Picture, error) { return figure.Curves(orderData()) }},
		{"clockwise, with the period", func() (*figure.Picture, error) { return figure.Ellipses(ellipsesData()) }},
		{"orbits of ẋ = j(x), counter-clockwise", func() (*figure.Picture, error) {
			return figure.Ellipses(figure.NewEllipsesFigure(problem.ROT(2)))
		}},
		{"The force j is zero", func() (*figure.Picture, error) { return figure.Ellipses(figure.NewEllipsesFigure(problem.ROT(0))) }},
		{"Slope of upwind", func() (*figure.Picture, error) { return figure.Panels(panelsData()) }},
	} {
		p, err := tt.draw()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(p.Caption(), tt.name) {
			t.Errorf("caption lacks %q: %s", tt.name, p.Caption())
		}
	}
}

// Pictures with shades and maps hold an image; all formats can carry it.
func TestPlanePicturesInAllFormats(t *testing.T) {
	for _, draw := range []func() (*figure.Picture, error){
		func() (*figure.Picture, error) { return figure.Landscape(landscapeData()) },
		func() (*figure.Picture, error) { return figure.DensityMap(agreementData()) },
	} {
		p, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"svg", "pdf", "png"} {
			data, err := p.Encode(format)
			// Chapters hold several pictures; a page of them should stay below a few MB.
			if err != nil || len(data) < 10_000 || len(data) > 1_000_000 {
				t.Errorf("%s as %s: %d bytes (err %v), want 10 kB to 1 MB", p.Name(), format, len(data), err)
			}
		}
	}
}

func ExampleLandscape() {
	p := problem.EX19(0.5)
	s := p.System()
	pic, err := figure.Landscape(figure.LandscapeFigure{
		System: "Example 19", Box: problem.Box{XMin: -2, XMax: 2, YMin: -2, YMax: 2},
		Panels: []figure.LandscapePanel{{
			Title: "λ = 0.5", Potential: s.Potential, Vectors: s.Drift,
			Modes: [][]float64{{-1, 0}, {1, 0}}, Zeros: p.DriftZeros(),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pic.Name())
	fmt.Println(pic.Alt())
	// Output:
	// example-19-landscape
	// Example 19 in the plane, 1 panel. λ = 0.5: level lines of Φ, streamlines of the drift, 2 modes, 3 zeros of the drift.
}

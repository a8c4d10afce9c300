package figure_test

import (
	"math"
	"math/rand/v2"
	"testing"

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

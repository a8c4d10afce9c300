package plane

import (
	"context"
	"fmt"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
)

// Orders are the measured orders of the schemes of package sde.
type Orders struct {
	Strong, Weak []Order
}

// Order is the convergence of one scheme for one system, with the order that theory gives.
type Order struct {
	Name   string
	Theory float64
	*sde.Convergence
}

// SimulatorOrders measures the strong order of both schemes, and the weak one for 𝔼|x|², at
// time 1 from (0.5, −0.3), with the given number of Brownian paths for the strong and forty
// times as many for the weak orders. The systems are EX19R and REF, whose D is constant,
// and [problem.Wavy], whose noise depends on the place.
//
//	orders, err := plane.SimulatorOrders(ctx, 200)
func SimulatorOrders(ctx context.Context, paths int) (*Orders, error) {
	ex, ref, wavy := problem.EX19R(1).System(), problem.REF().System(), problem.Wavy()
	out := new(Orders)
	for _, c := range []struct {
		weak   bool
		s      *problem.System
		scheme sde.Scheme
		theory float64
	}{
		{false, wavy, sde.EulerMaruyama, .5}, {false, ex, sde.EulerMaruyama, 1}, {false, ex, sde.WeakTwo, 1},
		{true, ref, sde.EulerMaruyama, 1}, {true, ref, sde.WeakTwo, 2},
	} {
		set := sde.ConvergenceSettings{Scheme: c.scheme, Coarsest: 6, Finest: 10, Reference: 13, Paths: paths, Seed: 5}
		if c.weak {
			set = sde.ConvergenceSettings{Scheme: c.scheme, ReferenceScheme: sde.WeakTwo, Coarsest: 2, Finest: 5, Reference: 8, Paths: 40 * paths, Seed: 6}
		}
		r, err := sde.Converge(ctx, sde.Plane(c.s), []float64{.5, -.3}, func(x []float64) float64 { return x[0]*x[0] + x[1]*x[1] }, set)
		if err != nil {
			return nil, err
		}
		o := Order{Name: fmt.Sprintf("%s, %s", c.scheme, c.s.Name), Theory: c.theory, Convergence: r}
		if c.weak {
			out.Weak = append(out.Weak, o)
		} else {
			out.Strong = append(out.Strong, o)
		}
	}
	return out, nil
}

// StrongFigure returns the errors of paths against the step, with the fitted slopes, for
// [figure.Curves].
//
//	orders, err := plane.SimulatorOrders(ctx, 200)
//	p, err := figure.Curves(orders.StrongFigure())
func (o *Orders) StrongFigure() figure.CurvesFigure {
	r := figure.CurvesFigure{Title: "Strong order: error of a path at time 1", XLabel: "step Δ", YLabel: "root mean square of |X − X*|", LogX: true, LogY: true}
	for _, c := range o.Strong {
		r.Curves = append(r.Curves, c.curve(c.Convergence.Strong, c.StrongOrder))
	}
	return r
}

// WeakFigure returns the errors of 𝔼|x|² likewise.
//
//	orders, err := plane.SimulatorOrders(ctx, 200)
//	p, err := figure.Curves(orders.WeakFigure())
func (o *Orders) WeakFigure() figure.CurvesFigure {
	r := figure.CurvesFigure{Title: "Weak order: error of 𝔼|x|² at time 1", XLabel: "step Δ", YLabel: "error of 𝔼|x|²", LogX: true, LogY: true}
	for _, c := range o.Weak {
		r.Curves = append(r.Curves, c.curve(c.Convergence.Weak, c.WeakOrder))
	}
	return r
}

// curve names a curve by the scheme, the system and the fitted slope.
func (o Order) curve(errors []sde.Estimate, slope float64) figure.Curve {
	c := figure.Curve{Label: fmt.Sprintf("%s\nfitted slope %.2f", o.Name, slope), X: o.Steps, Marked: true, Guide: o.Theory}
	for _, e := range errors {
		c.Y, c.Error = append(c.Y, e.Mean), append(c.Error, 2*e.StdErr)
	}
	return c
}

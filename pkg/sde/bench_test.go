package sde_test

import (
	"context"
	"math"
	"testing"

	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
)

func benchmark(b *testing.B, eq *sde.Ito, s sde.Settings) {
	b.ReportAllocs()
	var steps int64
	for b.Loop() {
		res, err := sde.Simulate(context.Background(), eq, make([]float64, eq.Dim), &s)
		if err != nil {
			b.Fatal(err)
		}
		if res.Status != sde.Completed {
			b.Fatal(res.Status)
		}
		steps += res.PathSteps
	}
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "path-steps/s")
}

// tensorWell is the equation of peerbench/p5_sde.py: the double well with a full D(x),
// and −D∇Φ + ∇·D as its drift, so that e^(−Φ) is stationary.
func tensorWell() *problem.System {
	both := func(u, x []float64) problem.Tensor {
		sx, cx := math.Sincos(x[0])
		sy, cy := math.Sincos(x[1])
		d := problem.Tensor{XX: 1 + .3*sx*cy, XY: .3 * (cx*cy + sx*sy), YY: 1 + .4*(sx*cy+cx*sy)}
		sd := .3 * (sx*cy - cx*sy)
		g1, g2 := x[0]*(x[0]*x[0]-1), x[1]
		u[0] = -(d.XX*g1 + d.XY*g2) + .3*cx*cy + sd
		u[1] = -(d.XY*g1 + d.YY*g2) - sd + .4*(cx*cy-sx*sy)
		return d
	}
	return &problem.System{
		Name: "tensor well", Beta: 1, Box: problem.Box{XMin: -3, XMax: 3, YMin: -5, YMax: 5},
		Drift:        func(dst, x []float64) { both(dst, x) },
		Diffusion:    func(x []float64) problem.Tensor { var u [2]float64; return both(u[:], x) },
		Potential:    problem.EX19(0).System().Potential,
		Coefficients: both,
	}
}

func BenchmarkSimulate(b *testing.B) {
	ex19 := sde.Plane(problem.EX19(1.5).System())
	s := sde.Settings{Step: .01, Steps: 1000, Walkers: 1000, Seed: 1}
	b.Run("EX19", func(b *testing.B) { benchmark(b, ex19, s) })
	b.Run("EX19/one-worker", func(b *testing.B) { s := s; s.Workers = 1; benchmark(b, ex19, s) })
	b.Run("EX19/recorded", func(b *testing.B) {
		s := s
		s.Observables = []sde.Observable{sde.Moment(2, 0), sde.Moment(0, 2), sde.AreaRate(0, 1), sde.RayFlux(.5)}
		s.Grid = &sde.Grid{Box: problem.EX19(0).System().Box, NX: 24, NY: 32}
		benchmark(b, ex19, s)
	})
	b.Run("XD", func(b *testing.B) { benchmark(b, sde.Plane(problem.XD()), s) })
	b.Run("tensor-well", func(b *testing.B) { benchmark(b, sde.Plane(tensorWell()), s) })
	b.Run("EX19/weak-two", func(b *testing.B) { s := s; s.Scheme, s.Steps = sde.WeakTwo, 100; benchmark(b, ex19, s) })
}

package sde_test

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"

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

func BenchmarkSimulate(b *testing.B) {
	ex19 := sde.Plane(problem.EX19(1.5).System())
	s := sde.Settings{Step: .01, Steps: 1000, Walkers: 1000, Seed: 1}
	b.Run("EX19", func(b *testing.B) { benchmark(b, ex19, s) })
	b.Run("EX19/one-worker", func(b *testing.B) { s := s; s.Workers = 1; benchmark(b, ex19, s) })
	b.Run("tensor-well/one-worker", func(b *testing.B) { s := s; s.Workers = 1; benchmark(b, sde.Plane(problem.TensorWell()), s) })
	b.Run("EX19/recorded", func(b *testing.B) {
		s := s
		s.Observables = []sde.Observable{sde.Moment(2, 0), sde.Moment(0, 2), sde.AreaRate(0, 1), sde.RayFlux(.5)}
		s.Grid = &sde.Grid{Box: problem.EX19(0).System().Box, NX: 24, NY: 32}
		benchmark(b, ex19, s)
	})
	b.Run("XD", func(b *testing.B) { benchmark(b, sde.Plane(problem.XD()), s) })
	b.Run("tensor-well", func(b *testing.B) { benchmark(b, sde.Plane(problem.TensorWell()), s) })
	b.Run("EX19/weak-two", func(b *testing.B) { s := s; s.Scheme, s.Steps = sde.WeakTwo, 100; benchmark(b, ex19, s) })
}

// BenchmarkEnsembleEX19 is peerbench/p5_sde.py: 10⁴ paths of 10⁴ Euler–Maruyama steps of
// 0.01 from the origin, in the double well of Example 19 with a full D(x), final states
// only. It checks the second moments as the script does.
func BenchmarkEnsembleEX19(b *testing.B) {
	eq := sde.Plane(problem.TensorWell())
	s := sde.Settings{Step: .01, Steps: 10_000, Walkers: 10_000, Seed: 1}
	var res *sde.Result
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if res, err = sde.Simulate(context.Background(), eq, []float64{0, 0}, &s); err != nil || res.Status != sde.Completed {
			b.Fatal(err, res)
		}
	}
	b.ReportMetric(float64(res.PathSteps)*float64(b.N)/b.Elapsed().Seconds(), "path-steps/s")
	for i, want := range []float64{1.041797, 1} {
		var values []float64
		for k := i; k < len(res.Final); k += 2 {
			values = append(values, res.Final[k]*res.Final[k])
		}
		mean, std := stat.MeanStdDev(values, nil)
		if se := std / math.Sqrt(float64(len(values))); !(math.Abs(mean-want) < 5*se+.03) {
			b.Fatalf("𝔼x%d² = %.4f ± %.4f, want %v", i+1, mean, se, want)
		}
	}
}

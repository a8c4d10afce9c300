package fokkerplanck_test

import (
	"math"
	"testing"

	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/problem"
)

// l1 returns Σ|p − e^(−Φ)/Z| over the cells, the error that peerbench/p4_*.py print.
func l1(p []float64, s *problem.System, g fokkerplanck.Grid) (sum float64) {
	for k, v := range gibbs(s, g) {
		sum += math.Abs(p[k] - v)
	}
	return sum
}

// BenchmarkSteady256 builds and solves for the steady state with the full tensor D(x) of
// peerbench/p4_tensor.py on 256×256 cells of [−3, 3]×[−5, 5], without knowing Φ. fplanck
// (peerbench/p4_fplanck.py) does the same for constant D: BenchmarkSteady256Diagonal.
func BenchmarkSteady256(b *testing.B) { benchmarkSteady(b, problem.TensorWell(), 256) }

// BenchmarkSteady256Diagonal is the case example19 of peerbench/p4_fplanck.py.
func BenchmarkSteady256Diagonal(b *testing.B) { benchmarkSteady(b, problem.EX19(1.5).System(), 256) }

func benchmarkSteady(b *testing.B, s *problem.System, n int) {
	g := grid(ex19Box, n, n)
	var p []float64
	for b.Loop() {
		p = steady(b, blind(b, s, g)).P
	}
	if e := l1(p, s, g); !(e < 5e-2) { // the bound of the peer's script
		b.Fatalf("the steady state is off by %.3g", e)
	} else {
		b.ReportMetric(e, "L1-error")
	}
}

// BenchmarkImplicitStep128 is an implicit Euler step of Δt = 10⁵ on 128×128 cells with full
// tensor D(x), as the peer fipy of peerbench/p4_tensor.py takes it: the matrix is built and
// factorised at every step. BenchmarkAdvance128 keeps the factors, as an evolution does.
func BenchmarkImplicitStep128(b *testing.B) {
	s, g := problem.TensorWell(), grid(ex19Box, 128, 128)
	p := uniform(g)
	for b.Loop() {
		stepper(b, blind(b, s, g), 1e5).Advance(p)
	}
	b.ReportMetric(l1(p, s, g), "L1-error")
}

func BenchmarkAdvance128(b *testing.B) {
	s, g := problem.TensorWell(), grid(ex19Box, 128, 128)
	st, p := stepper(b, blind(b, s, g), 1e5), uniform(g)
	for b.Loop() {
		st.Advance(p)
	}
}

func uniform(g fokkerplanck.Grid) []float64 {
	return g.MassesTo(nil, func([]float64) float64 { return 1 })
}

func stepper(b *testing.B, l *fokkerplanck.Generator, dt float64) *fokkerplanck.Stepper {
	st, err := l.Step(dt)
	if err != nil {
		b.Fatal(err)
	}
	return st
}

package sde_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
)

func TestRefiningDoesNotChangeThePath(t *testing.T) {
	for _, dim := range []int{1, 2, 3} {
		b := sde.NewBrownian(dim, 2.5, 7, 3)
		coarse := b.Increments(0)
		for level := 1; level <= 10; level++ {
			fine := b.Increments(level)
			sums := make([]float64, len(coarse))
			for k := range fine {
				sums[k/(2*dim)*dim+k%dim] += fine[k]
			}
			numtest.CloseSlice(t, fmt.Sprintf("d = %d, level %d", dim, level), sums, coarse, 1e-15) // two roundings of numbers below 5
			coarse = fine
		}
	}
}

func TestIncrementsAreNormalAndIndependent(t *testing.T) {
	const level, paths, dim = 6, 400, 2
	dt := sde.NewBrownian(dim, 3, 0, 0).Step(level)
	numtest.Close(t, "step", dt, 3./64, 0)
	var square, neighbour, across, walkers float64
	var last []float64
	n := float64(paths * dim << level)
	for w := range paths {
		dw := sde.NewBrownian(dim, 3, 1, uint64(w)).Increments(level)
		for k, v := range dw {
			square += v * v / dt / n
			if k >= dim {
				neighbour += v * dw[k-dim] / dt / n
			}
			if k%dim == 1 {
				across += 2 * v * dw[k-1] / dt / n
			}
			if last != nil {
				walkers += v * last[k] / dt / n
			}
		}
		last = dw
	}
	// 51,200 numbers. 5 standard errors each: false alarm 2e-6 for four.
	numtest.Close(t, "variance", square, 1, 5*math.Sqrt(2/n))
	numtest.Close(t, "neighbours", neighbour, 0, 5/math.Sqrt(n))
	numtest.Close(t, "components", across, 0, 5*math.Sqrt(2/n))
	numtest.Close(t, "walkers", walkers, 0, 5/math.Sqrt(n))
}

func wavy() *sde.Ito { return sde.Plane(problem.Wavy()) }

func radius(x []float64) float64 { return x[0]*x[0] + x[1]*x[1] }

// TestStrongOrder fits the order of the error of paths at T = 1 against the same path in
// 2^12 steps: ½ for Euler–Maruyama, 1 where D is constant. 300 paths measure each error to
// 5 %, alike on all levels; the slope over 2^4 to 2^8 steps is known to 0.03 then, and the
// reference moves it by 0.03 (order ½). Within 0.2: false alarm below 1e-6.
func TestStrongOrder(t *testing.T) {
	for name, tt := range map[string]struct {
		eq     *sde.Ito
		scheme sde.Scheme
		want   float64
	}{
		"Euler, wavy":  {wavy(), sde.EulerMaruyama, .5},
		"Euler, EX19R": {sde.Plane(problem.EX19R(1).System()), sde.EulerMaruyama, 1},
		"Euler, REF":   {sde.Linear(problem.REF()), sde.EulerMaruyama, 1},
		"Heun, EX19R":  {sde.Plane(problem.EX19R(1).System()), sde.WeakTwo, 1},
	} {
		c, err := sde.Converge(context.Background(), tt.eq, []float64{.5, -.3}, radius, sde.ConvergenceSettings{
			Scheme: tt.scheme, Coarsest: 4, Finest: 8, Reference: 12, Paths: 300, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(c.StrongOrder-tt.want) <= .2) {
			t.Errorf("%s: strong order %.3f, want %v ± 0.2 (errors %v)", name, c.StrongOrder, tt.want, c.Strong)
		}
	}
}

// TestWeakOrder fits the order of the error of 𝔼|x|² at T = 1 for REF. Each error lies
// within five standard errors of the closed form (10 numbers, two roads: false alarm 6e-6):
// the covariance of the chain with M = 1 − FΔ (Euler–Maruyama) or 1 − FΔ + ½(FΔ)² (Heun)
// against that of the process. The slopes of the closed forms themselves are 1.13 and 2.18
// over these steps; chance moves the measured ones by less than 0.1.
func TestWeakOrder(t *testing.T) {
	p := problem.REF()
	f, d := []float64{1, 3}, p.Diffusion()
	exact := func(dt float64, heun bool) (bias float64) {
		m, c := p.MeanAt(1, []float64{.5, -.3}), p.CovarianceAt(1, nil)
		for i := range 2 {
			a := f[i] * dt
			mult, noise := 1-a, 1.
			if heun {
				mult, noise = 1-a+a*a/2, 1-a/2
			}
			mean, square := []float64{.5, -.3}[i], 0.
			for range int(math.Round(1 / dt)) {
				mean, square = mean*mult, square*mult*mult+2*dt*noise*noise*d.At(i, i)
			}
			bias += mean*mean + square - m[i]*m[i] - c.At(i, i)
		}
		return math.Abs(bias)
	}
	for scheme, want := range map[sde.Scheme]float64{sde.EulerMaruyama: 1, sde.WeakTwo: 2} {
		c, err := sde.Converge(context.Background(), sde.Plane(p.System()), []float64{.5, -.3}, radius, sde.ConvergenceSettings{
			Scheme: scheme, ReferenceScheme: sde.WeakTwo, Coarsest: 2, Finest: 5, Reference: 8, Paths: 2000, Seed: 6})
		if err != nil {
			t.Fatal(err)
		}
		for k, e := range c.Weak {
			numtest.Close(t, fmt.Sprintf("%v, Δ = %v", scheme, c.Steps[k]), e.Mean, exact(c.Steps[k], scheme == sde.WeakTwo), 5*e.StdErr+1e-4) // 1e-4: the reference
		}
		if !(math.Abs(c.WeakOrder-want) <= .35) {
			t.Errorf("%v: weak order %.3f, want %v ± 0.35 (errors %v)", scheme, c.WeakOrder, want, c.Weak)
		}
	}
}

func TestConvergeDoesNotDependOnWorkers(t *testing.T) {
	var first string
	for _, workers := range []int{1, 3} {
		c, err := sde.Converge(context.Background(), wavy(), []float64{.5, -.3}, radius, sde.ConvergenceSettings{Coarsest: 1, Finest: 3, Paths: 7, Seed: 1, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		c.Settings.Workers = 0
		if text := fmt.Sprintf("%+v", *c); first == "" {
			first = text
		} else if text != first {
			t.Errorf("3 workers: %s, 1: %s", text, first)
		}
	}
	for want, s := range map[string]sde.ConvergenceSettings{
		"0 ≤ Coarsest < Finest": {Coarsest: 3, Finest: 3},
		"at least 2 paths":      {Coarsest: 1, Finest: 2, Paths: 1},
		"the horizon":           {Coarsest: 1, Finest: 2, Horizon: -1},
		"raise Coarsest":        {Coarsest: 0, Finest: 1, Horizon: 64, Paths: 4},
	} {
		if _, err := sde.Converge(context.Background(), sde.Plane(problem.EX19(0).System()), []float64{3, 0}, radius, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q in it", s, err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := sde.Converge(ctx, wavy(), []float64{0, 0}, radius, sde.ConvergenceSettings{Coarsest: 1, Finest: 2}); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if msg := fmt.Sprint(panics(func() { sde.Converge(ctx, wavy(), nil, nil, sde.ConvergenceSettings{}) })); !strings.HasPrefix(msg, "sde: ") {
		t.Errorf("no observable: got %q, want a panic of this package", msg)
	}
}

func TestDriveReportsTrouble(t *testing.T) {
	dw := make([]float64, 200)
	path, err := sde.Drive(sde.Plane(problem.EX19(0).System()), []float64{30, 0}, dw, .1, sde.EulerMaruyama)
	if err != nil || path.Status != sde.BlewUp || path.BlowUp.Step != path.Len() {
		t.Errorf("got %v, %v, want a blow-up", path, err)
	}
	if _, err := sde.Drive(sde.Plane(problem.CV()), []float64{0}, dw, .1, sde.EulerMaruyama); err == nil {
		t.Error("a start of length 1 in the plane: no error")
	}
	if _, err := sde.Drive(sde.Plane(problem.CV()), []float64{0, 0}, dw, 0, sde.EulerMaruyama); err == nil {
		t.Error("Δ = 0: no error")
	}
}

func ExampleBrownian() {
	b := sde.NewBrownian(1, 1, 42, 0)
	coarse, fine := b.Increments(1), b.Increments(2)
	fmt.Printf("two halves add up to the whole: %v\n", math.Abs(fine[0]+fine[1]-coarse[0]) < 1e-15)
	// Output:
	// two halves add up to the whole: true
}

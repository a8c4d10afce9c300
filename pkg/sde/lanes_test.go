package sde_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
)

// rough is a system with everything that lanes leave to the scalar step: D is singular
// where x₁ < 0, x₂ blows up beyond 2, and D has no root where x₁ > 3 if indefinite is set.
func rough(indefinite bool) *problem.System {
	tensor := func(x float64) problem.Tensor {
		switch {
		case x < 0:
			return problem.Tensor{XX: 1, XY: 1, YY: 1}
		case x > 3 && indefinite:
			return problem.Tensor{XX: 1, XY: 2, YY: 1}
		}
		return problem.Tensor{XX: 1 + x, XY: .5, YY: 1}
	}
	drift := func(x, y float64) (u, v float64) {
		if y > 2 {
			return -x, y * y * y * y
		}
		return -x, -y
	}
	s := &problem.System{
		Name: "rough", Beta: 1,
		Drift:     func(dst, x []float64) { dst[0], dst[1] = drift(x[0], x[1]) },
		Diffusion: func(x []float64) problem.Tensor { return tensor(x[0]) },
	}
	s.Batch = func(b *problem.Batch) {
		for i := range b.X1 {
			d := tensor(b.X1[i])
			b.U1[i], b.U2[i] = drift(b.X1[i], b.X2[i])
			b.XX[i], b.XY[i], b.YY[i] = d.XX, d.XY, d.YY
		}
	}
	return s
}

// TestLanesAreThePoints: with and without Batch, the ensemble is the same, bit for bit.
func TestLanesAreThePoints(t *testing.T) {
	a, b, c := 1+0x1p-30, 1+0x1p-30, -1.
	if a*b+c != float64(a*b)+c {
		t.Skip("scalar operations are fused (GOAMD64=v3): lanes differ by rounding")
	}
	for _, sys := range []*problem.System{problem.TensorWell(), problem.XD(), problem.CV(), problem.EX19(1.5).System(), problem.EX19R(1.5).System(), rough(false)} {
		bare := *sys
		bare.Batch = nil
		for _, walkers := range []int{1, 2, 3, 16, 41} {
			for _, set := range []sde.Settings{
				{Step: .02, Steps: 300},
				{Step: .02, Steps: 70, BurnIn: 33, Observables: everything, Grid: &sde.Grid{Box: problem.XD().Box, NX: 6, NY: 5}},
				{Step: .6, Steps: 200, Observables: everything[:1]}, // blows up
			} {
				set.Walkers, set.Seed = walkers, 8
				want := must(t, sde.Plane(&bare), set)
				for _, workers := range []int{1, 3} {
					set.Workers = workers
					got := must(t, sde.Plane(sys), set)
					if fmt.Sprint(got.Final) != fmt.Sprint(want.Final) || fmt.Sprint(got.Estimates) != fmt.Sprint(want.Estimates) ||
						got.Blown != want.Blown || fmt.Sprint(got.BlowUp) != fmt.Sprint(want.BlowUp) || got.PathSteps != want.PathSteps {
						t.Errorf("%s, %v, %d workers: %v, %d blown, %d steps, want %v, %d, %d", sys.Name, &set, workers, got.BlowUp, got.Blown, got.PathSteps, want.BlowUp, want.Blown, want.PathSteps)
					}
					if set.Grid != nil {
						gx, gy := got.Histogram.Current()
						wx, wy := want.Histogram.Current()
						if !slices.Equal(got.Histogram.Visits, want.Histogram.Visits) || !slices.Equal(gx, wx) || !slices.Equal(gy, wy) {
							t.Errorf("%s, %v: another histogram", sys.Name, &set)
						}
					}
				}
			}
		}
	}
}

func must(t *testing.T, eq *sde.Ito, s sde.Settings) *sde.Result {
	t.Helper()
	res, err := sde.Simulate(context.Background(), eq, []float64{.3, .2}, &s)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestErrorsOfLanes: an indefinite D and a drift that is not a number are reported for the
// same walker after the same steps.
func TestErrorsOfLanes(t *testing.T) {
	broken := rough(false)
	drift, batch := broken.Drift, broken.Batch
	broken.Drift = func(dst, x []float64) {
		if drift(dst, x); x[0] > 2 {
			dst[1] = math.NaN()
		}
	}
	broken.Batch = func(b *problem.Batch) {
		batch(b)
		for i, x := range b.X1 {
			if x > 2 {
				b.U2[i] = math.NaN()
			}
		}
	}
	for _, sys := range []*problem.System{rough(true), broken} {
		bare := *sys
		bare.Batch = nil
		s := sde.Settings{Step: .02, Steps: 2000, Walkers: 41, Seed: 3}
		_, want := sde.Simulate(context.Background(), sde.Plane(&bare), []float64{.3, .2}, &s)
		_, got := sde.Simulate(context.Background(), sde.Plane(sys), []float64{.3, .2}, &s)
		if want == nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// A copy of a system with a drift of its own must not be simulated with the old one.
func TestStaleBatch(t *testing.T) {
	changed := *problem.TensorWell()
	changed.Drift = func(dst, x []float64) { dst[0], dst[1] = -x[0], -x[1] }
	s := &sde.Settings{Step: .01, Steps: 10, Walkers: 20, Seed: 1}
	_, err := sde.Simulate(context.Background(), sde.Plane(&changed), []float64{0, 0}, s)
	if err == nil || !strings.Contains(err.Error(), "set Coefficients and Batch to nil") {
		t.Errorf("got %v", err)
	}
	changed.Coefficients, changed.Batch = nil, nil
	if _, err := sde.Simulate(context.Background(), sde.Plane(&changed), []float64{0, 0}, s); err != nil {
		t.Error(err)
	}
}

package sde_test

import (
	"fmt"
	"math"
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

// TestStrongOrder fits the order of the error of paths at T = 1 against the same path in
// 2^12 steps: ½ for Euler–Maruyama, 1 where D is constant. 300 paths measure each error to
// 5 %, alike on all levels; the slope over 2^4 to 2^8 steps is known to 0.03 then, and the
// reference moves it by 0.03 (order ½). Within 0.2: false alarm below 1e-6.
func TestStrongOrder(t *testing.T) {
	// Without drift, so that the error of order ½ does not hide behind that of order 1.
	wavy := sde.Plane(&problem.System{
		Name: "wavy", Beta: 1,
		Drift: func(dst, _ []float64) { dst[0], dst[1] = 0, 0 },
		Diffusion: func(x []float64) problem.Tensor {
			return problem.Tensor{XX: 1 + .9*math.Sin(3*x[1]), YY: 1 + .9*math.Sin(3*x[0])}
		},
	})
	const reference, lowest, highest, paths = 12, 4, 8, 300
	for name, tt := range map[string]struct {
		eq     *sde.Ito
		scheme sde.Scheme
		want   float64
	}{
		"Euler, wavy":  {wavy, sde.EulerMaruyama, .5},
		"Euler, EX19R": {sde.Plane(problem.EX19R(1).System()), sde.EulerMaruyama, 1},
		"Euler, REF":   {sde.Linear(problem.REF()), sde.EulerMaruyama, 1},
		"Heun, EX19R":  {sde.Plane(problem.EX19R(1).System()), sde.WeakTwo, 1},
	} {
		var square [highest + 1]float64
		for w := range paths {
			b := sde.NewBrownian(2, 1, 5, uint64(w))
			end := func(scheme sde.Scheme, level int) []float64 {
				path, err := sde.Drive(tt.eq, []float64{.5, -.3}, b.Increments(level), b.Step(level), scheme)
				if err != nil || path.Status != sde.Completed {
					t.Fatal(err, path.BlowUp)
				}
				numtest.Close(t, "end of time", path.Time(path.Len()-1), 1, 1e-12)
				return path.State(path.Len() - 1)
			}
			exact := end(sde.EulerMaruyama, reference)
			for level := lowest; level <= highest; level++ {
				x := end(tt.scheme, level)
				square[level] += (math.Pow(x[0]-exact[0], 2) + math.Pow(x[1]-exact[1], 2)) / paths
			}
		}
		// Least squares through log₂ of the error against the level.
		var sxy, sxx float64
		for level := lowest; level <= highest; level++ {
			dx := float64(level) - float64(lowest+highest)/2
			sxy -= dx * math.Log2(square[level]) / 2
			sxx += dx * dx
		}
		if slope := sxy / sxx; !(math.Abs(slope-tt.want) <= .2) {
			t.Errorf("%s: strong order %.3f, want %v ± 0.2 (errors² %.3g)", name, slope, tt.want, square[lowest:])
		}
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

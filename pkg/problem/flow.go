package problem

import (
	"fmt"
	"math"
)

// Flow moves x (2) along ẋ = v(x) for the time t by classical Runge–Kutta steps of at most
// h, and calls each, if it is not nil, after every one. Its error is of order h⁴. It panics
// unless t ≥ 0 and h > 0.
//
//	x := []float64{1, 0} // moved in place
//	problem.Flow(problem.REF().System().Force, x, 20, 1e-3, nil)
func Flow(v func(dst, x []float64), x []float64, t, h float64, each func(x []float64)) {
	if !(t >= 0) || !(h > 0) {
		panic(fmt.Sprintf("problem: a flow needs t ≥ 0 and h > 0: got %v and %v", t, h))
	}
	steps := int(math.Ceil(t/h - 1e-9))
	for range steps {
		rungeKutta(v, x, t/float64(steps))
		if each != nil {
			each(x)
		}
	}
}

// rungeKutta advances x by one classical step of size h of ẋ = v(x).
func rungeKutta(v func(dst, x []float64), x []float64, h float64) {
	var k, y, sum [2]float64
	for i, c := range [...]float64{0, h / 2, h / 2, h} {
		y[0], y[1] = x[0]+c*k[0], x[1]+c*k[1]
		v(k[:], y[:])
		w := [...]float64{1, 2, 2, 1}[i] * h / 6
		sum[0], sum[1] = sum[0]+w*k[0], sum[1]+w*k[1]
	}
	x[0], x[1] = x[0]+sum[0], x[1]+sum[1]
}

// FirstReturn follows ẋ = v(x) counter-clockwise from (r, 0), r > 0, and returns where it
// comes back to the positive x₁-axis from below: r itself on a closed orbit, and on a limit
// cycle. NaN means that it does not within 1000 units of time.
//
//	r := problem.FirstReturn(problem.EX19(1.5).System().Force, 0.5)
func FirstReturn(v func(dst, x []float64), r float64) float64 {
	x, below := []float64{r, 0}, false
	for range 1_000_000 {
		last := [2]float64{x[0], x[1]}
		rungeKutta(v, x, 1e-3)
		below = below || x[1] < 0
		if below && last[1] < 0 && x[1] >= 0 && x[0] > 0 {
			return last[0] + (x[0]-last[0])*last[1]/(last[1]-x[1])
		}
	}
	return math.NaN()
}

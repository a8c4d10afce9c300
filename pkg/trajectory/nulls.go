package trajectory

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// AR1 is the process x(k+1) = A·x(k) + ξ, with ξ normal of variance Innovation: a sampled
// Ornstein–Uhlenbeck process, the simplest relaxation with noise. It is reversible.
//
//	x := trajectory.AR1{A: 0.99, Innovation: 1}.Simulate(4000, rand.NewPCG(9, 1))
type AR1 struct {
	A          float64 `json:"a"`          // in (−1, 1) for a stationary law
	Innovation float64 `json:"innovation"` // variance of ξ
}

// FitAR1 returns the process fitted to x (n) by least squares about its mean. It returns an error
// if x has fewer than four values, is constant or not finite.
//
// The estimate of A is low by about (1+3A)/n: a slow process looks faster than it is.
func FitAR1(x []float64) (AR1, error) {
	if err := varying("the series", x, 4); err != nil {
		return AR1{}, err
	}
	return fitAR1(x), nil
}

func fitAR1[F float32 | float64](x []F) AR1 {
	n := len(x)
	var mean float64
	for _, v := range x {
		mean += float64(v)
	}
	mean /= float64(n)
	var c0, c1, end float64
	for k := range n - 1 {
		u, v := float64(x[k])-mean, float64(x[k+1])-mean
		c0 += u * u
		c1 += u * v
		end = v
	}
	a := c1 / c0
	return AR1{A: a, Innovation: max(0, (c0+end*end)/float64(n)*(1-a*a))}
}

// IncrementSpectrum returns the expected periodogram of the increments at f cycles per step
// over their variance, (2−2cos ω)/(1+A²−2A cos ω)·(1+A)/2 with ω = 2πf: it rises from 0 with
// the frequency for every A in (−1, 1), and is 1 for a random walk, A = 1 (erratum E22).
func (a AR1) IncrementSpectrum(f float64) float64 {
	if a.A >= 1 {
		return 1
	}
	c := math.Cos(2 * math.Pi * f)
	return (2 - 2*c) / (1 + a.A*a.A - 2*a.A*c) * (1 + a.A) / 2
}

// Simulate returns n values at stationarity. It panics unless |A| < 1 and src is not nil.
func (a AR1) Simulate(n int, src rand.Source) []float64 {
	if !(math.Abs(a.A) < 1) {
		panic(fmt.Sprintf("trajectory: AR(1) with a = %v has no stationary law: want |a| < 1", a.A))
	}
	x := White(n, src)
	s := math.Sqrt(a.Innovation)
	for k := range x {
		if k == 0 {
			x[k] *= s / math.Sqrt(1-a.A*a.A)
		} else {
			x[k] = a.A*x[k-1] + s*x[k]
		}
	}
	return x
}

// White returns n numbers, independent standard normal values. It panics if src is nil.
//
//	x := trajectory.White(4000, rand.NewPCG(9, 0))
func White(n int, src rand.Source) []float64 {
	if src == nil {
		panic("trajectory: src is nil: pass rand.NewPCG(seed, stream)")
	}
	r := rand.New(src)
	x := make([]float64, n)
	for k := range x {
		x[k] = r.NormFloat64()
	}
	return x
}

// RandomWalk returns the first n sums (n) of independent standard normal values, a Brownian
// motion sampled at equal times. It panics if src is nil.
func RandomWalk(n int, src rand.Source) []float64 {
	x := White(n, src)
	for k := 1; k < n; k++ {
		x[k] += x[k-1]
	}
	return x
}

// AddDrift adds the slow relaxation size·e^(−k/time) to x (n) and returns x: what is left of
// training in a run that counts as stationary, and what makes the lowest frequencies of
// increments stand out (erratum E22).
//
//	x := trajectory.AddDrift(trajectory.White(4000, rand.NewPCG(9, 0)), 3, 400)
func AddDrift(x []float64, size, time float64) []float64 {
	for k := range x {
		x[k] += size * math.Exp(-float64(k)/time)
	}
	return x
}

// RandomWalkCorrelation returns the mean sample autocorrelation of random walks of n steps, one
// for each of the lags, over the given number of walks: it falls slowly, through zero only at
// about n/4, although Brownian motion has independent increments (erratum E22). It panics if a
// lag is outside 0…n−1, n < 4, or walks < 1.
//
//	r := trajectory.RandomWalkCorrelation(4000, trajectory.LogLags(2000, 60), 200, rand.NewPCG(9, 2))
func RandomWalkCorrelation(n int, lags []int, walks int, src rand.Source) []float64 {
	checkLags(lags, n)
	if n < 4 || walks < 1 {
		panic(fmt.Sprintf("trajectory: %d walks of %d steps", walks, n))
	}
	mean := make([]float64, len(lags))
	w := newCorrelationWork(n)
	for range walks {
		copy(w.v, RandomWalk(n, src))
		r := w.correlation()
		for j, lag := range lags {
			mean[j] += r[lag] / float64(walks)
		}
	}
	return mean
}

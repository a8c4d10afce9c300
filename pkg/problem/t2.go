package problem

import (
	"context"
	"fmt"
	"math"
)

// FourSamples is the finite sum on the line whose noise depends on the state,
//
//	fₖ(x) = ½(1+sₖ)x² + nₖx,   (sₖ, nₖ) ∈ {+s, −s} × {+n, −n},
//
// in the order (+s, +n), (+s, −n), (−s, +n), (−s, −n). Then f(x) = x²/2 and the
// diffusion of [chaudhari2018] eq. (2) is D(x) = n² + s²x².
type FourSamples struct {
	CurvatureSpread float64 // s
	SlopeSpread     float64 // n
}

var _ FiniteSum = (*FourSamples)(nil)

// T2 is the system "four samples, 1-D": s = 0.5, n = 1.
//
// Its oracles: D(x) = 1 + x²/4; at η = 0.2, b = 1 the second moment is 0.1142857 for
// stochastic gradient descent and 0.1025641 for the stochastic differential equation.
//
//	m := problem.T2().SecondMomentAfter(10, 4, 0.1, 1)
func T2() *FourSamples { return &FourSamples{CurvatureSpread: 0.5, SlopeSpread: 1} }

// Dim returns 1.
func (p *FourSamples) Dim() int { return 1 }

// Samples returns 4.
func (p *FourSamples) Samples() int { return 4 }

// sample returns 1+sₖ and nₖ.
func (p *FourSamples) sample(k int) (curvature, slope float64) {
	curvature, slope = 1+p.CurvatureSpread, p.SlopeSpread
	if k >= 2 {
		curvature = 1 - p.CurvatureSpread
	}
	if k%2 == 1 {
		slope = -slope
	}
	return curvature, slope
}

// Loss returns f(x) = x²/2. It panics if x has another length than 1.
func (p *FourSamples) Loss(x []float64) float64 {
	checkLen("x", len(x), 1)
	return x[0] * x[0] / 2
}

// GradTo stores ∇f(x) = x in dst and returns dst; a nil dst is allocated. It panics if
// x or dst has another length than 1.
func (p *FourSamples) GradTo(dst, x []float64) []float64 {
	if dst == nil {
		dst = make([]float64, 1)
	}
	checkLen("x", len(x), 1)
	checkLen("dst", len(dst), 1)
	dst[0] = x[0]
	return dst
}

// Diffusion returns D(x) = n² + s²x² at the point x.
func (p *FourSamples) Diffusion(x float64) float64 {
	s, n := p.CurvatureSpread, p.SlopeSpread
	return n*n + s*s*x*x
}

// BatchGradTo stores the gradient of the batch idx, the mean of ∇fₖ(x) over it, in dst
// and returns the mean of fₖ(x) over it. A nil idx means all samples; an index may
// appear more than once. The error is always nil.
//
// It panics if x or dst has another length than 1, or if idx is empty or holds
// something that is not a sample.
func (p *FourSamples) BatchGradTo(dst, x []float64, idx []int) (loss float64, err error) {
	checkLen("x", len(x), 1)
	checkLen("dst", len(dst), 1)
	if idx == nil {
		p.GradTo(dst, x)
		return p.Loss(x), nil
	}
	checkBatch(idx, 4)
	var curvature, slope float64
	for _, k := range idx {
		c, n := p.sample(k)
		curvature += c
		slope += n
	}
	b := float64(len(idx))
	curvature /= b
	slope /= b
	dst[0] = curvature*x[0] + slope
	return curvature*x[0]*x[0]/2 + slope*x[0], nil
}

// PerSampleGradients delivers ∇fₖ(x) = (1+sₖ)x + nₖ in float64 blocks of width 1, see
// [FiniteSum]. It panics if x has another length than 1 or idx holds something that is
// not a sample.
func (p *FourSamples) PerSampleGradients(ctx context.Context, x []float64, idx []int, yield func(Block) error) error {
	checkLen("x", len(x), 1)
	return yieldRows(ctx, 1, 4, idx, func(dst []float64, k int) {
		curvature, slope := p.sample(k)
		dst[0] = curvature*x[0] + slope
	}, yield)
}

// StationarySecondMoment returns the exact 𝔼x² of stochastic gradient descent at
// stationarity, with learning rate eta and batches of b drawn with replacement,
//
//	𝔼x² = (ηn²/b) / (2 − η − ηs²/b).
//
// It panics if b < 1 or eta is outside (0, 2/(1+s²/b)), where no second moment exists.
func (p *FourSamples) StationarySecondMoment(eta float64, b int) float64 {
	checkStep(eta, b, 1+p.multiplicative(1, b))
	return p.additive(eta, b) / (2 - eta - p.multiplicative(eta, b))
}

// ContinuousSecondMoment returns 𝔼x² of the stochastic differential equation of Lemma 2
// at stationarity, with β⁻¹ = η/(2b),
//
//	𝔼x² = (ηn²/b) / (2 − ηs²/b).
//
// It panics if b < 1 or ηs²/b is not below 2.
func (p *FourSamples) ContinuousSecondMoment(eta float64, b int) float64 {
	checkStep(eta, b, p.multiplicative(1, b))
	return p.additive(eta, b) / (2 - p.multiplicative(eta, b))
}

// SecondMomentAfter returns 𝔼x² of stochastic gradient descent after some steps from
// 𝔼x² = start, by the exact recursion
//
//	m ← ((1−η)² + η²s²/b) m + η²n²/b.
//
// It panics if b < 1 or steps < 0.
func (p *FourSamples) SecondMomentAfter(steps int, start, eta float64, b int) float64 {
	checkHorizon(float64(steps), b)
	keep := (1-eta)*(1-eta) + eta*p.multiplicative(eta, b)
	m := start
	for range steps {
		m = keep*m + eta*p.additive(eta, b)
	}
	return m
}

// ContinuousSecondMomentAt returns 𝔼x² of the stochastic differential equation of
// Lemma 2 at the time t (one step of stochastic gradient descent takes the time η),
// from 𝔼x² = start at t = 0,
//
//	m(t) = e^(−rt) m(0) + (ηn²/b)(1−e^(−rt))/r,   r = 2 − ηs²/b.
//
// It panics if b < 1 or t < 0.
//
//	m := problem.T2().ContinuousSecondMomentAt(1, 4, 0.1, 1)
func (p *FourSamples) ContinuousSecondMomentAt(t, start, eta float64, b int) float64 {
	checkHorizon(t, b)
	return relax(t, start, 2-p.multiplicative(eta, b), p.additive(eta, b))
}

// ModifiedSecondMomentAt is [FourSamples.ContinuousSecondMomentAt] for the second-order
// modified equation, in which f is replaced by f + η/4·‖∇f‖²: r = 2(1+η/2) − ηs²/b. Its
// error against stochastic gradient descent is of order η², that of Lemma 2 of order η.
//
//	m := problem.T2().ModifiedSecondMomentAt(1, 4, 0.1, 1)
func (p *FourSamples) ModifiedSecondMomentAt(t, start, eta float64, b int) float64 {
	checkHorizon(t, b)
	return relax(t, start, 2+eta-p.multiplicative(eta, b), p.additive(eta, b))
}

// Potential returns Φ(x) of the stochastic differential equation at the given
// temperature β⁻¹, with Φ(0) = 0,
//
//	Φ(x) = (1/(2s²) + β⁻¹) log(1 + s²x²/n²),
//
// the integral of (f′ + β⁻¹D′)/D; for s = 0 it is x²/(2n²). It depends on the
// temperature because D depends on x (erratum E10).
func (p *FourSamples) Potential(x, temperature float64) float64 {
	s, n := p.CurvatureSpread, p.SlopeSpread
	if s == 0 {
		return x * x / (2 * n * n)
	}
	return (1/(2*s*s) + temperature) * math.Log1p(s*s*x*x/(n*n))
}

// additive returns ηn²/b, multiplicative ηs²/b.
func (p *FourSamples) additive(eta float64, b int) float64 {
	return eta * p.SlopeSpread * p.SlopeSpread / float64(b)
}

func (p *FourSamples) multiplicative(eta float64, b int) float64 {
	return eta * p.CurvatureSpread * p.CurvatureSpread / float64(b)
}

// relax solves m′ = −r·m + source from m(0) = start.
func relax(t, start, r, source float64) float64 {
	if r == 0 {
		return start + source*t
	}
	return math.Exp(-r*t)*start - source*math.Expm1(-r*t)/r
}

func checkHorizon(t float64, b int) {
	if b < 1 {
		panic(fmt.Sprintf("problem: batch size must be positive: got %d", b))
	}
	if !(t >= 0) {
		panic(fmt.Sprintf("problem: time must not be negative: got %v", t))
	}
}

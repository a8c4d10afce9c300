package noise

import (
	"fmt"
	"math"
)

// Temperature returns β⁻¹, the factor of the diffusion in
//
//	dx = −∇f dt + √(2β⁻¹D) dW     (Itô),
//
// for which the noise over one step of time η has the covariance η²·var(∇f_b) of
// stochastic gradient descent: β⁻¹ = η/2·[Sampling.CovarianceFactor](b, n), that is
// η/(2b) with replacement, [chaudhari2018] Lemma 2.
//
//	invBeta := noise.Temperature(0.1, 128, 60000, noise.WithReplacement) // 0.1/256
//
// NOTE: without replacement the factor is η/(2b)·(n−b)/(n−1) for the D of eq. (2);
// Remark 12's η/(2b)·(1−b/n) belongs to D′ = n/(n−1)·D (erratum E17). For
// [Reshuffled] it is the temperature of a single step; over an epoch the noise
// nearly cancels (erratum E18), and no temperature describes it.
//
// It panics if eta is negative, NaN or infinite, and where CovarianceFactor does.
func Temperature(eta float64, b, n int, s Sampling) float64 {
	if !(eta >= 0) || math.IsInf(eta, 1) {
		panic(fmt.Sprintf("noise: learning rate must be finite and not negative: got %v", eta))
	}
	return eta / 2 * s.CovarianceFactor(b, n)
}

// MomentumTemperature returns the temperature of SGD with momentum mu, heavy ball
// or Nesterov: that of the effective learning rate η/(1−μ). It is the leading order
// for small η·λ(∇²f) of the variance along an eigenvector of the Hessian; covariances
// between eigenvectors and the rotation are damped more, so that a single
// temperature is enough only if η(lᵢ−lⱼ)² ≪ (1−μ)²(lᵢ+lⱼ) (erratum E34).
//
// It panics unless 0 ≤ mu < 1, and where [Temperature] does.
func MomentumTemperature(eta, mu float64, b, n int, s Sampling) float64 {
	if !(mu >= 0 && mu < 1) {
		panic(fmt.Sprintf("noise: momentum must lie in [0, 1): got %v", mu))
	}
	return Temperature(eta/(1-mu), b, n, s)
}

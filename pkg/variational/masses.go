package variational

import (
	"fmt"
	"math"
)

// KL returns the relative entropy Σ p log(p/q) ≥ 0 in nats. Cells without mass in p add
// nothing; it is +Inf if q is not positive where p is. It panics if the lengths differ or a
// mass of p is negative by more than round-off (1e-15).
func KL(p, q []float64) (d float64) {
	check(p, q)
	for i, v := range p {
		switch {
		case v < -1e-15:
			panic(fmt.Sprintf("variational: the mass of cell %d is %v; a divergence needs masses that are not negative", i, v))
		case v <= 0:
		case q[i] <= 0:
			return math.Inf(1)
		default:
			d += v * math.Log(v/q[i])
		}
	}
	return d
}

// TotalVariation returns ½ Σ |p − q|, between 0 and 1. It panics if the lengths differ.
func TotalVariation(p, q []float64) (d float64) {
	check(p, q)
	for i, v := range p {
		d += math.Abs(v-q[i]) / 2
	}
	return d
}

// Entropy returns H = −Σ p log(p/area) in nats, the differential entropy of the density
// that is constant in each cell of the given area; p has one mass for each cell (n).
func Entropy(p []float64, area float64) (h float64) {
	for _, v := range p {
		if v > 0 {
			h -= v * math.Log(v/area)
		}
	}
	return h
}

// FreeEnergy returns F = 𝔼Φ − β⁻¹H + β⁻¹ log Z with Z = Σ e^(−βΦ)·area, [chaudhari2018] eq.
// (11), for masses p (n) and the potential phi (n) at the same cells. It equals β⁻¹ KL(p‖π) for
// π ∝ e^(−βΦ), to round-off.
func FreeEnergy(p, phi []float64, area, beta float64) float64 {
	check(p, phi)
	lowest := math.Inf(1)
	for _, v := range phi {
		lowest = min(lowest, v)
	}
	mean, z := 0.0, 0.0
	for i, v := range p {
		mean += v * phi[i]
		z += math.Exp(-beta*(phi[i]-lowest)) * area
	}
	return mean - Entropy(p, area)/beta + math.Log(z)/beta - lowest
}

func check(p, q []float64) {
	if len(p) != len(q) {
		panic(fmt.Sprintf("variational: dimension mismatch: %d and %d cells", len(p), len(q)))
	}
}

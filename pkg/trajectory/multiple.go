package trajectory

import (
	"math"
	"slices"
)

// Bonferroni returns the p-values (any length n, and so the result) times n, at most 1: below a
// level α of these, the chance that any test errs is at most α, however the tests depend on each
// other.
func Bonferroni(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, v := range p {
		out[i] = math.Min(1, v*float64(len(p)))
	}
	return out
}

// BenjaminiHochberg returns the adjusted p-values, as many as there are, of [benjamini1995]:
// rejecting those up to q keeps the expected share of errors among the rejections at most q, for
// tests that are independent or positively dependent.
func BenjaminiHochberg(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] > p[b]:
			return -1
		case p[a] < p[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	smallest := 1.0
	for r, i := range order { // from the largest p-value down
		smallest = math.Min(smallest, p[i]*float64(len(p))/float64(len(p)-r))
		out[i] = smallest
	}
	return out
}

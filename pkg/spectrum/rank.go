package spectrum

import (
	"fmt"
	"math"
)

// Machine precisions of the paper's rank rule, the distance from 1 to the next number.
const (
	EpsilonF32 = 0x1p-23 // 1.19·10⁻⁷
	EpsilonF64 = 0x1p-52 // 2.22·10⁻¹⁶
)

// Count is a number of eigenvalues of which some are too close to the threshold to be
// decided: the true number lies in Lower..Upper.
type Count struct {
	Lower int `json:"lower"`
	Upper int `json:"upper"`
}

// Decided reports whether the number is known.
func (c Count) Decided() bool { return c.Lower == c.Upper }

// String returns "207", or "200–210" if the number is not decided.
func (c Count) String() string {
	if c.Decided() {
		return fmt.Sprint(c.Lower)
	}
	return fmt.Sprintf("%d–%d", c.Lower, c.Upper)
}

// CountAbove returns how many of the values (any length and order) exceed relative·max|λ| in
// absolute value, when each value is known up to ±residual. Zeros that are missing from values
// count as not exceeding.
//
// It panics if relative is not positive or residual is negative or one of them is NaN.
func CountAbove(values []float64, relative, residual float64) Count {
	if !(relative > 0) || !(residual >= 0) {
		panic(fmt.Sprintf("spectrum: threshold %v and residual %v must be positive and not negative", relative, residual))
	}
	largest := maxAbs(values)
	low, high := relative*max(0, largest-residual), relative*(largest+residual)
	var c Count
	for _, v := range values {
		v = math.Abs(v)
		if v-residual > high {
			c.Lower++
		}
		if v+residual > low {
			c.Upper++
		}
	}
	return c
}

// Rank returns the numerical rank by the rule of the paper's footnote 1, the number of
// eigenvalues above λmax·d·ε, for values of a d×d matrix (dim = d) known up to
// ±residual. epsilon is [EpsilonF32] or [EpsilonF64]; zeros may be missing from values.
//
// NOTE: the two precisions differ by a factor 5·10⁸ in the threshold, and the paper
// does not say which it used (erratum E19).
//
// It panics if dim < 1 or where [CountAbove] does.
func Rank(values []float64, dim int, epsilon, residual float64) Count {
	if dim < 1 {
		panic(fmt.Sprintf("spectrum: dimension must be positive: got %d", dim))
	}
	return CountAbove(values, float64(dim)*epsilon, residual)
}

// StableRank returns tr A/λmax = Σ|λ|/max|λ| for the d eigenvalues, in any order, of a
// positive semidefinite matrix, 0 for the zero matrix. In general
//
//	stable rank ≤ participation ratio ≤ entropy rank ≤ rank,
//
// with equality if all eigenvalues that are not zero are equal. Round-off that makes
// some zeros negative does no harm; for an indefinite matrix it is the stable rank of
// its absolute value.
func StableRank(values []float64) float64 {
	largest := maxAbs(values)
	if largest == 0 {
		return 0
	}
	var sum float64
	for _, v := range values {
		sum += math.Abs(v) / largest
	}
	return sum
}

// ParticipationRatio returns (tr A)²/tr A² = (Σ|λ|)²/Σλ², 0 for the zero matrix.
// The order of values does not matter; of the d values zeros may be left out. See
// [StableRank]. In terms of mean and population standard deviation over all d
// eigenvalues it is d·mean²/(mean²+std²).
func ParticipationRatio(values []float64) float64 {
	largest := maxAbs(values)
	if largest == 0 {
		return 0
	}
	var sum, squares float64
	for _, v := range values {
		v /= largest
		sum += math.Abs(v)
		squares += v * v
	}
	return sum * sum / squares
}

// EntropyRank returns exp(−Σ pᵢ log pᵢ) with p = |λ|/Σ|λ|, 0 for the zero matrix.
// The order of the d eigenvalues does not matter; zeros may be left out. See [StableRank].
func EntropyRank(values []float64) float64 {
	largest := maxAbs(values)
	if largest == 0 {
		return 0
	}
	// With q = |λ|/max|λ|, s = Σq: −Σ(q/s)log(q/s) = log s − Σ q log q/s.
	var sum, product float64
	for _, v := range values {
		if q := math.Abs(v) / largest; q > 0 {
			sum += q
			product += q * math.Log(q)
		}
	}
	return sum * math.Exp(-product/sum)
}

// maxAbs returns max|v|, 0 for no values.
func maxAbs(values []float64) float64 {
	var largest float64
	for _, v := range values {
		largest = max(largest, math.Abs(v))
	}
	return largest
}

// Moments returns the mean and the population standard deviation of all d eigenvalues
// of a symmetric matrix from its trace and its Frobenius norm,
//
//	mean = tr A/d,   std = √(‖A‖²_F/d − mean²),
//
// without an eigenvalue. If all eigenvalues are nearly equal the difference cancels, and
// std is accurate to a few 10⁻⁸·mean only. It panics if dim < 1.
func Moments(trace, frobenius float64, dim int) (mean, std float64) {
	if dim < 1 {
		panic(fmt.Sprintf("spectrum: dimension must be positive: got %d", dim))
	}
	mean = trace / float64(dim)
	root := frobenius / math.Sqrt(float64(dim))
	// (root−|mean|)(root+|mean|) loses less than root²−mean² and does not overflow.
	return mean, math.Sqrt(max(0, root-math.Abs(mean))) * math.Sqrt(root+math.Abs(mean))
}

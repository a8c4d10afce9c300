package spectrum

import (
	"fmt"
	"time"
)

// Spectrum is what is known about the eigenvalues of a symmetric d×d matrix, how they
// were found, and how well.
type Spectrum struct {
	// Method names the computation, as in "dense" or "Gram".
	Method string `json:"method"`
	// DType is the precision in which the matrix was formed: float32 or float64.
	// Eigenvalues are computed in float64 always.
	DType string `json:"dtype"`
	// Dim is d.
	Dim int `json:"dim"`
	// Samples is N if the matrix is the covariance of N gradients, else 0.
	Samples int `json:"samples,omitempty"`
	// Values are the eigenvalues in ascending order, Dim−Zeros of them, as computed: an
	// eigenvalue zero may come out as a small number of either sign.
	Values []float64 `json:"values"`
	// Zeros is the number of eigenvalues known to be zero without computing any: a
	// covariance of N gradients has d−N+1 if N ≤ d. They are not in Values.
	Zeros int `json:"zeros"`
	// Residual bounds |computed − true| for every one of Values. It adds an allowance of
	// min(4√d, d/2)·2⁻⁵²·max|λ| for the eigenvalue solver, which is not proved but twice
	// the worst error seen on matrices with known eigenvalues, and for a covariance the
	// measured error of the matrix, see [Of].
	Residual float64 `json:"residual"`
	// Mean and Std are the mean and the population standard deviation over all Dim
	// eigenvalues, zeros included, from trace and Frobenius norm: [Moments].
	Mean float64 `json:"mean"`
	Std  float64 `json:"std"`
	// RankF32 and RankF64 count the eigenvalues above λmax·d·ε: [Rank].
	RankF32 Count `json:"rank_f32"`
	RankF64 Count `json:"rank_f64"`
	// Ranks that need no threshold: [StableRank], [ParticipationRatio], [EntropyRank].
	StableRank         float64 `json:"stable_rank"`
	ParticipationRatio float64 `json:"participation_ratio"`
	EntropyRank        float64 `json:"entropy_rank"`
	// Seconds is the wall time of the computation.
	Seconds float64 `json:"seconds"`
}

// Max returns the largest eigenvalue. All eigenvalues of a covariance are ≥ 0, so that
// it is also the spectral norm.
func (s *Spectrum) Max() float64 {
	if len(s.Values) == 0 {
		return 0
	}
	largest := s.Values[len(s.Values)-1]
	if s.Zeros > 0 {
		return max(largest, 0)
	}
	return largest
}

// Threshold returns max|λ|·d·ε, the paper's limit between zero and not zero, for
// epsilon [EpsilonF32] or [EpsilonF64].
func (s *Spectrum) Threshold(epsilon float64) float64 {
	return maxAbs(s.Values) * float64(s.Dim) * epsilon
}

// CountAbove returns how many eigenvalues exceed relative·max|λ| in absolute value. It
// panics if relative is not positive.
func (s *Spectrum) CountAbove(relative float64) Count {
	return CountAbove(s.Values, relative, s.Residual)
}

// String summarises s in one line.
func (s *Spectrum) String() string {
	return fmt.Sprintf("d=%d, λ = %.3g ± %.3g, max %.3g, rank %v (float32) %v (float64), stable rank %.3g, participation ratio %.3g, entropy rank %.3g; %s, %s, ±%.1g",
		s.Dim, s.Mean, s.Std, s.Max(), s.RankF32, s.RankF64, s.StableRank, s.ParticipationRatio, s.EntropyRank, s.Method, s.DType, s.Residual)
}

// complete fills in what follows from Dim, Values and Residual, and the moments from
// trace and Frobenius norm.
func (s *Spectrum) complete(trace, frobenius float64, start time.Time) {
	s.Mean, s.Std = Moments(trace, frobenius, s.Dim)
	s.RankF32 = Rank(s.Values, s.Dim, EpsilonF32, s.Residual)
	s.RankF64 = Rank(s.Values, s.Dim, EpsilonF64, s.Residual)
	s.StableRank = StableRank(s.Values)
	s.ParticipationRatio = ParticipationRatio(s.Values)
	s.EntropyRank = EntropyRank(s.Values)
	s.Seconds = time.Since(start).Seconds()
}

package spectrum

import (
	"fmt"
	"math"
	"time"
)

// Spectrum is what is known about the eigenvalues of a symmetric d×d matrix, how they
// were found, and how well.
//
//	var s *spectrum.Spectrum
//	s, err := spectrum.Symmetric(mat.NewSymDense(2, []float64{1, 1.8, 1.8, 9}))
//	fmt.Println(s.Values, s.StableRank)
type Spectrum struct {
	// Method is the way they were found.
	Method Method `json:"method"`
	// DType is the precision in which the matrix was formed, or multiplied with the
	// Krylov basis: float32 or float64. Eigenvalues are computed in float64 always.
	DType string `json:"dtype"`
	// Dim is d.
	Dim int `json:"dim"`
	// Samples is N if the matrix is the covariance of N gradients, else 0.
	Samples int `json:"samples,omitempty"`
	// Values are the largest eigenvalues in ascending order, of length Dim−Zeros−Rest, as
	// computed: an eigenvalue zero may come out as a small number of either sign.
	Values []float64 `json:"values"`
	// Zeros is the number of eigenvalues known to be zero without computing any: a
	// covariance of N gradients has d−N+1 if N ≤ d. They are not in Values.
	Zeros int `json:"zeros"`
	// Residual bounds |computed − true| for every one of Values. It adds an allowance of
	// min(4√d, d/2)·2⁻⁵²·max|λ| for the eigenvalue solver, which is not proved but twice
	// the worst error seen on matrices with known eigenvalues, and for a covariance the
	// measured error of the matrix, see [Of]. For Lanczos it is the largest of Errors.
	Residual float64 `json:"residual"`
	// Rest is the number of eigenvalues that were not computed, and RestMax a bound that
	// none of them exceeds. Both are zero if all are in Values or Zeros.
	Rest    int     `json:"rest,omitempty"`
	RestMax float64 `json:"rest_max,omitempty"`
	// Errors bounds |computed − true|, one for each of Values, and Residuals holds ‖Ax − θx‖,
	// one for each value θ and its vector x. Lanczos only.
	Errors    []float64 `json:"errors,omitempty"`
	Residuals []float64 `json:"residuals,omitempty"`
	// Failure is the probability with which RestMax, and what follows from it, may fail.
	// Lanczos only: its bounds rest on random vectors.
	Failure float64 `json:"failure,omitempty"`
	// Products is the number of vectors that Lanczos multiplied with the matrix.
	Products int `json:"products,omitempty"`
	// Mean and Std are the mean and the population standard deviation over all Dim
	// eigenvalues, zeros included, from trace and Frobenius norm: [Moments]. Std lies
	// between StdLower and StdUpper; all three are equal if no eigenvalue is missing.
	Mean     float64 `json:"mean"`
	Std      float64 `json:"std"`
	StdLower float64 `json:"std_lower"`
	StdUpper float64 `json:"std_upper"`
	// RankF32 and RankF64 count the eigenvalues above λmax·d·ε: [Rank].
	RankF32 Count `json:"rank_f32"`
	RankF64 Count `json:"rank_f64"`
	// Ranks that need no threshold: [StableRank], [ParticipationRatio], [EntropyRank]. The
	// last needs all eigenvalues: it is 0 if some are missing.
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

// Largest returns the k largest eigenvalues, the largest first, and a bound of the error
// of each, two slices of length k, whichever method found them. It panics if k is negative
// or more than len(Values).
//
//	values, errors := s.Largest(20)
//	fmt.Printf("%.3g ± %.0g\n", values[0], errors[0])
func (s *Spectrum) Largest(k int) (values, errors []float64) {
	n := len(s.Values)
	if k < 0 || k > n {
		panic(fmt.Sprintf("spectrum: the largest %d of %d eigenvalues do not exist", k, n))
	}
	for i := n - 1; i >= n-k; i-- {
		values = append(values, s.Values[i])
		if s.Errors != nil {
			errors = append(errors, s.Errors[i])
		} else {
			errors = append(errors, s.Residual)
		}
	}
	return values, errors
}

// Threshold returns max|λ|·d·ε, the paper's limit between zero and not zero, for
// epsilon [EpsilonF32] or [EpsilonF64].
func (s *Spectrum) Threshold(epsilon float64) float64 {
	return maxAbs(s.Values) * float64(s.Dim) * epsilon
}

// CountAbove returns how many eigenvalues exceed relative·max|λ| in absolute value. It
// panics if relative is not positive.
func (s *Spectrum) CountAbove(relative float64) Count {
	if s.Method != Lanczos {
		return CountAbove(s.Values, relative, s.Residual)
	}
	if !(relative > 0) {
		panic(fmt.Sprintf("spectrum: threshold must be positive: got %v", relative))
	}
	last := len(s.Values) - 1
	low, high := relative*max(0, s.Values[last]-s.Errors[last]), relative*(s.Values[last]+s.Errors[last])
	var c Count
	rest := s.Mean * float64(s.Dim)
	for i, v := range s.Values {
		if v-s.Errors[i] > high {
			c.Lower++
		}
		if v+s.Errors[i] > low {
			c.Upper++
		}
		rest -= v
	}
	if s.RestMax > low {
		// Not more than the trace has room for.
		room := float64(s.Rest)
		if low > 0 {
			room = min(room, math.Floor(max(0, rest+s.Errors[last])/low))
		}
		c.Upper += int(room)
	}
	return c
}

// String summarises s in one line.
func (s *Spectrum) String() string {
	if s.Rest > 0 {
		return fmt.Sprintf("d=%d, λ = %.3g ± %.6g..%.6g, max %.3g, rank %v (float32) %v (float64), stable rank %.3g, participation ratio %.3g; %s for the largest %d, others ≤ %.3g, %s, ±%.1g, failure ≤ %.0g",
			s.Dim, s.Mean, s.StdLower, s.StdUpper, s.Max(), s.RankF32, s.RankF64, s.StableRank, s.ParticipationRatio, s.Method, len(s.Values), s.RestMax, s.DType, s.Residual, s.Failure)
	}
	return fmt.Sprintf("d=%d, λ = %.3g ± %.3g, max %.3g, rank %v (float32) %v (float64), stable rank %.3g, participation ratio %.3g, entropy rank %.3g; %s, %s, ±%.1g",
		s.Dim, s.Mean, s.Std, s.Max(), s.RankF32, s.RankF64, s.StableRank, s.ParticipationRatio, s.EntropyRank, s.Method, s.DType, s.Residual)
}

// complete fills in what follows from Dim, Values and Residual, and the moments from
// trace and Frobenius norm.
func (s *Spectrum) complete(trace, frobenius float64, start time.Time) {
	s.Mean, s.Std = Moments(trace, frobenius, s.Dim)
	s.StdLower, s.StdUpper = s.Std, s.Std
	s.RankF32 = s.CountAbove(float64(s.Dim) * EpsilonF32)
	s.RankF64 = s.CountAbove(float64(s.Dim) * EpsilonF64)
	if s.Rest == 0 {
		s.StableRank = StableRank(s.Values)
		s.ParticipationRatio = ParticipationRatio(s.Values)
		s.EntropyRank = EntropyRank(s.Values)
	} else if trace > 0 {
		s.StableRank = trace / s.Max()
		s.ParticipationRatio = (trace / frobenius) * (trace / frobenius)
	}
	s.Seconds = time.Since(start).Seconds()
}

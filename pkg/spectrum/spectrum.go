package spectrum

import (
	"context"
	"errors"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/noise"
)

// Count is a number of eigenvalues of which some are too close to the threshold to
// be decided: the true one lies in Lower..Upper.
type Count struct {
	Lower int `json:"lower"`
	Upper int `json:"upper"`
}

// Spectrum is what is known about the eigenvalues of a symmetric d×d matrix.
type Spectrum struct {
	Method  string    `json:"method"`
	DType   string    `json:"dtype"`
	Dim     int       `json:"dim"`              // d
	Samples int       `json:"samples"`          // N, 0 if the matrix is not a covariance
	Values  []float64 `json:"values,omitempty"` // ascending
	Zeros   int       `json:"zeros"`            // structural zeros, not in Values

	Residual float64 `json:"residual"` // bound on |computed − true| of every eigenvalue

	Mean float64 `json:"mean"` // over all Dim eigenvalues
	Std  float64 `json:"std"`  // population standard deviation over all Dim

	RankF32 Count `json:"rank_f32"`
	RankF64 Count `json:"rank_f64"`

	StableRank         float64 `json:"stable_rank"`
	ParticipationRatio float64 `json:"participation_ratio"`
	EntropyRank        float64 `json:"entropy_rank"`

	Seconds float64 `json:"seconds"`
}

// Settings are the choices of Of.
type Settings struct {
	Workers int // goroutines; 0 means GOMAXPROCS
}

// Symmetric returns the spectrum of a.
func Symmetric(a *mat.SymDense) (*Spectrum, error) {
	return nil, errors.New("spectrum: not available")
}

// Of returns the spectrum of cov.
func Of(ctx context.Context, cov *noise.Covariance, s *Settings) (*Spectrum, error) {
	return nil, errors.New("spectrum: not available")
}

package noise

import (
	"context"
	"errors"

	"sgdlab/pkg/problem"
)

// Settings are the choices of NewCovariance; the zero value is the default.
type Settings struct {
	MaxBytes int64 // memory for G; 0 means 2 GiB
	Workers  int   // goroutines; 0 means GOMAXPROCS
}

// Covariance is D(x) at one x.
type Covariance struct {
	dim, samples int
}

// NewCovariance computes the per-sample gradients of f at x.
func NewCovariance(ctx context.Context, f problem.FiniteSum, x []float64, s *Settings) (*Covariance, error) {
	return nil, errors.New("noise: not available")
}

// Dim returns d.
func (c *Covariance) Dim() int { return c.dim }

// Samples returns N.
func (c *Covariance) Samples() int { return c.samples }

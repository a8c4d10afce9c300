package spectrum

import (
	"errors"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/spectrum/internal/dense"
)

// Symmetric returns the spectrum of a (d×d), all eigenvalues, exact up to Residual. a is not
// modified. Cost O(d³) and 8d² bytes.
//
// It returns an error if a is empty or has an entry that is not finite.
func Symmetric(a *mat.SymDense) (*Spectrum, error) {
	start := time.Now()
	if a.IsEmpty() {
		return nil, errors.New("spectrum: an empty matrix has no eigenvalues: give at least 1×1")
	}
	if err := checkFinite(a); err != nil {
		return nil, err
	}
	s := &Spectrum{Method: Dense, DType: "float64", Dim: a.SymmetricDim()}
	trace, frobenius := mat.Trace(a), mat.Norm(a, 2)
	var err error
	if s.Values, s.Residual, err = eigenvalues(a, 0, false); err != nil {
		return nil, err
	}
	s.complete(trace, frobenius, start)
	return s, nil
}

// eigenvalues returns the eigenvalues of a in ascending order and an allowance for their
// error, after holding them against the trace and the Frobenius norm of a. If overwrite
// is set, the memory of a is used and its contents are lost.
func eigenvalues(a *mat.SymDense, workers int, overwrite bool) (values []float64, residual float64, err error) {
	n := a.SymmetricDim()
	// With entries of about 1 the squares below neither overflow nor vanish.
	_, exponent := math.Frexp(mat.Norm(a, 1))
	exponent = max(exponent, -1000)
	trace, frobenius := math.Ldexp(mat.Trace(a), -exponent), math.Ldexp(mat.Norm(a, 2), -exponent)
	var memory []float64
	if sym := a.RawSymmetric(); overwrite && sym.Stride == n {
		memory = sym.Data[:n*n]
	} else {
		memory = make([]float64, n*n)
	}
	transpose(memory, a, math.Ldexp(1, -exponent))
	if values, err = dense.Eigenvalues(memory, n, workers); err != nil {
		return nil, 0, fmt.Errorf("spectrum: %w", err)
	}
	var sum, squares float64
	for _, v := range values {
		sum += v
		squares += v * v
	}
	if n > 1 {
		residual = min(4*math.Sqrt(float64(n)), float64(n)/2) * EpsilonF64 * maxAbs(values)
	}
	// Errors e of the eigenvalues change Σλ by at most n·e and √Σλ² by √n·e; the sums
	// round by about n·2⁻⁵²·‖a‖_F. A solver that fails, fails by far more.
	slack := float64(n) * (residual + EpsilonF64*frobenius)
	if !(math.Abs(sum-trace) <= slack && math.Abs(math.Sqrt(squares)-frobenius) <= slack) {
		return nil, 0, fmt.Errorf("spectrum: the eigenvalues of the %d×%d matrix are wrong: after scaling, sum %v and root of squares %v, want trace %v and Frobenius norm %v within %.1e: please report the matrix", n, n, sum, math.Sqrt(squares), trace, frobenius, slack)
	}
	for i, v := range values {
		values[i] = math.Ldexp(v, exponent)
	}
	return values, math.Ldexp(residual, exponent), nil
}

// transpose stores scale·a in the lower triangle of dst, n×n row-major, which may be the
// memory of a.
func transpose(dst []float64, a *mat.SymDense, scale float64) {
	sym := a.RawSymmetric()
	const tile = 64
	for top := 0; top < sym.N; top += tile {
		for left := 0; left <= top; left += tile {
			for i := top; i < min(sym.N, top+tile); i++ {
				for j := left; j < min(i+1, left+tile); j++ {
					dst[i*sym.N+j] = scale * sym.Data[j*sym.Stride+i]
				}
			}
		}
	}
}

// checkFinite returns an error that names the first entry of a that is not finite.
func checkFinite(a *mat.SymDense) error {
	sym := a.RawSymmetric()
	for i := range sym.N {
		for j := i; j < sym.N; j++ {
			if v := sym.Data[i*sym.Stride+j]; math.IsNaN(v) || math.Abs(v) > maxEntry {
				return fmt.Errorf("spectrum: entry (%d, %d) of the matrix is %v: all entries must be finite and at most %.0e", i, j, v, maxEntry)
			}
		}
	}
	return nil
}

// maxEntry keeps eigenvalues and norms of any matrix in memory from overflowing.
const maxEntry = 1e300

package spectrum

import (
	"errors"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Symmetric returns the spectrum of a, all eigenvalues, exact up to Residual. a is not
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
	s := &Spectrum{Method: "dense", DType: "float64", Dim: a.SymmetricDim()}
	trace, frobenius := mat.Trace(a), mat.Norm(a, 2)
	var err error
	if s.Values, s.Residual, err = eigenvalues(a); err != nil {
		return nil, err
	}
	s.complete(trace, frobenius, start)
	return s, nil
}

// eigenvalues returns the eigenvalues of a in ascending order and an allowance for their
// error, after holding them against the trace and the Frobenius norm of a. a is not
// modified.
func eigenvalues(a *mat.SymDense) (values []float64, residual float64, err error) {
	n := a.SymmetricDim()
	// With entries of about 1 the squares below neither overflow nor vanish, and gonum's
	// Dsterf panics at scales where it would have to rescale.
	_, exponent := math.Frexp(mat.Norm(a, 1))
	exponent = max(exponent, -1000)
	scaled := mat.NewSymDense(n, nil)
	scaled.ScaleSym(math.Ldexp(1, -exponent), a)
	trace, frobenius := mat.Trace(scaled), mat.Norm(scaled, 2)
	var eig mat.EigenSym
	if !eig.Factorize(scaled, false) {
		return nil, 0, fmt.Errorf("spectrum: the eigenvalues of the %d×%d matrix did not converge: please report the matrix", n, n)
	}
	values = eig.Values(nil)
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

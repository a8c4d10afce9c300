// References:
//   [bischof2000]  Bischof, Lang, Sun. A framework for symmetric band reduction. ACM TOMS 26 (2000).
//   [haidar2011]   Haidar, Ltaief, Dongarra. Parallel reduction to condensed forms for symmetric eigenvalue problems. SC 2011.

package dense

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"

	"sgdlab/pkg/internal/syrk/kernel"
)

// small is the largest order for which gonum's one-stage method is used: below it
// there are too few tiles to gain from two stages.
const small = 128

// Eigenvalues returns all n eigenvalues, ascending, of the symmetric matrix whose
// lower triangle is in a, row-major: entry (i, j) is a[i·n+j], j ≤ i. The upper
// triangle is not read. a is destroyed.
//
// Each eigenvalue is that of a matrix within about n·2⁻⁵²·‖A‖₂ of A, so it has about
// that absolute error: eigenvalues much smaller than λmax have few correct digits.
//
// workers is the number of goroutines, 0 or too many mean GOMAXPROCS; the result does
// not depend on it, bit for bit. The cost is 4n³/3 operations and memory for about 450·n further numbers.
//
// It panics if len(a) is not n². It returns an error if an entry is NaN or infinite, or
// if an eigenvalue is beyond the range of float64.
func Eigenvalues(a []float64, n, workers int) ([]float64, error) {
	return eigenvalues(kernel.Best(), a, n, workers)
}

// Kernels says which inner loops are in use, "assembly AVX-512" or "portable Go".
func Kernels() string { return kernel.Best().Name }

func eigenvalues(k *kernel.Set, a []float64, n, workers int) ([]float64, error) {
	if n < 0 || len(a) != n*n {
		panic(fmt.Sprintf("dense: dimension mismatch: a has %d elements, want %d×%d", len(a), n, n))
	}
	if most := runtime.GOMAXPROCS(0); workers <= 0 || workers > most {
		workers = most // more would wait for each other without a processor to run on
	}
	shift, err := exponent(a, n)
	if err != nil {
		return nil, err
	}
	if shift == math.MinInt { // the zero matrix, or n = 0
		return make([]float64, n), nil
	}
	// Within 2^±100 nothing overflows that matters: squares stay in range, and an entry
	// whose square underflows is far below the round-off of the largest.
	if -100 < shift && shift < 100 {
		shift = 0
	}
	scale(a, n, -shift)
	var values []float64
	if n <= small {
		values = oneStage(a, n)
	} else {
		team := newTeam(workers)
		diag, off := chase(k, reduce(k, a, n, team), n, team)
		team.dismiss()
		if !(gonum.Implementation{}).Dsterf(n, diag, off) {
			return nil, fmt.Errorf("dense: the QR iteration for the %d eigenvalues did not converge: check that the matrix is what you meant, and report it", n)
		}
		slices.Sort(diag)
		values = diag
	}
	for i, v := range values {
		values[i] = math.Ldexp(v, shift)
		if math.IsInf(values[i], 0) {
			return nil, fmt.Errorf("dense: eigenvalue %d of %d, %g·2^%d, is beyond the range of float64: divide the matrix by a constant", i+1, n, v, shift)
		}
	}
	return values, nil
}

// oneStage returns the eigenvalues by gonum's Householder reduction and QR iteration.
func oneStage(a []float64, n int) []float64 {
	values := make([]float64, n)
	work := make([]float64, 8*n)
	if !(gonum.Implementation{}).Dsyev(lapack.EVNone, blas.Lower, n, a, n, values, work, len(work)) {
		panic("dense: gonum's QR iteration did not converge")
	}
	return values
}

// exponent returns the binary exponent of the largest entry of the lower triangle,
// math.MinInt if all are zero, and an error if one is not finite.
func exponent(a []float64, n int) (int, error) {
	const sign, infinity = 1 << 63, 0x7ff << 52
	var largest uint64 // the bits of magnitudes are in their order, NaN beyond infinity
	for i := range n {
		row := a[i*n : i*n+i+1]
		for _, x := range row {
			largest = max(largest, math.Float64bits(x)&^sign)
		}
		if largest >= infinity {
			j := slices.IndexFunc(row, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
			return 0, fmt.Errorf("dense: entry (%d, %d) of the matrix is %g: look for NaN or Inf in what it was made from", i, j, row[j])
		}
	}
	if largest == 0 {
		return math.MinInt, nil
	}
	_, e := math.Frexp(math.Float64frombits(largest))
	return e, nil
}

// scale multiplies the lower triangle by 2^e, |e| ≤ 1100.
func scale(a []float64, n, e int) {
	if e == 0 {
		return
	}
	// In two steps, because 2^e itself may overflow.
	f, g := math.Ldexp(1, e/2), math.Ldexp(1, e-e/2)
	for i := range n {
		row := a[i*n : i*n+i+1]
		for j, x := range row {
			row[j] = x * f * g
		}
	}
}

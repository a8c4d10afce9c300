// References:
//   [bjorck1973]  Björck, Golub. Numerical methods for computing angles between linear subspaces. Math. Comp. 27 (1973).

package spectrum

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// PrincipalAngles returns the k principal angles between two k-dimensional subspaces of
// Rᵈ, in radians and ascending: the smallest angle between a vector of one and one of the
// other, the smallest of those orthogonal to these, and so on. All are 0 if the subspaces
// are the same, π/2 if they are orthogonal. For the leading eigenvectors of two
// covariances ([TopVectors]) they tell whether the strongest noise points where it did
// (erratum E20 of [chaudhari2018], Remark 13).
//
// The columns of u and v (d×k) are orthonormal bases. Small angles are as accurate as
// large ones, about 10⁻¹⁵ for exact bases [bjorck1973].
//
// NOTE: Subspaces that are chosen at random are nearly orthogonal if k ≪ d: the mean of
// cos² is k/d.
//
// It panics if u and v have different sizes, more columns than rows, or columns that are
// not orthonormal to 10⁻⁶.
func PrincipalAngles(u, v *mat.Dense) []float64 {
	d, k := u.Dims()
	if rows, cols := v.Dims(); rows != d || cols != k || k > d {
		panic(fmt.Sprintf("spectrum: dimension mismatch: bases are %d×%d and %d×%d, want the same d×k with k ≤ d", d, k, rows, cols))
	}
	checkOrthonormal("u", u)
	checkOrthonormal("v", v)
	var c, s mat.Dense
	c.Mul(u.T(), v)
	s.Mul(u, &c)
	s.Sub(v, &s) // the part of v outside the span of u
	cos, sin := singularValues(&c), singularValues(&s)
	angles := make([]float64, k)
	for i := range angles {
		// Cosines descend, sines are matched from the other end.
		if x := sin[k-1-i]; x*x < .5 {
			angles[i] = math.Asin(x)
		} else {
			angles[i] = math.Acos(min(1, cos[i]))
		}
	}
	return angles
}

func singularValues(a *mat.Dense) []float64 {
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDNone) {
		r, c := a.Dims()
		panic(fmt.Sprintf("spectrum: no singular values of a %d×%d matrix: it must be finite", r, c))
	}
	return svd.Values(nil)
}

func checkOrthonormal(name string, u *mat.Dense) {
	_, k := u.Dims()
	var g mat.Dense
	g.Mul(u.T(), u)
	for i := range k {
		for j := range k {
			want := 0.
			if i == j {
				want = 1
			}
			if !(math.Abs(g.At(i, j)-want) <= 1e-6) {
				panic(fmt.Sprintf("spectrum: the product of the columns %d and %d of %s is %v, want %v: give an orthonormal basis", i, j, name, g.At(i, j), want))
			}
		}
	}
}

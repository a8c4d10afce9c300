package numtest

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Symmetric returns V·diag(eig)·Vᵀ with a random orthogonal V (Haar: the Q of a
// Gaussian matrix with the signs of R's diagonal moved into it).
// Its eigenvalues are eig up to round-off, about len(eig)·2⁻⁵²·max|eig|.
func Symmetric(rng *rand.Rand, eig []float64) *mat.SymDense {
	n := len(eig)
	v := Orthogonal(rng, n)
	a := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			var sum float64
			for k, e := range eig {
				sum += v.At(i, k) * e * v.At(j, k)
			}
			a.SetSym(i, j, sum)
		}
	}
	return a
}

// Orthogonal returns a random n×n orthogonal matrix (Haar measure).
func Orthogonal(rng *rand.Rand, n int) *mat.Dense {
	var qr mat.QR
	qr.Factorize(Gaussian(rng, n, n))
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	for j := range n {
		if r.At(j, j) < 0 {
			for i := range n {
				q.Set(i, j, -q.At(i, j))
			}
		}
	}
	return &q
}

// Gaussian returns a rows×cols matrix of independent standard normal entries,
// drawn row by row.
func Gaussian(rng *rand.Rand, rows, cols int) *mat.Dense {
	data := make([]float64, rows*cols)
	for i := range data {
		data[i] = rng.NormFloat64()
	}
	return mat.NewDense(rows, cols, data)
}

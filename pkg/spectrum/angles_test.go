package spectrum_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/spectrum"
)

func TestPrincipalAngles(t *testing.T) {
	rng := rand.New(rand.NewPCG(91, 1))
	for _, size := range []struct{ d, k int }{{1, 1}, {2, 1}, {4, 2}, {9, 4}, {30, 7}, {30, 15}, {50, 20}} {
		// v turns each vector of u by its angle out of the span, then everything is mixed.
		want := make([]float64, size.k)
		q := numtest.Orthogonal(rng, size.d)
		u, v := mat.NewDense(size.d, size.k, nil), mat.NewDense(size.d, size.k, nil)
		for j := range size.k {
			if 2*size.k <= size.d {
				want[j] = []float64{0, 1e-12, 1e-9, 1e-4, .1, 1, math.Pi / 2}[rng.IntN(7)]
			}
			for i := range size.d {
				u.Set(i, j, q.At(i, j))
				out := 0.
				if want[j] > 0 {
					out = q.At(i, size.k+j)
				}
				v.Set(i, j, math.Cos(want[j])*q.At(i, j)+math.Sin(want[j])*out)
			}
		}
		slices.Sort(want)
		var mixedU, mixedV mat.Dense
		mixedU.Mul(u, numtest.Orthogonal(rng, size.k))
		mixedV.Mul(v, numtest.Orthogonal(rng, size.k))
		name := fmt.Sprintf("d=%d, k=%d", size.d, size.k)
		// Bases are orthonormal to a few 10⁻¹⁵; acos loses half the digits near π/2 only in
		// the cosine, not in the angle.
		numtest.CloseSlice(t, name, spectrum.PrincipalAngles(&mixedU, &mixedV), want, 3e-14)
		numtest.CloseSlice(t, name+", exchanged", spectrum.PrincipalAngles(&mixedV, &mixedU), want, 3e-14)
		numtest.CloseSlice(t, name+", the same", spectrum.PrincipalAngles(&mixedU, &mixedU), make([]float64, size.k), 3e-14)
	}
}

func TestPrincipalAnglesOfRandomSubspaces(t *testing.T) {
	// The mean of cos² over the angles is k/d, with a standard deviation below .02 here.
	const d, k = 200, 20
	rng := rand.New(rand.NewPCG(92, 1))
	basis := func() *mat.Dense { return mat.DenseCopyOf(numtest.Orthogonal(rng, d).Slice(0, d, 0, k)) }
	var mean float64
	for _, a := range spectrum.PrincipalAngles(basis(), basis()) {
		mean += math.Cos(a) * math.Cos(a) / k
	}
	numtest.Close(t, "mean of cos²", mean, float64(k)/d, .1)
}

func TestPrincipalAnglesBadInput(t *testing.T) {
	unit := mat.NewDense(3, 1, []float64{1, 0, 0})
	wantPanics(t, map[string]func(){
		"sizes":      func() { spectrum.PrincipalAngles(unit, mat.NewDense(3, 2, []float64{1, 0, 0, 1, 0, 0})) },
		"not normal": func() { spectrum.PrincipalAngles(unit, mat.NewDense(3, 1, []float64{1, 1, 0})) },
		"not orthogonal": func() {
			spectrum.PrincipalAngles(mat.NewDense(2, 2, []float64{1, 1, 0, 0}), mat.NewDense(2, 2, []float64{1, 0, 0, 1}))
		},
		"NaN": func() { spectrum.PrincipalAngles(mat.NewDense(3, 1, []float64{math.NaN(), 0, 0}), unit) },
		"wide": func() {
			spectrum.PrincipalAngles(mat.NewDense(1, 2, []float64{1, 0}), mat.NewDense(1, 2, []float64{1, 0}))
		},
	})
}

// turned returns gradients with the covariance diag(λ), and those of the same turned by
// a random rotation.
func turned(values []float64) (straight, rotated *mat.Dense) {
	d := len(values)
	straight = mat.NewDense(2*d, d, nil)
	for j, v := range values {
		straight.Set(2*j, j, math.Sqrt(float64(d)*v))
		straight.Set(2*j+1, j, -math.Sqrt(float64(d)*v))
	}
	rotated = new(mat.Dense)
	rotated.Mul(straight, numtest.Orthogonal(rand.New(rand.NewPCG(93, 1)), d))
	return straight, rotated
}

func ExamplePrincipalAngles() {
	// Erratum E20: two covariances with the same spectrum need not be the same matrix.
	ctx := context.Background()
	a, b := turned(powers(100, 1))
	var found [2]*spectrum.Spectrum
	var leading [2]*mat.Dense
	var d [2]*noise.Covariance
	for i, g := range []*mat.Dense{a, b} {
		var err error
		if d[i], err = noise.NewCovariance(ctx, &numtest.Gradients{G: g}, make([]float64, 100), nil); err != nil {
			fmt.Println(err)
			return
		}
		if found[i], leading[i], err = spectrum.TopVectors(ctx, d[i], 3, nil); err != nil {
			fmt.Println(err)
			return
		}
	}
	cosine, err := noise.Cosine(ctx, d[0], d[1])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("largest eigenvalues: %.3f and %.3f\n", found[0].Max(), found[1].Max())
	fmt.Printf("cosine %.2f, participation ratio/d %.2f\n", cosine, found[0].ParticipationRatio/100)
	fmt.Printf("principal angles of the leading three: %.1f\n", spectrum.PrincipalAngles(leading[0], leading[1]))
	// Output:
	// largest eigenvalues: 1.000 and 1.000
	// cosine 0.18, participation ratio/d 0.16
	// principal angles of the leading three: [1.3 1.4 1.5]
}

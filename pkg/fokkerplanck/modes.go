package fokkerplanck

import (
	"cmp"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// krylov is the size of the Arnoldi basis: the slowest few modes of a generator converge in
// half of it.
const krylov = 40

// SlowModes returns the k eigenvalues of L next to zero, the zero of the steady state left
// out, slowest decay (largest real part) first; complex ones come in pairs. The spectral
// gap is minus the real part of the first.
//
// It is a shift-invert Arnoldi iteration on vectors of sum zero, with a deterministic
// start. It panics unless 1 ≤ k ≤ 10, and returns an error if the modes asked for have not
// converged to a relative 1e-6.
//
//	l, err := fokkerplanck.Known(problem.EX19(1).System(), g, fokkerplanck.Centred)
//	modes, err := l.SlowModes(3)
func (l *Generator) SlowModes(k int) ([]complex128, error) {
	if k < 1 || k > 10 {
		panic(fmt.Sprintf("fokkerplanck: SlowModes finds 1 to 10 modes: got %d", k))
	}
	n := l.Grid.Cells()
	m := min(krylov, n-1)
	scale := 0.0
	for _, row := range l.rows {
		scale = max(scale, -row[centre])
	}
	// Shifted a little to the right, out of the null space, which the projection removes.
	shift := 1e-9 * scale
	f, err := factorise(l, shift, -1) // M = shift − L
	if err != nil {
		return nil, err
	}
	project := func(v []float64) { // the left null vector of L is (1, …, 1)
		mean := floats.Sum(v) / float64(n)
		for i := range v {
			v[i] -= mean
		}
	}
	basis := [][]float64{make([]float64, n)}
	for i := range n {
		basis[0][i] = math.Sin(float64(i)*math.Phi) + math.Cos(float64(i/l.Grid.NX)*0.37)
	}
	project(basis[0])
	floats.Scale(1/floats.Norm(basis[0], 2), basis[0])
	h := mat.NewDense(m+1, m, nil)
	size := m
	for j := range m {
		w := slices.Clone(basis[j])
		f.solve(w)
		project(w)
		for range 2 { // twice is enough for orthogonality
			for i, b := range basis {
				c := floats.Dot(b, w)
				h.Set(i, j, h.At(i, j)+c)
				floats.AddScaled(w, -c, b)
			}
		}
		norm := floats.Norm(w, 2)
		h.Set(j+1, j, norm)
		if norm < 1e-14*mat.Norm(h, 2) {
			size = j + 1
			break
		}
		floats.Scale(1/norm, w)
		basis = append(basis, w)
	}
	var e mat.Eigen
	if !e.Factorize(h.Slice(0, size, 0, size), mat.EigenRight) {
		return nil, fmt.Errorf("fokkerplanck: %s: the eigenvalues of the Arnoldi matrix were not found", l.System.Name)
	}
	values := e.Values(nil)
	var vectors mat.CDense
	e.VectorsTo(&vectors)
	order := make([]int, size)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(cmplx.Abs(values[b]), cmplx.Abs(values[a])) })
	var modes []complex128
	for _, q := range order[:min(k+1, size)] { // one more, so as not to split a pair
		residual := 0.0
		if size == m {
			residual = cmplx.Abs(vectors.At(size-1, q)) * h.At(m, m-1) / cmplx.Abs(values[q])
		}
		if len(modes) < k && residual > 1e-6 {
			return nil, fmt.Errorf("fokkerplanck: %s: slow mode %d has the residual %.1g; ask for fewer modes", l.System.Name, len(modes)+1, residual)
		}
		modes = append(modes, complex(shift, 0)-1/values[q])
	}
	slices.SortStableFunc(modes, func(a, b complex128) int { return cmp.Compare(real(b), real(a)) })
	return modes[:min(k, len(modes))], nil
}

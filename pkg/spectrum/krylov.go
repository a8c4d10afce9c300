package spectrum

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/tall"
)

// times stores A·V in dst for the d×m matrix V.
type times func(ctx context.Context, dst, v *mat.Dense) error

// width is the number of columns of a block: two tiles of package tall.
const width = 2 * tall.Cols64

// block is d×width, row-major, with d rounded up to whole tiles. Columns beyond a number
// that its owner knows are zero.
type block []float64

func newBlock(d int) block { return make(block, tall.RoundUp(d, tall.Rows)*width) }

// dense returns the first cols columns of b as a d×cols matrix in the same memory.
func (b block) dense(d, cols int) *mat.Dense {
	var m mat.Dense
	m.SetRawMatrix(blas64.General{Rows: d, Cols: cols, Stride: width, Data: b[:(d-1)*width+cols]})
	return &m
}

// vectors are columns in blocks, all full but the last.
type vectors struct {
	d, n    int // length and number
	blocks  []block
	workers int
}

// add appends cols columns of b.
func (v *vectors) add(b block, cols int) {
	v.blocks = append(v.blocks, b)
	v.n += cols
}

// toDense returns the columns in a matrix of their own, d×n.
func (v *vectors) toDense() *mat.Dense {
	m := mat.NewDense(v.d, v.n, nil)
	for i := range v.d {
		row := m.RawRowView(i)
		for b := range v.blocks {
			copy(row[b*width:], v.blocks[b][i*width:(i+1)*width])
		}
	}
	return m
}

// fromDense is the opposite of toDense.
func fromDense(m *mat.Dense, workers int) *vectors {
	d, n := m.Dims()
	v := &vectors{d: d, workers: workers}
	for first := 0; first < n; first += width {
		b := newBlock(d)
		cols := min(width, n-first)
		for i := range d {
			copy(b[i*width:i*width+cols], m.RawRowView(i)[first:])
		}
		v.add(b, cols)
	}
	return v
}

const strip = 256 // rows that stay in the cache

// transposeMul returns VᵀW, one width×width piece for every block of v.
func (v *vectors) transposeMul(w block) []block {
	product := make([]block, len(v.blocks))
	for b := range product {
		product[b] = newBlock(width)
	}
	const parts = 2 // of a block
	tall.Parallel(v.workers, parts*len(v.blocks), func(task int) {
		a, c := v.blocks[task/parts], product[task/parts]
		rows := len(a) / width
		for k := 0; k < rows; k += strip {
			for i := task % parts * width / parts; i < (task%parts+1)*width/parts; i += tall.Rows {
				for j := 0; j < width; j += tall.Cols64 {
					tall.Outer64(min(strip, rows-k), a[k*width+i:], width, w[k*width+j:], width, c[i*width+j:], width)
				}
			}
		}
	})
	return product
}

// addMul adds V·C to w, with C in pieces as transposeMul returns them.
func (v *vectors) addMul(w block, c []block) {
	rows := len(w) / width
	tall.Parallel(v.workers, (rows+strip-1)/strip, func(task int) {
		for b, a := range v.blocks {
			for i := task * strip; i < min(rows, (task+1)*strip); i += tall.Rows {
				for j := 0; j < width; j += tall.Cols64 {
					tall.Inner64(width, a[i*width:], width, c[b][j:], width, w[i*width+j:], width)
				}
			}
		}
	})
}

// project replaces w by w − V(Vᵀw) and returns Vᵀw.
func (v *vectors) project(w block) []block {
	c := v.transposeMul(w)
	negative := make([]block, len(c))
	for b := range c {
		negative[b] = make(block, len(c[b]))
		floats.ScaleTo(negative[b], -1, c[b])
	}
	v.addMul(w, negative)
	return c
}

// combine returns V·U for the n×cols matrix U.
func (v *vectors) combine(u mat.Matrix) *vectors {
	_, cols := u.Dims()
	result := &vectors{d: v.d, workers: v.workers}
	for first := 0; first < cols; first += width {
		n := min(width, cols-first)
		c := make([]block, len(v.blocks))
		for b := range c {
			c[b] = newBlock(width)
		}
		for i := range v.n {
			for j := range n {
				c[i/width][i%width*width+j] = u.At(i, first+j)
			}
		}
		w := newBlock(v.d)
		v.addMul(w, c)
		result.add(w, n)
	}
	return result
}

// krylov is an orthonormal basis of a block Krylov space of a symmetric matrix A,
//
//	span(W, AW, A²W, …),
//
// built by block Lanczos with full reorthogonalisation [golub1977]: every block is made
// orthogonal to all others twice, so that no eigenvalue is found twice. The leading
// locked vectors only deflate: with P the projector on their complement, the space is
// that of PAP.
type krylov struct {
	vectors
	a        times
	locked   int
	h        [][]float64 // columns of VᵀAV beyond the locked ones, each as long as V was
	next     block       // the next block of the basis, orthonormal
	cols     int         // columns of next; 0 if the basis is complete
	coupling *mat.Dense  // (I−VVᵀ)A·(last block) = next·coupling
	last     int         // columns of the last block
	scale    float64     // the largest norm of a column of A·V so far
	rng      *rand.Rand
}

// newKrylov starts a basis with the columns of w, deflated by locked.
func newKrylov(a times, locked *vectors, w block, cols int, rng *rand.Rand) *krylov {
	k := &krylov{vectors: *locked, a: a, locked: locked.n, rng: rng}
	// Blocks are full but the last, so that the locked vectors stand apart.
	k.blocks = append([]block(nil), locked.blocks...)
	k.project(w)
	k.project(w)
	k.next = w
	k.orthonormalise(cols)
	return k
}

// step adds a block to the basis. The basis is complete if it returns false.
func (k *krylov) step(ctx context.Context) (bool, error) {
	if k.cols == 0 {
		return false, nil
	}
	k.add(k.next, k.cols)
	k.last = k.cols
	z := newBlock(k.d)
	if err := k.a(ctx, z.dense(k.d, k.cols), k.next.dense(k.d, k.cols)); err != nil {
		return false, err
	}
	norms := columnNorms(z, k.cols)
	for _, norm := range norms {
		if math.IsNaN(norm) || math.IsInf(norm, 0) {
			return false, fmt.Errorf("spectrum: a product of the %d×%d matrix with a vector is not finite: check that its entries are, and are below 10¹⁵⁰", k.d, k.d)
		}
	}
	k.scale = max(k.scale, floats.Max(norms))

	c := k.project(z)
	again := k.project(z)
	for b := range c {
		floats.Add(c[b], again[b])
	}
	// Where the blocks of column k.locked… begin: locked blocks may be ragged.
	first := (k.locked + width - 1) / width
	for j := range k.cols {
		var column []float64
		for b := first; b < len(c); b++ {
			n := width
			if b == len(c)-1 {
				n = k.cols
			}
			for i := range n {
				column = append(column, c[b][i*width+j])
			}
		}
		k.h = append(k.h, column)
	}
	k.next = z
	k.orthonormalise(min(k.cols, k.d-k.n))
	return k.cols > 0, nil
}

// orthonormalise makes the columns of next, which are orthogonal to the basis, an
// orthonormal block of at most limit columns, and sets cols and coupling. Columns that
// depend on the others, or are only round-off, are replaced by random ones.
func (k *krylov) orthonormalise(limit int) {
	before := k.last
	if before == 0 {
		before = limit
	}
	tiny := 1e-13 * k.scale
	w, r := k.gramSchmidt(k.next, before, limit, tiny)
	// Dividing by a small norm magnifies what a column still has along the basis, and
	// random columns have not met it at all.
	k.project(w)
	k.project(w)
	w, again := k.gramSchmidt(w, limit, limit, 0)
	k.next, k.cols = w, limit
	if limit > 0 {
		k.coupling = new(mat.Dense)
		k.coupling.Mul(again, r)
	} else {
		k.coupling = nil
	}
}

// gramSchmidt returns an orthonormal block of limit columns whose span includes the
// first cols columns of w, and the limit×cols matrix R with w = block·R, up to columns
// of norm tiny.
func (k *krylov) gramSchmidt(w block, cols, limit int, tiny float64) (block, *mat.Dense) {
	if limit == 0 {
		return w, nil
	}
	r := mat.NewDense(limit, cols, nil)
	var kept [][]float64
	reduce := func(x []float64, column int) float64 {
		for range 2 {
			for i, q := range kept {
				t := floats.Dot(q, x)
				floats.AddScaled(x, -t, q)
				if column >= 0 {
					r.Set(i, column, r.At(i, column)+t)
				}
			}
		}
		return floats.Norm(x, 2)
	}
	for j := range cols {
		x := make([]float64, k.d)
		for i := range x {
			x[i] = w[i*width+j]
		}
		if norm := reduce(x, j); norm > tiny && len(kept) < limit {
			r.Set(len(kept), j, norm)
			floats.Scale(1/norm, x)
			kept = append(kept, x)
		}
	}
	for len(kept) < limit {
		x := gaussian(k.rng, k.d)
		floats.Scale(1/reduce(x, -1), x)
		kept = append(kept, x)
	}
	result := newBlock(k.d)
	for j, x := range kept {
		for i, v := range x {
			result[i*width+j] = v
		}
	}
	return result, r
}

// compressed returns VᵀAV without the locked vectors.
func (k *krylov) compressed() *mat.SymDense {
	h := mat.NewSymDense(len(k.h), nil)
	for j, column := range k.h {
		for i := range min(j+1, len(column)) {
			h.SetSym(i, j, column[i])
		}
	}
	return h
}

// ritz returns the eigenvalues of A compressed to the space, in descending order, the
// norms of their residuals, and the coefficients of their vectors in columns.
func (k *krylov) ritz() (values, residuals []float64, u *mat.Dense, err error) {
	m := len(k.h)
	values, u, err = descending(k.compressed())
	if err != nil {
		return nil, nil, nil, err
	}
	residuals = make([]float64, m)
	if k.cols > 0 {
		var tail mat.Dense
		tail.Mul(k.coupling, u.Slice(m-k.last, m, 0, m))
		for i := range residuals {
			residuals[i] = mat.Norm(tail.ColView(i), 2)
		}
	}
	return values, residuals, u, nil
}

// basis returns the vectors of the space without the locked ones.
func (k *krylov) basis() *vectors {
	first := (k.locked + width - 1) / width
	return &vectors{d: k.d, n: len(k.h), blocks: k.blocks[first:], workers: k.workers}
}

// descending returns the eigenvalues of h, the largest first, and the eigenvectors.
func descending(h *mat.SymDense) ([]float64, *mat.Dense, error) {
	var eig mat.EigenSym
	if !eig.Factorize(h, true) {
		return nil, nil, fmt.Errorf("spectrum: the QR iteration for the %d×%d compressed matrix did not converge: please report the matrix", h.SymmetricDim(), h.SymmetricDim())
	}
	m := h.SymmetricDim()
	values := eig.Values(nil)
	var q mat.Dense
	eig.VectorsTo(&q)
	u := mat.NewDense(m, m, nil)
	for i := range m {
		row, reversed := q.RawRowView(i), u.RawRowView(i)
		for j, v := range row {
			reversed[m-1-j] = v
		}
	}
	slices.Reverse(values)
	return values, u, nil
}

// columnNorms returns the norms of the first cols columns of b.
func columnNorms(b block, cols int) []float64 {
	norms := make([]float64, cols)
	for i := 0; i < len(b); i += width {
		for j, v := range b[i : i+cols] {
			norms[j] += v * v
		}
	}
	for j, v := range norms {
		norms[j] = math.Sqrt(v)
	}
	return norms
}

func gaussian(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

package ledger

import "gonum.org/v1/gonum/mat"

// ordered calls visit with each of the nᵇ ordered batches of b samples.
func ordered(n, b int, visit func(batch []int)) {
	batch := make([]int, b)
	var fill func(i int)
	fill = func(i int) {
		if i == b {
			visit(batch)
			return
		}
		for k := range n {
			batch[i] = k
			fill(i + 1)
		}
	}
	fill(0)
}

// subsets calls visit with each of the C(n, b) subsets of b samples.
func subsets(n, b int, visit func(batch []int)) {
	batch := make([]int, b)
	var fill func(i, from int)
	fill = func(i, from int) {
		if i == b {
			visit(batch)
			return
		}
		for k := from; k < n; k++ {
			batch[i] = k
			fill(i+1, k+1)
		}
	}
	fill(0, 0)
}

// permutations calls visit with each of the n! orders of n samples.
func permutations(n int, visit func(perm []int)) {
	perm := make([]int, n)
	for i := range perm {
		perm[i] = i
	}
	var swap func(i int)
	swap = func(i int) {
		if i == n {
			visit(perm)
			return
		}
		for k := i; k < n; k++ {
			perm[i], perm[k] = perm[k], perm[i]
			swap(i + 1)
			perm[i], perm[k] = perm[k], perm[i]
		}
	}
	swap(0)
}

// batchMean stores the mean of the rows of g in the batch in dst.
func batchMean(dst []float64, g *mat.Dense, batch []int) {
	clear(dst)
	for _, k := range batch {
		for i := range dst {
			dst[i] += g.At(k, i) / float64(len(batch))
		}
	}
}

// moments gathers the mean and the covariance of vectors, one after the other.
type moments struct {
	n    int
	sum  []float64
	rows []float64
}

func (m *moments) add(v []float64) {
	if m.sum == nil {
		m.sum = make([]float64, len(v))
	}
	m.n++
	for i := range v {
		m.sum[i] += v[i]
	}
	m.rows = append(m.rows, v...)
}

func (m *moments) mean() []float64 {
	mean := make([]float64, len(m.sum))
	for i := range mean {
		mean[i] = m.sum[i] / float64(m.n)
	}
	return mean
}

// covariance returns the centred covariance, divided by the number of vectors.
func (m *moments) covariance() *mat.SymDense {
	d := len(m.sum)
	mean, c := m.mean(), mat.NewSymDense(d, nil)
	for k := range m.n {
		v := m.rows[k*d : (k+1)*d]
		for i := range d {
			for j := i; j < d; j++ {
				c.SetSym(i, j, c.At(i, j)+(v[i]-mean[i])*(v[j]-mean[j])/float64(m.n))
			}
		}
	}
	return c
}

// maxDiff returns max|aᵢⱼ − bᵢⱼ|.
func maxDiff(a, b mat.Matrix) float64 {
	r, c := a.Dims()
	worst := 0.0
	for i := range r {
		for j := range c {
			d := a.At(i, j) - b.At(i, j)
			worst = max(worst, d, -d)
		}
	}
	return worst
}

// vector returns v as a column, for maxDiff.
func vector(v []float64) mat.Matrix { return mat.NewVecDense(len(v), v) }

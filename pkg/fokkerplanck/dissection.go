package fokkerplanck

import (
	"fmt"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// factors is an LU factorisation of M = a·I + b·L by geometric nested dissection: the grid
// is cut by lines of cells into halves, again and again; each line is eliminated after
// both of its sides, as a dense matrix with partial pivoting. [george1973]
//
// Cost for n cells: O(n^1.5) operations and O(n log n) numbers.
type factors struct {
	l    *Generator
	a, b float64
	root *front
}

// front is a line of cells (or a small rectangle) with the cells around its region.
type front struct {
	line, around []int
	halves       []*front
	lu           blas64.General // line × line
	pivots       []int
	upper, lower blas64.General // line × around, around × line
	rest         blas64.General // around × around, until the parent has used it
}

const leafCells = 48 // below this a rectangle is one dense block

// factorise returns the factors of a·I + b·L, or an error if M is singular to working
// precision.
func factorise(l *Generator, a, b float64) (*factors, error) {
	f := &factors{l: l, a: a, b: b}
	g := l.Grid
	x0, y0 := 0, 0
	f.root = &front{}
	if g.X == Periodic { // a column opens the ring
		x0 = 1
		for j := range g.NY {
			f.root.line = append(f.root.line, g.Index(0, j))
		}
	}
	if g.Y == Periodic {
		y0 = 1
		for i := x0; i < g.NX; i++ {
			f.root.line = append(f.root.line, g.Index(i, 0))
		}
	}
	inner := f.dissect(x0, g.NX, y0, g.NY)
	if len(f.root.line) == 0 {
		f.root = inner
	} else {
		f.root.halves = []*front{inner}
	}
	if !f.eliminate(f.root, 2) {
		return nil, fmt.Errorf("fokkerplanck: %s on %s: the matrix %g·I %+g·L is singular", l.System, g, a, b)
	}
	return f, nil
}

// dissect returns the fronts of the rectangle of cells [x0, x1)×[y0, y1).
func (f *factors) dissect(x0, x1, y0, y1 int) *front {
	g := f.l.Grid
	t := &front{}
	w, h := x1-x0, y1-y0
	cut := func(a0, a1, b0, b1 int) {
		for j := b0; j < b1; j++ {
			for i := a0; i < a1; i++ {
				t.line = append(t.line, g.Index(i, j))
			}
		}
	}
	switch {
	case w*h <= leafCells || w < 3 || h < 3:
		cut(x0, x1, y0, y1)
	case w >= h:
		m := x0 + w/2
		cut(m, m+1, y0, y1)
		t.halves = []*front{f.dissect(x0, m, y0, y1), f.dissect(m+1, x1, y0, y1)}
	default:
		m := y0 + h/2
		cut(x0, x1, m, m+1)
		t.halves = []*front{f.dissect(x0, x1, y0, m), f.dissect(x0, x1, m+1, y1)}
	}
	put := func(i, j int) {
		if k := g.Index(i, j); k >= 0 {
			t.around = append(t.around, k)
		}
	}
	for i := x0 - 1; i <= x1; i++ {
		put(i, y0-1)
		put(i, y1)
	}
	for j := y0; j < y1; j++ {
		put(x0-1, j)
		put(x1, j)
	}
	slices.Sort(t.around)
	t.around = slices.Compact(t.around)
	return t
}

func dense(r, c int) blas64.General {
	return blas64.General{Rows: r, Cols: c, Stride: max(c, 1), Data: make([]float64, r*c)}
}

// eliminate factorises t after its halves; branches run in parallel while workers > 1. The
// result does not depend on that.
func (f *factors) eliminate(t *front, workers int) bool {
	ok := make([]bool, len(t.halves))
	var wg sync.WaitGroup
	for i, h := range t.halves {
		if workers > 1 && i == 0 && len(t.halves) == 2 {
			wg.Go(func() { ok[0] = f.eliminate(h, workers/2) })
			continue
		}
		ok[i] = f.eliminate(h, workers/max(len(t.halves), 1))
	}
	wg.Wait()
	if slices.Contains(ok, false) {
		return false
	}

	s, n := len(t.line), len(t.line)+len(t.around)
	place := make(map[int]int, n)
	for i, k := range t.line {
		place[k] = i
	}
	for i, k := range t.around {
		place[k] = s + i
	}
	m := f.gather(t, place, n)
	for _, h := range t.halves {
		at := make([]int, len(h.around))
		for i, k := range h.around {
			at[i] = place[k]
		}
		for i, r := range at {
			row := m.Data[r*n : (r+1)*n]
			for j, v := range h.rest.Data[i*len(at) : (i+1)*len(at)] {
				row[at[j]] += v
			}
		}
		h.rest = blas64.General{}
	}
	block := func(r0, r1, c0, c1 int) blas64.General {
		b := dense(r1-r0, c1-c0)
		for i := r0; i < r1; i++ {
			copy(b.Data[(i-r0)*b.Stride:], m.Data[i*n+c0:i*n+c1])
		}
		return b
	}
	t.lu, t.pivots = block(0, s, 0, s), make([]int, s)
	if !lapack64.Getrf(t.lu, t.pivots) {
		return false
	}
	if n == s {
		return true
	}
	t.upper, t.lower, t.rest = block(0, s, s, n), block(s, n, 0, s), block(s, n, s, n)
	b := n - s
	for i, p := range t.pivots {
		if p != i {
			blas64.Swap(blas64.Vector{N: b, Inc: 1, Data: t.upper.Data[i*b:]}, blas64.Vector{N: b, Inc: 1, Data: t.upper.Data[p*b:]})
		}
	}
	lo, up := t.triangles()
	blas64.Trsm(blas.Left, blas.NoTrans, 1, lo, t.upper)
	blas64.Trsm(blas.Right, blas.NoTrans, 1, up, t.lower)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, -1, t.lower, t.upper, 1, t.rest)
	return true
}

// gather puts the entries of M between the line and itself, and the line and its
// surroundings, into a dense matrix.
func (f *factors) gather(t *front, place map[int]int, n int) blas64.General {
	m := dense(n, n)
	g := f.l.Grid
	for i, k := range t.line {
		x, y := k%g.NX, k/g.NX
		for q, v := range f.l.rows[k] {
			other := g.Index(x+q%3-1, y+q/3-1)
			if other < 0 {
				continue
			}
			c, ok := place[other]
			if !ok {
				continue // eliminated before, below this front
			}
			v *= f.b
			if q == centre {
				v += f.a
			}
			m.Data[i*n+c] += v
			if c >= len(t.line) { // and the entry of the mirrored position
				m.Data[c*n+i] += f.b * f.l.rows[other][8-q]
			}
		}
	}
	return m
}

func (t *front) triangles() (lower, upper blas64.Triangular) {
	s := len(t.line)
	lower = blas64.Triangular{Uplo: blas.Lower, Diag: blas.Unit, N: s, Stride: s, Data: t.lu.Data}
	upper = blas64.Triangular{Uplo: blas.Upper, Diag: blas.NonUnit, N: s, Stride: s, Data: t.lu.Data}
	return lower, upper
}

// solve overwrites v by M⁻¹v.
func (f *factors) solve(v []float64) {
	f.forward(f.root, v)
	f.backward(f.root, v)
}

func (f *factors) forward(t *front, v []float64) {
	for _, h := range t.halves {
		f.forward(h, v)
	}
	s := len(t.line)
	x := make([]float64, s)
	for i, k := range t.line {
		x[i] = v[k]
	}
	for i, p := range t.pivots {
		x[i], x[p] = x[p], x[i]
	}
	lower, _ := t.triangles()
	blas64.Trsv(blas.NoTrans, lower, blas64.Vector{N: s, Inc: 1, Data: x})
	for i, k := range t.line {
		v[k] = x[i]
	}
	for i, k := range t.around {
		sum := 0.0
		for j, a := range t.lower.Data[i*s : (i+1)*s] {
			sum += a * x[j]
		}
		v[k] -= sum
	}
}

func (f *factors) backward(t *front, v []float64) {
	s, b := len(t.line), len(t.around)
	x := make([]float64, s)
	for i, k := range t.line {
		x[i] = v[k]
	}
	if b > 0 {
		z := make([]float64, b)
		for i, k := range t.around {
			z[i] = v[k]
		}
		for i := range x {
			sum := 0.0
			for j, a := range t.upper.Data[i*b : (i+1)*b] {
				sum += a * z[j]
			}
			x[i] -= sum
		}
	}
	_, upper := t.triangles()
	blas64.Trsv(blas.NoTrans, upper, blas64.Vector{N: s, Inc: 1, Data: x})
	for i, k := range t.line {
		v[k] = x[i]
	}
	for _, h := range t.halves {
		f.backward(h, v)
	}
}

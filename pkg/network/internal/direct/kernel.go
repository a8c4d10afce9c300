package direct

const (
	lanes    = 8         // columns come in multiples of it
	maxWidth = 3 * lanes // of a tile
	maxRows  = 8
)

// tile computes, for some number of rows and of columns,
//
//	c[r·ldc + k] = init[k] + Σⱼ a[rows[r] + steps[j]]·b[j·ldb + k]
//
// in the order of j; steps is not empty. Rows of c are written one after the other, so that
// they may be closer than the columns are many: what sticks out is overwritten by the next
// row. Indices are not checked.
type tile[T Float] func(c []T, ldc int, rows []int32, a []T, steps []int32, b []T, ldb int, init []T)

// kernels are the inner loops.
type kernels[T Float] struct {
	name string     // what they are made of
	tile [4]tile[T] // tile[w] has w·lanes columns
	rows [4]int     // and rows[w] rows
	// vector stores init[k] + Σⱼ a[j]·b[j·ldb + k] in c, whose length is a multiple of lanes.
	vector func(c, a, b []T, ldb int, init []T)
	// outer stores the products a[i]·b[j] in c, row by row.
	outer func(c, a, b []T)
	// relu stores max(a, 0) in c.
	relu func(c, a []T)
	// gate stores d where y > 0, and 0 elsewhere, in c.
	gate func(c, d, y []T)
	// window stores the largest of a[steps[j] + k] over j in best[k], and the first j where
	// it is in chosen[k]. It may go beyond best and chosen by less than lanes. ones holds a 1.
	window func(best, chosen, a []T, steps []int32, ones []T)
	// plus adds a to c.
	plus func(c, a []T)
	// outerPlus adds the products a[i]·b[j] to c, row by row.
	outerPlus func(c, a, b []T)
	// affine stores a[i]·scale[i mod p] + shift[i mod p] in c, with p = len(scale) a multiple
	// of lanes. It may go beyond c by less than lanes.
	affine func(c, a, scale, shift []T)
	// affinePair stores d[i]·along[i mod p] + a[i]·scale[i mod p] + shift[i mod p] in c, as
	// affine does.
	affinePair func(c, d, a, along, scale, shift []T)
	// moments adds Σᵣ (d[r·ld+k] − level[k]) to first[k] and
	// Σᵣ (d[r·ld+k] − level[k])·(a[r·ld+k] − centre[k]) to second[k], over rows ≥ 1 rows of
	// len(first) columns, a multiple of lanes.
	moments func(first, second, d, a []T, ld, rows int, level, centre []T)
}

// kernelsOf returns the fastest kernels of this machine.
func kernelsOf[T Float]() *kernels[T] { return available[T]()[0] }

// available returns all kernels that this machine can run, the fastest first.
func available[T Float]() []*kernels[T] { return append(assembly[T](), portable[T]()) }

// panel is a part of a matrix: the columns from first on.
type panel[T Float] struct {
	first, used, width int // columns that exist, and with zeros up to a multiple of lanes
	b                  []T
	ldb                int
	init               []T
}

// panels returns an m×n matrix of zeros with a row init above it, cut into panels of
// maxWidth columns.
func panels[T Float](m, n int) []panel[T] {
	var out []panel[T]
	for first := 0; first < n; first += maxWidth {
		used := min(n-first, maxWidth)
		w := roundUp(used)
		out = append(out, panel[T]{first: first, used: used, width: w, b: make([]T, m*w), ldb: w, init: make([]T, w)})
	}
	return out
}

// width is the sum of the widths of p.
func width[T Float](p []panel[T]) int {
	last := p[len(p)-1]
	return last.first + last.width
}

// product computes c[r·ldc + k] = init[k] + Σⱼ a[rows[r] + steps[j]]·b[j·ldb + k] for all rows
// and the columns that p uses. Unless exact, it also writes zeros in the columns up to
// p.width, before the row that follows and after the last one.
func (k *kernels[T]) product(c []T, ldc int, rows []int32, a []T, steps []int32, p panel[T], exact bool) {
	w := p.width / lanes
	height := k.rows[w]
	_ = p.b[(len(steps)-1)*p.ldb+p.width-1]
	if len(rows) >= height && (!exact || p.used == p.width) {
		_ = c[(len(rows)-1)*ldc+p.width-1]
		for r := 0; r < len(rows); r += height {
			r := min(r, len(rows)-height)
			k.tile[w](c[r*ldc:], ldc, rows[r:], a, steps, p.b, p.ldb, p.init)
		}
		return
	}
	var some [maxRows]int32
	var out [maxRows * maxWidth]T
	for r := 0; r < len(rows); r += height {
		n := copy(some[:height], rows[r:])
		for i := n; i < height; i++ {
			some[i] = some[0]
		}
		k.tile[w](out[:], p.width, some[:], a, steps, p.b, p.ldb, p.init)
		for i := range n {
			copy(c[(r+i)*ldc:], out[i*p.width:][:p.used])
		}
	}
}

// portable returns the kernels in plain Go.
func portable[T Float]() *kernels[T] {
	k := &kernels[T]{
		name: "portable Go",
		vector: func(c, a, b []T, ldb int, init []T) {
			copy(c, init)
			for j, v := range a {
				for k, x := range b[j*ldb:][:len(c)] {
					c[k] += v * x
				}
			}
		},
		outer: func(c, a, b []T) {
			for _, s := range a {
				for j, v := range b {
					c[j] = s * v
				}
				c = c[len(b):]
			}
		},
		relu: func(c, a []T) {
			for i, v := range a {
				c[i] = max(v, 0)
			}
		},
		gate: func(c, d, y []T) {
			for i, v := range d {
				if c[i] = 0; y[i] > 0 {
					c[i] = v
				}
			}
		},
		window: func(best, chosen, a []T, steps []int32, _ []T) {
			copy(best, a[steps[0]:])
			clear(chosen)
			for j, s := range steps[1:] {
				for k, v := range a[s:][:len(best)] {
					if v > best[k] {
						best[k], chosen[k] = v, T(j+1)
					}
				}
			}
		},
		plus: func(c, a []T) {
			for i, v := range a {
				c[i] += v
			}
		},
		outerPlus: func(c, a, b []T) {
			for _, s := range a {
				for j, v := range b {
					c[j] += s * v
				}
				c = c[len(b):]
			}
		},
		affine: func(c, a, scale, shift []T) {
			for i := range c {
				c[i] = shift[i%len(scale)] + a[i]*scale[i%len(scale)]
			}
		},
		affinePair: func(c, d, a, along, scale, shift []T) {
			for i := range c {
				j := i % len(scale)
				c[i] = shift[j] + a[i]*scale[j] + d[i]*along[j]
			}
		},
		moments: func(first, second, d, a []T, ld, rows int, level, centre []T) {
			for r := range rows {
				for j := range first {
					v := d[r*ld+j] - level[j]
					first[j] += v
					second[j] += v * (a[r*ld+j] - centre[j])
				}
			}
		},
	}
	for w := 1; w < len(k.tile); w++ {
		k.rows[w] = 1
		k.tile[w] = func(c []T, _ int, rows []int32, a []T, steps []int32, b []T, ldb int, init []T) {
			var sum [maxWidth]T
			s := sum[:w*lanes]
			copy(s, init)
			a = a[rows[0]:]
			for j, t := range steps {
				v := a[t]
				for k, x := range b[j*ldb:][:len(s)] {
					s[k] += v * x
				}
			}
			copy(c, s)
		}
	}
	return k
}

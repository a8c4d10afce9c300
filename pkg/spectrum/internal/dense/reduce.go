package dense

import (
	"sync/atomic"

	"sgdlab/pkg/internal/syrk/kernel"
)

// reduction is the state of the first stage. Panels V and X have one tile of 48
// columns per row of tiles.
type reduction struct {
	k     *kernel.Set
	team  *team
	count int // rows of tiles
	a     tiles

	v, y, x []float64      // count tiles each
	left    []float64      // for each row of tiles [Vᵀ; Xᵀ], 96×48
	right   []float64      // for each row of tiles −[Xᵀ; Vᵀ], 96×48
	sums    [][]float64    // one tile for each worker and row of a strip
	parts   []float64      // one tile for each chunk of VᵀX
	done    []atomic.Int64 // for each row of tiles: strips below that have added to y
}

// reduce returns the band of half width 48 that the symmetric n×n matrix a is
// orthogonally similar to; n > small. a is destroyed.
func reduce(k *kernel.Set, a []float64, n int, team *team) band {
	count := (n + width - 1) / width
	r := &reduction{
		k:     k,
		team:  team,
		count: count,
		a:     retile(a, n, team),
		v:     make([]float64, count*area),
		y:     make([]float64, count*area),
		x:     make([]float64, count*area),
		left:  make([]float64, count*2*area),
		right: make([]float64, count*2*area),
		sums:  make([][]float64, team.size),
		parts: make([]float64, 16*area),
		done:  make([]atomic.Int64, count),
	}
	for w := range r.sums {
		r.sums[w] = make([]float64, strip*area)
	}
	var qr panelQR
	t := make([]float64, area)
	for c := range count - 1 {
		// The column of tiles below the diagonal is the panel.
		team.run(count-c, func(_, q int) {
			i := c + q
			r.update(i, c, c > 0, nil)
			if i > c {
				copy(r.v[i*area:(i+1)*area], r.a.tile(i, c))
			}
		})
		qr.factor(k, r.v[(c+1)*area:], team)
		qr.triangle(t)
		copy(r.a.tile(c+1, c), qr.r[:])
		r.multiply(c+1, c > 0)
		r.prepare(c+1, t)
	}
	r.update(count-1, count-1, true, nil)

	b := newBand(n)
	team.run(n, func(_, j int) {
		for i := j; i <= min(j+width, n-1); i++ {
			b.set(i, j, r.a.tile(i/width, j/width)[i%width*width+j%width])
		}
	})
	return b
}

// update subtracts VXᵀ + XVᵀ of the panel before from tile (i, j), if there was one, and
// fetches the tile ahead.
func (r *reduction) update(i, j int, pending bool, ahead []float64) {
	if pending {
		r.k.MulTN64(2*width, r.left[i*2*area:], r.right[j*2*area:], r.a.tile(i, j), ahead)
	}
}

// strip is how many rows of tiles one goroutine takes through the matrix together: what
// it reads for a column of tiles serves all of them.
const strip = 4

// multiply applies the pending update to the tiles from row and column first on and
// computes Y = AV with them, in one pass: a tile that has been fetched is used for all.
//
// Tile (i, j) adds to row i of Y and, transposed, to row j. Strips of rows are taken from
// below, so that the last ones are short and all goroutines end together. A strip adds to
// row j when the one before it has: the sums have one order whatever the number of
// workers, and the goroutines follow each other along the strips like waves.
func (r *reduction) multiply(first int, pending bool) {
	rows := r.count - first
	strips := (rows + strip - 1) / strip
	clear(r.y[first*area:])
	for j := range rows {
		r.done[first+j].Store(0)
	}
	r.team.run(strips, func(w, s int) {
		i0 := first + (strips-1-s)*strip
		i1 := min(i0+strip, r.count)
		sums := r.sums[w][:(i1-i0)*area]
		clear(sums)
		for j := first; j < i1; j++ {
			waitFor(&r.done[j], int64(s))
			vj, yj := r.v[j*area:(j+1)*area], r.y[j*area:(j+1)*area]
			top := max(i0, j)
			for i := top; i < i1; i++ {
				var ahead []float64 // the next tile
				if i+1 < i1 {
					ahead = r.a.tile(i+1, j)
				} else if j+1 < i1 {
					ahead = r.a.tile(max(i0, j+1), j+1)
				}
				r.update(i, j, pending, ahead)
				tile := r.a.tile(i, j)
				r.k.MulNN64(tile, vj, sums[(i-i0)*area:], r.column(j+1, i-top))
				if i > j {
					r.k.MulTN64(width, tile, r.v[i*area:], yj, nil)
				}
			}
			if j < i0 {
				r.done[j].Store(int64(s + 1))
			}
		}
		for i := i0; i < i1; i++ {
			yi := r.y[i*area : (i+1)*area]
			for q, x := range sums[(i-i0)*area:][:area] {
				yi[q] += x
			}
		}
	})
}

// column returns one of the four parts, a tile each, of what multiply reads for column j,
// to be fetched ahead.
func (r *reduction) column(j, part int) []float64 {
	switch {
	case j >= r.count:
		return nil
	case part < 2:
		return r.right[(2*j+part)*area:]
	case part == 2:
		return r.v[j*area:]
	}
	return r.y[j*area:]
}

// prepare computes X = YT − ½V·Tᵀ(Vᵀ(YT)), so that QᵀAQ = A − VXᵀ − XVᵀ, and sets the
// panels left and right of the rows of tiles from first on.
func (r *reduction) prepare(first int, t []float64) {
	rows := r.count - first
	chunk := (rows + 15) / 16 // sums over at most 16 chunks, in order
	chunks := (rows + chunk - 1) / chunk
	parts := r.parts[:chunks*area]
	clear(parts)
	r.team.run(chunks, func(_, q int) {
		for i := first + q*chunk; i < min(first+(q+1)*chunk, r.count); i++ {
			x := r.x[i*area : (i+1)*area]
			clear(x)
			r.k.MulNN64(r.y[i*area:], t, x, nil)
			r.k.MulTN64(width, r.v[i*area:], x, parts[q*area:], nil)
		}
	})
	m := parts[:area]
	for q := 1; q < chunks; q++ {
		for i, x := range parts[q*area : (q+1)*area] {
			m[i] += x
		}
	}
	half := make([]float64, area) // −½TᵀM
	r.k.MulTN64(width, t, m, half, nil)
	for i := range half {
		half[i] *= -0.5
	}
	r.team.run(rows, func(_, q int) {
		i := first + q
		v, x := r.v[i*area:(i+1)*area], r.x[i*area:(i+1)*area]
		r.k.MulNN64(v, half, x, nil)
		left, right := r.left[i*2*area:(i+1)*2*area], r.right[i*2*area:(i+1)*2*area]
		for a := range width {
			for b := range width {
				left[b*width+a], right[b*width+a] = v[a*width+b], -x[a*width+b]
				left[(width+b)*width+a], right[(width+b)*width+a] = x[a*width+b], -v[a*width+b]
			}
		}
	})
}

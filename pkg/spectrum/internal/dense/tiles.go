package dense

import "sgdlab/pkg/internal/syrk/kernel"

const (
	width = kernel.Width // half bandwidth, and order of a tile
	area  = kernel.Tile  // elements of a tile
)

// tiles is the lower triangle of a symmetric matrix in 48×48 tiles: tile (i, j), j ≤ i,
// is row-major and the (i(i+1)/2 + j)-th. Diagonal tiles hold both triangles, and rows
// and columns beyond the matrix are zero.
type tiles []float64

// tile returns tile (i, j).
func (t tiles) tile(i, j int) []float64 {
	at := (i*(i+1)/2 + j) * area
	return t[at : at+area : at+area]
}

// retile moves the lower triangle of the n×n matrix a, row-major, into tiles that use
// the same memory, n > small. Going down the rows of tiles, what is written never
// reaches what is still to be read: the tiles of rows 0..i take 48²(i+1)(i+2)/2
// elements, the first 48(i+1) rows of a at least that. Only the last row of tiles,
// padded, may need more than a has; then the tiles are moved to memory of their own.
func retile(a []float64, n int, team *team) tiles {
	count := (n + width - 1) / width
	t := tiles(a)
	if need := count * (count + 1) / 2 * area; need > len(a) {
		t = make(tiles, need)
	}
	rows := make([]float64, width*n)
	for i := range count {
		height := min(width, n-i*width)
		length := min(n, (i+1)*width)
		team.run(height, func(_, r int) {
			copy(rows[r*n:r*n+length], a[(i*width+r)*n:])
		})
		team.run(i+1, func(_, j int) {
			tile := t.tile(i, j)
			clear(tile)
			cols := min(width, n-j*width)
			for r := range height {
				copy(tile[r*width:r*width+cols], rows[r*n+j*width:])
			}
		})
		last := t.tile(i, i)
		for r := range width {
			for s := range r {
				last[s*width+r] = last[r*width+s]
			}
		}
	}
	return t
}

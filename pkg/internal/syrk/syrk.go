package syrk

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"sgdlab/pkg/internal/syrk/kernel"
)

const (
	width     = kernel.Width
	blockRows = 1024 // rows packed at a time: 4·1024·d bytes of scratch
	sumRows   = 256  // rows summed in the precision of G, before they go to dst
	callRows  = 128  // rows per kernel call: two panels fit the first cache
	group     = 4    // a job is group×group tiles: their panels fit the second cache
)

// Kernels says which inner loops are in use, "assembly AVX-512" or "portable Go".
func Kernels() string { return kernel.Best().Name }

// Lower32 adds GᵀG to the lower triangle of dst:
//
//	dst[i·d+j] += Σₖ g[k·d+i]·g[k·d+j],  j ≤ i
//
// where g is rows×d and dst is d×d, both row-major. The sum over 256 rows at a time is
// float32, the rest float64. workers is the number of goroutines, 0 means GOMAXPROCS;
// the result does not depend on it. It panics if a length does not match, and costs
// rows·d² operations.
func Lower32(dst []float64, g []float32, rows, d, workers int) {
	k := kernel.Best()
	lower(dst, g, rows, d, workers, k.MulTN32, k.AddTile)
}

// Lower64 is Lower32 with float64 input and float64 sums.
func Lower64(dst, g []float64, rows, d, workers int) {
	lower(dst, g, rows, d, workers, kernel.Best().MulTN64, nil)
}

// lower is Lower32 or Lower64 with the given kernels. addTile may be nil.
func lower[T float32 | float64](dst []float64, g []T, rows, d, workers int,
	mulTN func(k int, a, b, c []T), addTile func(dst []float64, stride int, c []T)) {
	if rows < 0 || d < 0 {
		panic(fmt.Sprintf("syrk: negative size: rows = %d, d = %d", rows, d))
	}
	if len(dst) != d*d {
		panic(fmt.Sprintf("syrk: dimension mismatch: dst has %d elements, want %d×%d", len(dst), d, d))
	}
	if len(g) != rows*d {
		panic(fmt.Sprintf("syrk: dimension mismatch: g has %d elements, want %d×%d", len(g), rows, d))
	}
	if rows == 0 || d == 0 {
		return
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	panels := (d + width - 1) / width
	groups := (panels + group - 1) / group
	jobs := groups * (groups + 1) / 2
	packed := make([]T, panels*min(rows, blockRows)*width)
	tiles := make([][]T, workers)
	for w := range tiles {
		tiles[w] = make([]T, kernel.Tile)
	}
	for k0 := 0; k0 < rows; k0 += blockRows {
		n := min(blockRows, rows-k0)
		parallel(workers, panels, func(_, p int) {
			pack(packed[p*n*width:(p+1)*n*width], g[k0*d:(k0+n)*d], d, p*width)
		})
		parallel(workers, jobs, func(w, q int) {
			i0, j0 := job(groups, q)
			updateGroup(dst, packed, n, d, i0*group, j0*group, tiles[w], mulTN, addTile)
		})
	}
}

// job returns the row and the column of the q-th group of tiles, the longest rows first.
func job(groups, q int) (i, j int) {
	i = groups - 1
	for q > i {
		q -= i + 1
		i--
	}
	return i, q
}

// updateGroup adds the products of n packed rows to the tiles (i, j), j ≤ i, of a
// group that begins with tile (i0, j0).
func updateGroup[T float32 | float64](dst []float64, packed []T, n, d, i0, j0 int, tile []T,
	mulTN func(k int, a, b, c []T), addTile func(dst []float64, stride int, c []T)) {
	panels := (d + width - 1) / width
	for k0 := 0; k0 < n; k0 += sumRows {
		k1 := min(k0+sumRows, n)
		for i := i0; i < min(i0+group, panels); i++ {
			for j := j0; j < min(j0+group, i+1); j++ {
				clear(tile)
				for k := k0; k < k1; k += callRows {
					m := min(callRows, k1-k)
					mulTN(m, packed[(i*n+k)*width:], packed[(j*n+k)*width:], tile)
				}
				corner := dst[i*width*d+j*width:]
				if addTile != nil && j < i && (i+1)*width <= d {
					addTile(corner, d, tile)
				} else {
					addEdge(corner, d, tile, min(width, d-i*width), min(width, d-j*width), i == j)
				}
			}
		}
	}
}

// addEdge adds the first rows×cols entries of tile to dst, or their lower triangle.
func addEdge[T float32 | float64](dst []float64, stride int, tile []T, rows, cols int, triangle bool) {
	for i := range rows {
		n := cols
		if triangle {
			n = i + 1
		}
		row := dst[i*stride : i*stride+n]
		for j, x := range tile[i*width : i*width+n] {
			row[j] += float64(x)
		}
	}
}

// pack copies the columns from col of g, rows of length d, to the panel dst and pads
// with zeros.
func pack[T float32 | float64](dst, g []T, d, col int) {
	n := min(width, d-col)
	for k := range len(dst) / width {
		row := dst[k*width : (k+1)*width]
		copy(row, g[k*d+col:k*d+col+n])
		clear(row[n:])
	}
}

// parallel calls f(worker, i) for i = 0..n−1 on the given number of goroutines.
func parallel(workers, n int, f func(worker, i int)) {
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(w, i)
			}
		})
	}
	wg.Wait()
}

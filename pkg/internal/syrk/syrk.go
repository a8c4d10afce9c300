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
	blockRows = 4096 // rows packed at a time: 4·4096·d bytes of scratch
	packRows  = 32   // rows packed by one goroutine at a time
	sumRows   = 128  // rows per kernel call: two panels fit the first cache
	group     = 4    // a job is group×group tiles: they and their panels fit the second cache
)

// Kernels says which inner loops are in use, "assembly AVX-512" or "portable Go".
func Kernels() string { return kernel.Best().Name }

// Lower32 adds GᵀG to the lower triangle of dst:
//
//	dst[i·d+j] += Σₖ g[k·d+i]·g[k·d+j],  j ≤ i
//
// where g is rows×d and dst is d×d, both row-major. The sum over 128 rows at a time is
// float32, the rest float64. workers is the number of goroutines, 0 means GOMAXPROCS;
// the result does not depend on it. It panics if a length does not match, and costs
// rows·d² operations.
func Lower32(dst []float64, g []float32, rows, d, workers int) {
	lower(dst, g, rows, d, workers, kernel.Best().MulTN32)
}

// Lower64 is Lower32 with float64 input and float64 sums.
func Lower64(dst, g []float64, rows, d, workers int) {
	lower(dst, g, rows, d, workers, kernel.Best().MulTN64)
}

// multiply is a kernel, MulTN32 or MulTN64.
type multiply[T float32 | float64] = func(k int, a, b []T, c []float64, ahead []T)

// lower is Lower32 or Lower64 with the given kernel.
func lower[T float32 | float64](dst []float64, g []T, rows, d, workers int, mulTN multiply[T]) {
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
	sums := make([][]float64, workers)
	for w := range sums {
		sums[w] = make([]float64, group*group*kernel.Tile)
	}
	for k0 := 0; k0 < rows; k0 += blockRows {
		n := min(blockRows, rows-k0)
		parallel(workers, (n+packRows-1)/packRows, func(_, q int) {
			pack(packed, g[k0*d:(k0+n)*d], n, d, q*packRows)
		})
		parallel(workers, jobs, func(w, q int) {
			i0, j0 := job(groups, q)
			updateGroup(dst, packed, n, d, i0*group, j0*group, sums[w], mulTN)
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
// group that begins with tile (i0, j0). They are collected in sums: dst is too large for
// any cache, and takes longer to reach than the products of 128 rows to compute.
func updateGroup[T float32 | float64](dst []float64, packed []T, n, d, i0, j0 int, sums []float64, mulTN multiply[T]) {
	panels := (d + width - 1) / width
	clear(sums)
	i1, j1 := min(i0+group, panels), min(j0+group, panels)
	for k := 0; k < n; k += sumRows {
		half := 0 // of a panel: its rows that follow are fetched meanwhile
		for i := i0; i < i1; i++ {
			for j := j0; j < min(j1, i+1); j++ {
				p := i0 + half/2
				if p >= i1 {
					p += j0 - i1
				}
				var ahead []T
				if at := k + sumRows + half%2*sumRows/2; at < n && half/2 < i1-i0+j1-j0 {
					ahead = packed[(p*n+at)*width:]
				}
				half++
				mulTN(min(sumRows, n-k), packed[(i*n+k)*width:], packed[(j*n+k)*width:], sums[((i-i0)*group+j-j0)*kernel.Tile:], ahead)
			}
		}
	}
	for r := i0 * width; r < min((i0+group)*width, d); r++ {
		from := sums[(r/width-i0)*group*kernel.Tile+r%width*width:]
		row := dst[r*d+j0*width : r*d+min((j0+group)*width, r+1)]
		for len(row) > width {
			addTo(row[:width], from)
			row, from = row[width:], from[kernel.Tile:]
		}
		addTo(row, from)
	}
}

func addTo(dst, x []float64) {
	for i, v := range x[:len(dst)] {
		dst[i] += v
	}
}

// pack copies packRows rows from row first on of g, which is n×d, to their places in the
// panels, and pads with zeros.
func pack[T float32 | float64](packed, g []T, n, d, first int) {
	for k := first; k < min(first+packRows, n); k++ {
		row := g[k*d : (k+1)*d]
		for at := k * width; len(row) > 0; at += n * width {
			m := copy(packed[at:at+width], row)
			clear(packed[at+m : at+width])
			row = row[m:]
		}
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

package noise

// Products with many vectors (mul.go) are built from two micro kernels that add to a tile
// of tileRows×tileCols numbers:
//
//	outer: c[i·ldc+j] += Σₖ a[k·lda+i]·b[k·ldb+j]     (aᵀb)
//	inner: c[i·ldc+j] += Σₖ a[i·lda+k]·b[k·ldb+j]     (ab)
//
// with k < n. The sum over k is formed first, in order, and then added to c, so that a
// result depends on how the rows are cut into blocks but not on who computes a tile.
const (
	tileRows = 4
	tileCols = 8
)

type kernel func(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int)

// outer and inner are the portable kernels, or the vector ones where the machine has
// them (kernel_simd.go).
var outer, inner kernel = outerPortable, innerPortable

func outerPortable(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
	var sum [tileRows][tileCols]float64
	for k := range n {
		x, y := (*[tileRows]float64)(a[k*lda:]), (*[tileCols]float64)(b[k*ldb:])
		for i, xi := range x {
			for j, yj := range y {
				sum[i][j] += xi * yj
			}
		}
	}
	addTile(c, ldc, &sum)
}

func innerPortable(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
	var sum [tileRows][tileCols]float64
	for k := range n {
		y := (*[tileCols]float64)(b[k*ldb:])
		for i := range tileRows {
			xi := a[i*lda+k]
			for j, yj := range y {
				sum[i][j] += xi * yj
			}
		}
	}
	addTile(c, ldc, &sum)
}

func addTile(c []float64, ldc int, sum *[tileRows][tileCols]float64) {
	for i := range sum {
		row := (*[tileCols]float64)(c[i*ldc:])
		for j, s := range sum[i] {
			row[j] += s
		}
	}
}

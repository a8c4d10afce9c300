package tall

// Size of a tile of the result.
const (
	Rows   = 8
	Cols64 = 16 // float64
	Cols32 = 32 // float32
)

// kernel adds Σₖ a[i·si+k·sk]·b[k·ldb+j], k < n, to c[i·ldc+j] for a tile.
type kernel[T float32 | float64] func(n int, a []T, si, sk int, b []T, ldb int, c []T, ldc int)

// The fastest kernels that the machine can run.
var (
	mul64 kernel[float64] = portable64
	mul32 kernel[float32] = portable32
	sub32                 = subPortable
)

func init() {
	useArchsimd()
	useAssembly()
}

// Outer64 adds aᵀb to a Rows×Cols64 tile of c.
func Outer64(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
	mul64(n, a, 1, lda, b, ldb, c, ldc)
}

// Inner64 adds ab to a Rows×Cols64 tile of c.
func Inner64(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
	mul64(n, a, lda, 1, b, ldb, c, ldc)
}

// Outer32 adds aᵀb to a Rows×Cols32 tile of c.
func Outer32(n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	mul32(n, a, 1, lda, b, ldb, c, ldc)
}

// Inner32 adds ab to a Rows×Cols32 tile of c.
func Inner32(n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	mul32(n, a, lda, 1, b, ldb, c, ldc)
}

// Sub32 sets dst = a − b. It panics if a or b is shorter than dst.
func Sub32(dst, a, b []float32) { sub32(dst, a[:len(dst)], b[:len(dst)]) }

// RoundUp returns the smallest multiple that is at least n.
func RoundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

func portable64(n int, a []float64, si, sk int, b []float64, ldb int, c []float64, ldc int) {
	portable(n, Cols64, a, si, sk, b, ldb, c, ldc)
}

func portable32(n int, a []float32, si, sk int, b []float32, ldb int, c []float32, ldc int) {
	portable(n, Cols32, a, si, sk, b, ldb, c, ldc)
}

func portable[T float32 | float64](n, cols int, a []T, si, sk int, b []T, ldb int, c []T, ldc int) {
	const strip = 8
	for j := 0; j < cols; j += strip {
		var sum [Rows][strip]T
		for k := range n {
			y := (*[strip]T)(b[k*ldb+j:])
			for i := range Rows {
				x := a[i*si+k*sk]
				for l, v := range y {
					sum[i][l] += x * v
				}
			}
		}
		for i := range Rows {
			row := (*[strip]T)(c[i*ldc+j:])
			for l, s := range sum[i] {
				row[l] += s
			}
		}
	}
}

func subPortable(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

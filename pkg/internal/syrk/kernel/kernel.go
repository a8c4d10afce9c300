package kernel

// Width is the number of columns of a panel and the order of a tile.
const Width = 48

// BandStride is the distance of two columns in the storage of a band: entry (i, j),
// 0 ≤ i−j ≤ BandStride, of the lower triangle is element i + BandStride·j.
const BandStride = 104

// Tile is the number of elements of a Width×Width tile.
const Tile = Width * Width

// Vector is one row of a tile.
type Vector = [Width]float64

// Set is one implementation of all kernels. Every function computes the sum in its
// comment in some order of its own, with or without fused multiply-add.
// They panic if a slice is too short for the entries named.
type Set struct {
	// Name says what the set is made of, "assembly AVX-512" or "portable Go".
	Name string

	// MulTN32 adds AᵀB to the tile c, where a and b are k×Width panels:
	//
	//	c[i,j] += Σₗ a[l,i]·b[l,j]
	//
	// The sum is float32, its addition to c float64. The beginning of ahead, k/2 rows of
	// a panel, is what will be wanted next, or nil: it may be fetched to the cache
	// meanwhile, even beyond its end.
	MulTN32 func(k int, a, b []float32, c []float64, ahead []float32)

	// MulTN64 is MulTN32 with float64 input and a float64 sum.
	MulTN64 func(k int, a, b, c, ahead []float64)

	// MulNN64 adds the product AB of two tiles to the tile c. The tile ahead, if not
	// nil, is one that will be wanted next: it may be fetched to the cache meanwhile.
	MulNN64 func(a, b, c, ahead []float64)

	// PanelStep takes one Householder step on rows of the rows×Width panel p. With
	// v = scale·p[·,col] it does
	//
	//	p[r,j] −= v[r]·w[j],  then  g[j] += p[r,next]·p[r,j]
	//
	// for all r, and for j ≥ from(next) at least, where from(next) is next rounded
	// down to a multiple of 16. Before, w[j] must be 0 for j ≤ col; after, g is
	// meaningful for j ≥ next only.
	PanelStep func(rows int, p []float64, col, next int, scale float64, w, g *Vector)

	// BandMulVec sets y = E·v, where E is the Width×Width block of a band whose
	// first element is e[0].
	BandMulVec func(e []float64, v, y *Vector)

	// BandReflect replaces E by (I − τppᵀ)(E − yuᵀ) in the columns 1..Width−1;
	// column 0 is left alone.
	BandReflect func(e []float64, u, y, p *Vector, tau float64)

	// BandSymMulVec sets y = A·v, where A is the symmetric diagonal block of a band
	// whose lower triangle begins at a[0].
	BandSymMulVec func(a []float64, v, y *Vector)

	// BandRankTwo replaces the lower triangle of A by that of A − vwᵀ − wvᵀ.
	BandRankTwo func(a []float64, v, w *Vector)
}

var available = find()

// Best returns the fastest set that this processor can run.
func Best() *Set { return available[0] }

// Available returns all sets that this processor can run, the fastest first.
// The last one is portable Go.
func Available() []*Set { return append([]*Set(nil), available...) }

// find lists the sets for this processor, the fastest first.
func find() []*Set {
	return append(append(assemblySets(), archsimdSets()...), portable())
}

package noise

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"sgdlab/pkg/problem"
)

// DType is the precision in which the per-sample gradients were delivered.
type DType int

const (
	// Float32 gradients. Products that form a matrix are taken in float32 too, unless
	// Settings.Float64Products is set.
	Float32 DType = iota
	// Float64 gradients; everything is in float64.
	Float64
)

// String returns "float32" or "float64".
func (t DType) String() string {
	switch t {
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	}
	return fmt.Sprintf("DType(%d)", int(t))
}

// bytes returns the size of one number.
func (t DType) bytes() int64 {
	if t == Float64 {
		return 8
	}
	return 4
}

// defaultMaxBytes is the memory for the gradients unless Settings says otherwise.
const defaultMaxBytes = 2 << 30

// Settings are the choices of [NewCovariance]. The zero value, and nil, is the default.
type Settings struct {
	// Samples are the indices to take instead of 0..N−1, as many as wanted; nil means all. D is then the
	// covariance over these samples and has rank at most len(Samples)−1.
	Samples []int
	// Store says where the per-sample gradients are kept.
	Store Store
	// MaxBytes is the memory that the per-sample gradients may take if the store is
	// Automatic; 0 means 2 GiB.
	MaxBytes int64
	// Dir is the folder for a file of gradients. For InFile, "" means the folder for
	// temporary files, which often is in memory itself; Automatic writes a file only if
	// Dir is set. The file has no name, and the space is free again after Close.
	Dir string
	// Float64Products forms D and the Gram matrix in float64 products even from float32
	// gradients, which takes about twice as long. Eigenvalues below about 10⁻⁸·tr D need
	// it. Float64 gradients are always multiplied in float64.
	Float64Products bool
	// Workers is the number of goroutines; 0 means GOMAXPROCS. Results do not depend
	// on it.
	Workers int
	// Progress, if not nil, is called as gradients arrive, with the samples done so
	// far in this pass and their number.
	Progress func(done, total int)
}

// Covariance is the diffusion matrix of [chaudhari2018] eq. (2) at one x,
//
//	D = (1/N) Σₖ (gₖ−g)(gₖ−g)ᵀ     (d×d),
//
// centred and divided by N, as an operator: products with D, its trace and its
// Frobenius norm never form a d×d matrix, [Covariance.DenseTo] and [Covariance.GramTo]
// do so on request. It is safe for concurrent use if the [problem.FiniteSum] is.
//
// The per-sample gradients are kept as they were delivered (N·d numbers of the
// precision DType) in memory or in a file, as Settings.Store says; otherwise every method
// that takes a context runs over all samples again. All three give the same bits.
//
// Memory, besides the gradients that are kept: 64 MiB where they are computed again,
// 2 KiB·d for a product with vectors, and what the methods say. A method that is
// cancelled leaves c as it was.
type Covariance struct {
	sum      problem.FiniteSum
	x        []float64
	index    []int
	dim      int
	dtype    DType
	mean     []float64
	trace    float64
	f64      []float64 // N×d gradients, or nil
	f32      []float32 // N×d gradients, or nil
	store    Store
	file     *file // behind f64 or f32, or nil
	closed   bool
	dir      string
	maxBytes int64
	precise  bool // form matrices in float64 products
	workers  int
	progress func(done, total int)
}

// NewCovariance computes the per-sample gradients of f at x in one streaming pass and
// returns their covariance. The mean and the trace are accumulated in float64.
//
// It panics if x has another length than f.Dim(), and returns an error if there are no
// samples, if a gradient is not finite (the error names the sample), or if f or ctx
// fails.
//
//	D, err := noise.NewCovariance(ctx, problem.T1(), []float64{1, 1}, nil)
//	fmt.Println(D.Trace()) // 10
func NewCovariance(ctx context.Context, f problem.FiniteSum, x []float64, s *Settings) (*Covariance, error) {
	if s == nil {
		s = new(Settings)
	}
	if len(x) != f.Dim() {
		panic(fmt.Sprintf("noise: dimension mismatch: x has length %d, want %d", len(x), f.Dim()))
	}
	c := &Covariance{
		sum:      f,
		x:        slices.Clone(x),
		index:    slices.Clone(s.Samples),
		dim:      f.Dim(),
		store:    s.Store,
		dir:      s.Dir,
		maxBytes: s.MaxBytes,
		precise:  s.Float64Products,
		workers:  s.Workers,
		progress: s.Progress,
	}
	if c.maxBytes == 0 {
		c.maxBytes = defaultMaxBytes
	}
	if c.workers == 0 {
		c.workers = runtime.GOMAXPROCS(0)
	}
	if s.Samples == nil {
		c.index = make([]int, f.Samples())
		for k := range c.index {
			c.index[k] = k
		}
	}
	if len(c.index) == 0 {
		return nil, errors.New("noise: no samples: the covariance of zero gradients does not exist, give at least one")
	}
	if c.store < Automatic || c.store > Recompute {
		panic(fmt.Sprintf("noise: unknown store %v", c.store))
	}
	if err := c.gather(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close gives back the memory or the disk space of the gradients. Mean and trace remain;
// methods that take a context return an error from then on. A covariance whose gradients
// are in a file needs it, and one of some gigabytes, if another follows, should have it. It
// must not be called while a method runs.
func (c *Covariance) Close() error {
	large := 8*len(c.f64)+4*len(c.f32) > 1<<30
	c.closed, c.f64, c.f32 = true, nil, nil
	if c.file == nil {
		if large { // or the next gradients of this size would be allocated beside these
			runtime.GC()
		}
		return nil
	}
	f := c.file
	c.file = nil
	if err := f.close(); err != nil {
		return fmt.Errorf("noise: the file of gradients in %s was not closed: %w", f.dir, err)
	}
	return nil
}

// gather makes the first pass: it checks the gradients, keeps them if they fit, and
// accumulates mean and trace of the gradients minus the first of them. With that shift
// nothing cancels, because the square of the distance of any one sample to the mean is
// at most N·tr D.
func (c *Covariance) gather(ctx context.Context) error {
	shift, row := make([]float64, c.dim), make([]float64, c.dim)
	sum := make([]float64, c.dim)
	var squares float64
	err := c.pass(ctx, func(start int, b problem.Block) error {
		if start == 0 {
			c.dtype = Float32
			if b.F64 != nil {
				c.dtype = Float64
			}
			b.RowTo(shift, 0)
			total := int64(c.Samples()) * int64(c.dim)
			c.store = c.store.choose(total*c.dtype.bytes(), c.maxBytes, c.dir)
			switch {
			case c.store == InFile:
				var err error
				if c.file, err = newFile(c.dir, total*c.dtype.bytes()); err != nil {
					return err
				}
			case c.store == InMemory && c.dtype == Float64:
				c.f64 = make([]float64, 0, total)
			case c.store == InMemory:
				c.f32 = make([]float32, 0, total)
			}
		}
		for i, k := range b.Index {
			b.RowTo(row, i)
			var square float64
			for j, g := range row {
				g -= shift[j]
				sum[j] += g
				square += g * g
			}
			if math.IsNaN(square) || math.IsInf(square, 0) {
				return fmt.Errorf("noise: the gradient of sample %d is not finite, or its square overflows: check the weights and the data of this sample", k)
			}
			squares += square
		}
		switch {
		case c.file != nil && c.dtype == Float64:
			return c.file.write(asBytes(b.F64))
		case c.file != nil:
			return c.file.write(asBytes(b.F32))
		case c.f64 != nil:
			c.f64 = append(c.f64, b.F64...)
		case c.f32 != nil:
			c.f32 = append(c.f32, b.F32...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.file != nil {
		if err := c.file.finish(); err != nil {
			return err
		}
		if c.dtype == Float64 {
			c.f64 = asNumbers[float64](c.file.mapped)
		} else {
			c.f32 = asNumbers[float32](c.file.mapped)
		}
	}
	n := float64(c.Samples())
	c.mean = shift
	c.trace = squares / n
	for j, s := range sum {
		c.mean[j] += s / n
		c.trace -= (s / n) * (s / n)
	}
	c.trace = max(c.trace, 0)
	return nil
}

// pass runs once over the samples and hands every block to visit with the position of
// its first row. It returns an error if f does not keep the promises of
// [problem.FiniteSum].
func (c *Covariance) pass(ctx context.Context, visit func(start int, b problem.Block) error) error {
	done := 0
	err := c.sum.PerSampleGradients(ctx, c.x, c.index, func(b problem.Block) error {
		rows := b.Rows()
		if b.Dim != c.dim || done+rows > c.Samples() || !slices.Equal(b.Index, c.index[done:done+rows]) {
			return fmt.Errorf("noise: the finite sum delivered %d gradients of length %d at position %d, want samples %s in order", rows, b.Dim, done, c.describe(done, rows))
		}
		if rows == 0 {
			return nil
		}
		if len(b.F64)+len(b.F32) != rows*c.dim || b.F64 != nil && b.F32 != nil {
			return fmt.Errorf("noise: the finite sum delivered a block of %d float64 and %d float32 numbers, want %d of one kind", len(b.F64), len(b.F32), rows*c.dim)
		}
		if (done > 0 || c.mean != nil) && (b.F64 != nil) != (c.dtype == Float64) {
			return fmt.Errorf("noise: the finite sum changed its precision at position %d, want %v throughout", done, c.dtype)
		}
		if err := visit(done, b); err != nil {
			return err
		}
		done += rows
		if c.progress != nil {
			c.progress(done, c.Samples())
		}
		return nil
	})
	if err == nil && done != c.Samples() {
		err = fmt.Errorf("noise: the finite sum delivered %d gradients, want %d", done, c.Samples())
	}
	return err
}

// describe names the samples expected at a position, for an error.
func (c *Covariance) describe(start, rows int) string {
	want := c.index[min(start, c.Samples()):min(start+rows, c.Samples())]
	if len(want) > 4 {
		return fmt.Sprintf("%d, %d, … of length %d", want[0], want[1], c.dim)
	}
	return fmt.Sprintf("%v of length %d", want, c.dim)
}

// Dim returns d, the number of weights.
func (c *Covariance) Dim() int { return c.dim }

// Samples returns N, the number of samples that D is the covariance of.
func (c *Covariance) Samples() int { return len(c.index) }

// DType returns the precision of the per-sample gradients.
func (c *Covariance) DType() DType { return c.dtype }

// Products returns the precision in which [Covariance.DenseTo] and
// [Covariance.GramTo] multiply: that of the gradients, or Float64 if
// Settings.Float64Products is set.
func (c *Covariance) Products() DType {
	if c.precise {
		return Float64
	}
	return c.dtype
}

// Store returns where the per-sample gradients are: never Automatic.
func (c *Covariance) Store() Store { return c.store }

// Kept reports whether the per-sample gradients are in memory or in a file.
func (c *Covariance) Kept() bool { return c.f64 != nil || c.f32 != nil }

// String describes c, as in "D at d=3978 from 60000 float32 gradients in memory".
func (c *Covariance) String() string {
	return fmt.Sprintf("D at d=%d from %d %v gradients %v", c.dim, c.Samples(), c.dtype, c.store)
}

// MeanTo stores g = (1/N) Σₖ gₖ, the full gradient over the samples of c, in dst and
// returns dst. A nil dst is allocated. It panics if dst has another length than d.
func (c *Covariance) MeanTo(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, c.dim)
	}
	checkLen("dst", len(dst), c.dim)
	copy(dst, c.mean)
	return dst
}

// Trace returns tr D = (1/N) Σₖ ‖gₖ−g‖², the noise power of a single sample. It is
// accurate to a few N·2⁻⁵³.
func (c *Covariance) Trace() float64 { return c.trace }

func checkLen(name string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("noise: dimension mismatch: %s has length %d, want %d", name, got, want))
	}
}

package network

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"sgdlab/pkg/backend"
	"sgdlab/pkg/dataset"
)

// DType is the precision of a network's arithmetic.
type DType int

const (
	Float32 DType = iota
	Float64
)

// String returns "float32" or "float64".
func (t DType) String() string {
	if t == Float64 {
		return "float64"
	}
	return "float32"
}

// Settings says how a network is computed, not what. The zero value, or nil, is the default.
type Settings struct {
	Backend   *backend.Backend // nil means backend.Default()
	DType     DType
	BlockSize int // samples per graph call and per block of rows; 0 means 256 for images of at most 64 numbers, else 64
	Workers   int // blocks of rows at a time; 0 means one per core. Graph calls run one at a time; the backends use all cores themselves

	// Autodiff computes per-sample gradients by automatic differentiation on the backend. It
	// is the slow twin of the default, which needs no backend, for comparisons.
	Autodiff bool
}

// engine is what Network and Training share: an architecture laid out, data, and the
// conversion between slices and tensors.
type engine struct {
	arch    Architecture
	plan    []planned
	views   []View
	data    *dataset.Images
	backend *backend.Backend
	dtype   DType
	block   int
	dim     int
	stats   []float64 // batch-norm statistics
}

func newEngine(a Architecture, data *dataset.Images, stats []float64, s *Settings) (*engine, error) {
	plan, err := a.plan()
	if err != nil {
		return nil, err
	}
	if s == nil {
		s = &Settings{}
	}
	e := &engine{arch: a, plan: plan, views: a.Views(), data: data, backend: s.Backend, dtype: s.DType, block: s.BlockSize, dim: a.Dim()}
	if err := checkData(a, data); err != nil {
		return nil, err
	}
	if e.backend == nil {
		if e.backend, err = backend.Default(); err != nil {
			return nil, err
		}
	}
	if e.block <= 0 {
		e.block = 64
		if a.Channels*a.Height*a.Width <= 64 {
			e.block = 256
		}
	}
	e.block = min(e.block, data.N)
	return e, e.setStats(stats)
}

// checkData returns an error that names the first thing in data that a cannot take.
func checkData(a Architecture, data *dataset.Images) error {
	switch {
	case data == nil || data.N == 0:
		return fmt.Errorf("network: %s: there are no images; load a data set first", a.Name)
	case data.Channels != a.Channels || data.Height != a.Height || data.Width != a.Width:
		return fmt.Errorf("network: %s takes images of %d×%d×%d, %s has %d×%d×%d; pool or crop the images, or choose another network",
			a.Name, a.Channels, a.Height, a.Width, data.Name, data.Channels, data.Height, data.Width)
	case len(data.Labels) != data.N || len(data.Pixels) != data.N*data.ImageSize():
		return fmt.Errorf("network: %s says %d images but has %d labels and %d pixels", data.Name, data.N, len(data.Labels), len(data.Pixels))
	}
	classes := a.Classes()
	for i, l := range data.Labels {
		if int(l) >= classes {
			return fmt.Errorf("network: %s: sample %d has the label %d, but %s has the classes 0–%d; choose the classes with Digits or a wider network",
				data.Name, i, l, a.Name, classes-1)
		}
	}
	for i, v := range data.Pixels {
		if v != v || v > math.MaxFloat32 || v < -math.MaxFloat32 {
			return fmt.Errorf("network: %s: sample %d has the pixel value %v; clean the images first", data.Name, i/data.ImageSize(), v)
		}
	}
	return nil
}

func (e *engine) setStats(stats []float64) error {
	want := e.arch.StatsDim()
	if len(stats) != want {
		return fmt.Errorf("network: %s has %d batch-norm statistics, got %d; take them from Init or a Training of the same architecture", e.arch.Name, want, len(stats))
	}
	for _, p := range e.plan {
		for i := range p.stats {
			v := stats[p.at+i]
			if math.IsNaN(v) || math.IsInf(v, 0) || i >= p.out.c && v < 0 {
				return fmt.Errorf("network: %s: the batch-norm statistics hold %v at %d; means must be finite and variances not negative", e.arch.Name, v, p.at+i)
			}
		}
	}
	e.stats = append([]float64(nil), stats...)
	return nil
}

// restore takes a state apart: batch-norm statistics, which it restores, and the number of
// batches so far. It changes nothing if it returns an error.
func (e *engine) restore(state []float64) (calls uint64, err error) {
	n := len(e.stats)
	if len(state) != n+1 || state[n] < 0 || state[n] != float64(uint64(state[n])) {
		return 0, fmt.Errorf("network: not a training state of %s: want %d statistics and a count, got %d numbers", e.arch.Name, n, len(state))
	}
	return uint64(state[n]), e.setStats(state[:n])
}

// checkWeights panics if x has the wrong length and returns an error that names the
// first part of x with a number that is not finite.
func (e *engine) checkWeights(x []float64) error {
	if len(x) != e.dim {
		panic(fmt.Sprintf("network: dimension mismatch: %s has %d weights, got %d", e.arch.Name, e.dim, len(x)))
	}
	for i, v := range x {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			continue
		}
		for _, view := range e.views {
			if i < view.Offset+view.Size() {
				return fmt.Errorf("network: %s: weight %d (%s, entry %d) is %v; training has probably diverged, lower the learning rate", e.arch.Name, i, view.Name, i-view.Offset, v)
			}
		}
	}
	return nil
}

func (e *engine) checkIndices(idx []int) {
	if len(idx) == 0 {
		panic("network: an empty batch has no gradient")
	}
	for _, k := range idx {
		if k < 0 || k >= e.data.N {
			panic(fmt.Sprintf("network: sample index out of range: %d, want 0–%d", k, e.data.N-1))
		}
	}
}

// tensor makes a tensor of e's precision from float64 numbers.
func (e *engine) tensor(v []float64, dims ...int) *tensors.Tensor {
	if e.dtype == Float64 {
		return tensors.FromFlatDataAndDimensions(v, dims...)
	}
	f := make([]float32, len(v))
	for i, a := range v {
		f[i] = float32(a)
	}
	return tensors.FromFlatDataAndDimensions(f, dims...)
}

// statsTensor holds the statistics, or one unused zero for a network without batch norm.
func (e *engine) statsTensor() *tensors.Tensor {
	if len(e.stats) == 0 {
		return e.tensor([]float64{0}, 1)
	}
	return e.tensor(e.stats, len(e.stats))
}

// batch makes the tensors of a block of rows samples of data: images in the shape of the
// input and one-hot targets. Rows beyond len(idx) are zero, with a target of zeros, so that
// they add nothing to any sum over samples.
func (e *engine) batch(data *dataset.Images, idx []int, rows int) (images, target *tensors.Tensor) {
	size := data.ImageSize()
	classes := e.arch.Classes()
	hot := make([]float64, rows*classes)
	pixels := make([]float32, rows*size)
	for i, k := range idx {
		copy(pixels[i*size:], data.Image(k))
		hot[i*classes+int(data.Labels[k])] = 1
	}
	dims := []int{rows, e.arch.Channels, e.arch.Height, e.arch.Width}
	if e.dtype == Float32 {
		images = tensors.FromFlatDataAndDimensions(pixels, dims...)
	} else {
		wide := make([]float64, len(pixels))
		for i, v := range pixels {
			wide[i] = float64(v)
		}
		images = tensors.FromFlatDataAndDimensions(wide, dims...)
	}
	return images, e.tensor(hot, rows, classes)
}

// exec compiles a graph once per batch size. Any number of batch sizes may be used.
func (e *engine) exec(fn func(inputs []*graph.Node) []*graph.Node) (*graph.Exec, error) {
	ex, err := graph.NewExec(e.backend, fn)
	if err != nil {
		return nil, fmt.Errorf("network: %s: %w", e.arch.Name, err)
	}
	return ex.SetMaxCache(-1), nil
}

// call runs ex and hands its outputs to use; it frees the outputs and the tensors in
// free afterwards, because XLA keeps them outside the Go heap.
func (e *engine) call(ex *graph.Exec, inputs []*tensors.Tensor, free []*tensors.Tensor, use func(outputs []*tensors.Tensor) error) error {
	args := make([]any, len(inputs))
	for i, t := range inputs {
		args[i] = t
	}
	outputs, err := ex.Call(args...)
	if err != nil {
		return fmt.Errorf("network: %s: running the graph: %w", e.arch.Name, err)
	}
	err = use(outputs)
	for _, t := range append(outputs, free...) {
		if ferr := t.FinalizeAll(); err == nil && ferr != nil {
			err = fmt.Errorf("network: %s: freeing a tensor: %w", e.arch.Name, ferr)
		}
	}
	return err
}

// addTo adds the numbers of t to dst in float64.
func addTo(dst []float64, t *tensors.Tensor) error {
	return t.ConstFlatData(func(flat any) {
		switch v := flat.(type) {
		case []float64:
			for i, a := range v {
				dst[i] += a
			}
		case []float32:
			for i, a := range v {
				dst[i] += float64(a)
			}
		}
	})
}

func scale(v []float64, c float64) {
	for i := range v {
		v[i] *= c
	}
}

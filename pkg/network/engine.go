package network

import (
	"fmt"
	"math"
	"runtime"

	"sgdlab/pkg/backend"
	"sgdlab/pkg/dataset"
)

// DType is the precision of a network's arithmetic.
type DType int

const (
	Float32 DType = iota // 24 bits of precision; the default
	Float64              // 53 bits
)

// String returns "float32" or "float64".
func (t DType) String() string {
	if t == Float64 {
		return "float64"
	}
	return "float32"
}

// Settings says how a network is computed, not what. The zero value, or nil, is the default.
//
//	f, err := network.New(network.SmallFC(), train, stats, &network.Settings{DType: network.Float64})
type Settings struct {
	Backend   *backend.Backend // of automatic differentiation; nil means backend.Default()
	DType     DType
	BlockSize int // samples per block of rows, and per graph call; 0 means 256 for images of at most 64 numbers, else 64, but blocks of rows for the cache
	Workers   int // goroutines; 0 means one per core. Graph calls run one at a time; the backends use all cores themselves

	// Autodiff computes losses and gradients by automatic differentiation on the backend. It
	// is the slow twin of the default, for comparisons. The default needs no backend, except
	// for Hessian products.
	Autodiff bool
}

// engine is what Network and Training share: an architecture laid out, data, and settings
// without zeros.
type engine struct {
	arch    Architecture
	plan    []planned
	views   []View
	data    *dataset.Images
	backend *backend.Backend // nil means the default one, when it is needed
	dtype   DType
	block   int
	cached  int // samples per block of rows computed directly
	workers int
	dim     int
	stats   []float64 // batch-norm statistics
}

func newEngine(a Architecture, data *dataset.Images, stats []float64, s Settings) (*engine, error) {
	plan, err := a.plan()
	if err != nil {
		return nil, err
	}
	if err := checkData(a, data); err != nil {
		return nil, err
	}
	e := &engine{arch: a, plan: plan, views: a.Views(), data: data, backend: s.Backend, dtype: s.DType, block: s.BlockSize, workers: s.Workers, dim: a.Dim()}
	if e.workers <= 0 {
		e.workers = runtime.GOMAXPROCS(0)
	}
	if e.block <= 0 {
		e.block = 64
		if a.Channels*a.Height*a.Width <= 64 {
			e.block = 256
		}
	}
	e.block = min(e.block, data.N)
	e.cached = e.block
	if s.BlockSize <= 0 {
		const bytes = 256 << 10 // rows of float32 that are still in the second cache when they are used
		e.cached = max(4, min(e.block, bytes/(4*e.dim)))
	}
	return e, e.setStats(stats)
}

// settingsOf returns s, or the default.
func settingsOf(s *Settings) Settings {
	if s == nil {
		return Settings{}
	}
	return *s
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

func scale(v []float64, c float64) {
	for i := range v {
		v[i] *= c
	}
}

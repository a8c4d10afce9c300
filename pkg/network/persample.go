package network

import (
	"context"
	"runtime"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"sgdlab/pkg/network/internal/direct"
	"sgdlab/pkg/problem"
)

// PerSampleGradients calls yield with the rows ∇fₖ(x) for k in idx, in this order, in
// blocks of at most Settings.BlockSize; nil means all samples. The block is float32 or
// float64 as Settings.DType says, row-major, and valid only during the call. About
// Settings.Workers blocks are in memory at a time.
//
// It panics if x has another length than d or an index is out of range. It stops with
// yield's error, with ctx's, and with one that names the part of x where a number is not
// finite.
func (n *Network) PerSampleGradients(ctx context.Context, x []float64, idx []int, yield func(problem.Block) error) error {
	if err := n.checkWeights(x); err != nil {
		return err
	}
	return n.rows.perSampleGradients(ctx, x, n.blocks(idx), yield)
}

// perSampler computes the rows of blocks of samples at finite weights x and yields them in
// order.
type perSampler interface {
	perSampleGradients(ctx context.Context, x []float64, blocks [][]int, yield func(problem.Block) error) error
}

func blockOf[T direct.Float](idx []int, dim int, rows []T) problem.Block {
	b := problem.Block{Index: idx, Dim: dim}
	switch r := any(rows[:len(idx)*dim]).(type) {
	case []float32:
		b.F32 = r
	case []float64:
		b.F64 = r
	}
	return b
}

// byTaps computes rows by automatic differentiation on the backend.
type byTaps struct {
	*Network
	exec *graph.Exec // x, stats, images, target → gradients [B, d]
}

func (t *byTaps) perSampleGradients(ctx context.Context, x []float64, blocks [][]int, yield func(problem.Block) error) error {
	return t.sweep(ctx, t.exec, x, nil, blocks, func(idx []int, out []*tensors.Tensor) error {
		var inner error
		err := out[0].ConstFlatData(func(flat any) {
			switch v := flat.(type) {
			case []float32:
				inner = yield(blockOf(idx, t.dim, v))
			case []float64:
				inner = yield(blockOf(idx, t.dim, v))
			}
		})
		if inner != nil {
			return inner
		}
		return err
	})
}

// directly computes rows in Go, sample by sample.
type directly[T direct.Float] struct {
	*engine
	layers  []direct.Layer
	workers int
}

func newDirectly[T direct.Float](e *engine, s *Settings) *directly[T] {
	d := &directly[T]{engine: e}
	if s != nil {
		d.workers = s.Workers
	}
	if d.workers <= 0 {
		d.workers = runtime.GOMAXPROCS(0)
	}
	dims := func(s shape) direct.Shape { return direct.Shape{C: s.c, H: max(s.h, 1), W: max(s.w, 1)} }
	for _, p := range e.plan {
		l := direct.Layer{In: dims(p.in), Out: dims(p.out), Weights: p.offset, Stats: p.at}
		switch layer := p.Layer.(type) {
		case Dense:
			l.Kind = direct.Dense
		case Conv2D:
			l.Kind, l.Kernel, l.Stride, l.Pad = direct.Conv, layer.Kernel, layer.stride(), layer.Pad
		case BatchNorm:
			l.Kind = direct.BatchNorm
		case ReLU:
			l.Kind = direct.ReLU
		case Tanh:
			l.Kind = direct.Tanh
		case MaxPool:
			l.Kind, l.Kernel = direct.MaxPool, layer.Size
		case AvgPool:
			l.Kind, l.Kernel = direct.AvgPool, layer.Size
		case Flatten:
			l.Kind = direct.Flatten
		case Dropout: // off in evaluation mode
			continue
		default:
			panic("network: no per-sample gradient for the layer " + p.Layer.String())
		}
		d.layers = append(d.layers, l)
	}
	return d
}

func (d *directly[T]) perSampleGradients(ctx context.Context, x []float64, blocks [][]int, yield func(problem.Block) error) error {
	net := direct.New[T](d.layers, x, d.stats, bnEpsilon)
	type memory struct {
		*direct.Worker[T]
		rows []T
	}
	free := sync.Pool{New: func() any { return &memory{net.Worker(), make([]T, len(blocks[0])*d.dim)} }}
	return inOrder(ctx, d.workers, len(blocks), func(i int, deliver func(func() error) error) error {
		m := free.Get().(*memory)
		defer free.Put(m)
		for j, k := range blocks[i] {
			m.GradientTo(m.rows[j*d.dim:][:d.dim], d.data.Image(k), int(d.data.Labels[k]))
		}
		return deliver(func() error { return yield(blockOf(blocks[i], d.dim, m.rows)) })
	})
}

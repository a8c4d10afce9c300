package network

import (
	"context"
	"math/rand/v2"
	"sync"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network/internal/direct"
	"sgdlab/pkg/problem"
)

// directLayers describes the layers of e to package direct.
func directLayers(e *engine) []direct.Layer {
	dims := func(s shape) direct.Shape { return direct.Shape{C: s.c, H: max(s.h, 1), W: max(s.w, 1)} }
	var layers []direct.Layer
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
		case Dropout:
			l.Kind, l.P = direct.Dropout, layer.P
		default:
			panic("network: no direct gradient for the layer " + p.Layer.String())
		}
		layers = append(layers, l)
	}
	return layers
}

// directly is the computer in Go, sample by sample.
type directly[T direct.Float] struct{ *engine }

// sweep runs work on every block, several at a time; each goes on with deliver when its turn
// has come.
func (d *directly[T]) sweep(ctx context.Context, x []float64, blocks [][]int, work func(w *direct.Worker[T], idx []int, deliver func(func() error) error) error) error {
	net := direct.New[T](directLayers(d.engine), x, d.stats, bnEpsilon)
	free := sync.Pool{New: func() any { return net.Worker() }}
	return inOrder(ctx, d.workers, len(blocks), func(i int, deliver func(func() error) error) error {
		w := free.Get().(*direct.Worker[T])
		defer free.Put(w)
		return work(w, blocks[i], deliver)
	})
}

func (d *directly[T]) gradient(ctx context.Context, sum, x []float64, blocks [][]int) (loss float64, err error) {
	err = d.sweep(ctx, x, blocks, func(w *direct.Worker[T], idx []int, deliver func(func() error) error) error {
		part := 0.0
		for _, k := range idx {
			part += w.Add(d.data.Image(k), int(d.data.Labels[k]))
		}
		g := make([]float64, d.dim)
		w.DrainTo(g)
		return deliver(func() error {
			loss += part
			for i, v := range g {
				sum[i] += v
			}
			return nil
		})
	})
	return loss, err
}

func (d *directly[T]) logits(ctx context.Context, x []float64, blocks [][]int, use func(idx []int, z []float64)) error {
	return d.sweep(ctx, x, blocks, func(w *direct.Worker[T], idx []int, deliver func(func() error) error) error {
		var z []float64
		for _, k := range idx {
			for _, v := range w.Logits(d.data.Image(k)) {
				z = append(z, float64(v))
			}
		}
		return deliver(func() error { use(idx, z); return nil })
	})
}

func (d *directly[T]) rows(ctx context.Context, x []float64, blocks [][]int, yield func(problem.Block) error) error {
	var pieces [][]int
	for _, b := range blocks {
		pieces = append(pieces, cut(b, d.cached)...)
	}
	type memory struct{ rows []T }
	free := sync.Pool{New: func() any { return &memory{make([]T, len(pieces[0])*d.dim)} }}
	return d.sweep(ctx, x, pieces, func(w *direct.Worker[T], idx []int, deliver func(func() error) error) error {
		m := free.Get().(*memory)
		defer free.Put(m)
		for i, k := range idx {
			w.GradientTo(m.rows[i*d.dim:][:d.dim], d.data.Image(k), int(d.data.Labels[k]))
		}
		return deliver(func() error { return yield(blockOf(idx, d.dim, m.rows)) })
	})
}

// directTrainer is the trainer in Go.
type directTrainer[T direct.Float] struct{ batch *direct.Batch[T] }

func newDirectTrainer[T direct.Float](e *engine) directTrainer[T] {
	return directTrainer[T]{direct.NewBatch[T](directLayers(e), e.dim, bnEpsilon, e.workers)}
}

func (t directTrainer[T]) batchGradient(sum, stats, x []float64, data *dataset.Images, idx []int, r *rand.Rand) (float64, error) {
	sample := func(k int) ([]float32, int) { return data.Image(idx[k]), int(data.Labels[idx[k]]) }
	return t.batch.GradientTo(sum, stats, x, len(idx), sample, r), nil
}

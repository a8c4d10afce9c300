package network

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"sgdlab/pkg/backend"
	"sgdlab/pkg/dataset"
	"sgdlab/pkg/problem"
)

// device is an engine with a backend.
type device struct {
	*engine
	backend *backend.Backend
}

func newDevice(e *engine) (device, error) {
	b := e.backend
	if b == nil {
		var err error
		if b, err = backend.Default(); err != nil {
			return device{}, err
		}
	}
	return device{e, b}, nil
}

// graphs is the computer that differentiates automatically.
type graphs struct {
	device
	sums    *graph.Exec // x, stats, images, target → Σ loss, Σ gradient [d]
	hessian *graph.Exec // x, stats, images, target, v → Σ ∇²fₖ v [d]
	outputs *graph.Exec // x, stats, images, target → logits [B, classes]
	taps    *graph.Exec // x, stats, images, target → gradients [B, d]
}

func newGraphs(e *engine) (*graphs, error) {
	d, err := newDevice(e)
	if err != nil {
		return nil, err
	}
	g := &graphs{device: d}
	build := func(exec **graph.Exec, fn func(f *forward, target *graph.Node, rest []*graph.Node) []*graph.Node) {
		if err != nil {
			return
		}
		*exec, err = d.exec(func(in []*graph.Node) []*graph.Node {
			return fn(newForward(e.plan, in[0], in[1], nil, in[2]), in[3], in[4:])
		})
	}
	build(&g.sums, func(f *forward, target *graph.Node, _ []*graph.Node) []*graph.Node {
		loss := f.sumLoss(target)
		return []*graph.Node{loss, f.flatGradient(loss)}
	})
	build(&g.hessian, func(f *forward, target *graph.Node, rest []*graph.Node) []*graph.Node {
		g := f.flatGradient(f.sumLoss(target))
		return []*graph.Node{f.flatGradient(graph.ReduceAllSum(graph.Mul(g, rest[0])))}
	})
	build(&g.outputs, func(f *forward, _ *graph.Node, _ []*graph.Node) []*graph.Node {
		return []*graph.Node{f.logits}
	})
	build(&g.taps, func(f *forward, target *graph.Node, _ []*graph.Node) []*graph.Node {
		return []*graph.Node{f.perSampleGradients(target)}
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (g *graphs) gradient(ctx context.Context, sum, x []float64, blocks [][]int) (loss float64, err error) {
	total := make([]float64, 1)
	err = g.sweep(ctx, g.sums, x, nil, blocks, func(_ []int, out []*tensors.Tensor) error {
		if err := addTo(total, out[0]); err != nil {
			return err
		}
		return addTo(sum, out[1])
	})
	return total[0], err
}

func (g *graphs) hessianMulVec(ctx context.Context, sum, x, v []float64, blocks [][]int) error {
	return g.sweep(ctx, g.hessian, x, [][]float64{v}, blocks, func(_ []int, out []*tensors.Tensor) error { return addTo(sum, out[0]) })
}

func (g *graphs) logits(ctx context.Context, x []float64, blocks [][]int, use func(idx []int, z []float64)) error {
	return g.sweep(ctx, g.outputs, x, nil, blocks, func(idx []int, out []*tensors.Tensor) error {
		z := make([]float64, out[0].Shape().Size())
		if err := addTo(z, out[0]); err != nil {
			return err
		}
		use(idx, z)
		return nil
	})
}

func (g *graphs) rows(ctx context.Context, x []float64, blocks [][]int, yield func(problem.Block) error) error {
	return g.sweep(ctx, g.taps, x, nil, blocks, func(idx []int, out []*tensors.Tensor) error {
		var inner error
		err := out[0].ConstFlatData(func(flat any) {
			switch v := flat.(type) {
			case []float32:
				inner = yield(blockOf(idx, g.dim, v))
			case []float64:
				inner = yield(blockOf(idx, g.dim, v))
			}
		})
		if inner != nil {
			return inner
		}
		return err
	})
}

// sweep runs ex on every block in order and hands the outputs to use. It is one goroutine:
// tensors are written to at their first use, and may not be shared before.
func (g *graphs) sweep(ctx context.Context, ex *graph.Exec, x []float64, rest [][]float64, blocks [][]int, use func(idx []int, outputs []*tensors.Tensor) error) error {
	rows := len(blocks[0])
	shared := []*tensors.Tensor{g.tensor(x, g.dim), g.statsTensor()}
	var tail []*tensors.Tensor
	for _, v := range rest {
		tail = append(tail, g.tensor(v, len(v)))
	}
	defer func() {
		for _, t := range append(shared, tail...) {
			_ = t.FinalizeAll() // on the device a copy at most; nothing to report
		}
	}()
	for _, block := range blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		images, target := g.batch(g.data, block, rows)
		inputs := append(append(slices.Clone(shared), images, target), tail...)
		err := g.call(ex, inputs, []*tensors.Tensor{images, target}, func(outputs []*tensors.Tensor) error { return use(block, outputs) })
		if err != nil {
			return err
		}
	}
	return nil
}

// tensor makes a tensor of d's precision from float64 numbers.
func (d device) tensor(v []float64, dims ...int) *tensors.Tensor {
	if d.dtype == Float64 {
		return tensors.FromFlatDataAndDimensions(v, dims...)
	}
	f := make([]float32, len(v))
	for i, a := range v {
		f[i] = float32(a)
	}
	return tensors.FromFlatDataAndDimensions(f, dims...)
}

// statsTensor holds the statistics, or one unused zero for a network without batch norm.
func (d device) statsTensor() *tensors.Tensor {
	if len(d.stats) == 0 {
		return d.tensor([]float64{0}, 1)
	}
	return d.tensor(d.stats, len(d.stats))
}

// batch makes the tensors of a block of rows samples of data: images in the shape of the
// input and one-hot targets. Rows beyond len(idx) are zero, with a target of zeros, so that
// they add nothing to any sum over samples.
func (d device) batch(data *dataset.Images, idx []int, rows int) (images, target *tensors.Tensor) {
	size := data.ImageSize()
	classes := d.arch.Classes()
	hot := make([]float64, rows*classes)
	pixels := make([]float32, rows*size)
	for i, k := range idx {
		copy(pixels[i*size:], data.Image(k))
		hot[i*classes+int(data.Labels[k])] = 1
	}
	dims := []int{rows, d.arch.Channels, d.arch.Height, d.arch.Width}
	if d.dtype == Float32 {
		images = tensors.FromFlatDataAndDimensions(pixels, dims...)
	} else {
		wide := make([]float64, len(pixels))
		for i, v := range pixels {
			wide[i] = float64(v)
		}
		images = tensors.FromFlatDataAndDimensions(wide, dims...)
	}
	return images, d.tensor(hot, rows, classes)
}

// exec compiles a graph once per batch size. Any number of batch sizes may be used.
func (d device) exec(fn func(inputs []*graph.Node) []*graph.Node) (*graph.Exec, error) {
	ex, err := graph.NewExec(d.backend, fn)
	if err != nil {
		return nil, fmt.Errorf("network: %s: %w", d.arch.Name, err)
	}
	return ex.SetMaxCache(-1), nil
}

// call runs ex and hands its outputs to use; it frees the outputs and the tensors in
// free afterwards, because XLA keeps them outside the Go heap.
func (d device) call(ex *graph.Exec, inputs []*tensors.Tensor, free []*tensors.Tensor, use func(outputs []*tensors.Tensor) error) error {
	args := make([]any, len(inputs))
	for i, t := range inputs {
		args[i] = t
	}
	outputs, err := ex.Call(args...)
	if err != nil {
		return fmt.Errorf("network: %s: running the graph: %w", d.arch.Name, err)
	}
	err = use(outputs)
	for _, t := range append(outputs, free...) {
		if ferr := t.FinalizeAll(); err == nil && ferr != nil {
			err = fmt.Errorf("network: %s: freeing a tensor: %w", d.arch.Name, ferr)
		}
	}
	return err
}

// trainingGraph is the trainer that differentiates automatically.
type trainingGraph struct {
	device
	exec *graph.Exec // x, images, target, masks… → Σ loss, Σ gradient, batch statistics…
}

func newTrainingGraph(e *engine) (*trainingGraph, error) {
	d, err := newDevice(e)
	if err != nil {
		return nil, err
	}
	exec, err := d.exec(func(in []*graph.Node) []*graph.Node {
		f := newForward(e.plan, in[0], nil, in[3:], in[1])
		loss := f.sumLoss(in[2])
		out := []*graph.Node{loss, f.flatGradient(loss)}
		return append(out, f.newStats...)
	})
	if err != nil {
		return nil, err
	}
	return &trainingGraph{d, exec}, nil
}

func (t *trainingGraph) batchGradient(sum, stats, x []float64, data *dataset.Images, idx []int, r *rand.Rand) (loss float64, err error) {
	b := len(idx)
	images, target := t.batch(data, idx, b)
	inputs := append([]*tensors.Tensor{t.tensor(x, t.dim), images, target}, t.masks(b, r)...)
	total := make([]float64, 1)
	clear(sum)
	clear(stats)
	err = t.call(t.exec, inputs, inputs, func(out []*tensors.Tensor) error {
		if err := addTo(total, out[0]); err != nil {
			return err
		}
		if err := addTo(sum, out[1]); err != nil {
			return err
		}
		at := 0
		for _, v := range out[2:] {
			if err := addTo(stats[at:], v); err != nil {
				return err
			}
			at += v.Shape().Size()
		}
		return nil
	})
	return total[0], err
}

// masks draws the dropout masks of one batch: 0, or 1/(1−P), per activation.
func (t *trainingGraph) masks(b int, r *rand.Rand) []*tensors.Tensor {
	var masks []*tensors.Tensor
	for _, p := range t.plan {
		l, ok := p.Layer.(Dropout)
		if !ok {
			continue
		}
		m := make([]float64, b*p.out.size())
		for i := range m {
			if l.P == 0 || r.Float64() >= l.P {
				m[i] = 1 / (1 - l.P)
			}
		}
		masks = append(masks, t.tensor(m, b, p.out.size()))
	}
	return masks
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

package network

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/problem"
)

var _ problem.FiniteSum = (*Network)(nil)

// Network is an architecture on a data set in evaluation mode: batch norm uses frozen
// statistics and dropout is off, so that the loss is a finite sum
//
//	f(x) = (1/N) Σₖ fₖ(x),   fₖ = cross-entropy of sample k in nats,
//
// as [chaudhari2018] eq. (1) needs it. It is safe for concurrent use, except for SetStats.
type Network struct {
	*engine
	gradient *graph.Exec // x, stats, images, target → Σ loss, Σ gradient [d]
	hessian  *graph.Exec // x, stats, images, target, v → Σ ∇²fₖ v [d]
	logits   *graph.Exec // x, stats, images, target → [B, classes]
	rows     perSampler
}

// New binds a to data with the batch-norm statistics stats (StatsDim, as Init or a
// Training returns them). data is kept, not copied; nil settings are the default.
//
// It returns an error if a is not valid, if an image, label or pixel does not fit it
// (named by sample), if stats has the wrong length, or if there is no backend.
func New(a Architecture, data *dataset.Images, stats []float64, s *Settings) (*Network, error) {
	e, err := newEngine(a, data, stats, s)
	if err != nil {
		return nil, err
	}
	n := &Network{engine: e}
	build := func(exec **graph.Exec, fn func(f *forward, target *graph.Node, rest []*graph.Node) []*graph.Node) {
		if err != nil {
			return
		}
		*exec, err = e.exec(func(in []*graph.Node) []*graph.Node {
			return fn(newForward(e.plan, in[0], in[1], nil, in[2]), in[3], in[4:])
		})
	}
	build(&n.gradient, func(f *forward, target *graph.Node, _ []*graph.Node) []*graph.Node {
		loss := f.sumLoss(target)
		return []*graph.Node{loss, f.flatGradient(loss)}
	})
	build(&n.hessian, func(f *forward, target *graph.Node, rest []*graph.Node) []*graph.Node {
		g := f.flatGradient(f.sumLoss(target))
		return []*graph.Node{f.flatGradient(graph.ReduceAllSum(graph.Mul(g, rest[0])))}
	})
	build(&n.logits, func(f *forward, _ *graph.Node, _ []*graph.Node) []*graph.Node {
		return []*graph.Node{f.logits}
	})
	taps := &byTaps{Network: n}
	build(&taps.exec, func(f *forward, target *graph.Node, _ []*graph.Node) []*graph.Node {
		return []*graph.Node{f.perSampleGradients(target)}
	})
	if err != nil {
		return nil, err
	}
	switch {
	case s != nil && s.Autodiff:
		n.rows = taps
	case e.dtype == Float64:
		n.rows = newDirectly[float64](e, s)
	default:
		n.rows = newDirectly[float32](e, s)
	}
	return n, nil
}

// Architecture returns the architecture of n.
func (n *Network) Architecture() Architecture { return n.arch }

// Data returns the images of n; they must not be changed.
func (n *Network) Data() *dataset.Images { return n.data }

// Dim returns d.
func (n *Network) Dim() int { return n.dim }

// Samples returns N.
func (n *Network) Samples() int { return n.data.N }

// String describes n, as in "small-fc on MNIST 7×7 train, N = 60000, float32".
func (n *Network) String() string {
	return fmt.Sprintf("%s on %s, N = %d, %s", n.arch.Name, n.data.Name, n.data.N, n.dtype)
}

// Stats returns a copy of the frozen batch-norm statistics, mean before variance in
// each batch-norm layer.
func (n *Network) Stats() []float64 { return slices.Clone(n.stats) }

// SetStats replaces the frozen statistics. It returns an error, and changes nothing, if
// the length is wrong, a number is not finite, or a variance is negative.
func (n *Network) SetStats(stats []float64) error { return n.setStats(stats) }

// blocks returns consecutive pieces of idx, at most e.block long; nil means all samples.
func (e *engine) blocks(idx []int) [][]int {
	if idx == nil {
		idx = make([]int, e.data.N)
		for i := range idx {
			idx[i] = i
		}
	}
	e.checkIndices(idx)
	var out [][]int
	for len(idx) > e.block {
		out = append(out, idx[:e.block])
		idx = idx[e.block:]
	}
	return append(out, idx)
}

// sweep runs ex on every block in order and hands the outputs to use. It is one goroutine:
// tensors are written to at their first use, and may not be shared before.
func (n *Network) sweep(ctx context.Context, ex *graph.Exec, x []float64, rest [][]float64, blocks [][]int, use func(idx []int, outputs []*tensors.Tensor) error) error {
	if err := n.checkWeights(x); err != nil {
		return err
	}
	rows := len(blocks[0])
	shared := []*tensors.Tensor{n.tensor(x, n.dim), n.statsTensor()}
	var tail []*tensors.Tensor
	for _, v := range rest {
		tail = append(tail, n.tensor(v, len(v)))
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
		images, target := n.batch(n.data, block, rows)
		inputs := append(append(slices.Clone(shared), images, target), tail...)
		err := n.call(ex, inputs, []*tensors.Tensor{images, target}, func(outputs []*tensors.Tensor) error { return use(block, outputs) })
		if err != nil {
			return err
		}
	}
	return nil
}

// GradTo stores ∇f(x), the mean over all N samples, in dst (d) and returns f(x) in nats.
// Every sample has the weight 1/N whatever the block size; blocks are added in float64.
//
// It panics if dst or x has another length than d, and returns an error that names the
// part of x with a number that is not finite, or if ctx is cancelled.
func (n *Network) GradTo(ctx context.Context, dst, x []float64) (loss float64, err error) {
	return n.gradTo(ctx, dst, x, nil)
}

// BatchGradTo stores the gradient of the batch idx, the mean of ∇fₖ(x) over it, in dst
// (d) and returns the mean of fₖ(x). A nil idx means all samples; an index may appear
// more than once. Batch-norm statistics stay frozen: this is ∇f_b of [chaudhari2018]
// eq. (1); see [Training] for what training computes.
//
// It panics if dst or x has another length than d, or an index is out of range.
func (n *Network) BatchGradTo(dst, x []float64, idx []int) (loss float64, err error) {
	return n.gradTo(context.Background(), dst, x, idx)
}

func (n *Network) gradTo(ctx context.Context, dst, x []float64, idx []int) (loss float64, err error) {
	if len(dst) != n.dim {
		panic(fmt.Sprintf("network: dimension mismatch: dst has %d numbers, want %d", len(dst), n.dim))
	}
	sum := make([]float64, n.dim+1)
	count := 0
	err = n.sweep(ctx, n.gradient, x, nil, n.blocks(idx), func(idx []int, out []*tensors.Tensor) error {
		count += len(idx)
		if err := addTo(sum[n.dim:], out[0]); err != nil {
			return err
		}
		return addTo(sum, out[1])
	})
	if err != nil {
		return 0, err
	}
	scale(sum, 1/float64(count))
	copy(dst, sum)
	return sum[n.dim], nil
}

// HessianMulVecTo stores ∇²f(x)·v in dst, all of length d, with f the mean over all N
// samples. The second derivative of ReLU and of max-pooling is taken as zero, as
// automatic differentiation does. It panics and fails where GradTo does.
func (n *Network) HessianMulVecTo(ctx context.Context, dst, x, v []float64) error {
	if len(dst) != n.dim || len(v) != n.dim {
		panic(fmt.Sprintf("network: dimension mismatch: dst and v have %d and %d numbers, want %d", len(dst), len(v), n.dim))
	}
	sum := make([]float64, n.dim)
	err := n.sweep(ctx, n.hessian, x, [][]float64{v}, n.blocks(nil), func(_ []int, out []*tensors.Tensor) error { return addTo(sum, out[0]) })
	if err != nil {
		return err
	}
	scale(sum, 1/float64(n.data.N))
	copy(dst, sum)
	return nil
}

// Loss returns the mean of fₖ(x) in nats over the samples idx; nil means all. The
// cross-entropy is taken in float64 from the logits. It panics and fails where
// BatchGradTo does.
func (n *Network) Loss(ctx context.Context, x []float64, idx []int) (float64, error) {
	loss, _, err := n.evaluate(ctx, x, idx)
	return loss, err
}

// Accuracy returns the share of all samples whose largest logit is that of their label;
// the first of equal logits counts. It panics and fails where GradTo does.
func (n *Network) Accuracy(ctx context.Context, x []float64) (float64, error) {
	_, right, err := n.evaluate(ctx, x, nil)
	return right, err
}

func (n *Network) evaluate(ctx context.Context, x []float64, idx []int) (loss, accuracy float64, err error) {
	classes := n.arch.Classes()
	count := 0
	err = n.sweep(ctx, n.logits, x, nil, n.blocks(idx), func(idx []int, out []*tensors.Tensor) error {
		z := make([]float64, out[0].Shape().Size())
		if err := addTo(z, out[0]); err != nil {
			return err
		}
		for i, k := range idx {
			row, label := z[i*classes:(i+1)*classes], int(n.data.Labels[k])
			top := slices.Max(row)
			sum := 0.0
			for _, v := range row {
				sum += math.Exp(v - top)
			}
			loss += top + math.Log(sum) - row[label]
			if slices.Index(row, top) == label {
				accuracy++
			}
		}
		count += len(idx)
		return nil
	})
	return loss / float64(count), accuracy / float64(count), err
}

package network

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

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
//
//	var f *network.Network
//	f, err := network.New(network.SmallFC(), train, stats, nil)
//	accuracy, err := f.Accuracy(ctx, x)
type Network struct {
	*engine
	computer
	graphs func() (*graphs, error) // for what the computer does not do; made when it is needed
}

// computer does the arithmetic of a Network at finite weights x. Blocks of samples are dealt
// with in order.
type computer interface {
	// gradient adds Σ ∇fₖ to sum and returns Σ fₖ.
	gradient(ctx context.Context, sum, x []float64, blocks [][]int) (loss float64, err error)
	// logits hands [len(idx), classes] to use, for every block.
	logits(ctx context.Context, x []float64, blocks [][]int, use func(idx []int, z []float64)) error
	// rows yields ∇fₖ, for every block.
	rows(ctx context.Context, x []float64, blocks [][]int, yield func(problem.Block) error) error
}

// New binds a to data with the batch-norm statistics stats (StatsDim, as Init or a
// Training returns them). data is kept, not copied; nil settings are the default.
//
// It returns an error if a is not valid, if an image, label or pixel does not fit it
// (named by sample), if stats has the wrong length, or if Settings.Autodiff finds no backend.
//
//	train, _, err := dataset.MNIST7()
//	a := network.SmallFC()
//	x, stats := a.Init(rand.NewPCG(42, 0))
//	f, err := network.New(a, train, stats, nil)
func New(a Architecture, data *dataset.Images, stats []float64, s *Settings) (*Network, error) {
	set := settingsOf(s)
	e, err := newEngine(a, data, stats, set)
	if err != nil {
		return nil, err
	}
	n := &Network{engine: e, graphs: sync.OnceValues(func() (*graphs, error) { return newGraphs(e) })}
	switch {
	case set.Autodiff:
		if n.computer, err = n.graphs(); err != nil {
			return nil, err
		}
	case e.dtype == Float64:
		n.computer = &directly[float64]{e}
	default:
		n.computer = &directly[float32]{e}
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

// Stats returns a copy of the frozen batch-norm statistics (StatsDim), mean before variance in
// each batch-norm layer.
//
//	f, err := network.New(network.TinyFC(), train, stats, nil)
//	mean := f.Stats()[:16]
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
	return cut(idx, e.block)
}

// cut returns consecutive pieces of idx, at most size long.
func cut(idx []int, size int) [][]int {
	var out [][]int
	for len(idx) > size {
		out = append(out, idx[:size])
		idx = idx[size:]
	}
	return append(out, idx)
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
	if err := n.checkWeights(x); err != nil {
		return 0, err
	}
	blocks := n.blocks(idx)
	sum, count := make([]float64, n.dim), 0
	for _, b := range blocks {
		count += len(b)
	}
	if loss, err = n.gradient(ctx, sum, x, blocks); err != nil {
		return 0, err
	}
	scale(sum, 1/float64(count))
	copy(dst, sum)
	return loss / float64(count), nil
}

// HessianMulVecTo stores ∇²f(x)·v in dst, all of length d, with f the mean over all N
// samples. The second derivative of ReLU and of max-pooling is taken as zero, as
// automatic differentiation does. It is always computed by automatic differentiation, and
// fails if there is no backend; otherwise it panics and fails where GradTo does.
func (n *Network) HessianMulVecTo(ctx context.Context, dst, x, v []float64) error {
	if len(dst) != n.dim || len(v) != n.dim {
		panic(fmt.Sprintf("network: dimension mismatch: dst and v have %d and %d numbers, want %d", len(dst), len(v), n.dim))
	}
	if err := n.checkWeights(x); err != nil {
		return err
	}
	g, err := n.graphs()
	if err != nil {
		return err
	}
	sum := make([]float64, n.dim)
	if err := g.hessianMulVec(ctx, sum, x, v, n.blocks(nil)); err != nil {
		return err
	}
	scale(sum, 1/float64(n.data.N))
	copy(dst, sum)
	return nil
}

// Loss returns the mean of fₖ(x) at x (d) in nats over the samples idx; nil means all. The
// cross-entropy is taken in float64 from the logits. It panics and fails where
// BatchGradTo does.
//
//	f, err := network.New(network.TinyFC(), train, stats, nil)
//	loss, err := f.Loss(ctx, x, nil)
func (n *Network) Loss(ctx context.Context, x []float64, idx []int) (float64, error) {
	loss, _, err := n.evaluate(ctx, x, idx)
	return loss, err
}

// Accuracy returns the share of all samples whose largest logit at x (d) is that of their label;
// the first of equal logits counts. It panics and fails where GradTo does.
func (n *Network) Accuracy(ctx context.Context, x []float64) (float64, error) {
	_, right, err := n.evaluate(ctx, x, nil)
	return right, err
}

func (n *Network) evaluate(ctx context.Context, x []float64, idx []int) (loss, accuracy float64, err error) {
	if err := n.checkWeights(x); err != nil {
		return 0, 0, err
	}
	classes := n.arch.Classes()
	count := 0
	err = n.logits(ctx, x, n.blocks(idx), func(idx []int, z []float64) {
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
	})
	return loss / float64(count), accuracy / float64(count), err
}

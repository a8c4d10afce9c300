package network

import (
	"context"
	"fmt"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network/internal/tinyfc"
)

// TinyChain is tiny-fc ([TinyFC]) as runs of millions of steps need it: the same losses and
// gradients as a [Training] or a [Network] of that architecture, computed by kernels of its
// own without a backend. It is what sgd.Run wants, and can take the place of the two.
//
// Batch norm is in training mode, or frozen if its settings say so. In training mode it has
// the state of a Training: the running statistics and the number of batches. It is not safe
// for concurrent use; run one chain per goroutine.
type TinyChain struct {
	*engine
	frozen  bool
	compute tinyfc.Engine
	moments tinyfc.Moments // frozen: the statistics; otherwise those of the last batch
	calls   uint64
}

// TinyChainSettings are the choices of a [TinyChain]; nil or the zero value is the default.
type TinyChainSettings struct {
	Frozen   bool // normalise with the statistics given, not with those of the batch
	Portable bool // plain loops in float64 even where float32 vectors are available
}

// NewTinyChain binds tiny-fc to data, which is copied, with the batch-norm statistics stats
// (length StatsDim = 32, as Init or a Training returns them). It returns an error where [New] does.
func NewTinyChain(data *dataset.Images, stats []float64, s *TinyChainSettings) (*TinyChain, error) {
	if s == nil {
		s = &TinyChainSettings{}
	}
	a := TinyFC()
	plan, err := a.plan()
	if err != nil {
		return nil, err
	}
	if err := checkData(a, data); err != nil {
		return nil, err
	}
	c := &TinyChain{frozen: s.Frozen, engine: &engine{arch: a, plan: plan, views: a.Views(), data: data, dim: a.Dim()}}
	if err := c.setStats(stats); err != nil {
		return nil, err
	}
	copied := tinyfc.NewData(data.Pixels, data.Labels, bnEpsilon)
	if s.Portable {
		c.compute = tinyfc.NewPortable(copied)
	} else {
		c.compute = tinyfc.New(copied)
	}
	return c, nil
}

// Architecture returns that of tiny-fc.
func (c *TinyChain) Architecture() Architecture { return c.arch }

// Dim returns d = 917.
func (c *TinyChain) Dim() int { return c.dim }

// Samples returns N.
func (c *TinyChain) Samples() int { return c.data.N }

// String describes c, as in "tiny-fc on MNIST 7×7 train, N = 60000, batch norm frozen,
// archsimd AVX-512, float32".
func (c *TinyChain) String() string {
	mode := "in training mode"
	if c.frozen {
		mode = "frozen"
	}
	return fmt.Sprintf("%s on %s, N = %d, batch norm %s, %v", c.arch.Name, c.data.Name, c.data.N, mode, c.compute)
}

// Stats returns a copy of the batch-norm statistics (StatsDim), frozen or running, for a [Network].
func (c *TinyChain) Stats() []float64 { return append([]float64(nil), c.stats...) }

// State returns the batch-norm statistics and, last, the number of batches so far: its length
// is StatsDim+1 = 33.
func (c *TinyChain) State() []float64 { return c.AppendState(nil) }

// AppendState appends what State returns to dst (any length) and returns that.
func (c *TinyChain) AppendState(dst []float64) []float64 {
	return append(append(dst, c.stats...), float64(c.calls))
}

// SetState restores what State returned (length StatsDim+1), bit for bit. It returns an error,
// and changes nothing, if state is not one of a TinyChain.
func (c *TinyChain) SetState(state []float64) error {
	calls, err := c.restore(state)
	if err == nil {
		c.calls = calls
	}
	return err
}

// BatchGradTo stores the gradient of the mean loss of the batch idx in dst (917) and returns
// that loss in nats. In training mode it moves the running statistics by 0.1 of the way to
// the batch's mean and unbiased variance.
//
// Weights or losses that leave float32 give a result that is not finite, and no error. It
// panics if dst or x has another length than d or an index is out of range, and returns an
// error for a batch of one in training mode, which has no variance.
func (c *TinyChain) BatchGradTo(dst, x []float64, idx []int) (loss float64, err error) {
	c.checkLengths(dst, x)
	c.checkIndices(idx)
	if len(idx) < 2 && !c.frozen {
		return 0, fmt.Errorf("network: %s: batch norm cannot normalise a batch of one sample in training; use batches of 2 or more, or freeze the statistics", c.arch.Name)
	}
	loss = c.grad(dst, x, idx)
	c.calls++
	if !c.frozen {
		unbiased := float64(len(idx)) / float64(len(idx)-1)
		mean, variance := c.stats[:tinyfc.Hidden], c.stats[tinyfc.Hidden:]
		for j := range mean {
			mean[j] += bnMomentum * (c.moments.Mean[j] - mean[j])
			variance[j] += bnMomentum * (c.moments.Variance[j]*unbiased - variance[j])
		}
	}
	return loss, nil
}

// GradTo stores the gradient of the loss over all N samples at x in dst (917) and returns
// the loss. In training mode the N samples are one batch, normalised with their own
// statistics: neither the mean of the batch gradients nor the gradient with running
// statistics (erratum E21). The state stays as it is.
//
// It panics if dst or x has another length than d, and returns an error if ctx is cancelled.
func (c *TinyChain) GradTo(ctx context.Context, dst, x []float64) (loss float64, err error) {
	c.checkLengths(dst, x)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return c.grad(dst, x, nil), nil
}

func (c *TinyChain) grad(dst, x []float64, idx []int) float64 {
	if c.frozen {
		copy(c.moments.Mean[:], c.stats)
		copy(c.moments.Variance[:], c.stats[tinyfc.Hidden:])
	}
	return c.compute.GradTo(dst, x, idx, c.frozen, &c.moments)
}

func (c *TinyChain) checkLengths(dst, x []float64) {
	if len(dst) != c.dim || len(x) != c.dim {
		panic(fmt.Sprintf("network: dimension mismatch: dst has %d numbers and x %d, want %d", len(dst), len(x), c.dim))
	}
}

package network

import (
	"fmt"
	"math/rand/v2"

	"sgdlab/pkg/dataset"
)

// Training is the loss of a network as training computes it: batch norm normalises with
// the statistics of the batch and dropout is on. Its gradient is that of the batch as a
// whole; it is not an average of per-sample gradients, and its mean over batches is not
// the gradient on all samples (erratum E21). There are therefore no per-sample gradients
// here: freeze the statistics in a [Network].
//
// It has a state, the running batch-norm statistics and the position in the streams of
// dropout masks and augmentations, which every batch moves on. It is not safe for concurrent use.
type Training struct {
	*engine
	trainer
	augment dataset.Augmentation
	seed    uint64
	calls   uint64 // batches so far: the position in the streams of masks and augmentations
}

// trainer does the arithmetic of a Training at finite weights x.
type trainer interface {
	// batchGradient stores the gradient of the sum of the losses of the images idx of data in
	// sum and the batch's means and unbiased variances in stats, and returns the sum of the
	// losses. Dropout masks come from r, a number per activation, layer after layer.
	batchGradient(sum, stats, x []float64, data *dataset.Images, idx []int, r *rand.Rand) (loss float64, err error)
}

// NewTraining binds a to data for training from the batch-norm statistics stats
// (StatsDim). seed chooses the dropout masks, which are drawn here and not on the
// backend, so that all backends see the same. It returns an error where New does.
//
//	loss, err := network.NewTraining(network.TinyFC(), train, stats, 42, nil)
//	run, err := sgd.Run(ctx, loss, x, sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 128, Epochs: 1, Seed: 42})
func NewTraining(a Architecture, data *dataset.Images, stats []float64, seed uint64, s *Settings) (*Training, error) {
	set := settingsOf(s)
	e, err := newEngine(a, data, stats, set)
	if err != nil {
		return nil, err
	}
	t := &Training{engine: e, seed: seed}
	switch {
	case set.Autodiff:
		if t.trainer, err = newTrainingGraph(e); err != nil {
			return nil, err
		}
	case e.dtype == Float64:
		t.trainer = newDirectTrainer[float64](e)
	default:
		t.trainer = newDirectTrainer[float32](e)
	}
	return t, nil
}

// Augment makes every later batch see its images changed at random by a; the zero value
// changes nothing. The draws depend on the seed of t and on the batches so far, and are the
// same on all backends. It panics if a does not fit the images.
func (t *Training) Augment(a dataset.Augmentation) {
	a.To(nil, t.data, []int{0}, rand.New(rand.NewPCG(0, 0))) // refuses what does not fit
	t.augment = a
}

// augmented returns the images idx of the next batch as training sees them, and their
// indices there.
func (t *Training) augmented(idx []int) (*dataset.Images, []int) {
	if t.augment == (dataset.Augmentation{}) {
		return t.data, idx
	}
	seen := *t.data
	seen.N, seen.Labels = len(idx), make([]uint8, len(idx))
	seen.Pixels = t.augment.To(nil, t.data, idx, rand.New(rand.NewPCG(t.seed, 1<<63|t.calls)))
	all := make([]int, len(idx))
	for i, k := range idx {
		seen.Labels[i], all[i] = t.data.Labels[k], i
	}
	return &seen, all
}

// Architecture returns the architecture of t.
func (t *Training) Architecture() Architecture { return t.arch }

// Dim returns d.
func (t *Training) Dim() int { return t.dim }

// Samples returns N.
func (t *Training) Samples() int { return t.data.N }

// Stats returns a copy of the running batch-norm statistics (StatsDim), for a [Network].
func (t *Training) Stats() []float64 { return append([]float64(nil), t.stats...) }

// State returns the running batch-norm statistics and, last, the number of batches so far: its
// length is StatsDim+1.
func (t *Training) State() []float64 { return t.AppendState(nil) }

// AppendState appends what State returns to dst (any length) and returns that.
func (t *Training) AppendState(dst []float64) []float64 {
	return append(append(dst, t.stats...), float64(t.calls))
}

// SetState restores what State returned (length StatsDim+1), bit for bit. It returns an error,
// and changes nothing, if state is not one of a Training of this architecture.
func (t *Training) SetState(state []float64) error {
	calls, err := t.restore(state)
	if err == nil {
		t.calls = calls
	}
	return err
}

// BatchGradTo stores the gradient of the mean training loss of the batch idx in dst (d)
// and returns that loss in nats. It moves the running statistics by 0.1 of the way to the
// batch's mean and unbiased variance, and draws fresh dropout masks.
//
// It panics if dst or x has another length than d or an index is out of range, and
// returns an error for weights that are not finite (named) and for a batch of one with
// batch norm, which has no variance.
func (t *Training) BatchGradTo(dst, x []float64, idx []int) (loss float64, err error) {
	if len(dst) != t.dim {
		panic(fmt.Sprintf("network: dimension mismatch: dst has %d numbers, want %d", len(dst), t.dim))
	}
	if err := t.checkWeights(x); err != nil {
		return 0, err
	}
	t.checkIndices(idx)
	b := len(idx)
	for i, p := range t.plan {
		if _, ok := p.Layer.(BatchNorm); ok && b*p.out.positions() < 2 {
			return 0, fmt.Errorf("network: %s: layer %d (batch norm) cannot normalise a batch of one sample in training; use batches of 2 or more, or freeze the statistics in a Network", t.arch.Name, i+1)
		}
	}
	data, idx := t.augmented(idx)
	sum, batch := make([]float64, t.dim), make([]float64, len(t.stats))
	if loss, err = t.batchGradient(sum, batch, x, data, idx, rand.New(rand.NewPCG(t.seed, t.calls))); err != nil {
		return 0, err
	}
	for i, v := range batch {
		t.stats[i] += bnMomentum * (v - t.stats[i])
	}
	t.calls++
	scale(sum, 1/float64(b))
	copy(dst, sum)
	return loss / float64(b), nil
}

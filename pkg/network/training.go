package network

import (
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

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
	exec    *graph.Exec // x, images, target, masks… → Σ loss, Σ gradient, batch statistics…
	augment dataset.Augmentation
	seed    uint64
	calls   uint64 // batches so far: the position in the streams of masks and augmentations
}

// NewTraining binds a to data for training from the batch-norm statistics stats
// (StatsDim). seed chooses the dropout masks, which are drawn here and not on the
// backend, so that all backends see the same. It returns an error where New does.
func NewTraining(a Architecture, data *dataset.Images, stats []float64, seed uint64, s *Settings) (*Training, error) {
	e, err := newEngine(a, data, stats, s)
	if err != nil {
		return nil, err
	}
	t := &Training{engine: e, seed: seed}
	t.exec, err = e.exec(func(in []*graph.Node) []*graph.Node {
		f := newForward(e.plan, in[0], nil, in[3:], in[1])
		loss := f.sumLoss(in[2])
		out := []*graph.Node{loss, f.flatGradient(loss)}
		return append(out, f.newStats...)
	})
	if err != nil {
		return nil, err
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

// Stats returns a copy of the running batch-norm statistics, for a [Network].
func (t *Training) Stats() []float64 { return append([]float64(nil), t.stats...) }

// State returns the running batch-norm statistics and, last, the number of batches so far.
func (t *Training) State() []float64 { return append(t.Stats(), float64(t.calls)) }

// SetState restores what State returned, bit for bit. It returns an error, and changes
// nothing, if state is not one of a Training of this architecture.
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
	images, target := t.batch(data, idx, b)
	inputs := append([]*tensors.Tensor{t.tensor(x, t.dim), images, target}, t.masks(b)...)
	sum := make([]float64, t.dim+1)
	err = t.call(t.exec, inputs, inputs, func(out []*tensors.Tensor) error {
		if err := addTo(sum[t.dim:], out[0]); err != nil {
			return err
		}
		if err := addTo(sum, out[1]); err != nil {
			return err
		}
		return t.updateStats(out[2:])
	})
	if err != nil {
		return 0, err
	}
	t.calls++
	scale(sum, 1/float64(b))
	copy(dst, sum)
	return sum[t.dim], nil
}

// masks draws the dropout masks of one batch: 0, or 1/(1−P), per activation.
func (t *Training) masks(b int) []*tensors.Tensor {
	r := rand.New(rand.NewPCG(t.seed, t.calls))
	var masks []*tensors.Tensor
	for _, p := range t.plan {
		l, ok := p.Layer.(Dropout)
		if !ok {
			continue
		}
		m := make([]float64, b*p.out.size())
		for i := range m {
			if r.Float64() >= l.P {
				m[i] = 1 / (1 - l.P)
			}
		}
		masks = append(masks, t.tensor(m, b, p.out.size()))
	}
	return masks
}

// updateStats moves the running statistics towards those of the batch, given layer by
// layer as mean and unbiased variance.
func (t *Training) updateStats(batch []*tensors.Tensor) error {
	at := 0
	for _, b := range batch {
		new := make([]float64, b.Shape().Size())
		if err := addTo(new, b); err != nil {
			return err
		}
		for i, v := range new {
			t.stats[at+i] += bnMomentum * (v - t.stats[at+i])
		}
		at += len(new)
	}
	return nil
}

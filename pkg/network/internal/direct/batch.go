package direct

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// chunk is the number of samples that a goroutine takes at a time. Sums are formed chunk by
// chunk, so that they do not depend on who took which.
const chunk = 8

// Batch computes loss and gradient of whole batches in training mode. Samples meet in batch
// norm: a batch goes through the layers from one batch norm to the next, and there waits
// until all are together. It is not safe for concurrent use.
type Batch[T Float] struct {
	ops     []op[T]
	weights []weighted[T] // ops with weights of their own, nil for the others
	norms   []int         // the ops that are batch norms
	k       *kernels[T]
	in      Shape
	first   int // the first op with weights or batch norm
	dim     int
	classes int

	size    int   // samples that there is memory for
	act     [][]T // act[i] is the input of op i, sample after sample; the last one holds the logits
	held    [][]T // gradients with respect to the outputs of batch norms, nil for other ops
	kept    [][]T // see buffers, nil for most ops
	parts   []part[T]
	meets   [][]partial[T] // of every batch norm, nil for other ops
	workers []*hand[T]
}

// part is what a chunk adds to sums over the batch.
type part[T Float] struct {
	loss float64
	sums [][]T // of every op with weights
}

// hand is the working memory of a goroutine.
type hand[T Float] struct {
	buffers []buffers[T]
	delta   [2][]T
}

// NewBatch lays out layers with dim weights in all; the batch norm ε is epsilon. It runs on
// workers ≥ 1 goroutines.
func NewBatch[T Float](layers []Layer, dim int, epsilon float64, workers int) *Batch[T] {
	b := &Batch[T]{k: kernelsOf[T](), ops: build[T](layers, epsilon, true), in: layers[0].In, dim: dim, classes: layers[len(layers)-1].Out.size(), first: -1}
	most := b.in.size()
	for i, o := range b.ops {
		w, has := o.(weighted[T])
		_, couples := o.(*norm[T])
		b.weights = append(b.weights, w)
		if couples {
			b.norms = append(b.norms, i)
		}
		if b.first < 0 && (has || couples) {
			b.first = i
		}
		most = max(most, o.Shape().size())
	}
	for range workers {
		h := &hand[T]{}
		for _, o := range b.ops {
			h.buffers = append(h.buffers, o.Buffers())
		}
		for i := range h.delta {
			h.delta[i] = make([]T, most+slack)
		}
		b.workers = append(b.workers, h)
	}
	return b
}

// stride is the distance of samples in act[i].
func (b *Batch[T]) stride(i int) int {
	if i == 0 {
		return b.in.size() + slack
	}
	return b.ops[i-1].Shape().size() + slack
}

// reserve makes memory for n samples.
func (b *Batch[T]) reserve(n int) {
	if n <= b.size {
		return
	}
	b.size = n
	b.act, b.held, b.kept, b.parts, b.meets = nil, nil, nil, nil, nil
	memory := func(i int) []T { return make([]T, n*b.stride(i)) }
	b.act = append(b.act, memory(0))
	for i, o := range b.ops {
		_, rectifies := o.(relu[T])
		var held, kept []T
		var meets []partial[T]
		switch m, couples := o.(*norm[T]); {
		case rectifies && i > 0 && b.held[i-1] != nil:
			// In place: batch norm does not need its output to go back.
			b.act = append(b.act, b.act[i])
		case couples:
			held = memory(i + 1)
			for range chunks(n) {
				meets = append(meets, m.partial())
			}
			fallthrough
		default:
			b.act = append(b.act, memory(i+1))
		}
		if len(o.Buffers().kept) > 0 {
			kept = memory(i + 1)
		}
		b.held, b.kept, b.meets = append(b.held, held), append(b.kept, kept), append(b.meets, meets)
	}
	for range chunks(n) {
		b.parts = append(b.parts, part[T]{sums: sumsOf(b.weights)})
	}
}

// GradientTo stores the gradient of the sum of the cross-entropies of n samples at x in
// gradient and mean and unbiased variance of every batch norm in stats, and returns that sum
// in nats. sample returns pixels, channels × height × width, and label of the k-th one. The
// dropout masks come from r, layer after layer and sample after sample.
func (b *Batch[T]) GradientTo(gradient, stats, x []float64, n int, sample func(k int) (pixels []float32, label int), r *rand.Rand) (loss float64) {
	if len(gradient) != b.dim || len(x) != b.dim || n < 1 {
		panic(fmt.Sprintf("direct: dimension mismatch: gradient %d, weights %d, %d samples; want %d, %d, at least 1", len(gradient), len(x), n, b.dim, b.dim))
	}
	b.load(x, n, r)
	parts := b.parts[:chunks(n)]
	from := b.forth(x, n, sample)
	b.turn(n, from, sample)
	b.back(gradient, n)
	for _, p := range parts {
		loss += p.loss
	}
	for i, o := range b.weights {
		if o == nil {
			continue
		}
		total := parts[0].sums[i]
		for _, p := range parts[1:] {
			b.k.plus(total, p.sums[i])
		}
		o.Unpack(gradient, total)
	}
	for _, at := range b.norms {
		b.ops[at].(*norm[T]).statisticsTo(stats)
	}
	return loss
}

// load makes memory for n samples, takes the weights from x, and draws the dropout masks.
func (b *Batch[T]) load(x []float64, n int, r *rand.Rand) {
	b.reserve(n)
	for i, o := range b.ops {
		if b.weights[i] != nil {
			b.weights[i].Load(x, nil)
		}
		if d, ok := o.(dropout[T]); ok {
			for s := range n {
				d.drawTo(b.of(b.kept[i], i+1, s), r)
			}
		}
	}
}

// forth goes up to the input of the last batch norm and measures them all. It returns the op
// from which on the samples go alone.
func (b *Batch[T]) forth(x []float64, n int, sample func(k int) ([]float32, int)) (from int) {
	for _, at := range b.norms {
		m, meets, stride := b.ops[at].(*norm[T]), b.meets[at], b.stride(at)
		b.each(n, func(h *hand[T], c, first, count int) {
			for s := first; s < first+count; s++ {
				b.forward(h, s, from, at, sample)
			}
			m.measure(&meets[c], b.act[at][first*stride:], count, stride)
		})
		m.normalise(meets[:chunks(n)], x)
		from = at
	}
	return from
}

// turn goes on from op from to the loss, and back to the output of the last batch norm.
func (b *Batch[T]) turn(n, from int, sample func(k int) ([]float32, int)) {
	last, next := len(b.ops)-1, len(b.norms)-1
	b.each(n, func(h *hand[T], c, first, count int) {
		p := &b.parts[c]
		p.loss = 0
		for _, s := range p.sums {
			clear(s)
		}
		for s := first; s < first+count; s++ {
			b.forward(h, s, from, last+1, sample)
			d := h.delta[0]
			if b.held[last] != nil {
				d = b.of(b.held[last], last, s)
			}
			_, label := sample(s)
			p.loss += softmaxGradientTo(d[:b.classes], b.of(b.act[last+1], last+1, s)[:b.classes], label)
			b.backward(h, p, s, last, next, d)
		}
		b.sumUp(next, c, first, count)
	})
}

// back goes back from the output of the last batch norm to the first op with weights.
func (b *Batch[T]) back(gradient []float64, n int) {
	for next := len(b.norms) - 1; next >= 0; next-- {
		at := b.norms[next]
		b.ops[at].(*norm[T]).turn(b.meets[at][:chunks(n)], gradient)
		if at == b.first {
			return
		}
		b.each(n, func(h *hand[T], c, first, count int) {
			for s := first; s < first+count; s++ {
				b.backward(h, &b.parts[c], s, at, next-1, b.of(b.held[at], at, s))
			}
			b.sumUp(next-1, c, first, count)
		})
	}
}

// chunks is the number of chunks of n samples.
func chunks(n int) int { return (n + chunk - 1) / chunk }

// of returns sample s of v, which is as long as act[i].
func (b *Batch[T]) of(v []T, i, s int) []T {
	stride := b.stride(i)
	return v[s*stride : (s+1)*stride]
}

// each runs work for all chunks of n samples, each with the memory of one goroutine.
func (b *Batch[T]) each(n int, work func(h *hand[T], chunk, first, count int)) {
	var taken atomic.Int64
	run := func(h *hand[T]) {
		for c := int(taken.Add(1)) - 1; c < chunks(n); c = int(taken.Add(1)) - 1 {
			work(h, c, c*chunk, min(chunk, n-c*chunk))
		}
	}
	var others sync.WaitGroup
	for _, h := range b.workers[1:min(len(b.workers), chunks(n))] {
		others.Go(func() { run(h) })
	}
	run(b.workers[0])
	others.Wait()
}

// buffers returns the working memory of op i for sample s.
func (b *Batch[T]) buffers(h *hand[T], i, s int) *buffers[T] {
	own := &h.buffers[i]
	if b.kept[i] != nil {
		own.kept = b.of(b.kept[i], i+1, s)
	}
	return own
}

// forward takes sample s through the ops from up to but without to.
func (b *Batch[T]) forward(h *hand[T], s, from, to int, sample func(k int) ([]float32, int)) {
	if from == 0 {
		pixels, label := sample(s)
		if len(pixels) != b.in.size() || label < 0 || label >= b.classes {
			panic(fmt.Sprintf("direct: dimension mismatch: %d pixels, label %d; want %d, below %d", len(pixels), label, b.in.size(), b.classes))
		}
		toPositions(b.of(b.act[0], 0, s), pixels, b.in)
	}
	for i := from; i < to; i++ {
		b.ops[i].Forward(b.of(b.act[i+1], i+1, s), b.of(b.act[i], i, s), b.buffers(h, i, s))
	}
}

// backward takes d, the gradient of sample s with respect to the output of op top, back
// through the ops from top on, to the output of the batch norm norms[next] or, if next is
// negative, to the first op with weights. Gradients of weights go into p.
func (b *Batch[T]) backward(h *hand[T], p *part[T], s, top, next int, d []T) {
	bottom := -1
	if next >= 0 {
		bottom = b.norms[next]
	}
	flip := 1
	for i := top; i > bottom; i-- {
		in, buffers := b.of(b.act[i], i, s), b.buffers(h, i, s)
		if b.weights[i] != nil {
			b.weights[i].Add(p.sums[i], d, in, buffers)
		}
		if i == b.first {
			return
		}
		din := h.delta[flip]
		flip = 1 - flip
		if i-1 == bottom {
			din = b.of(b.held[bottom], i, s)
		}
		b.ops[i].Backward(din, d, in, b.of(b.act[i+1], i+1, s), buffers)
		d = din
	}
}

// sumUp sums a chunk up for the batch norm norms[next], if there is one.
func (b *Batch[T]) sumUp(next, c, first, count int) {
	if next < 0 {
		return
	}
	at := b.norms[next]
	stride := b.stride(at)
	b.ops[at].(*norm[T]).sumUp(&b.meets[at][c], b.held[at][first*stride:], b.act[at][first*stride:], count, stride)
}

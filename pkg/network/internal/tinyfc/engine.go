package tinyfc

// The network, and its weight vector in the order of package network: W1 (Hidden×Inputs),
// b1, batch-norm scale γ and shift β, W2 (Classes×Hidden), b2.
const (
	Inputs  = 49
	Hidden  = 16
	Classes = 5
	Dim     = atB2 + Classes // 917

	atB1    = Hidden * Inputs
	atGamma = atB1 + Hidden
	atBeta  = atGamma + Hidden
	atW2    = atBeta + Hidden
	atB2    = atW2 + Classes*Hidden
)

// Data are images and labels as the engines want them. They are read only, and may be
// shared.
type Data struct {
	images  [][body]float32 // all inputs but the last: three cache lines
	last    []float32       // the last input
	labels  []uint8
	epsilon float64 // of batch norm
}

// body is the number of inputs in whole vectors, all but one.
const body = Inputs / 16 * 16

// NewData copies the N·Inputs pixels and the labels, which are below Classes.
func NewData(pixels []float32, labels []uint8, epsilon float64) *Data {
	n := len(labels)
	d := &Data{images: make([][body]float32, n), last: make([]float32, n), labels: append([]uint8(nil), labels...), epsilon: epsilon}
	for i := range d.images {
		image := pixels[i*Inputs:][:Inputs]
		copy(d.images[i][:], image)
		d.last[i] = image[body]
	}
	return d
}

// all returns 0..N−1.
func (d *Data) all() []int {
	idx := make([]int, len(d.labels))
	for i := range idx {
		idx[i] = i
	}
	return idx
}

// Moments are the batch-norm statistics of the hidden units.
type Moments struct {
	Mean, Variance [Hidden]float64 // the variance is biased, divided by the number of rows
}

// Engine computes gradients on one Data. It owns working memory and is not safe for
// concurrent use.
type Engine interface {
	// GradTo stores the gradient of the mean loss of the samples idx, at least one, or of all
	// if idx is nil, in dst and returns the loss; dst and x have the length Dim. If frozen is
	// set, batch norm normalises with m; otherwise with the statistics of the batch, which
	// are stored in m.
	GradTo(dst, x []float64, idx []int, frozen bool, m *Moments) float64
	// String names the engine.
	String() string
}

// New returns the fastest engine for this processor.
func New(d *Data) Engine {
	if e := newVector(d); e != nil {
		return e
	}
	return NewPortable(d)
}

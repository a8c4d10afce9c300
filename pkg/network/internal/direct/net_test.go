package direct

import (
	"math"
	"testing"
)

// Softmax regression has the closed form ∇f = (p − e) ⊗ (a, 1) with p = softmax(Wa + b). The
// rest is tested in package network, against automatic differentiation.
func TestSoftmaxRegression(t *testing.T) {
	x := []float64{0.5, -1, 2, 0.25, 0, 1, 0.1, -0.2, 0.3} // W 3×2, b
	a := []float32{2, -0.5}
	const label = 2
	n := New[float64]([]Layer{{Kind: Dense, In: Shape{2, 1, 1}, Out: Shape{3, 1, 1}}}, x, nil, 1e-5)
	got := make([]float64, 9)
	n.Worker().GradientTo(got, a, label)
	p, sum := make([]float64, 3), 0.0
	for i := range p {
		p[i] = math.Exp(x[2*i]*2 - x[2*i+1]*0.5 + x[6+i])
		sum += p[i]
	}
	for i := range p {
		d := p[i] / sum
		if i == label {
			d--
		}
		for j, want := range map[int]float64{2 * i: 2 * d, 2*i + 1: -0.5 * d, 6 + i: d} {
			if math.Abs(got[j]-want) > 1e-15 { // a few roundings of numbers of order 1
				t.Errorf("entry %d is %v, want %v", j, got[j], want)
			}
		}
	}
}

func TestDimensionMismatch(t *testing.T) {
	layers := []Layer{{Kind: Dense, In: Shape{2, 1, 1}, Out: Shape{3, 1, 1}}}
	w := New[float32](layers, make([]float64, 9), nil, 1e-5).Worker()
	batch := func(d, n, pixels, label int) {
		sample := func(int) ([]float32, int) { return make([]float32, pixels), label }
		NewBatch[float32](layers, 9, 1e-5, 1).GradientTo(make([]float64, d), nil, make([]float64, 9), n, sample, nil)
	}
	batch(9, 1, 2, 0)
	for name, f := range map[string]func(){
		"short row":                  func() { w.GradientTo(make([]float32, 8), make([]float32, 2), 0) },
		"too many pixels":            func() { w.GradientTo(make([]float32, 9), make([]float32, 3), 0) },
		"batch of nothing":           func() { batch(9, 0, 2, 0) },
		"short gradient":             func() { batch(8, 1, 2, 0) },
		"too many pixels in a batch": func() { batch(9, 1, 3, 0) },
		"negative label":             func() { batch(9, 1, 2, -1) },
		"pixels for logits":          func() { w.Logits(make([]float32, 1)) },
		"label of another":           func() { w.GradientTo(make([]float32, 9), make([]float32, 2), 3) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

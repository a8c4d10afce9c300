package tinyfc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const epsilon = 1e-5

// random returns n images, about half of whose pixels are 0, and weights as at the beginning
// of training.
func random(n int) (*Data, []float64) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	pixels, labels := make([]float32, n*Inputs), make([]uint8, n)
	for i := range pixels {
		pixels[i] = max(0, 2*r.Float32()-1)
	}
	for i := range labels {
		labels[i] = uint8(r.IntN(Classes))
	}
	x := make([]float64, Dim)
	for i := range x {
		x[i] = (2*r.Float64() - 1) / 4
		if i >= atGamma && i < atBeta {
			x[i] = 1 + x[i]
		}
	}
	return NewData(pixels, labels, epsilon), x
}

func batch(r *rand.Rand, n, b int) []int {
	idx := make([]int, b)
	for i := range idx {
		idx[i] = r.IntN(n)
	}
	return idx
}

func someMoments() *Moments {
	m := new(Moments)
	for j := range Hidden {
		m.Mean[j], m.Variance[j] = float64(j)/Hidden-0.3, 0.1+float64(j)/Hidden
	}
	return m
}

// sizes are batches around the tiles of the vector kernels and around a block.
var sizes = []int{1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 64, 127, 128, 129, 255, 256, 300}

// The reference against the definition: central differences of its loss.
func TestPortableAgainstFiniteDifferences(t *testing.T) {
	d, x := random(40)
	for _, frozen := range []bool{false, true} {
		e := NewPortable(d)
		idx := batch(rand.New(rand.NewPCG(3, 3)), 40, 9)
		g, scratch := make([]float64, Dim), make([]float64, Dim)
		e.GradTo(g, x, idx, frozen, someMoments())
		for i := range x {
			const h = 1e-5 // h² and round-off/h balance at 1e-10
			x0 := x[i]
			x[i] = x0 + h
			up := e.GradTo(scratch, x, idx, frozen, someMoments())
			x[i] = x0 - h
			down := e.GradTo(scratch, x, idx, frozen, someMoments())
			x[i] = x0
			// A unit within h of its corner would be wrong by O(1); this sample has none.
			if want := (up - down) / (2 * h); math.Abs(g[i]-want) > 1e-8 {
				t.Errorf("frozen %v: ∂f/∂x[%d] = %v, finite difference %v", frozen, i, g[i], want)
			}
		}
	}
}

// Every kernel and every remainder of its tiles against the reference.
func TestVectorAgainstPortable(t *testing.T) {
	d, x := random(300)
	fast, slow := newVector(d), NewPortable(d)
	if fast == nil {
		t.Skip("no AVX-512 here, or built without GOEXPERIMENT=simd")
	}
	r := rand.New(rand.NewPCG(4, 4))
	got, want := make([]float64, Dim), make([]float64, Dim)
	for _, b := range sizes {
		for _, frozen := range []bool{false, true} {
			if b < 2 && !frozen {
				continue // the variance is 0
			}
			idx := batch(r, 300, b)
			m, wantM := someMoments(), someMoments()
			loss := fast.GradTo(got, x, idx, frozen, m)
			wantLoss := slow.GradTo(want, x, idx, frozen, wantM)
			// float32: the terms of a sum are accurate to 6e-8 of their size, and a gradient of
			// the first layer has passed through 49 + 16 + 5 of them. A batch of a few samples
			// normalises by small variances, which magnifies.
			limit := 2e-6
			if b < 8 {
				limit = 2e-5
			}
			name := fmt.Sprintf("batch of %d, frozen %v", b, frozen)
			if e := distance(got, want); e > limit {
				t.Errorf("%s: the gradients differ by %.2g of the largest", name, e)
			}
			if math.Abs(loss-wantLoss) > 1e-6*(1+wantLoss) {
				t.Errorf("%s: loss %v, want %v", name, loss, wantLoss)
			}
			if e := max(distance(m.Mean[:], wantM.Mean[:]), distance(m.Variance[:], wantM.Variance[:])); e > 1e-6 {
				t.Errorf("%s: the moments differ by %.2g", name, e)
			}
		}
	}
}

// All samples, named or not: the same bits from either engine.
func TestAllSamples(t *testing.T) {
	for _, n := range []int{100, 128, 300} {
		d, x := random(n)
		for _, e := range []Engine{New(d), NewPortable(d)} {
			got, want := make([]float64, Dim), make([]float64, Dim)
			loss, wantLoss := e.GradTo(got, x, nil, false, new(Moments)), e.GradTo(want, x, d.all(), false, new(Moments))
			if loss != wantLoss || distance(got, want) != 0 {
				t.Errorf("%v, %d samples: loss %v and %v, gradients differ by %.2g", e, n, loss, wantLoss, distance(got, want))
			}
		}
	}
}

// A large loss, far in the tail of exp.
func TestVectorLargeLogits(t *testing.T) {
	d, x := random(130)
	fast, slow := newVector(d), NewPortable(d)
	if fast == nil {
		t.Skip("no AVX-512 here, or built without GOEXPERIMENT=simd")
	}
	for i := atW2; i < atB2; i++ {
		x[i] *= 300
	}
	idx := batch(rand.New(rand.NewPCG(5, 5)), 130, 128)
	got, want := make([]float64, Dim), make([]float64, Dim)
	loss, wantLoss := fast.GradTo(got, x, idx, false, new(Moments)), slow.GradTo(want, x, idx, false, new(Moments))
	// Logits of several hundred have 2e-5 of float32 round-off, and so have probabilities.
	if wantLoss < 50 || math.Abs(loss-wantLoss) > 1e-6*wantLoss || distance(got, want) > 1e-4 {
		t.Errorf("loss %v, want %v; gradients differ by %.2g", loss, wantLoss, distance(got, want))
	}
}

// Weights outside float32 must not pass for a result.
func TestNotFinite(t *testing.T) {
	d, x := random(130)
	for _, e := range []Engine{New(d), NewPortable(d)} {
		for _, at := range []int{0, atGamma, atBeta, atW2, atB2} {
			y := append([]float64(nil), x...)
			y[at] = math.NaN()
			g := make([]float64, Dim)
			finite := e.GradTo(g, y, []int{1, 2, 3, 4, 5}, false, new(Moments))
			for _, v := range g {
				finite += 0 * v
			}
			if !math.IsNaN(finite) {
				t.Errorf("%v: NaN in weight %d, loss and gradient finite", e, at)
			}
		}
	}
}

// The engines keep nothing between calls.
func TestNoMemory(t *testing.T) {
	d, x := random(300)
	r := rand.New(rand.NewPCG(6, 6))
	used, m := New(d), new(Moments)
	for _, b := range []int{128, 300, 5, 127, 256, 128} {
		idx := batch(r, 300, b)
		got, want := make([]float64, Dim), make([]float64, Dim)
		loss, wantLoss := used.GradTo(got, x, idx, false, new(Moments)), New(d).GradTo(want, x, idx, false, new(Moments))
		if loss != wantLoss || distance(got, want) != 0 {
			t.Errorf("batch of %d: a used engine gives other bits than a new one", b)
		}
		if allocs := testing.AllocsPerRun(5, func() { used.GradTo(got, x, idx, false, m) }); allocs > 0 {
			t.Errorf("batch of %d: %v allocations", b, allocs)
		}
	}
}

// distance is the largest difference, relative to the largest number of b.
func distance(a, b []float64) float64 {
	var d, s float64
	for i := range b {
		d, s = max(d, math.Abs(a[i]-b[i])), max(s, math.Abs(b[i]))
	}
	if s == 0 {
		return d
	}
	return d / s
}

func BenchmarkGradTo(b *testing.B) {
	d, x := random(1000)
	for _, e := range []Engine{New(d), NewPortable(d)} {
		b.Run(fmt.Sprint(e), func(b *testing.B) {
			idx := batch(rand.New(rand.NewPCG(7, 7)), 1000, 128)
			g := make([]float64, Dim)
			m := new(Moments)
			for b.Loop() {
				e.GradTo(g, x, idx, false, m)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "gradients/s")
		})
	}
}

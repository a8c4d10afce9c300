package network_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sgdlab/pkg/backend"
	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
	"sgdlab/pkg/problem"
)

var ctx = context.Background()

var paperNetworks = []network.Architecture{network.TinyFC(), network.SmallFC(), network.SmallLeNet(0.1), network.SmallAllCNN(10, 0)}

// smooth has every layer without a kink, so that finite differences mean something.
var smooth = network.Architecture{
	Name: "smooth", Channels: 2, Height: 6, Width: 6,
	Layers: []network.Layer{
		network.Conv2D{Out: 3, Kernel: 3, Pad: 1}, network.BatchNorm{}, network.Tanh{}, network.AvgPool{Size: 2},
		network.Conv2D{Out: 4, Kernel: 2}, network.Tanh{}, network.Flatten{}, network.Dense{Out: 5}, network.BatchNorm{}, network.Tanh{},
		network.Dense{Out: 3},
	},
}

// backends opens the Go backend and, where its plug-in is found, XLA.
func backends(t testing.TB) map[string]*backend.Backend {
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*backend.Backend{"go": b}
	if x, err := backend.Open("xla:cpu"); err == nil {
		all["xla"] = x
	} else {
		t.Logf("XLA is skipped: %v", err)
	}
	return all
}

// images draws n images for a. background is the share of constant pixels, which makes the
// ties of max-pooling that random images never have.
func images(a network.Architecture, n int, constantBackground bool) *dataset.Images {
	r := rand.New(rand.NewPCG(7, 7))
	im := &dataset.Images{Name: "random", N: n, Channels: a.Channels, Height: a.Height, Width: a.Width, Classes: a.Classes()}
	for range n * a.Channels {
		for y := range a.Height {
			for x := range a.Width {
				inside := y >= a.Height/3 && y < a.Height*2/3 && x >= a.Width/3 && x < a.Width*2/3
				v := float32(-0.4242)
				if inside || !constantBackground {
					v = float32(r.NormFloat64())
				}
				im.Pixels = append(im.Pixels, v)
			}
		}
	}
	for range n {
		im.Labels = append(im.Labels, uint8(r.IntN(im.Classes)))
	}
	return im
}

// weights are those of Init with everything that starts at 0 or 1 moved away from it.
func weights(a network.Architecture) (x, stats []float64) {
	r := rand.New(rand.NewPCG(3, 1))
	x, stats = a.Init(rand.NewPCG(3, 0))
	for i := range x {
		x[i] += 0.1 * r.NormFloat64()
	}
	for i := range stats {
		stats[i] += 0.3 * r.Float64()
	}
	return x, stats
}

func newNetwork(t testing.TB, a network.Architecture, data *dataset.Images, s network.Settings) (*network.Network, []float64) {
	x, stats := weights(a)
	n, err := network.New(a, data, stats, &s)
	if err != nil {
		t.Fatal(err)
	}
	return n, x
}

// rows collects per-sample gradients.
func rows(t testing.TB, n *network.Network, x []float64, idx []int) [][]float64 {
	var out [][]float64
	err := n.PerSampleGradients(ctx, x, idx, func(b problem.Block) error {
		for i := range b.Rows() {
			out = append(out, b.RowTo(nil, i))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// maxDiff is the largest difference of two vectors in units of the largest entry of want.
func maxDiff(got, want []float64) float64 {
	d, m := 0.0, 0.0
	for i := range want {
		d, m = max(d, math.Abs(got[i]-want[i])), max(m, math.Abs(want[i]))
	}
	return d / m
}

// Per-sample gradients equal a loop over single samples through the other code path: the
// gradient of a batch of one, by automatic differentiation with respect to the weights.
func TestPerSampleGradientsEqualALoop(t *testing.T) {
	for name, b := range backends(t) {
		for _, a := range append(slices.Clone(paperNetworks), smooth) {
			for _, background := range []bool{false, true} {
				for _, dt := range []network.DType{network.Float64, network.Float32} {
					deep := a.Name == "small-allcnn"
					if name == "xla" && a.Height > 7 && (deep || dt == network.Float32 || !background) || deep && !background {
						continue // a compilation of several seconds each; TestBackendsAgree ties the rest to the Go backend
					}
					// float64: sums of up to 10⁴ terms of alternating sign stay below 1e-12 of the
					// largest entry; float32 has 2⁻²⁴ per operation, 1e-5 after nine layers.
					tol := map[network.DType]float64{network.Float64: 1e-12, network.Float32: 1e-5}[dt]
					samples, block := 5, 3
					if a.Height > 7 {
						samples, block = 2, 1 // one shape, one compilation
					}
					n, x := newNetwork(t, a, images(a, samples, background), network.Settings{Backend: b, DType: dt, BlockSize: block, Autodiff: true})
					got := rows(t, n, x, nil)
					mean := make([]float64, n.Dim())
					for k := range got {
						want := make([]float64, n.Dim())
						if _, err := n.BatchGradTo(want, x, []int{k}); err != nil {
							t.Fatal(err)
						}
						if d := maxDiff(got[k], want); !(d <= tol) {
							t.Errorf("%s, %s, %s, constant background %v: gradient of sample %d is off by %.2g of its maximum, tolerance %.0e", name, a.Name, dt, background, k, d, tol)
						}
						for i, v := range got[k] {
							mean[i] += v / float64(len(got))
						}
					}
					full := make([]float64, n.Dim())
					if _, err := n.GradTo(ctx, full, x); err != nil {
						t.Fatal(err)
					}
					if d := maxDiff(mean, full); !(d <= tol) {
						t.Errorf("%s, %s, %s: mean of the rows is off the full gradient by %.2g, tolerance %.0e", name, a.Name, dt, d, tol)
					}
				}
			}
		}
	}
}

func TestBackendsAgree(t *testing.T) {
	all := backends(t)
	if len(all) < 2 {
		t.Skip("skipped: the XLA CPU plug-in was not found, so there is nothing to compare with")
	}
	for _, a := range paperNetworks {
		var got [][][]float64
		for _, name := range []string{"go", "xla"} {
			n, x := newNetwork(t, a, images(a, 4, true), network.Settings{Backend: all[name], DType: network.Float64, Autodiff: true})
			got = append(got, rows(t, n, x, nil))
		}
		for k := range got[0] {
			if d := maxDiff(got[0][k], got[1][k]); !(d <= 1e-12) { // round-off, as above
				t.Errorf("%s: sample %d differs by %.2g between the backends", a.Name, k, d)
			}
		}
	}
}

// Central differences with step h are off by h²f‴/6 + ε|f|/h: 1e-9 or so at h = 1e-5.
func TestGradientAgainstFiniteDifferences(t *testing.T) {
	n, x := newNetwork(t, smooth, images(smooth, 4, false), network.Settings{DType: network.Float64})
	g := make([]float64, n.Dim())
	loss, err := n.GradTo(ctx, g, x)
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := n.Loss(ctx, x, nil); math.Abs(l-loss) > 1e-13 { // two sums of 4 terms
		t.Errorf("Loss = %v, GradTo returned %v", l, loss)
	}
	const h = 1e-5
	largest := slices.Max(g)
	for i := range x {
		xh := slices.Clone(x)
		xh[i] += h
		up, _ := n.Loss(ctx, xh, nil)
		xh[i] -= 2 * h
		down, _ := n.Loss(ctx, xh, nil)
		if want := (up - down) / (2 * h); math.Abs(g[i]-want) > 1e-6*largest {
			t.Errorf("∂f/∂x[%d] = %v, finite difference %v", i, g[i], want)
		}
	}
}

func TestHessianProduct(t *testing.T) {
	for name, b := range backends(t) {
		for _, a := range []network.Architecture{smooth, network.TinyFC(), network.SmallLeNet(0)} {
			if name == "xla" && a.Height > 7 {
				continue // a compilation of several seconds; smooth has convolutions too
			}
			n, x := newNetwork(t, a, images(a, 6, false), network.Settings{Backend: b, DType: network.Float64, BlockSize: 4})
			d := n.Dim()
			r := rand.New(rand.NewPCG(5, 5))
			v, w := make([]float64, d), make([]float64, d)
			for i := range v {
				v[i], w[i] = r.NormFloat64(), r.NormFloat64()
			}
			hv, hw := make([]float64, d), make([]float64, d)
			if err := errors.Join(n.HessianMulVecTo(ctx, hv, x, v), n.HessianMulVecTo(ctx, hw, x, w)); err != nil {
				t.Fatal(err)
			}
			dot := func(a, b []float64) (s float64) {
				for i := range a {
					s += a[i] * b[i]
				}
				return s
			}
			size := math.Sqrt(dot(hv, hv) * dot(w, w))
			if asym := math.Abs(dot(w, hv)-dot(v, hw)) / size; asym > 1e-13 { // round-off of sums of d terms
				t.Errorf("%s, %s: wᵀHv and vᵀHw differ by %.2g of ‖Hv‖‖w‖", name, a.Name, asym)
			}
			// The step keeps ReLU and pooling away from their kinks: 1e-8·‖v‖ moves no unit across one here.
			h := 1e-5
			if a.Name != "smooth" {
				h = 1e-8
			}
			at := func(s float64) []float64 {
				xs, g := slices.Clone(x), make([]float64, d)
				for i := range xs {
					xs[i] += s * v[i]
				}
				if _, err := n.GradTo(ctx, g, xs); err != nil {
					t.Fatal(err)
				}
				return g
			}
			up, down := at(h), at(-h)
			for i := range up {
				up[i] = (up[i] - down[i]) / (2 * h)
			}
			if e := maxDiff(hv, up); e > 1e-6 { // round-off 1e-16/h = 1e-8, relative to entries of order 1
				t.Errorf("%s, %s: Hessian product is off the finite difference by %.2g of its maximum", name, a.Name, e)
			}
		}
	}
}

// Folding batch norm into the layer before it shows two exact null directions of every
// per-sample gradient, hence of D: ∂fₖ/∂b = s·∂fₖ/∂shift with s = scale/√(var+ε), per unit.
func TestBiasBeforeBatchNormIsRedundant(t *testing.T) {
	a := network.SmallFC()
	n, x := newNetwork(t, a, images(a, 8, true), network.Settings{DType: network.Float64})
	views := map[string]network.View{}
	for _, v := range a.Views() {
		views[v.Name] = v
	}
	bias, scale, shift := views["2 dense 64 bias"], views["3 batch norm scale"], views["3 batch norm shift"]
	stats := n.Stats()
	for k, g := range rows(t, n, x, nil) {
		for i := range 64 {
			s := scale.Of(x)[i] / math.Sqrt(stats[64+i]+1e-5)
			if got, want := bias.Of(g)[i], s*shift.Of(g)[i]; math.Abs(got-want) > 1e-14 { // two roundings of numbers below 1
				t.Errorf("sample %d, unit %d: ∂f/∂bias = %v, want %v", k, i, got, want)
			}
		}
	}
}

func TestPerSampleOrderAndSubsets(t *testing.T) {
	a := network.TinyFC()
	n, x := newNetwork(t, a, images(a, 9, false), network.Settings{DType: network.Float64, BlockSize: 2, Workers: 3})
	all := rows(t, n, x, nil)
	idx := []int{7, 0, 7, 3, 8}
	for i, g := range rows(t, n, x, idx) {
		if d := maxDiff(g, all[idx[i]]); d != 0 {
			t.Errorf("row %d is not the gradient of sample %d (difference %.2g)", i, idx[i], d)
		}
	}
	one, _ := newNetwork(t, a, images(a, 9, false), network.Settings{DType: network.Float64, BlockSize: 2, Workers: 1})
	for k, g := range rows(t, one, x, nil) {
		if d := maxDiff(g, all[k]); d != 0 {
			t.Errorf("sample %d: 1 and 3 workers differ by %.2g, want the same bits", k, d)
		}
	}
}

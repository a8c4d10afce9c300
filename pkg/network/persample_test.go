package network_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"sgdlab/pkg/network"
	"sgdlab/pkg/problem"
)

// zoo has what the paper's networks leave out: every layer, in every place where it may
// stand; batch norm first, last, twice and after pooling; kernels of even side, strides that
// do not divide, padding beyond the kernel, maps smaller than a tile, more channels than
// a tile has columns, and images that are not square.
var zoo = []network.Architecture{
	{Name: "softmax", Channels: 1, Height: 3, Width: 2, Layers: []network.Layer{network.Flatten{}, network.Dense{Out: 3}}},
	{Name: "no-flatten", Channels: 2, Height: 1, Width: 1, Layers: []network.Layer{network.Conv2D{Out: 3, Kernel: 1}, network.ReLU{}, network.Flatten{}, network.Dense{Out: 70}, network.Tanh{}, network.Dense{Out: 2}}},
	{Name: "norms", Channels: 3, Height: 5, Width: 4, Layers: []network.Layer{
		network.BatchNorm{}, network.Conv2D{Out: 2, Kernel: 2}, network.BatchNorm{}, network.BatchNorm{}, network.ReLU{}, network.BatchNorm{},
		network.Flatten{}, network.BatchNorm{}, network.Dense{Out: 4}, network.BatchNorm{}, network.BatchNorm{},
	}},
	{Name: "strides", Channels: 2, Height: 9, Width: 12, Layers: []network.Layer{
		network.Conv2D{Out: 5, Kernel: 4, Stride: 3, Pad: 2}, network.BatchNorm{}, network.ReLU{},
		network.Conv2D{Out: 6, Kernel: 2, Stride: 2, Pad: 3}, network.Tanh{},
		network.Conv2D{Out: 3, Kernel: 1, Stride: 2, Pad: 1}, network.ReLU{}, network.Flatten{}, network.Dense{Out: 4},
	}},
	{Name: "pools", Channels: 2, Height: 12, Width: 8, Layers: []network.Layer{
		network.MaxPool{Size: 2}, network.Conv2D{Out: 3, Kernel: 3, Pad: 1}, network.ReLU{}, network.MaxPool{Size: 2}, network.BatchNorm{},
		network.Dropout{P: 0.5}, network.Conv2D{Out: 4, Kernel: 2, Pad: 1}, network.AvgPool{Size: 1}, network.Tanh{}, network.Flatten{}, network.ReLU{}, network.Dense{Out: 3},
	}},
	{Name: "wide", Channels: 1, Height: 4, Width: 4, Layers: []network.Layer{
		network.Conv2D{Out: 30, Kernel: 3, Pad: 1}, network.BatchNorm{}, network.ReLU{}, network.Conv2D{Out: 57, Kernel: 3, Stride: 2, Pad: 1},
		network.BatchNorm{}, network.Conv2D{Out: 25, Kernel: 1}, network.AvgPool{Size: 2}, network.Flatten{},
	}},
	network.SmallAllCNN(100, 0),
}

// Rows computed directly equal those of automatic differentiation, on images with the ties
// of a constant background and without.
func TestDirectEqualsAutodiff(t *testing.T) {
	oracle := backends(t)["go"] // XLA would compile every network for seconds
	for _, a := range append(slices.Concat(paperNetworks, zoo), smooth) {
		for _, background := range []bool{false, true} {
			for dt, tol := range map[network.DType]float64{network.Float64: 1e-12, network.Float32: 1e-5} { // see TestPerSampleGradientsEqualALoop
				data := images(a, 3, background)
				fast, x := newNetwork(t, a, data, network.Settings{DType: dt, BlockSize: 2})
				slow, _ := newNetwork(t, a, data, network.Settings{DType: dt, Autodiff: true, Backend: oracle})
				full := func(n *network.Network) []float64 { // loss and gradient of all samples, and the loss from the logits
					g := make([]float64, n.Dim())
					loss, err := n.GradTo(ctx, g, x)
					if err != nil {
						t.Fatal(err)
					}
					again, err := n.Loss(ctx, x, nil)
					if err != nil {
						t.Fatal(err)
					}
					return append(g, loss, again)
				}
				if d := maxDiff(full(fast), full(slow)); !(d <= tol) {
					t.Errorf("%s, %s, constant background %v: the full gradient is off by %.2g of its maximum, tolerance %.0e", a.Name, dt, background, d, tol)
				}
				got, want := rows(t, fast, x, nil), rows(t, slow, x, nil)
				for k := range want {
					if d := maxDiff(got[k], want[k]); !(d <= tol) {
						t.Errorf("%s, %s, constant background %v: gradient of sample %d is off by %.2g of its maximum, tolerance %.0e", a.Name, dt, background, k, d, tol)
					}
				}
			}
		}
	}
}

// Both kinds of rows against central differences of the loss of one sample, which is computed
// in float64 from the logits; see TestGradientAgainstFiniteDifferences for the step.
func TestRowsAgainstFiniteDifferences(t *testing.T) {
	for _, autodiff := range []bool{false, true} {
		n, x := newNetwork(t, smooth, images(smooth, 2, false), network.Settings{DType: network.Float64, Autodiff: autodiff})
		for k, g := range rows(t, n, x, nil) {
			fd := make([]float64, len(g))
			for i := range x {
				const h = 1e-5
				at := func(s float64) float64 {
					xh := slices.Clone(x)
					xh[i] += s
					loss, err := n.Loss(ctx, xh, []int{k})
					if err != nil {
						t.Fatal(err)
					}
					return loss
				}
				fd[i] = (at(h) - at(-h)) / (2 * h)
			}
			if d := maxDiff(g, fd); d > 1e-6 {
				t.Errorf("autodiff %v: gradient of sample %d is off its finite difference by %.2g of the maximum, tolerance 1e-6", autodiff, k, d)
			}
		}
	}
}

// A row is the same bits whatever the block size, the number of workers and its neighbours.
func TestRowsDoNotDependOnBlocks(t *testing.T) {
	for _, a := range []network.Architecture{network.SmallFC(), network.SmallLeNet(0)} {
		data := images(a, 7, true)
		n, x := newNetwork(t, a, data, network.Settings{BlockSize: 7, Workers: 1})
		want := rows(t, n, x, nil)
		for _, s := range []network.Settings{{BlockSize: 1, Workers: 4}, {BlockSize: 3, Workers: 2}} {
			n, _ := newNetwork(t, a, data, s)
			for i, g := range rows(t, n, x, []int{6, 2, 2, 0}) {
				if k := []int{6, 2, 2, 0}[i]; !slices.Equal(g, want[k]) {
					t.Errorf("%s, blocks of %d: the gradient of sample %d differs by %.2g, want the same bits", a.Name, s.BlockSize, k, maxDiff(g, want[k]))
				}
			}
		}
	}
}

func TestPerSampleGradientsStop(t *testing.T) {
	a := network.TinyFC()
	for _, autodiff := range []bool{false, true} {
		n, x := newNetwork(t, a, images(a, 9, false), network.Settings{BlockSize: 2, Workers: 2, Autodiff: autodiff})
		stop := errors.New("enough")
		calls := 0
		err := n.PerSampleGradients(ctx, x, nil, func(problem.Block) error {
			if calls++; calls == 2 {
				return stop
			}
			return nil
		})
		if err != stop || calls != 2 {
			t.Errorf("autodiff %v: after %d calls error %v, want yield's own after 2", autodiff, calls, err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := n.PerSampleGradients(cancelled, x, nil, func(problem.Block) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("autodiff %v: error %v after cancellation", autodiff, err)
		}
		x[3] = math.NaN()
		if err := n.PerSampleGradients(ctx, x, nil, func(problem.Block) error { return nil }); err == nil {
			t.Errorf("autodiff %v: no error for a weight that is not a number", autodiff)
		}
	}
}

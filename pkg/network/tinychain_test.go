package network_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/sgd"
)

var (
	_ sgd.Objective = (*network.TinyChain)(nil)
	_ sgd.Stateful  = (*network.TinyChain)(nil)
)

// digits returns the training images of Fig. 3.
func digits(t testing.TB) *dataset.Images {
	t.Helper()
	train, _, err := dataset.MNIST7()
	if err != nil {
		t.Fatal(err)
	}
	return train.Digits(0, 1, 2, 3, 4)
}

func newTinyChain(t testing.TB, data *dataset.Images, stats []float64, s network.TinyChainSettings) *network.TinyChain {
	t.Helper()
	c, err := network.NewTinyChain(data, stats, &s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// worst returns the largest difference of a and b, relative to the largest number of b.
func worst(a, b []float64) float64 {
	var d, s float64
	for i := range b {
		d, s = max(d, math.Abs(a[i]-b[i])), max(s, math.Abs(b[i]))
	}
	return d / s
}

// At points along a run, the gradients of both engines in both modes against automatic
// differentiation. The reference in float64 differs by round-off of sums of 128 terms, the
// vectors by that of float32, and so does automatic differentiation in float32.
func TestTinyChainAgainstAutodiff(t *testing.T) {
	data := digits(t)
	x, stats := network.TinyFC().Init(rand.NewPCG(42, 0))
	training, err := network.NewTraining(network.TinyFC(), data, stats, 0, &network.Settings{DType: network.Float64, Autodiff: true})
	if err != nil {
		t.Fatal(err)
	}
	single, err := network.NewTraining(network.TinyFC(), data, stats, 0, &network.Settings{Autodiff: true})
	if err != nil {
		t.Fatal(err)
	}
	vectors, portable := newTinyChain(t, data, stats, network.TinyChainSettings{}), newTinyChain(t, data, stats, network.TinyChainSettings{Portable: true})
	sampler := noise.NewSampler(noise.Reshuffled, data.N, 128, rand.NewPCG(1, 1))
	idx := make([]int, 128)
	want, got := make([]float64, 917), make([]float64, 917)
	check := func(name string, loss, wantLoss, tolerance float64) {
		t.Helper()
		numtest.Close(t, name+": loss", loss, wantLoss, tolerance)
		if e := worst(got, want); e > tolerance {
			t.Errorf("%s: gradients differ by %.2g of the largest", name, e)
		}
	}
	for step := range 100 {
		sampler.Next(idx)
		wantLoss, err := training.BatchGradTo(want, x, idx)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range []*network.TinyChain{portable, vectors} {
			loss, err := c.BatchGradTo(got, x, idx)
			if err != nil {
				t.Fatal(err)
			}
			check(fmt.Sprintf("%v, step %d", c, step), loss, wantLoss, []float64{1e-12, 2e-6}[i])
		}
		if step%50 == 0 { // the yardstick: float32 on the backend
			loss, err := single.BatchGradTo(got, x, idx)
			if err != nil {
				t.Fatal(err)
			}
			check(fmt.Sprintf("float32 on the backend, step %d", step), loss, wantLoss, 2e-6)
		}
		for i, g := range want {
			x[i] -= 0.5 * g
		}
	}
	numtest.CloseSlice(t, "running statistics, portable", portable.State(), training.State(), 1e-12)
	numtest.CloseSlice(t, "running statistics, vectors", vectors.State(), training.State(), 1e-5)

	// Frozen, with those statistics.
	n, err := network.New(network.TinyFC(), data, training.Stats(), &network.Settings{DType: network.Float64, Autodiff: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for i, portable := range []bool{true, false} {
		c := newTinyChain(t, data, training.Stats(), network.TinyChainSettings{Frozen: true, Portable: portable})
		for _, b := range []int{1, 7, 128, 300} {
			tolerance := []float64{1e-12, 2e-6}[i]
			idx := noise.NewSampler(noise.WithoutReplacement, data.N, b, rand.NewPCG(2, 2)).Next(nil)
			wantLoss, err := n.BatchGradTo(want, x, idx)
			if err != nil {
				t.Fatal(err)
			}
			loss, err := c.BatchGradTo(got, x, idx)
			if err != nil {
				t.Fatal(err)
			}
			if b < 8 {
				tolerance *= 10 // few terms to average over
			}
			check(fmt.Sprintf("%v, batch of %d", c, b), loss, wantLoss, tolerance)
		}
		if !testing.Short() {
			wantLoss, err := n.GradTo(ctx, want, x)
			if err != nil {
				t.Fatal(err)
			}
			loss, err := c.GradTo(ctx, got, x)
			if err != nil {
				t.Fatal(err)
			}
			// The full gradient is smaller than those it is a mean of, by about ten.
			check(fmt.Sprintf("%v, all samples", c), loss, wantLoss, []float64{1e-11, 2e-5}[i])
		}
	}
}

// The full gradient in training mode is that of all samples as one batch, and leaves the
// state alone.
func TestTinyChainFullGradient(t *testing.T) {
	data := digits(t)
	data = data.Subset(rand.New(rand.NewPCG(1, 1)).Perm(data.N)[:1000])
	x, stats := network.TinyFC().Init(rand.NewPCG(42, 0))
	training, err := network.NewTraining(network.TinyFC(), data, stats, 0, &network.Settings{DType: network.Float64, Autodiff: true})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, data.N)
	for i := range all {
		all[i] = i
	}
	want, got := make([]float64, 917), make([]float64, 917)
	wantLoss, err := training.BatchGradTo(want, x, all)
	if err != nil {
		t.Fatal(err)
	}
	for i, portable := range []bool{true, false} {
		c := newTinyChain(t, data, stats, network.TinyChainSettings{Portable: portable})
		before := c.State()
		loss, err := c.GradTo(context.Background(), got, x)
		if err != nil {
			t.Fatal(err)
		}
		tolerance := []float64{1e-12, 2e-6}[i]
		if e := worst(got, want); e > tolerance || math.Abs(loss-wantLoss) > tolerance {
			t.Errorf("%v: gradients differ by %.2g of the largest, losses by %.2g", c, e, loss-wantLoss)
		}
		if !slices.Equal(c.State(), before) {
			t.Errorf("%v: the full gradient changed the state", c)
		}
	}
}

// A thousand steps of sgd.Run on the chain and on automatic differentiation in float64: the
// same batches, the same weights within 1e-5.
func TestTinyChainFollowsAutodiff(t *testing.T) {
	data := digits(t)
	x, stats := network.TinyFC().Init(rand.NewPCG(7, 0))
	for _, m := range []sgd.Momentum{{}, {Kind: sgd.HeavyBall, Mu: 0.9}, {Kind: sgd.Nesterov, Mu: 0.9}} {
		steps := 100
		if m.Kind == sgd.HeavyBall && !testing.Short() { // the setting of Fig. 3
			steps = 1000
		}
		s := sgd.Settings{LearningRate: sgd.Constant(0.02), Momentum: m, BatchSize: 128, Sampling: noise.Reshuffled, Steps: steps, Seed: 9}
		training, err := network.NewTraining(network.TinyFC(), data, stats, 0, &network.Settings{DType: network.Float64, Autodiff: true})
		if err != nil {
			t.Fatal(err)
		}
		want, err := sgd.Run(context.Background(), training, x, s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sgd.Run(context.Background(), newTinyChain(t, data, stats, network.TinyChainSettings{}), x, s)
		if err != nil {
			t.Fatal(err)
		}
		if e := worst(got.X, want.X); e > 1e-5 {
			t.Errorf("%v: after %d steps the weights differ by %.2g of the largest", m, steps, e)
		}
	}
}

// Weights that leave float32 end a run, with the step and the learning rate.
func TestTinyChainDiverges(t *testing.T) {
	data := digits(t)
	x, stats := network.TinyFC().Init(rand.NewPCG(7, 0))
	for _, portable := range []bool{false, true} {
		c := newTinyChain(t, data, stats, network.TinyChainSettings{Frozen: true, Portable: portable})
		s := sgd.Settings{LearningRate: sgd.Constant(1e12), Momentum: sgd.Momentum{Kind: sgd.HeavyBall, Mu: 0.9}, BatchSize: 128, Epochs: 5}
		r, err := sgd.Run(context.Background(), c, x, s)
		if err != nil || r.Status != sgd.Diverged || !strings.Contains(r.Message, "with learning rate 1e+12") {
			t.Fatalf("%v: got %v, %v", c, r, err)
		}
		for _, v := range r.X {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%v: kept the weight %v", c, v)
			}
		}
	}
}

func TestTinyChainErrors(t *testing.T) {
	data := digits(t)
	x, stats := network.TinyFC().Init(rand.NewPCG(7, 0))
	all, _, err := dataset.MNIST7()
	if err != nil {
		t.Fatal(err)
	}
	for want, try := range map[string]func() error{
		"choose the classes with Digits": func() error { _, err := network.NewTinyChain(all, stats, nil); return err },
		"has 32 batch-norm statistics":   func() error { _, err := network.NewTinyChain(data, stats[:5], nil); return err },
		"there are no images":            func() error { _, err := network.NewTinyChain(nil, stats, nil); return err },
		"batch of one sample": func() error {
			_, err := newTinyChain(t, data, stats, network.TinyChainSettings{}).BatchGradTo(make([]float64, 917), x, []int{3})
			return err
		},
		"want 32 statistics and a count": func() error {
			return newTinyChain(t, data, stats, network.TinyChainSettings{}).SetState(stats)
		},
		"context canceled": func() error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, err := newTinyChain(t, data, stats, network.TinyChainSettings{}).GradTo(ctx, make([]float64, 917), x)
			return err
		},
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	c := newTinyChain(t, data, stats, network.TinyChainSettings{})
	for name, f := range map[string]func(){
		"short dst": func() { c.BatchGradTo(make([]float64, 916), x, []int{1, 2}) },
		"short x":   func() { c.GradTo(context.Background(), make([]float64, 917), x[1:]) },
		"index":     func() { c.BatchGradTo(make([]float64, 917), x, []int{1, data.N}) },
		"no batch":  func() { c.BatchGradTo(make([]float64, 917), x, nil) },
	} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "network: ") {
					t.Errorf("%s: got panic %v", name, p)
				}
			}()
			f()
		}()
	}
}

// Steps of sgd.Run per second, with everything that belongs to a step: on the chain, on the
// general kernels of a Training, and on the backends' automatic differentiation.
func BenchmarkTinyChain(b *testing.B) {
	data := digits(b)
	x, stats := network.TinyFC().Init(rand.NewPCG(42, 0))
	s := sgd.Settings{LearningRate: sgd.Constant(1e-3), Momentum: sgd.Momentum{Kind: sgd.HeavyBall, Mu: 0.9}, BatchSize: 128}
	run := func(name string, obj sgd.Objective, sampling noise.Sampling) {
		b.Run(fmt.Sprintf("%s/%v", name, sampling), func(b *testing.B) {
			s := s
			s.Sampling, s.Steps = sampling, b.N
			before := cpu(b)
			b.ResetTimer()
			if _, err := sgd.Run(context.Background(), obj, x, s); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
			b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/float64(b.N), "cpu-µs/step")
		})
	}
	for _, sampling := range []noise.Sampling{noise.WithReplacement, noise.Reshuffled, noise.IndexWalk} {
		run("vectors", newTinyChain(b, data, stats, network.TinyChainSettings{}), sampling)
	}
	run("frozen", newTinyChain(b, data, stats, network.TinyChainSettings{Frozen: true}), noise.Reshuffled)
	run("portable", newTinyChain(b, data, stats, network.TinyChainSettings{Portable: true}), noise.Reshuffled)
	training := func(name string, s network.Settings) {
		training, err := network.NewTraining(network.TinyFC(), data, stats, 1, &s)
		if err != nil {
			b.Fatal(err)
		}
		run(name, training, noise.Reshuffled)
	}
	training("training", network.Settings{})
	for name, be := range backends(b) {
		training("autodiff "+name, network.Settings{Backend: be, Autodiff: true})
	}
}

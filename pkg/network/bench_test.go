package network_test

import (
	"syscall"
	"testing"
	"time"

	"sgdlab/pkg/network"
	"sgdlab/pkg/problem"
)

// cpu is the processor time of the process so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPerSampleGradients reports samples/s and CPU µs/sample of per-sample gradients,
// and of the gradient of the same samples as one batch, whose ratio is the price of not
// summing, directly and by automatic differentiation.
func BenchmarkPerSampleGradients(b *testing.B) {
	for _, a := range paperNetworks {
		samples := 8192
		if a.Height > 7 {
			samples = 512
		}
		data := images(a, samples, true)
		benchmark := func(name string, s network.Settings, run func(n *network.Network, x []float64) error) {
			n, x := newNetwork(b, a, data, s)
			b.Run(a.Name+"/"+name, func(b *testing.B) {
				if err := run(n, x); err != nil { // compiles
					b.Fatal(err)
				}
				before := cpu(b)
				for b.Loop() {
					if err := run(n, x); err != nil {
						b.Fatal(err)
					}
				}
				done := float64(samples * b.N)
				b.ReportMetric(done/b.Elapsed().Seconds(), "samples/s")
				b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/done, "cpu-µs/sample")
			})
		}
		rows := func(n *network.Network, x []float64) error {
			return n.PerSampleGradients(ctx, x, nil, func(problem.Block) error { return nil })
		}
		benchmark("direct", network.Settings{}, rows)
		batch := func(n *network.Network, x []float64) error {
			_, err := n.GradTo(ctx, make([]float64, n.Dim()), x)
			return err
		}
		benchmark("batch/direct", network.Settings{}, batch)
		for name, be := range backends(b) {
			benchmark("autodiff/"+name, network.Settings{Backend: be, Autodiff: true}, rows)
			benchmark("batch/"+name, network.Settings{Backend: be, Autodiff: true}, batch)
		}
	}
}

// BenchmarkTrainingStep is one gradient of a batch of 128 in training mode, directly and by
// automatic differentiation.
func BenchmarkTrainingStep(b *testing.B) {
	const batch = 128
	for _, a := range paperNetworks {
		benchmark := func(name string, s network.Settings) {
			b.Run(a.Name+"/"+name, func(b *testing.B) {
				x, stats := weights(a)
				tr, err := network.NewTraining(a, images(a, batch, true), stats, 1, &s)
				if err != nil {
					b.Fatal(err)
				}
				idx := make([]int, batch)
				for i := range idx {
					idx[i] = i
				}
				g := make([]float64, tr.Dim())
				if _, err := tr.BatchGradTo(g, x, idx); err != nil { // compiles, reserves
					b.Fatal(err)
				}
				before := cpu(b)
				for b.Loop() {
					if _, err := tr.BatchGradTo(g, x, idx); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "samples/s")
				b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/float64(batch*b.N), "cpu-µs/sample")
			})
		}
		benchmark("direct", network.Settings{})
		for name, be := range backends(b) {
			benchmark("autodiff/"+name, network.Settings{Backend: be, Autodiff: true})
		}
	}
}

package network_test

import (
	"fmt"
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

// BenchmarkPerSampleGradients reports samples/s and CPU µs/sample of per-sample gradients
// and, in a second sub-benchmark, of the gradient of the same samples as one batch: their
// ratio is the price of not summing.
func BenchmarkPerSampleGradients(b *testing.B) {
	for name, be := range backends(b) {
		for _, a := range paperNetworks {
			samples := 2048
			if a.Height > 7 {
				samples = 512
			}
			n, x := newNetwork(b, a, images(a, samples, true), network.Settings{Backend: be})
			for kind, run := range map[string]func() error{
				"rows": func() error {
					return n.PerSampleGradients(ctx, x, nil, func(problem.Block) error { return nil })
				},
				"batch": func() error {
					_, err := n.GradTo(ctx, make([]float64, n.Dim()), x)
					return err
				},
			} {
				b.Run(fmt.Sprintf("%s/%s/%s", a.Name, name, kind), func(b *testing.B) {
					if err := run(); err != nil { // compiles
						b.Fatal(err)
					}
					before := cpu(b)
					for b.Loop() {
						if err := run(); err != nil {
							b.Fatal(err)
						}
					}
					done := float64(samples * b.N)
					b.ReportMetric(done/b.Elapsed().Seconds(), "samples/s")
					b.ReportMetric(float64((cpu(b)-before).Microseconds())/done, "cpu-µs/sample")
				})
			}
		}
	}
}

// BenchmarkTrainingStep is one gradient of a batch of 128 in training mode.
func BenchmarkTrainingStep(b *testing.B) {
	for name, be := range backends(b) {
		for _, a := range paperNetworks {
			x, stats := weights(a)
			tr, err := network.NewTraining(a, images(a, 128, true), stats, 1, &network.Settings{Backend: be})
			if err != nil {
				b.Fatal(err)
			}
			idx := make([]int, 128)
			for i := range idx {
				idx[i] = i
			}
			g := make([]float64, tr.Dim())
			b.Run(a.Name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if _, err := tr.BatchGradTo(g, x, idx); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

package trajectory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"sgdlab/pkg/trajectory"
)

// simulated delivers n snapshots of d random walks of 20 modes, without keeping any.
type simulated struct{ n, d int }

func (s simulated) Len() int { return s.n }
func (s simulated) Dim() int { return s.d }
func (s simulated) Each(ctx context.Context, visit func(k int, x []float32) error) error {
	r := rand.New(rand.NewPCG(1, 0))
	x, mode := make([]float32, s.d), make([]float32, 20)
	for k := range s.n {
		for j := range mode {
			mode[j] = 0.99*mode[j] + float32(r.NormFloat64())
		}
		for i := range x {
			x[i] = mode[i%20] + 0.1*float32(r.NormFloat64())
		}
		if err := visit(k, x); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// BenchmarkAnalysis is everything that Fig. 3 needs, for runs of tiny-fc: 917 weights.
func BenchmarkAnalysis(b *testing.B) {
	for _, n := range []int{1 << 13, 100_000} {
		b.Run(fmt.Sprintf("%dx917", n), func(b *testing.B) {
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				t, err := trajectory.Read(ctx, simulated{n, 917})
				if err != nil {
					b.Fatal(err)
				}
				if _, err = trajectory.IncrementSpectrum(ctx, t, nil); err != nil {
					b.Fatal(err)
				}
				if _, err = trajectory.Correlations(ctx, t, trajectory.LogLags(n-1, 100), nil); err != nil {
					b.Fatal(err)
				}
				m, err := trajectory.PrincipalModes(ctx, t, 6, nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err = trajectory.Rotation(m.Project(t), n/60, 999, rand.NewPCG(1, 0)); err != nil {
					b.Fatal(err)
				}
			}
			var mem runtime.MemStats
			runtime.ReadMemStats(&mem)
			b.ReportMetric(float64(mem.Sys)/1e6, "MB-of-process")
		})
	}
}

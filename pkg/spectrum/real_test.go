package spectrum_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/spectrum"
)

func TestMethodsAgreeOnRealGradients(t *testing.T) {
	// tiny-fc at its initial weights on every twentieth image of the digits 0 to 4.
	train, _, err := dataset.MNIST7()
	if err != nil {
		t.Fatal(err)
	}
	net := network.TinyFC()
	x, stats := net.Init(rand.NewPCG(42, 0))
	f, err := network.New(net, train.Digits(0, 1, 2, 3, 4), stats, nil)
	if err != nil {
		t.Fatal(err)
	}
	var some []int
	for k := 0; k < f.Samples(); k += 20 {
		some = append(some, k)
	}
	cov, err := noise.NewCovariance(context.Background(), f, x, &noise.Settings{Samples: some})
	if err != nil {
		t.Fatal(err)
	}
	const k = 20
	dense, err := spectrum.Of(context.Background(), cov, nil)
	if err != nil {
		t.Fatal(err)
	}
	top, err := spectrum.Of(context.Background(), cov, &spectrum.Settings{Method: spectrum.Lanczos, Top: k, Rank: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range k {
		a, b := len(dense.Values)-1-i, len(top.Values)-1-i
		numtest.Close(t, fmt.Sprintf("eigenvalue %d", i), top.Values[b], dense.Values[a], top.Errors[b]+dense.Residual)
		// Float32 products are off by a few 10⁻⁷ of λmax.
		numtest.Close(t, fmt.Sprintf("eigenvalue %d, claimed error", i), top.Errors[b], 0, 1e-6*top.Values[b]+1e-9*top.Max())
	}
	if next := dense.Values[len(dense.Values)-1-len(top.Values)]; top.RestMax < next-dense.Residual {
		t.Errorf("the others are at most %v, want at least %v", top.RestMax, next)
	}
	if !top.RankF32.Decided() || top.RankF32.Lower < dense.RankF32.Lower || top.RankF32.Upper > dense.RankF32.Upper {
		t.Errorf("rank: got %v, want %v", top.RankF32, dense.RankF32)
	}
	numtest.Close(t, "std", top.Std, dense.Std, (top.StdUpper-top.StdLower)+1e-6*dense.Std)
}

// decaying delivers float32 gradients, without storing them, of which column j is Gaussian
// with standard deviation (j+1)^(−0.7): eigenvalues (j+1)^(−1.4).
type decaying struct{ n, d int }

func (f decaying) Dim() int     { return f.d }
func (f decaying) Samples() int { return f.n }
func (f decaying) PerSampleGradients(_ context.Context, _ []float64, idx []int, yield func(problem.Block) error) error {
	scale := powers(f.d, .7) // ascending
	rows := make([]float32, 128*f.d)
	for len(idx) > 0 {
		block := problem.Block{Index: idx[:min(128, len(idx))], Dim: f.d}
		block.F32 = rows[:block.Rows()*f.d]
		for i, k := range block.Index {
			rng := rand.New(rand.NewPCG(uint64(k), 1))
			for j := range f.d {
				block.F32[i*f.d+j] = float32(scale[f.d-1-j] * rng.NormFloat64())
			}
		}
		if err := yield(block); err != nil {
			return err
		}
		idx = idx[block.Rows():]
	}
	return nil
}

// BenchmarkLanczosTop100 finds the hundred largest eigenvalues, and the certified float32
// rank, of matrices of the size of small-lenet: 13,338 weights.
func BenchmarkLanczosTop100(b *testing.B) {
	measure := func(b *testing.B, f problem.FiniteSum, x []float64, s *spectrum.Settings) {
		ctx := context.Background()
		cov, err := noise.NewCovariance(ctx, f, x, &noise.Settings{MaxBytes: 4 << 30})
		if err != nil {
			b.Fatal(err)
		}
		var found *spectrum.Spectrum
		for b.Loop() {
			if found, err = spectrum.Of(ctx, cov, s); err != nil {
				b.Fatal(err)
			}
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.Sys)/(1<<30), "GiB")
		b.ReportMetric(float64(found.Products), "products")
		b.ReportMetric(1e6*found.Errors[len(found.Errors)-100]/found.Values[len(found.Values)-100], "µerror100")
		b.Log(found)
	}
	for name, s := range map[string]*spectrum.Settings{
		"top":  {Method: spectrum.Lanczos, Top: 100},
		"rank": {Method: spectrum.Lanczos, Top: 100, Rank: true},
	} {
		b.Run("synthetic,N=6000/"+name, func(b *testing.B) {
			measure(b, decaying{6000, 13338}, make([]float64, 13338), s)
		})
		b.Run("MNIST,N=60000/"+name, func(b *testing.B) {
			train, _, err := dataset.MNIST(numtest.Data(b))
			if err != nil {
				b.Fatal(err)
			}
			net := network.SmallLeNet(0)
			x, stats := net.Init(rand.NewPCG(42, 0))
			f, err := network.New(net, train, stats, nil)
			if err != nil {
				b.Fatal(err)
			}
			measure(b, f, x, s)
		})
	}
}

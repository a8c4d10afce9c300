package noise_test

import (
	"encoding"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
)

var (
	_ encoding.BinaryMarshaler   = (*noise.Sampler)(nil)
	_ encoding.BinaryUnmarshaler = (*noise.Sampler)(nil)
)

var schemes = []noise.Sampling{noise.WithReplacement, noise.WithoutReplacement, noise.Reshuffled, noise.IndexWalk}

// repeats reports whether a batch of s can hold a sample twice.
func repeats(s noise.Sampling) bool { return s == noise.WithReplacement || s == noise.IndexWalk }

func TestCovarianceFactor(t *testing.T) {
	tests := []struct {
		s    noise.Sampling
		b, n int
		want float64
	}{
		{noise.WithReplacement, 1, 1, 1},
		{noise.WithReplacement, 8, 4, .125},
		{noise.WithoutReplacement, 1, 4, 1},      // b = 1: both schemes agree
		{noise.WithoutReplacement, 4, 4, 0},      // b = N: no noise
		{noise.WithoutReplacement, 2, 4, 1. / 3}, // 2/3 of 1/b (statements §4.5)
		{noise.WithoutReplacement, 1, 1, 0},
		{noise.Reshuffled, 2, 4, 1. / 3},
		{noise.IndexWalk, 2, 4, (1<<20 - 2.) / (2 * (1<<20 - 1))},
		{noise.IndexWalk, 1 << 20, 1 << 20, 0},
	}
	for _, tt := range tests {
		numtest.Close(t, fmt.Sprintf("%v, b=%d, N=%d", tt.s, tt.b, tt.n), tt.s.CovarianceFactor(tt.b, tt.n), tt.want, 1e-16)
	}
	for _, s := range []noise.Sampling{noise.WithReplacement, noise.WithoutReplacement} {
		numtest.Close(t, fmt.Sprint("cross covariance, ", s), s.CrossCovarianceFactor(4), 0, 0)
	}
	numtest.Close(t, "cross covariance, reshuffled", noise.Reshuffled.CrossCovarianceFactor(4), -1./3, 1e-16)
	numtest.Close(t, "cross covariance, index walk", noise.IndexWalk.CrossCovarianceFactor(4), -1./(1<<20-1), 1e-22)
	wantPanics(t, map[string]func(){
		"b = 0":          func() { noise.WithReplacement.CovarianceFactor(0, 4) },
		"N = 0":          func() { noise.WithReplacement.CovarianceFactor(1, 0) },
		"b > N":          func() { noise.WithoutReplacement.CovarianceFactor(5, 4) },
		"unknown scheme": func() { noise.Sampling(7).CovarianceFactor(1, 4) },
		"long walk":      func() { noise.IndexWalk.CovarianceFactor(1, 1<<20+1) },
		"two batches":    func() { noise.Reshuffled.CrossCovarianceFactor(1) },
		"unknown cross":  func() { noise.Sampling(-1).CrossCovarianceFactor(4) },
	})
}

func TestSamplerDrawsEveryBatchEquallyOften(t *testing.T) {
	// Pearson's χ² over all possible batches of 2 out of 4, against its 1−1e-6 quantile.
	const draws = 60000
	for _, s := range schemes {
		counts := map[[2]int]int{}
		sampler := noise.NewSampler(s, 4, 2, rand.NewPCG(5, uint64(s)))
		idx := make([]int, 2)
		for range draws {
			sampler.Next(idx)
			key := [2]int{idx[0], idx[1]}
			if !repeats(s) && key[0] > key[1] {
				key[0], key[1] = key[1], key[0]
			}
			counts[key]++
		}
		cells := 16
		if !repeats(s) {
			cells = 6
		}
		limit := distuv.ChiSquared{K: float64(cells - 1)}.Quantile(1 - 1e-6)
		expected := float64(draws) / float64(cells)
		var chi2 float64
		for _, c := range counts {
			chi2 += (float64(c) - expected) * (float64(c) - expected) / expected
		}
		if len(counts) != cells {
			t.Errorf("%v: got %d different batches, want %d", s, len(counts), cells)
		}
		// The second batch of a reshuffled epoch is the complement of the first: half
		// of the draws are independent, which doubles χ².
		if s == noise.Reshuffled {
			limit *= 2
		}
		if chi2 > limit {
			t.Errorf("%v: χ² = %.1f, limit %.1f (false-alarm rate 1e-6), counts %v", s, chi2, limit, counts)
		}
	}
}

func TestSamplerBatches(t *testing.T) {
	for _, s := range schemes {
		for _, size := range []struct{ n, b int }{{1, 1}, {7, 1}, {7, 3}, {7, 7}, {128, 32}} {
			sampler := noise.NewSampler(s, size.n, size.b, rand.NewPCG(6, 1))
			var epoch []int
			for step := range 5 * sampler.StepsPerEpoch() {
				if step%sampler.StepsPerEpoch() == 0 {
					epoch = epoch[:0]
				}
				idx := sampler.Next(nil)
				if len(idx) != size.b || slices.Min(idx) < 0 || slices.Max(idx) >= size.n {
					t.Fatalf("%v: got %v, want %d of 0..%d", sampler, idx, size.b, size.n-1)
				}
				epoch = append(epoch, idx...)
				distinct := slices.Clone(idx)
				if s == noise.Reshuffled {
					distinct = slices.Clone(epoch)
				}
				slices.Sort(distinct)
				if whole := len(distinct); !repeats(s) && len(slices.Compact(distinct)) != whole {
					t.Fatalf("%v, step %d: %v repeats a sample", sampler, step, idx)
				}
			}
		}
	}
}

// Over all 2²⁰ samples an epoch of an index walk is the permutation itself; over fewer, every
// sample of an epoch comes ⌊2²⁰/N⌋ or ⌈2²⁰/N⌉ times at most, and the epochs differ.
func TestIndexWalk(t *testing.T) {
	const m = 1 << 20
	whole := noise.NewSampler(noise.IndexWalk, m, m, rand.NewPCG(1, 1)).Next(nil)
	slices.Sort(whole)
	for i, k := range whole {
		if i != k {
			t.Fatalf("entry %d of the sorted epoch is %d", i, k)
		}
	}
	const n = m/3 + 1 // sample 0 stands 3 times in the index set, the last one twice
	sampler := noise.NewSampler(noise.IndexWalk, n, n, rand.NewPCG(1, 1))
	first, second := slices.Clone(sampler.Next(nil)), sampler.Next(nil)
	if slices.Equal(first, second) {
		t.Error("two epochs are the same")
	}
	counts := make([]int, n)
	for _, k := range first {
		counts[k]++
	}
	absent := 0
	for k, c := range counts {
		if limit := (m - k + n - 1) / n; c > limit {
			t.Fatalf("sample %d came %d times, it stands %d times in the index set", k, c, limit)
		} else if c == 0 {
			absent++
		}
	}
	// A given sample of three places among m misses a third of them with probability
	// (2/3)³ = 0.2963; the standard deviation of the fraction is below 0.5/√n = 8.5e-4, and 5
	// of them are a false-alarm rate of 6e-7.
	if f := float64(absent) / n; math.Abs(f-8./27) > 5*8.5e-4 {
		t.Errorf("%.4f of the samples are absent, want 0.2963", f)
	}
}

func TestSamplerIsReproducible(t *testing.T) {
	// Golden batches: the stream must not change, recorded runs depend on it.
	golden := map[noise.Sampling][]int{
		noise.WithReplacement:    {7, 6, 7, 7, 2, 0, 4, 4, 1, 1, 6, 4},
		noise.WithoutReplacement: {7, 6, 2, 7, 3, 6, 4, 5, 3, 1, 6, 4},
		noise.Reshuffled:         {4, 2, 3, 6, 9, 1, 8, 0, 5, 4, 8, 7},
		noise.IndexWalk:          {0, 2, 4, 2, 0, 6, 3, 6, 1, 4, 5, 6},
	}
	for _, s := range schemes {
		sampler := noise.NewSampler(s, 10, 3, rand.NewPCG(1, 2))
		var got []int
		for range 4 {
			got = append(got, sampler.Next(nil)...)
		}
		if !slices.Equal(got, golden[s]) {
			t.Errorf("%v: got %#v, want %#v", s, got, golden[s])
		}
	}
}

func TestSamplerResumes(t *testing.T) {
	for _, s := range schemes {
		for steps := range 9 { // 0, in the middle, and at the border of an epoch of 3
			sampler := noise.NewSampler(s, 10, 3, rand.NewPCG(8, 1))
			for range steps {
				sampler.Next(nil)
			}
			state, err := sampler.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			restored := noise.NewSampler(noise.WithReplacement, 2, 1, rand.NewPCG(0, 0))
			if steps%2 == 0 {
				restored = new(noise.Sampler)
			}
			if err := restored.UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			if again, err := restored.MarshalBinary(); err != nil || !slices.Equal(again, state) {
				t.Errorf("%v after %d steps: the restored state is %x (%v), want %x", s, steps, again, err, state)
			}
			for i := range 20 {
				got, want := restored.Next(nil), sampler.Next(nil)
				if !slices.Equal(got, want) {
					t.Fatalf("%v after %d+%d steps: got %v, want %v", s, steps, i, got, want)
				}
			}
		}
	}
}

func TestSamplerRefusesForeignState(t *testing.T) {
	sampler := noise.NewSampler(noise.Reshuffled, 10, 3, rand.NewPCG(8, 1))
	sampler.Next(nil)
	state, err := sampler.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := new(noise.Sampler).MarshalBinary(); err == nil {
		t.Error("stored a sampler that was never made")
	}
	head := len("sgdlab sampler 1")
	spoil := func(at int, b byte) []byte { s := slices.Clone(state); s[at] = b; return s }
	for name, data := range map[string][]byte{
		"empty":          nil,
		"cut":            state[:head+20],
		"no source":      state[:head+32],
		"other version":  spoil(head-1, '9'),
		"scheme":         spoil(head+7, 4),
		"negative n":     spoil(head+8, 0xff),
		"b > n":          spoil(head+23, 11),
		"position":       spoil(head+31, 4),
		"position > n":   spoil(head+31, 9),
		"source damaged": spoil(head+32, 'x'),
	} {
		fresh := noise.NewSampler(noise.WithReplacement, 5, 2, rand.NewPCG(1, 1))
		want, _ := fresh.MarshalBinary()
		if err := fresh.UnmarshalBinary(data); err == nil {
			t.Errorf("%s: restored", name)
		}
		if got, _ := fresh.MarshalBinary(); !slices.Equal(got, want) {
			t.Errorf("%s: the sampler changed though it was not restored", name)
		}
	}
}

func TestSamplerMisuse(t *testing.T) {
	src := rand.NewPCG(1, 1)
	wantPanics(t, map[string]func(){
		"nil source":     func() { noise.NewSampler(noise.WithReplacement, 4, 1, nil) },
		"b > N":          func() { noise.NewSampler(noise.Reshuffled, 4, 5, src) },
		"unknown scheme": func() { noise.NewSampler(9, 4, 1, src) },
		"short dst":      func() { noise.NewSampler(noise.WithReplacement, 4, 2, src).Next(make([]int, 1)) },
	})
	for _, s := range schemes {
		sampler, idx := noise.NewSampler(s, 100, 10, rand.NewPCG(1, 1)), make([]int, 10)
		if got := testing.AllocsPerRun(100, func() { sampler.Next(idx) }); got != 0 {
			t.Errorf("%v: Next allocates %v times, want 0", s, got)
		}
	}
}

func TestTemperature(t *testing.T) {
	// Bookkeeping of statements §1.3, §1.4, §4.5 and exercise 4.
	numtest.Close(t, "η/(2b)", noise.Temperature(.1, 4, 100, noise.WithReplacement), .0125, 1e-17)
	numtest.Close(t, "b=N", noise.Temperature(.1, 4, 4, noise.WithoutReplacement), 0, 0)
	ratio := noise.Temperature(.1, 2, 4, noise.WithoutReplacement) / noise.Temperature(.1, 2, 4, noise.WithReplacement)
	numtest.Close(t, "T1, b=2", ratio, 2./3, 1e-15)
	eta, b := .3, 5
	numtest.Close(t, "2β⁻¹η = η²/b", 2*noise.Temperature(eta, b, 9, noise.WithReplacement)*eta, eta*eta/float64(b), 1e-16)
	hot := noise.MomentumTemperature(.1, .9, 4, 100, noise.WithReplacement)
	numtest.Close(t, "μ=.9 is ten times hotter", hot/.0125, 10, 1e-14)
	numtest.Close(t, "μ=0", noise.MomentumTemperature(.1, 0, 4, 100, noise.Reshuffled), noise.Temperature(.1, 4, 100, noise.Reshuffled), 0)
	numtest.Close(t, "η=0", noise.Temperature(0, 4, 100, noise.WithReplacement), 0, 0)
	wantPanics(t, map[string]func(){
		"η < 0":   func() { noise.Temperature(-1, 1, 1, noise.WithReplacement) },
		"η NaN":   func() { noise.Temperature(math.NaN(), 1, 1, noise.WithReplacement) },
		"η = ∞":   func() { noise.Temperature(math.Inf(1), 1, 1, noise.WithReplacement) },
		"μ = 1":   func() { noise.MomentumTemperature(.1, 1, 1, 1, noise.WithReplacement) },
		"μ < 0":   func() { noise.MomentumTemperature(.1, -.1, 1, 1, noise.WithReplacement) },
		"μ NaN":   func() { noise.MomentumTemperature(.1, math.NaN(), 1, 1, noise.WithReplacement) },
		"batch 0": func() { noise.Temperature(.1, 0, 1, noise.WithReplacement) },
	})
}

func TestMomentumTemperatureAgainstHeavyBall(t *testing.T) {
	// Heavy ball on ½lx² with gradient noise of variance D/b: the exact variance is
	// ηD/b·(1+μ)/((1−μ)l(2(1+μ)−ηl)) (statements §11.4); the temperature times D/l is
	// its limit for small ηl. At μ=.9 the ratio is 1.0270, 1.0026, 1.0003 (m02).
	const mu, l, d, b = .9, 1.0, 2.0, 3
	for eta, want := range map[float64]float64{.1: 1.0270, .01: 1.0026, .001: 1.0003} {
		exact := eta * d / b * (1 + mu) / ((1 - mu) * l * (2*(1+mu) - eta*l))
		numtest.Close(t, fmt.Sprint("η=", eta), exact/(noise.MomentumTemperature(eta, mu, b, 1, noise.WithReplacement)*d/l), want, 5e-5)
	}
}

func ExampleSampler() {
	sampler := noise.NewSampler(noise.Reshuffled, 6, 2, rand.NewPCG(1, 1))
	fmt.Println(sampler)
	epoch := make([]int, 0, 6)
	for range sampler.StepsPerEpoch() {
		epoch = append(epoch, sampler.Next(nil)...)
	}
	slices.Sort(epoch)
	fmt.Println("one epoch, sorted:", epoch)
	// Output:
	// reshuffled, 2 of 6
	// one epoch, sorted: [0 1 2 3 4 5]
}

func ExampleTemperature() {
	fmt.Printf("with replacement %.4f\n", noise.Temperature(0.1, 2, 4, noise.WithReplacement))
	fmt.Printf("without          %.4f\n", noise.Temperature(0.1, 2, 4, noise.WithoutReplacement))
	fmt.Printf("momentum 0.9     %.4f\n", noise.MomentumTemperature(0.1, 0.9, 2, 4, noise.WithReplacement))
	// Output:
	// with replacement 0.0250
	// without          0.0167
	// momentum 0.9     0.2500
}

package trajectory_test

import (
	"context"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/trajectory"
)

// The definitions, term by term.
func TestDefinitions(t *testing.T) {
	for _, n := range []int{4, 5, 30, 97} {
		x := trajectory.RandomWalk(n, rand.NewPCG(3, uint64(n)))
		mean, variance := stat.PopMeanVariance(x, nil)
		f, p, err := trajectory.Periodogram(x)
		if err != nil {
			t.Fatal(err)
		}
		if len(f) != n/2 || len(p) != n/2 {
			t.Fatalf("n = %d: %d frequencies, %d values", n, len(f), len(p))
		}
		for q := range p {
			var sum complex128
			for k, v := range x {
				sum += complex(v-mean, 0) * cmplx.Exp(complex(0, -2*math.Pi*float64((q+1)*k)/float64(n)))
			}
			// Round-off of 97 terms of size n·variance.
			numtest.Close(t, "periodogram", p[q], cmplx.Abs(sum)*cmplx.Abs(sum)/(float64(n)*variance), 1e-11*float64(n))
			numtest.Close(t, "frequency", f[q], float64(q+1)/float64(n), 1e-15)
		}
		r, err := trajectory.Autocorrelation(x, nil)
		if err != nil {
			t.Fatal(err)
		}
		for lag := range n {
			var sum float64
			for k := range n - lag {
				sum += (x[k] - mean) * (x[k+lag] - mean)
			}
			numtest.Close(t, "autocorrelation", r[lag], sum/(float64(n)*variance), 1e-13)
		}
	}
}

func TestSmoothLength(t *testing.T) {
	for n, want := range map[int]int{1: 1, 7: 7, 11: 10, 13: 12, 99_999: 99_225, 8191: 8100, 100_000: 100_000} {
		if got := trajectory.SmoothLength(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
	for n := 1000; n <= 100_000; n += 7 {
		if m := trajectory.SmoothLength(n); float64(m) < 0.96*float64(n) {
			t.Fatalf("%d loses too much: %d", n, m)
		}
	}
}

// normals returns d series of n values from of(stream).
func normals(d int, of func(src rand.Source) []float64) [][]float64 {
	out := make([][]float64, d)
	for i := range out {
		out[i] = of(rand.NewPCG(17, uint64(i)))
	}
	return out
}

// The laws of statements.md §6.1 and §6.2 [m14], with 200 weights of 4,000 snapshots each.
func TestNullLaws(t *testing.T) {
	ctx := context.Background()
	const n, d = 4000, 200
	walks := normals(d, func(src rand.Source) []float64 { return trajectory.RandomWalk(n, src) })

	// White increments: P is exponential of mean 1, √P has the mean √π/2, over 2000·200
	// nearly independent values. Tolerances are 5 standard errors (5.7e-7 each).
	s, err := trajectory.IncrementSpectrum(ctx, trajectory.FromSeries(walks...), nil)
	if err != nil {
		t.Fatal(err)
	}
	var amplitude, power, count float64
	outside := 0
	for j, c := range s.Count {
		amplitude += float64(c) * s.Amplitude[j]
		power += float64(c) * s.Power[j]
		count += float64(c)
		if math.Abs(s.Amplitude[j]-trajectory.WhiteAmplitude) > s.WhiteBand(j) {
			outside++
		}
	}
	numtest.Close(t, "mean of P", power/count, 1, 1e-3) // fixed by the normalisation, but for (m−1)/m and the frequency ½
	numtest.Close(t, "mean of √P", amplitude/count, math.Sqrt(math.Pi)/2, 5*math.Sqrt((1-math.Pi/4)/(count*d))+1e-3)
	// The band is that of a normal law, and d_eff is d/(1 + d/n) for the sample. Of about 70
	// bins 0.7 are expected outside; 8 or more has the probability 2e-6.
	if outside >= 8 {
		t.Errorf("%d of %d bins of white increments are outside the 99 %% band", outside, len(s.Count))
	}
	numtest.Close(t, "d_eff of independent weights", s.Effective, d/(1+float64(d)/n), 0.5) // ‖R‖² varies by about 2d/n·√2/d
	numtest.Close(t, "1/d_eff", 1/s.Effective, 1./d+1./n, 2e-5)

	// 200 weights driven by 5 modes: the spectrum averaged over the weights scatters over
	// frequency by 1/√d_eff, not by 1/√200.
	mix := rand.New(rand.NewPCG(5, 0))
	few := make([][]float64, d)
	for i := range few {
		few[i] = make([]float64, n)
		for j := range 5 {
			c := mix.NormFloat64()
			for k := range few[i] {
				few[i][k] += c * walks[j][k]
			}
		}
	}
	tr := trajectory.FromSeries(few...)
	effective, err := trajectory.EffectiveDimension(ctx, tr, nil)
	if err != nil {
		t.Fatal(err)
	}
	mean := make([]float64, n/2-1)
	for i := range few {
		v := make([]float64, n-1)
		for k := range v {
			v[k] = few[i][k+1] - few[i][k]
		}
		_, p, err := trajectory.Periodogram(v)
		if err != nil {
			t.Fatal(err)
		}
		for q := range mean {
			mean[q] += p[q] / d
		}
	}
	sd := stat.StdDev(mean, nil)
	t.Logf("5 modes: d_eff %.2f, sd over frequency %.3f, 1/√d_eff %.3f, 1/√d %.3f", effective, sd, 1/math.Sqrt(effective), 1/math.Sqrt(d))
	// The standard deviation of 2000 nearly exponential values has the relative error √(2/2000).
	numtest.Close(t, "sd over frequency", sd, 1/math.Sqrt(effective), 5*math.Sqrt(2./2000)/math.Sqrt(effective))

	// White noise leaves the 99 % band at 1 % of the lags; r(τ) of one series are nearly
	// independent: 200·50 of them, 5 standard deviations.
	white := trajectory.FromSeries(normals(d, func(src rand.Source) []float64 { return trajectory.White(n, src) })...)
	lags := make([]int, 50)
	for i := range lags {
		lags[i] = i + 1
	}
	c, err := trajectory.Correlations(ctx, white, lags, nil)
	if err != nil {
		t.Fatal(err)
	}
	numtest.Close(t, "share of white noise in the band", c.Inside, 0.99, 5*math.Sqrt(0.01*0.99/(50*d)))

	// A random walk stays out of it. The table of §6.2 is over 400 walks; r at large lags has a
	// standard deviation of about 0.2 between walks: 5·0.2·√(1/200+1/400).
	at := []int{n / 100, n / 20, n / 10, n / 4, n / 2}
	want := []float64{.93, .68, .44, .005, -.20}
	got := trajectory.RandomWalkCorrelation(n, at, d, rand.NewPCG(9, 0))
	numtest.CloseSlice(t, "random walk", got, want, 5*0.2*math.Sqrt(1./d+1./400))
	short := make([]int, n/10)
	for i := range short {
		short[i] = i + 1
	}
	if c, err = trajectory.Correlations(ctx, trajectory.FromSeries(walks...), short, nil); err != nil {
		t.Fatal(err)
	}
	if c.Inside > 0.02 {
		t.Errorf("%.3f of the lags up to n/10 of random walks are in the band, want about 0.004", c.Inside)
	}
}

// The spectrum of the increments of a relaxing process rises, as the formula says, and a
// slow drift makes the lowest frequency stand out (erratum E22).
func TestRelaxation(t *testing.T) {
	const n, d = 4000, 200
	a := trajectory.AR1{A: 0.9, Innovation: 1}
	ou := normals(d, func(src rand.Source) []float64 { return a.Simulate(n, src) })
	s, err := trajectory.IncrementSpectrum(context.Background(), trajectory.FromSeries(ou...), nil)
	if err != nil {
		t.Fatal(err)
	}
	for j, f := range s.Frequency {
		if s.Count[j] < 10 {
			continue // a bin mean of a steep curve, and leakage of the lowest frequencies
		}
		// Exponential values: relative error 1/√(200·count); 5 of them, and 2 % for the width of a bin.
		numtest.Close(t, "OU increments", s.Power[j]/a.IncrementSpectrum(f), 1, 5/math.Sqrt(float64(d*s.Count[j]))+0.02)
		// The fitted curve: the error of â, about √(1−a²)/√n for each weight, averages out.
		numtest.Close(t, "fitted curve", s.AR1[j]/(trajectory.WhiteAmplitude*math.Sqrt(a.IncrementSpectrum(f))), 1, 0.02)
	}
	if a.IncrementSpectrum(0) != 0 || !slices.IsSortedFunc([]float64{0.01, 0.1, 0.3, 0.5}, func(x, y float64) int {
		if a.IncrementSpectrum(x) < a.IncrementSpectrum(y) {
			return -1
		}
		return 1
	}) {
		t.Error("the increments of a relaxing process do not rise with frequency")
	}
	low, theory := s.Power[0], a.IncrementSpectrum(s.Frequency[0])
	for _, x := range ou {
		trajectory.AddDrift(x, 30, 400)
	}
	if s, err = trajectory.IncrementSpectrum(context.Background(), trajectory.FromSeries(ou...), nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("lowest frequency: %.2g without drift (formula %.2g), %.2g with it", low, theory, s.Power[0])
	// The two ends of a finite series leak 1/m·⟨(x(m)−x(0))²⟩/⟨v²⟩ = 20/(2m) into every frequency.
	if theory > 3e-4 || low > theory+2*10./n || s.Power[0] < 0.1 || s.Power[0] > 0.25 {
		t.Errorf("lowest frequency: got %.2g without drift and %.2g with it, want about %.2g and 0.16", low, s.Power[0], theory+10./n)
	}
}

func TestFitAR1(t *testing.T) {
	for _, a := range []float64{-0.5, 0, 0.9, 0.99} {
		const n = 200_000
		fit, err := trajectory.FitAR1(trajectory.AR1{A: a, Innovation: 4}.Simulate(n, rand.NewPCG(21, 0)))
		if err != nil {
			t.Fatal(err)
		}
		// â has the variance (1−a²)/n and the bias −(1+3a)/n, the innovation 2·4²/n: 5 of each.
		numtest.Close(t, "a", fit.A, a, 5*math.Sqrt((1-a*a)/n)+4./n)
		numtest.Close(t, "innovation", fit.Innovation, 4, 5*4*math.Sqrt(2./n)+0.01) // c(0) of a slow process varies too
	}
	tau, err := trajectory.CorrelationTime(trajectory.AR1{A: 0.9, Innovation: 1}.Simulate(200_000, rand.NewPCG(22, 0)))
	if err != nil {
		t.Fatal(err)
	}
	numtest.Close(t, "correlation time", tau, 0.5*1.9/0.1, 0.7) // √(4·57/200000)·9.5 = 0.32, and the end of the sum
}

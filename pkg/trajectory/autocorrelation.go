package trajectory

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/stat"
)

// Autocorrelation returns the sample autocorrelation of x (n values) at the lags,
//
//	r(τ) = Σₖ (xₖ−x̄)(xₖ₊τ−x̄) / Σₖ (xₖ−x̄)²,   0 ≤ τ < n.
//
// Nil lags mean 0…n−1. For white noise r lies within ±2.576/√n at 99 % of the lags. It is
// biased by about −2τ_int/n, the more the longer the memory is. statements.md §6.2.
//
// It returns an error if x has fewer than four values, is constant or not finite, and panics
// if a lag is outside 0…n−1. Cost O(n log n).
//
//	r, err := trajectory.Autocorrelation(trajectory.White(4000, rand.NewPCG(9, 0)), []int{0, 1, 10})
func Autocorrelation(x []float64, lags []int) ([]float64, error) {
	if err := varying("the series", x, 4); err != nil {
		return nil, err
	}
	if lags == nil {
		lags = make([]int, len(x))
		for k := range lags {
			lags[k] = k
		}
	}
	checkLags(lags, len(x))
	w := newCorrelationWork(len(x))
	copy(w.v, x)
	r := w.correlation()
	out := make([]float64, len(lags))
	for i, lag := range lags {
		out[i] = r[lag]
	}
	return out, nil
}

func checkLags(lags []int, n int) {
	for _, lag := range lags {
		if lag < 0 || lag >= n {
			panic(fmt.Sprintf("trajectory: lag %d is outside 0..%d", lag, n-1))
		}
	}
}

// correlationWork is the memory of an autocorrelation.
type correlationWork struct {
	n            int
	fft          *fourier.FFT
	v            []float64 // the series, then zeros, so that it does not meet its own end
	coefficients []complex128
}

func newCorrelationWork(n int) *correlationWork {
	m := 1
	for m < 2*n {
		m *= 2
	}
	if m/4*3 >= 2*n {
		m = m / 4 * 3
	}
	return &correlationWork{n: n, fft: fourier.NewFFT(m), v: make([]float64, m), coefficients: make([]complex128, m/2+1)}
}

// correlation returns the autocorrelation of the first n numbers of w.v, which it overwrites.
func (w *correlationWork) correlation() []float64 {
	mean := stat.Mean(w.v[:w.n], nil)
	for k := range w.v {
		if k < w.n {
			w.v[k] -= mean
		} else {
			w.v[k] = 0
		}
	}
	w.fft.Coefficients(w.coefficients, w.v)
	for q, c := range w.coefficients {
		w.coefficients[q] = complex(real(c)*real(c)+imag(c)*imag(c), 0)
	}
	w.fft.Sequence(w.v, w.coefficients)
	r := w.v[:w.n]
	first := r[0]
	for k := range r {
		r[k] /= first
	}
	return r
}

// CorrelationSummary is the autocorrelation of all moving weights: Fig. 3b, with what white
// noise and relaxation would give.
type CorrelationSummary struct {
	Weights   int       `json:"weights"`
	Snapshots int       `json:"snapshots"` // n
	Lags      []int     `json:"lags"`      // ascending, in snapshots (k)
	Mean      []float64 `json:"mean"`      // over the weights, one per lag
	Low       []float64 `json:"low"`       // 5 % of the weights lie below, one per lag
	High      []float64 `json:"high"`      // 5 % of the weights lie above, one per lag
	AR1       []float64 `json:"ar1"`       // mean over the weights of aᵀ, if each were the AR(1) fitted to it, one per lag
	Inside    float64   `json:"inside"`    // share of weights and lags within the 99 % band of white noise
}

// Band returns the half width 2.576/√n of the 99 % band of white noise.
func (s *CorrelationSummary) Band() float64 { return z99 / math.Sqrt(float64(s.Snapshots)) }

// Correlations returns the autocorrelation of every moving weight of t, in summary: one number
// for each of the lags. It returns an error if no weight moves or t has fewer than four
// snapshots, and panics if the lags do not ascend within 0…n−1. Cost O(d·n log n).
func Correlations(ctx context.Context, t *Trajectory, lags []int, s *Settings) (*CorrelationSummary, error) {
	checkLags(lags, t.n)
	if !slices.IsSorted(lags) || len(lags) == 0 {
		panic(fmt.Sprintf("trajectory: the lags %v do not ascend", lags))
	}
	if t.n < 4 || len(t.moving) == 0 {
		return nil, fmt.Errorf("trajectory: %d snapshots in which %d of %d weights move: an autocorrelation needs 4 and one", t.n, len(t.moving), t.d)
	}
	r := make([][]float64, len(t.moving)) // weights×lags
	a := make([]AR1, len(t.moving))
	err := each(ctx, len(r), s, func() *correlationWork { return newCorrelationWork(t.n) }, func(i int, w *correlationWork) error {
		x := t.column(t.moving[i])
		for k, v := range x {
			w.v[k] = float64(v)
		}
		all := w.correlation()
		r[i] = make([]float64, len(lags))
		for j, lag := range lags {
			r[i][j] = all[lag]
		}
		a[i] = fitAR1(x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &CorrelationSummary{Weights: len(r), Snapshots: t.n, Lags: append([]int(nil), lags...)}
	inside := 0
	at := make([]float64, len(r))
	for j, lag := range lags {
		var ar float64
		for i := range r {
			at[i] = r[i][j]
			// A memory that is longer than the record cannot be told from one as long.
			ar += math.Pow(min(a[i].A, 1-1/float64(t.n)), float64(lag))
			if math.Abs(at[i]) <= out.Band() {
				inside++
			}
		}
		slices.Sort(at)
		out.Mean = append(out.Mean, stat.Mean(at, nil))
		out.Low = append(out.Low, stat.Quantile(0.05, stat.LinInterp, at, nil))
		out.High = append(out.High, stat.Quantile(0.95, stat.LinInterp, at, nil))
		out.AR1 = append(out.AR1, ar/float64(len(r)))
	}
	out.Inside = float64(inside) / float64(len(r)*len(lags))
	return out, nil
}

// LogLags returns about count lags from 1 to last, equally spaced on a logarithmic axis without
// repetition, so that the length may be less than count. It panics unless count and last are
// positive.
//
//	lags := trajectory.LogLags(2000, 60) // 1, 2, 3, …, 2000
func LogLags(last, count int) []int {
	if last < 1 || count < 1 {
		panic(fmt.Sprintf("trajectory: %d lags up to %d", count, last))
	}
	var lags []int
	for i := range count {
		lag := last
		if count > 1 {
			lag = int(math.Round(math.Pow(float64(last), float64(i)/float64(count-1))))
		}
		if len(lags) == 0 || lag > lags[len(lags)-1] {
			lags = append(lags, lag)
		}
	}
	return lags
}

// CorrelationTime returns the integrated autocorrelation time of x (n) in snapshots,
// ½ + Σ r(τ), summed up to the first lag that is at least six times the sum so far (or to
// n/3). It returns an error where [Autocorrelation] does.
func CorrelationTime(x []float64) (float64, error) {
	r, err := Autocorrelation(x, nil)
	if err != nil {
		return 0, err
	}
	sum := 0.5
	for lag := 1; lag < len(r)/3; lag++ {
		if sum += r[lag]; float64(lag) >= 6*sum {
			break
		}
	}
	return max(sum, 0.5), nil
}

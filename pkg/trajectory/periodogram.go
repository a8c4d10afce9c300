package trajectory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/stat"
)

// Periodogram returns the periodogram of v (m values) over its sample variance,
//
//	P(f_q) = |Σₖ (vₖ−v̄) e^(−2πiqk/m)|² / (m·s²),   f_q = q/m cycles per value, q = 1…⌊m/2⌋,
//
// so that f and p have length ⌊m/2⌋.
//
// For white noise P follows the exponential law of mean 1, except at f = ½ where it is χ² with
// one degree of freedom. statements.md §6.1.
//
// It returns an error if v has fewer than four values, is constant, or is not finite. The
// cost is O(m log m) if m has small prime factors only, see [SmoothLength].
func Periodogram(v []float64) (f, p []float64, err error) {
	if err := varying("the series", v, 4); err != nil {
		return nil, nil, err
	}
	w := newSpectrumWork(len(v))
	copy(w.v, v)
	return w.frequencies(), append([]float64(nil), w.periodogram()...), nil
}

// spectrumWork is the memory of a periodogram.
type spectrumWork struct {
	fft          *fourier.FFT
	v, p         []float64
	coefficients []complex128
}

func newSpectrumWork(m int) *spectrumWork {
	return &spectrumWork{fft: fourier.NewFFT(m), v: make([]float64, m), p: make([]float64, m/2), coefficients: make([]complex128, m/2+1)}
}

func (w *spectrumWork) frequencies() []float64 {
	f := make([]float64, len(w.p))
	for q := range f {
		f[q] = float64(q+1) / float64(len(w.v))
	}
	return f
}

// periodogram returns the normalised periodogram of w.v, which it centres.
func (w *spectrumWork) periodogram() []float64 {
	mean, variance := stat.PopMeanVariance(w.v, nil)
	for k := range w.v {
		w.v[k] -= mean
	}
	w.fft.Coefficients(w.coefficients, w.v)
	scale := 1 / (float64(len(w.v)) * variance)
	for q := range w.p {
		a := cmplx.Abs(w.coefficients[q+1])
		w.p[q] = a * a * scale
	}
	return w.p
}

// SmoothLength returns the largest number up to n without a prime factor above 7, for
// which the Fourier transform is fast. It loses less than 4 % of n ≥ 1000, and 0.8 % of
// 99,999. It panics if
// n < 1.
func SmoothLength(n int) int {
	if n < 1 {
		panic(fmt.Sprintf("trajectory: no length up to %d", n))
	}
	for m := n; ; m-- {
		rest := m
		for _, p := range []int{2, 3, 5, 7} {
			for rest%p == 0 {
				rest /= p
			}
		}
		if rest == 1 {
			return m
		}
	}
}

// Spectrum is the Fourier spectrum of the increments x(k+1) − x(k) of all moving weights,
// averaged over weights and over bins of frequencies: Fig. 3a, with what white noise would
// give.
type Spectrum struct {
	Weights    int       `json:"weights"`    // whose increments vary; the others are left out
	Increments int       `json:"increments"` // m, the last ones of the run; see [SmoothLength]
	Frequency  []float64 `json:"frequency"`  // geometric mean of the frequencies of a bin, cycles per snapshot, one per bin
	Count      []int     `json:"count"`      // of frequencies, one per bin
	Amplitude  []float64 `json:"amplitude"`  // mean of √P, one per bin
	SD         []float64 `json:"sd"`         // standard deviation of √P over weights and frequencies of the bin, one per bin
	Power      []float64 `json:"power"`      // mean of P, one per bin
	AR1        []float64 `json:"ar1"`        // mean of √P if every weight were the AR(1) fitted to it, one per bin: [AR1.IncrementSpectrum]
	Effective  float64   `json:"effective"`  // number of independent weights: [EffectiveDimension]
}

// WhiteAmplitude is the mean of √P of white noise, √π/2.
const WhiteAmplitude = 0.886226925452758

// WhiteBand returns the half width of the 99 % band of [Spectrum.Amplitude] in bin i about
// [WhiteAmplitude], for white increments of as many independent weights as Effective says:
// 2.576·√((1−π/4)/(Effective·Count)).
func (s *Spectrum) WhiteBand(i int) float64 {
	return z99 * math.Sqrt((1-math.Pi/4)/(s.Effective*float64(s.Count[i])))
}

// z99 is the quantile of the normal law that 99 % of it do not exceed in absolute value.
const z99 = 2.5758293035489004

// perDecade is the number of bins in a factor ten of frequency, where there are as many
// frequencies.
const perDecade = 24

// IncrementSpectrum returns the spectrum of the increments of t. Frequencies are put in 24
// bins a decade; at low frequency a bin is a single one. statements.md §6.1.
//
// It returns an error if no weight moves or t has fewer than 16 snapshots.
// Cost O(d·n log n) and the memory of two weights per worker.
//
//	t := trajectory.FromSeries(trajectory.White(4000, rand.NewPCG(9, 0)))
//	s, err := trajectory.IncrementSpectrum(ctx, t, nil)
func IncrementSpectrum(ctx context.Context, t *Trajectory, s *Settings) (*Spectrum, error) {
	if t.n < 16 || len(t.moving) == 0 {
		return nil, fmt.Errorf("trajectory: %d snapshots in which %d of %d weights move: a spectrum needs 16 and one", t.n, len(t.moving), t.d)
	}
	m := SmoothLength(t.n - 1)
	bin, count, centre := frequencyBins(m)
	type sums struct{ amplitude, power, ar1 []float64 }
	all := make([]sums, len(t.moving))
	err := each(ctx, len(all), s, func() *spectrumWork { return newSpectrumWork(m) }, func(i int, w *spectrumWork) error {
		x := t.column(t.moving[i])
		x = x[len(x)-m-1:]
		for k := range w.v {
			w.v[k] = float64(x[k+1]) - float64(x[k])
		}
		if constant(w.v) {
			return nil // it moved before the increments that count, or with constant speed
		}
		a := fitAR1(x)
		r := sums{make([]float64, len(count)), make([]float64, len(count)), make([]float64, len(count))}
		for q, p := range w.periodogram() {
			r.amplitude[bin[q]] += math.Sqrt(p)
			r.power[bin[q]] += p
		}
		for j, f := range centre {
			r.ar1[j] = WhiteAmplitude * math.Sqrt(a.IncrementSpectrum(f))
		}
		all[i] = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r sums) bool { return r.power == nil })
	if len(all) == 0 {
		return nil, errors.New("trajectory: the increments of every weight are constant: they have no spectrum")
	}
	out := &Spectrum{
		Weights: len(all), Increments: m, Frequency: centre, Count: count,
		Amplitude: make([]float64, len(count)), SD: make([]float64, len(count)), Power: make([]float64, len(count)), AR1: make([]float64, len(count)),
	}
	for j, c := range count {
		for _, r := range all {
			out.Amplitude[j] += r.amplitude[j]
			out.Power[j] += r.power[j]
			out.AR1[j] += r.ar1[j]
		}
		out.Amplitude[j] /= float64(c * len(all))
		out.Power[j] /= float64(c * len(all))
		out.AR1[j] /= float64(len(all))
		out.SD[j] = math.Sqrt(max(0, out.Power[j]-out.Amplitude[j]*out.Amplitude[j]))
	}
	out.Effective, err = EffectiveDimension(ctx, t, s)
	return out, err
}

// constant reports whether all values are the same.
func constant(v []float64) bool {
	return !slices.ContainsFunc(v, func(x float64) bool { return x != v[0] })
}

// frequencyBins puts the frequencies 1…⌊m/2⌋ in bins that are equally long on a logarithmic
// axis, none empty, and returns the bin of each, their sizes, and their centres in cycles per value.
func frequencyBins(m int) (bin, count []int, centre []float64) {
	bin = make([]int, m/2)
	last := -1
	for q := range bin {
		b := int(perDecade * math.Log10(float64(q+1)))
		if b != last {
			last = b
			count, centre = append(count, 0), append(centre, 0)
		}
		j := len(count) - 1
		bin[q] = j
		count[j]++
		centre[j] += math.Log(float64(q+1) / float64(m))
	}
	for j := range centre {
		centre[j] = math.Exp(centre[j] / float64(count[j]))
	}
	return bin, count, centre
}

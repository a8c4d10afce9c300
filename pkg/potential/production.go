package potential

import (
	"errors"
	"math"

	"sgdlab/pkg/fokkerplanck"
)

// Production is the entropy production of a Markov chain, in nats per unit of time.
type Production struct {
	Total        float64 // Σ J ln(k_ab p_a / k_ba p_b)
	Adiabatic    float64 // Σ J ln(k_ab π_a / k_ba π_b): what it costs to keep the current going
	NonAdiabatic float64 // Σ J ln(p_a π_b / p_b π_a) = −d KL(p‖π)/dt: what Theorem 5 speaks of
}

// EntropyProduction returns the entropy production at the masses p (NX·NY), with π the steady
// state of l; sums run over pairs of neighbouring cells with both rates positive, J is the
// current between them. Total = Adiabatic + NonAdiabatic. App. B of the paper keeps only the
// last (erratum E25). statements.md §13.13 [m22].
//
// It returns an error if l has a negative rate, a one-way rate between cells with mass, or
// cells without mass in p or π: then the production is not defined or infinite.
func EntropyProduction(l *fokkerplanck.Generator, p, pi []float64) (Production, error) {
	var out Production
	if n, _ := l.NegativeRates(); n > 0 {
		return out, errors.New("potential: entropy production needs a Markov chain, but some rates are negative; use a diagonal D or a finer grid")
	}
	for k := range p {
		if !(p[k] > 0 && pi[k] > 0) {
			return out, errors.New("potential: entropy production needs a positive mass in every cell; advance p by a time step first")
		}
	}
	var err error
	l.Pairs(func(a, b int, ab, ba float64) {
		if ab <= 0 || ba <= 0 {
			if ab > 0 || ba > 0 {
				err = errors.New("potential: a rate between two cells has no reverse: the entropy production is infinite; add noise")
			}
			return
		}
		j := ab*p[a] - ba*p[b]
		out.Total += j * math.Log(ab*p[a]/(ba*p[b]))
		out.Adiabatic += j * math.Log(ab*pi[a]/(ba*pi[b]))
		out.NonAdiabatic += j * math.Log(p[a]*pi[b]/(p[b]*pi[a]))
	})
	return out, err
}

package plane

import (
	"math"
	"math/rand/v2"
	"testing"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/variational"
)

// byChance against 2000 histograms of 500 draws in nine bins, some nearly empty: means
// within five standard errors and 1 % (Poisson for multinomial), spreads within 10 %
// (4 numbers, false alarm 2e-6).
func TestByChance(t *testing.T) {
	p := []float64{.3, .25, .2, .1, .08, .05, .015, .004, .001}
	const n, histograms = 500, 2000
	d := byChance(p, n)
	rng := rand.New(rand.NewPCG(3, 1))
	var kl, kl2, tv, tv2 float64
	for range histograms {
		q := make([]float64, len(p))
		for range n {
			u, k := rng.Float64(), 0
			for u > p[k] && k < len(p)-1 {
				u -= p[k]
				k++
			}
			q[k] += 1. / n
		}
		a, b := variational.KL(q, p), variational.TotalVariation(q, p)
		kl, kl2, tv, tv2 = kl+a/histograms, kl2+a*a/histograms, tv+b/histograms, tv2+b*b/histograms
	}
	numtest.Close(t, "KL", kl, d.KLExpected, 5*d.KLSpread/math.Sqrt(histograms)+.03*d.KLExpected)
	numtest.Close(t, "TV", tv, d.TVExpected, 5*d.TVSpread/math.Sqrt(histograms)+.08*d.TVExpected) // a bin of 30 % is no Poisson
	numtest.Close(t, "spread of KL", math.Sqrt(kl2-kl*kl), d.KLSpread, .15*d.KLSpread)
	numtest.Close(t, "spread of TV", math.Sqrt(tv2-tv*tv), d.TVSpread, .35*d.TVSpread)
	// The two branches of the mean meet.
	mean, _ := moments2(49.9)
	numtest.Close(t, "μ = 50", mean, .5+1/(12*49.9), 1e-4)
}

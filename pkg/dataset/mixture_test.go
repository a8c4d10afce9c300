package dataset_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sgdlab/pkg/dataset"
)

// Class means and the variance around them, from 20,000 draws.
func TestMixture(t *testing.T) {
	const n, classes, radius = 20_000, 4, 3.0
	m := dataset.NewMixture(classes, 3, radius, rand.NewPCG(1, 0))
	im := m.Draw(n, rand.NewPCG(1, 1))
	if im.N != n || im.ImageSize() != 9 || im.Classes != classes || len(im.Labels) != n {
		t.Fatalf("got %d images of %d pixels, %d classes, %d labels", im.N, im.ImageSize(), im.Classes, len(im.Labels))
	}
	for class := range classes {
		members := im.Digits(class)
		mean := make([]float64, 9)
		for k := range members.N {
			for i, v := range members.Image(k) {
				mean[i] += float64(v) / float64(members.N)
			}
		}
		var square, variance float64
		for i, v := range mean {
			square += v * v
			for k := range members.N {
				variance += math.Pow(float64(members.Image(k)[i])-v, 2) / float64(9*members.N)
			}
		}
		// Five standard errors: |mean|² errs by 2·3/√5000 + 9/5000, the variance by
		// √(2/45000), a class size by √(20000·3/16); four classes of each, two-sided
		// false alarm 7e-6.
		if math.Abs(math.Sqrt(square)-radius) > 0.08 || math.Abs(variance-1) > 0.034 || math.Abs(float64(members.N)-n/classes) > 310 {
			t.Errorf("class %d: |mean| %v, variance %v, %d of %d samples", class, math.Sqrt(square), variance, members.N, n)
		}
	}
	again := dataset.NewMixture(classes, 3, radius, rand.NewPCG(1, 0)).Draw(n, rand.NewPCG(1, 1))
	if !slices.Equal(again.Pixels, im.Pixels) || !slices.Equal(again.Labels, im.Labels) {
		t.Error("the same seeds gave other samples")
	}
	for _, bad := range []func(){
		func() { dataset.NewMixture(0, 3, 1, rand.NewPCG(0, 0)) },
		func() { dataset.NewMixture(257, 3, 1, rand.NewPCG(0, 0)) },
		func() { dataset.NewMixture(2, 0, 1, rand.NewPCG(0, 0)) },
		func() { dataset.NewMixture(2, 3, math.NaN(), rand.NewPCG(0, 0)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic for a mixture that makes no sense")
				}
			}()
			bad()
		}()
	}
}

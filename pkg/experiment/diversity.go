package experiment

import (
	"context"
	"fmt"
	"math/rand/v2"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
)

// mixtureRadius puts the means of two classes 3.5 standard deviations apart, so that classes
// overlap a little.
const mixtureRadius = 2.5

// DataDiversity asks whether more diverse data make D(x) less isotropic, with all else
// equal: the same network (tiny-fc with 50 outputs, 1,682 weights) and the same number of
// steps on mixtures of 2, 10 and 50 Gaussians in 7×7 pixels; and, for 10, on a quarter of the
// samples four times over, as they are or each with fresh noise of half the spread of a
// class. [chaudhari2018] Remark 14, erratum E36.
func DataDiversity(ctx context.Context, s ComparisonSettings) (*ComparisonResult, error) {
	arch := network.TinyFC()
	arch.Name = "tiny-fc, 50 outputs"
	arch.Layers[len(arch.Layers)-1] = network.Dense{Out: 50}
	mixture := func(classes, samples int, seed uint64) (train, test *dataset.Images) {
		m := dataset.NewMixture(classes, 7, mixtureRadius, rand.NewPCG(seed, 2))
		return m.Draw(samples, rand.NewPCG(seed, 3)), m.Draw(4000, rand.NewPCG(seed, 4))
	}
	var cases []noiseCase
	for _, classes := range []int{2, 10, 50} {
		cases = append(cases, noiseCase{fmt.Sprintf("%d classes", classes), arch, func(seed uint64) (train, test *dataset.Images, err error) {
			train, test = mixture(classes, s.Samples, seed)
			return train, test, nil
		}})
	}
	for _, fresh := range []float64{0, 0.5} {
		name := "10 classes, each sample four times"
		if fresh > 0 {
			name = "10 classes, each four times with fresh noise"
		}
		cases = append(cases, noiseCase{name, arch, func(seed uint64) (train, test *dataset.Images, err error) {
			train, test = mixture(10, s.Samples/4, seed)
			return fourfold(train, fresh, rand.NewPCG(seed, 5)), test, nil
		}})
	}
	return compare(ctx, "remark14", s, cases)
}

// fourfold returns every image of im four times with noise of the given standard deviation.
func fourfold(im *dataset.Images, noise float64, src rand.Source) *dataset.Images {
	idx := make([]int, 4*im.N)
	for i := range idx {
		idx[i] = i % im.N
	}
	out := im.Subset(idx)
	rng := rand.New(src)
	for i := range out.Pixels {
		out.Pixels[i] += float32(noise * rng.NormFloat64())
	}
	return out
}

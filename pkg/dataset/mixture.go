package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Mixture is a Gaussian mixture: class k of the classes, all equally likely, is normal
// around a mean with covariance I. The means lie at random on a sphere.
type Mixture struct {
	Classes int
	Radius  float64 // of the sphere
	means   [][]float64
}

// NewMixture draws the means of a mixture of the given number of classes in size×size
// pixels on a sphere of the given radius. It panics unless 1 ≤ classes ≤ 256, size ≥ 1 and
// radius ≥ 0.
func NewMixture(classes, size int, radius float64, src rand.Source) *Mixture {
	if classes < 1 || classes > 256 || size < 1 || !(radius >= 0) {
		panic(fmt.Sprintf("dataset: a mixture of %d classes in %d×%d pixels with radius %v: want 1–256 classes, a positive size and a radius that is not negative", classes, size, size, radius))
	}
	m := &Mixture{Classes: classes, Radius: radius}
	rng := rand.New(src)
	for range classes {
		mean := make([]float64, size*size)
		var square float64
		for i := range mean {
			mean[i] = rng.NormFloat64()
			square += mean[i] * mean[i]
		}
		for i := range mean {
			mean[i] *= radius / math.Sqrt(square)
		}
		m.means = append(m.means, mean)
	}
	return m
}

// Draw returns n independent samples as images of one channel.
func (m *Mixture) Draw(n int, src rand.Source) *Images {
	p := len(m.means[0])
	size := int(math.Round(math.Sqrt(float64(p))))
	im := &Images{
		Name: fmt.Sprintf("mixture of %d Gaussians", m.Classes),
		N:    n, Channels: 1, Height: size, Width: size, Classes: m.Classes,
		Pixels: make([]float32, n*p), Labels: make([]uint8, n),
	}
	rng := rand.New(src)
	for k := range n {
		class := rng.IntN(m.Classes)
		im.Labels[k] = uint8(class)
		for i, mean := range m.means[class] {
			im.Pixels[k*p+i] = float32(mean + rng.NormFloat64())
		}
	}
	return im
}

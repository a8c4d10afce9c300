package dataset

import "math"

// ContrastNorm is the Euclidean norm to which the images of CIFAR are customarily
// brought before whitening, 55; one pixel in 3,072 is then of order 1.
const ContrastNorm = 55

// NormalizeContrast returns the images under global contrast normalisation: from
// each image, all channels together, its mean is taken away, and the rest is
// scaled to the Euclidean norm given. An image without contrast (norm below 10⁻⁸
// before scaling) becomes zero. Sums run in float64. It panics unless norm is
// positive.
func (im *Images) NormalizeContrast(norm float64) *Images {
	if !(norm > 0) {
		panic("dataset: the norm of an image must be positive")
	}
	out := *im
	out.Name = im.Name + ", contrast normalised"
	out.Pixels = make([]float32, len(im.Pixels))
	out.Labels = append([]uint8(nil), im.Labels...)
	for i := range im.N {
		x, y := im.Image(i), out.Image(i)
		var mean, square float64
		for _, v := range x {
			mean += float64(v)
		}
		mean /= float64(len(x))
		for _, v := range x {
			d := float64(v) - mean
			square += d * d
		}
		length := math.Sqrt(square)
		if length < 1e-8 {
			continue
		}
		for k, v := range x {
			y[k] = float32((float64(v) - mean) * norm / length)
		}
	}
	return &out
}

package dataset

import (
	"fmt"
	"slices"
)

// Images is a labelled set of images of one size.
//
// Pixels is N×Channels×Height×Width, row-major: image after image, plane after
// plane, row after row from the top. Labels holds N values in 0..Classes−1. The
// fields are shared, never copied behind the caller's back; functions that
// return an *Images return one with storage of its own.
type Images struct {
	Name                    string // what the set is and how it was made, such as "MNIST train"
	N                       int    // number of images
	Channels, Height, Width int
	Classes                 int
	Pixels                  []float32 // N×Channels×Height×Width; MNIST is scaled to [0,1]
	Labels                  []uint8   // N
}

// ImageSize returns Channels·Height·Width, the number of values of one image.
func (im *Images) ImageSize() int { return im.Channels * im.Height * im.Width }

// Image returns the pixels of image i, Channels×Height×Width row-major. The
// result shares its storage with im. It panics if i is not in 0..N−1.
func (im *Images) Image(i int) []float32 {
	if i < 0 || i >= im.N {
		panic(fmt.Sprintf("dataset: image %d of %d", i, im.N))
	}
	d := im.ImageSize()
	return im.Pixels[i*d : (i+1)*d : (i+1)*d]
}

// Subset returns a copy of the images idx (of any length), in that order; repetitions are
// allowed and the classes stay as they are. It panics if an index is not in
// 0..N−1.
//
//	train, _, err := dataset.MNIST7()
//	few := train.Subset([]int{0, 1, 2})
func (im *Images) Subset(idx []int) *Images {
	d := im.ImageSize()
	sub := *im
	sub.N = len(idx)
	sub.Pixels = make([]float32, len(idx)*d)
	sub.Labels = make([]uint8, len(idx))
	for k, i := range idx {
		copy(sub.Pixels[k*d:], im.Image(i))
		sub.Labels[k] = im.Labels[i]
	}
	return &sub
}

// Digits returns a copy of the images whose label is among classes, in their
// order, relabelled 0..len(classes)−1: an image of class classes[k] gets the
// label k. The set of tiny-fc is train.Digits(0, 1, 2, 3, 4). It panics if no
// class is given, one is given twice, or one is not in 0..Classes−1.
func (im *Images) Digits(classes ...int) *Images {
	if len(classes) == 0 {
		panic("dataset: Digits needs at least one class")
	}
	for k, c := range classes {
		if c < 0 || c >= im.Classes {
			panic(fmt.Sprintf("dataset: class %d of %d", c, im.Classes))
		}
		if slices.Contains(classes[:k], c) {
			panic(fmt.Sprintf("dataset: class %d given twice", c))
		}
	}
	var idx []int
	for i, label := range im.Labels {
		if slices.Contains(classes, int(label)) {
			idx = append(idx, i)
		}
	}
	sub := im.Subset(idx)
	for k, label := range sub.Labels {
		sub.Labels[k] = uint8(slices.Index(classes, int(label)))
	}
	sub.Name = fmt.Sprintf("%s, classes %v", im.Name, classes)
	sub.Classes = len(classes)
	return sub
}

// MeanPool returns the images with every k×k square replaced by its mean, so
// that MNIST's 28×28 become 7×7 with k = 4. The sum runs in float64 and is
// rounded once. It panics if k does not divide both Height and Width.
func (im *Images) MeanPool(k int) *Images {
	if k <= 0 || im.Height%k != 0 || im.Width%k != 0 {
		panic(fmt.Sprintf("dataset: %d×%d images do not divide into squares of side %d", im.Height, im.Width, k))
	}
	h, w := im.Height/k, im.Width/k
	pooled := *im
	pooled.Name = fmt.Sprintf("%s, %d×%d", im.Name, h, w)
	pooled.Height, pooled.Width = h, w
	pooled.Pixels = make([]float32, im.N*im.Channels*h*w)
	pooled.Labels = slices.Clone(im.Labels)
	sums := make([]float64, w)
	for p := range im.N * im.Channels * h { // pooled rows, all images and planes in one go
		clear(sums)
		for y := range k {
			row := im.Pixels[(p*k+y)*im.Width:][:im.Width]
			for x, v := range row {
				sums[x/k] += float64(v)
			}
		}
		for x, s := range sums {
			pooled.Pixels[p*w+x] = float32(s / float64(k*k))
		}
	}
	return &pooled
}

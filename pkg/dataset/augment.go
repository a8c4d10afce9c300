package dataset

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Augmentation is a random change of images that keeps their class: first a crop,
// then a flip. The zero value changes nothing. The paper's networks use
// Augmentation{Flip: true, Pad: 4} in Fig. 2c and none elsewhere.
type Augmentation struct {
	// Flip mirrors an image left to right with probability ½.
	Flip bool
	// Pad is the number of pixels by which an image is continued on each side, by
	// reflection (the edge itself is not repeated), before a part of the original
	// size is cut out of it at one of the (2·Pad+1)² places, all equally likely.
	// 0 means no crop.
	Pad int
}

// String describes a, such as "pad 4, crop, flip".
func (a Augmentation) String() string {
	var parts []string
	if a.Pad != 0 {
		parts = append(parts, fmt.Sprintf("pad %d, crop", a.Pad))
	}
	if a.Flip {
		parts = append(parts, "flip")
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// To stores the augmented images idx of im in dst, in that order, and returns dst;
// nil idx means all, nil dst is allocated. Each image takes from rng one draw if
// Flip is set and two if Pad is not 0, so the result for a given state of rng is
// the same everywhere. It panics if dst has another length than len(idx) images,
// an index is not in 0..N−1, Pad is negative or not below height and width, or rng
// is nil.
func (a Augmentation) To(dst []float32, im *Images, idx []int, rng *rand.Rand) []float32 {
	if a.Pad < 0 || a.Pad >= im.Height || a.Pad >= im.Width {
		panic(fmt.Sprintf("dataset: padding of %d×%d images by %d, want 0 to %d", im.Height, im.Width, a.Pad, min(im.Height, im.Width)-1))
	}
	n := len(idx)
	if idx == nil {
		n = im.N
	}
	d := im.ImageSize()
	if dst == nil {
		dst = make([]float32, n*d)
	}
	if len(dst) != n*d {
		panic(fmt.Sprintf("dataset: dimension mismatch: dst has length %d, want %d images of %d", len(dst), n, d))
	}
	for k := range n {
		i := k
		if idx != nil {
			i = idx[k]
		}
		var flip bool
		var down, right int // place of the part relative to the image
		if a.Flip {
			flip = rng.IntN(2) == 1
		}
		if a.Pad != 0 {
			down, right = rng.IntN(2*a.Pad+1)-a.Pad, rng.IntN(2*a.Pad+1)-a.Pad
		}
		src, out := im.Image(i), dst[k*d:(k+1)*d]
		for r := range im.Channels * im.Height {
			plane, y := r/im.Height, r%im.Height
			from := src[(plane*im.Height+reflect(y+down, im.Height))*im.Width:][:im.Width]
			to := out[r*im.Width : (r+1)*im.Width]
			for x := range to {
				at := x
				if flip {
					at = im.Width - 1 - x
				}
				to[x] = from[reflect(at+right, im.Width)]
			}
		}
	}
	return dst
}

// reflect brings a coordinate at most n−1 outside 0..n−1 back by reflection.
func reflect(i, n int) int {
	if i < 0 {
		return -i
	}
	if i >= n {
		return 2*(n-1) - i
	}
	return i
}

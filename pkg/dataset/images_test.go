package dataset_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sgdlab/pkg/dataset"
)

// random returns n images with uniform pixels and labels i mod classes.
func random(seed uint64, n, c, h, w, classes int) *dataset.Images {
	rng := rand.New(rand.NewPCG(seed, 1))
	im := &dataset.Images{Name: "random", N: n, Channels: c, Height: h, Width: w, Classes: classes}
	im.Pixels = make([]float32, n*c*h*w)
	for i := range im.Pixels {
		im.Pixels[i] = rng.Float32()
	}
	im.Labels = make([]uint8, n)
	for i := range im.Labels {
		im.Labels[i] = uint8(i % classes)
	}
	return im
}

func TestMeanPool(t *testing.T) {
	im := random(1, 3, 2, 6, 4, 3)
	before := slices.Clone(im.Pixels)
	got := im.MeanPool(2)
	if got.N != 3 || got.Channels != 2 || got.Height != 3 || got.Width != 2 || got.Classes != 3 {
		t.Fatalf("shape: got %d×%d×%d×%d, %d classes", got.N, got.Channels, got.Height, got.Width, got.Classes)
	}
	if !slices.Equal(got.Labels, im.Labels) || !slices.Equal(im.Pixels, before) {
		t.Error("labels changed or input modified")
	}
	// The definition, pixel by pixel.
	for i := range got.N {
		for c := range got.Channels {
			for y := range got.Height {
				for x := range got.Width {
					var want float64
					for dy := range 2 {
						for dx := range 2 {
							want += float64(im.Image(i)[(c*6+2*y+dy)*4+2*x+dx]) / 4
						}
					}
					g := float64(got.Image(i)[(c*3+y)*2+x])
					// One rounding to float32 of a value below 1.
					if math.Abs(g-want) > 6e-8 {
						t.Errorf("image %d plane %d (%d,%d): got %g, want %g, tolerance 6e-8", i, c, y, x, g, want)
					}
				}
			}
		}
	}
}

func TestMeanPoolOfOneIsIdentity(t *testing.T) {
	im := random(2, 2, 1, 3, 5, 2)
	if got := im.MeanPool(1); !slices.Equal(got.Pixels, im.Pixels) {
		t.Errorf("got %v, want %v", got.Pixels, im.Pixels)
	}
}

func TestSubset(t *testing.T) {
	im := random(3, 5, 1, 2, 2, 3)
	idx := []int{4, 0, 4}
	got := im.Subset(idx)
	if got.N != 3 || got.Classes != 3 {
		t.Fatalf("got N %d, Classes %d, want 3, 3", got.N, got.Classes)
	}
	for k, i := range idx {
		if !slices.Equal(got.Image(k), im.Image(i)) || got.Labels[k] != im.Labels[i] {
			t.Errorf("image %d: got %v label %d, want %v label %d", k, got.Image(k), got.Labels[k], im.Image(i), im.Labels[i])
		}
	}
	got.Pixels[0] = -1
	if im.Image(4)[0] == -1 {
		t.Error("the subset shares storage with its origin")
	}
	if empty := im.Subset(nil); empty.N != 0 || len(empty.Pixels) != 0 {
		t.Errorf("empty subset: got %d images", empty.N)
	}
}

func TestDigits(t *testing.T) {
	im := random(4, 10, 1, 2, 2, 5) // labels 0 1 2 3 4 0 1 2 3 4
	got := im.Digits(3, 1)
	if want := []uint8{1, 0, 1, 0}; !slices.Equal(got.Labels, want) || got.Classes != 2 {
		t.Fatalf("got labels %v of %d classes, want %v of 2", got.Labels, got.Classes, want)
	}
	for k, i := range []int{1, 3, 6, 8} {
		if !slices.Equal(got.Image(k), im.Image(i)) {
			t.Errorf("image %d: got %v, want image %d, %v", k, got.Image(k), i, im.Image(i))
		}
	}
}

func TestMisusePanics(t *testing.T) {
	im := random(5, 2, 1, 4, 6, 3)
	for _, tt := range []struct {
		name, want string
		call       func()
	}{
		{"image too high", "dataset: image 2 of 2", func() { im.Image(2) }},
		{"image negative", "dataset: image -1 of 2", func() { im.Image(-1) }},
		{"subset", "dataset: image 7 of 2", func() { im.Subset([]int{0, 7}) }},
		{"no class", "dataset: Digits needs at least one class", func() { im.Digits() }},
		{"class twice", "dataset: class 1 given twice", func() { im.Digits(1, 1) }},
		{"class out of range", "dataset: class 3 of 3", func() { im.Digits(3) }},
		{"pool 4", "dataset: 4×6 images do not divide into squares of side 4", func() { im.MeanPool(4) }},
		{"pool 0", "dataset: 4×6 images do not divide into squares of side 0", func() { im.MeanPool(0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("panic: got %v, want %q", got, tt.want)
				}
			}()
			tt.call()
		})
	}
}

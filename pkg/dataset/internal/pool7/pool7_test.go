package pool7_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/dataset/internal/pool7"
)

// Odd and even numbers of images, of pixels in the last byte of the bitmap and
// of non-zero pixels; all zero; all white.
func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range 20 {
		for _, density := range []float64{0, 0.4, 1} {
			sums := make([]uint16, n*pool7.Size)
			for i := range sums {
				if rng.Float64() < density {
					sums[i] = uint16(rng.IntN(pool7.Max + 1))
				}
			}
			labels := make([]uint8, n)
			for i := range labels {
				labels[i] = uint8(rng.IntN(16))
			}
			gotSums, gotLabels, err := pool7.Decode(string(pool7.Encode(sums, labels)))
			if err != nil {
				t.Fatalf("%d images, density %g: %v", n, density, err)
			}
			if !slices.Equal(gotSums, sums) || !slices.Equal(gotLabels, labels) {
				t.Errorf("%d images, density %g: got %v %v, want %v %v", n, density, gotSums, gotLabels, sums, labels)
			}
		}
	}
}

// A layout written out by hand: one image, pixels 0, 8 and 48 are 1, 4080, 0x234.
func TestLayout(t *testing.T) {
	sums := make([]uint16, 49)
	sums[0], sums[8], sums[48] = 1, 4080, 0x234
	got := string(pool7.Encode(sums, []uint8{7}))
	want := "mnist7 1" + "\x00\x00\x00\x01" + "\x01\x01\x00\x00\x00\x00\x01" + "\x07" + "\x01\x00\xff" + "\x34\x02"
	if got != want {
		t.Errorf("got % x, want % x", got, want)
	}
}

func TestSums(t *testing.T) {
	pixels := make([]float32, 2*28*28)
	want := make([]uint16, 2*49)
	for i := range pixels {
		image, y, x := i/784, i%784/28, i%28
		p := (i * 37) % 256
		pixels[i] = float32(p) / 255
		want[image*49+y/4*7+x/4] += uint16(p)
	}
	if got := pool7.Sums(pixels); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(pool7.Encode(make([]uint16, 49), []uint8{1}))
	for _, tt := range []struct{ name, packed, want string }{
		{"empty", "", `it does not begin with "mnist7 1"`},
		{"other", "version https://git-lfs.example/spec", `it does not begin with "mnist7 1"`},
		{"cut", good[:len(good)-1], "it holds 19 bytes, too few for 1 images"},
		{"trailing", good + "x", "it holds 1 bytes of pixels, want 0"},
		{"many", good[:8] + "\xff\xff\xff\xff" + good[12:], "it holds 20 bytes, too few for 4294967295 images"},
	} {
		if _, _, err := pool7.Decode(tt.packed); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

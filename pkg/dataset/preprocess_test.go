package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/internal/numtest"
)

func TestNormalizeContrast(t *testing.T) {
	im := random(11, 4, 3, 4, 5, 2)
	copy(im.Image(2), slices.Repeat([]float32{0.25}, 60)) // no contrast
	before := slices.Clone(im.Pixels)
	got := im.NormalizeContrast(dataset.ContrastNorm)
	if !slices.Equal(im.Pixels, before) || !slices.Equal(got.Labels, im.Labels) {
		t.Error("input modified or labels lost")
	}
	for i := range got.N {
		var sum, square float64
		for _, v := range got.Image(i) {
			sum += float64(v)
			square += float64(v) * float64(v)
		}
		want := 55.0
		if i == 2 {
			want = 0
		}
		// 60 values of size up to 20, each rounded to float32: 60·20·6e-8.
		numtest.Close(t, fmt.Sprintf("image %d: sum", i), sum, 0, 1e-4)
		numtest.Close(t, fmt.Sprintf("image %d: norm", i), math.Sqrt(square), want, 1e-4)
	}
	// What it takes out, brightness and contrast, makes no difference before.
	for i := range im.Pixels {
		im.Pixels[i] = 0.5*im.Pixels[i] + 0.125
	}
	again := im.NormalizeContrast(dataset.ContrastNorm)
	for i, v := range again.Pixels {
		// The changed pixels are rounded to 6e-8 of 1 and scaled by about 55/2.2·2.
		numtest.Close(t, fmt.Sprintf("value %d", i), float64(v), float64(got.Pixels[i]), 1e-5)
	}
}

// The filter against its definition, W C W = C(C+ε)⁻¹ in the eigenvectors of C,
// computed as ((C+ε)W)W = I, and the covariance of the whitened set against it.
func TestWhitening(t *testing.T) {
	im := random(12, 200, 2, 3, 3, 2)
	p := im.ImageSize()
	for i := range im.N { // correlated pixels
		x := im.Image(i)
		for k := 1; k < p; k++ {
			x[k] += 0.8 * x[k-1]
		}
	}
	mean := make([]float64, p)
	for i := range im.N {
		for k, v := range im.Image(i) {
			mean[k] += float64(v) / float64(im.N)
		}
	}
	c := mat.NewSymDense(p, nil)
	for i := range im.N {
		x := mat.NewVecDense(p, nil)
		for k, v := range im.Image(i) {
			x.SetVec(k, float64(v)-mean[k])
		}
		c.SymRankOne(c, 1/float64(im.N), x)
	}
	for _, bias := range []float64{0.1, 1e-6, 2} {
		settings := &dataset.WhiteningSettings{Bias: bias}
		if bias == 0.1 {
			settings = nil
		}
		w, err := dataset.FitWhitening(t.Context(), im, settings)
		if err != nil {
			t.Fatal(err)
		}
		filter := mat.NewDense(p, p, nil)
		for i := range p {
			numtest.Close(t, "mean", float64(w.Mean[i]), mean[i], 1e-6) // float32 of a value up to 5
			for j := range p {
				filter.Set(i, j, float64(w.Filter[i*p+j]))
				if w.Filter[i*p+j] != w.Filter[j*p+i] {
					t.Fatalf("W is not symmetric at %d, %d", i, j)
				}
			}
		}
		var cw, cww mat.Dense
		cw.Mul(c, filter)
		var bw mat.Dense
		bw.Scale(bias, filter)
		cw.Add(&cw, &bw)
		cww.Mul(&cw, filter)
		identity := make([]float64, p*p)
		for i := range p {
			identity[i*p+i] = 1
		}
		// W is rounded to float32, 6e-8 relative; ‖C‖‖W‖² is at most 2·10³ for
		// the variances 0.03…2 of these pixels.
		numtest.CloseSlice(t, fmt.Sprintf("ε = %g: (C+ε)W²", bias), cww.RawMatrix().Data, identity, 1e-4)

		white, err := w.Apply(t.Context(), im)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(white.Labels, im.Labels) || white.N != im.N {
			t.Error("labels lost")
		}
		for i := range im.N { // by the definition, W(x−μ)
			for r := range p {
				var want float64
				for k, v := range im.Image(i) {
					want += filter.At(r, k) * (float64(v) - float64(w.Mean[k]))
				}
				// 18 float32 products with entries of W up to 6.
				numtest.Close(t, "W(x−μ)", float64(white.Image(i)[r]), want, 2e-5)
			}
		}
		if bias == 1e-6 { // then the covariance is the identity
			cov := mat.NewSymDense(p, nil)
			for i := range white.N {
				x := mat.NewVecDense(p, nil)
				for k, v := range white.Image(i) {
					x.SetVec(k, float64(v))
				}
				cov.SymRankOne(cov, 1/float64(white.N), x)
			}
			for i := range p {
				for j := range p {
					// ε over the smallest variance, 1e-6/0.02, and rounding as above.
					numtest.Close(t, "covariance of the whitened", cov.At(i, j), identity[i*p+j], 2e-4)
				}
			}
		}
	}
}

func TestWhiteningTrouble(t *testing.T) {
	im := random(13, 5, 1, 2, 2, 2)
	im.Name = "five"
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dataset.FitWhitening(cancelled, im, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled fit: got %v", err)
	}
	// Fewer images than values, and one image: the bias makes it possible.
	for _, n := range []int{1, 3} {
		w, err := dataset.FitWhitening(t.Context(), im.Subset([]int{0, 1, 2}[:n]), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			// C = 0: W = ε^(−1/2) I.
			for i, v := range w.Filter {
				want := 0.0
				if i%5 == 0 {
					want = 1 / math.Sqrt(0.1)
				}
				numtest.Close(t, "W of one image", float64(v), want, 1e-6)
			}
		}
		if _, err := w.Apply(cancelled, im); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: got %v", err)
		}
	}
	im.Image(3)[1] = float32(math.Inf(1))
	_, err := dataset.FitWhitening(t.Context(), im, nil)
	if want := "dataset: image 3 of five has the pixel +Inf: mend or leave out the image"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	im.Image(3)[1] = float32(math.NaN())
	if _, err := dataset.FitWhitening(t.Context(), im, nil); err == nil {
		t.Error("NaN accepted")
	}
}

// Every crop and flip of a small image against an image padded for real.
func TestAugmentationDefinition(t *testing.T) {
	// Wider than 2·pad+1: else some flips equal some crops.
	im := random(14, 3, 2, 4, 6, 2)
	const pad = 2
	h, w := 4, 6
	mirror := func(i, n int) int { // …2 1 0 1 2 … n−2 n−1 n−2…
		period := 2 * (n - 1)
		i = ((i % period) + period) % period
		return min(i, period-i)
	}
	padded := func(i, c, y, x int) float32 { // y, x from −pad
		return im.Image(i)[(c*h+mirror(y, h))*w+mirror(x, w)]
	}
	seen := map[[3]int]int{}
	rng := rand.New(rand.NewPCG(1, 2))
	a := dataset.Augmentation{Flip: true, Pad: pad}
	for range 2000 {
		i := rng.IntN(3)
		got := a.To(nil, im, []int{i}, rng)
		found := 0
		for flip := range 2 {
			for dy := -pad; dy <= pad; dy++ {
				for dx := -pad; dx <= pad; dx++ {
					same := true
					for c := range 2 {
						for y := range h {
							for x := range w {
								at := x
								if flip == 1 {
									at = w - 1 - x
								}
								same = same && got[(c*h+y)*w+x] == padded(i, c, y+dy, at+dx)
							}
						}
					}
					if same {
						found++
						seen[[3]int{flip, dy, dx}]++
					}
				}
			}
		}
		if found != 1 {
			t.Fatalf("%v is %d of the 50 crops and flips of image %d", got, found, i)
		}
	}
	// 2,000 draws over 50 cells: χ² with 49 degrees of freedom exceeds 104 with
	// probability 1e-5 (Wilson–Hilferty, z = 4.27).
	var chi2 float64
	for flip := range 2 {
		for dy := -pad; dy <= pad; dy++ {
			for dx := -pad; dx <= pad; dx++ {
				d := float64(seen[[3]int{flip, dy, dx}]) - 2000.0/50
				chi2 += d * d / (2000.0 / 98)
			}
		}
	}
	if chi2 > 104 {
		t.Errorf("χ² = %.1f of 50 places, want at most 104", chi2)
	}
}

func TestAugmentation(t *testing.T) {
	im := random(15, 6, 1, 4, 4, 2)
	src := func() *rand.Rand { return rand.New(rand.NewPCG(5, 6)) }
	if got := (dataset.Augmentation{}).To(nil, im, nil, nil); !slices.Equal(got, im.Pixels) {
		t.Error("the zero value changes the images")
	}
	a := dataset.Augmentation{Flip: true, Pad: 2}
	whole := a.To(nil, im, nil, src())
	dst := make([]float32, len(im.Pixels))
	if got := a.To(dst, im, []int{0, 1, 2, 3, 4, 5}, src()); !slices.Equal(got, whole) || &got[0] != &dst[0] {
		t.Error("the same draws give another result, or dst is not used")
	}
	// In two batches from one stream.
	rng := src()
	first := a.To(nil, im, []int{0, 1, 2}, rng)
	if got := append(first, a.To(nil, im, []int{3, 4, 5}, rng)...); !slices.Equal(got, whole) {
		t.Error("two batches differ from one")
	}
	for _, tt := range []struct {
		a    dataset.Augmentation
		want string
	}{
		{dataset.Augmentation{}, "none"},
		{dataset.Augmentation{Flip: true}, "flip"},
		{dataset.Augmentation{Pad: 4}, "pad 4, crop"},
		{dataset.Augmentation{Flip: true, Pad: 4}, "pad 4, crop, flip"},
	} {
		if got := tt.a.String(); got != tt.want {
			t.Errorf("String: got %q, want %q", got, tt.want)
		}
	}
	if n := testing.AllocsPerRun(20, func() { a.To(dst, im, nil, rng) }); n != 0 {
		t.Errorf("To with dst allocates %v times", n)
	}
}

func TestPreprocessMisusePanics(t *testing.T) {
	im := random(16, 2, 1, 4, 6, 3)
	w, err := dataset.FitWhitening(t.Context(), im, nil)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, tt := range []struct {
		name, want string
		call       func()
	}{
		{"norm", "dataset: the norm of an image must be positive", func() { im.NormalizeContrast(0) }},
		{"norm NaN", "dataset: the norm of an image must be positive", func() { im.NormalizeContrast(math.NaN()) }},
		{"pad", "dataset: padding of 4×6 images by 4, want 0 to 3", func() { dataset.Augmentation{Pad: 4}.To(nil, im, nil, rng) }},
		{"pad negative", "dataset: padding of 4×6 images by -1, want 0 to 3", func() { dataset.Augmentation{Pad: -1}.To(nil, im, nil, rng) }},
		{"dst", "dataset: dimension mismatch: dst has length 5, want 2 images of 24", func() { dataset.Augmentation{}.To(make([]float32, 5), im, nil, rng) }},
		{"index", "dataset: image 2 of 2", func() { dataset.Augmentation{}.To(nil, im, []int{2}, rng) }},
		{"whitening of nothing", "dataset: whitening 0 images with bias 0.1, want at least one and a positive bias", func() { dataset.FitWhitening(t.Context(), im.Subset(nil), nil) }},
		{"bias", "dataset: whitening 2 images with bias -1, want at least one and a positive bias", func() { dataset.FitWhitening(t.Context(), im, &dataset.WhiteningSettings{Bias: -1}) }},
		{"size", "dataset: dimension mismatch: images of 6 values, the whitening was fitted to 24", func() { w.Apply(t.Context(), im.MeanPool(2)) }},
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

func ExampleAugmentation_To() {
	im := &dataset.Images{N: 1, Channels: 1, Height: 1, Width: 4, Classes: 1, Pixels: []float32{1, 2, 3, 4}, Labels: []uint8{0}}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 4 {
		fmt.Println(dataset.Augmentation{Flip: true}.To(nil, im, nil, rng))
	}
	// Output:
	// [1 2 3 4]
	// [4 3 2 1]
	// [1 2 3 4]
	// [1 2 3 4]
}

func BenchmarkAugmentation(b *testing.B) {
	im := random(17, 128, 3, 32, 32, 10)
	dst := make([]float32, len(im.Pixels))
	rng := rand.New(rand.NewPCG(1, 1))
	a := dataset.Augmentation{Flip: true, Pad: 4}
	for b.Loop() {
		a.To(dst, im, nil, rng)
	}
	b.ReportMetric(128*float64(b.N)/b.Elapsed().Seconds(), "images/s")
}

// Whitening as for CIFAR, with an eighth of its values.
func BenchmarkWhitening(b *testing.B) {
	im := random(18, 2000, 3, 8, 16, 10)
	w, err := dataset.FitWhitening(b.Context(), im, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("fit", func(b *testing.B) {
		for b.Loop() {
			if _, err := dataset.FitWhitening(b.Context(), im, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Apply(b.Context(), im); err != nil {
				b.Fatal(err)
			}
		}
	})
}

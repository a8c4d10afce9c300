package figure_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/ledger/claim"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
)

var regen = flag.Bool("regen", false, "write the golden pictures of testdata instead of comparing with them")

// Two renderings count as equal if at most maxPixels pixels differ by more than maxLevel
// of 255 in a channel. On one machine they are identical. Another one may fuse a
// multiplication and an addition and so move an edge by a fraction of a pixel, which
// changes the grey of its border by a few levels; a label that moved or a curve that is
// missing changes several hundred pixels by much more.
const (
	maxLevel  = 48
	maxPixels = 60
)

// drawn is a picture with the name of its golden file.
type drawn struct {
	name string
	draw func() (*figure.Picture, error)
}

func TestGoldenPictures(t *testing.T) {
	golden(t, []drawn{
		{"spectra", func() (*figure.Picture, error) { return figure.GradientNoiseSpectra(spectrumData()) }},
		{"spectra_partial", func() (*figure.Picture, error) {
			r := spectrumData()
			for i := range r.Checkpoints[:2] {
				r.Checkpoints[i].From = r.Checkpoints[i].CutF32 / 3
			}
			return figure.GradientNoiseSpectra(r)
		}},
		{"spectra_one", func() (*figure.Picture, error) { return figure.GradientNoiseSpectra(narrowSpectrum()) }},
		{"t1", func() (*figure.Picture, error) { return figure.T1Panel(t1Data()) }},
		{"scatter", func() (*figure.Picture, error) { return figure.BatchScatter(scatterData()) }},
		{"variance", func() (*figure.Picture, error) { return figure.BatchVariance(varianceData()) }},
		{"papermap", func() (*figure.Picture, error) { return figure.PaperMap(mapData()) }},
	})
}

// golden compares pictures with their golden files, or writes these with -regen.
func golden(t *testing.T, pictures []drawn) {
	for _, tt := range pictures {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tt.draw()
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Encode("png")
			if err != nil {
				t.Fatal(err)
			}
			if again, err := p.Encode("png"); err != nil || !bytes.Equal(got, again) {
				t.Errorf("a second rendering has other bytes (err %v): drawing changed the picture", err)
			}
			if w, h := p.Size(); w <= 0 || h <= 0 || p.Name() == "" || p.Caption() == "" || p.Alt() == "" {
				t.Errorf("size %v×%v, name %q, caption %q, alt %q: none may be empty", w, h, p.Name(), p.Caption(), p.Alt())
			}
			golden := filepath.Join("testdata", tt.name+"_golden.png")
			if *regen {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v: make it with go test -run Golden -regen, and look at it", err)
			}
			compare(t, got, want)
		})
	}
}

// compare reports where got and want differ and leaves both with their difference in the
// test's artifact folder.
func compare(t *testing.T, got, want []byte) {
	t.Helper()
	g, w := decode(t, got), decode(t, want)
	if g.Bounds() != w.Bounds() {
		t.Errorf("size: got %v, want %v", g.Bounds(), w.Bounds())
		return
	}
	diff := image.NewGray(g.Bounds())
	pixels, worst := 0, 0
	for y := range g.Bounds().Dy() {
		for x := range g.Bounds().Dx() {
			level := distance(g.At(x, y), w.At(x, y))
			worst = max(worst, level)
			if level > maxLevel {
				pixels++
				diff.SetGray(x, y, color.Gray{Y: uint8(level)})
			}
		}
	}
	if pixels <= maxPixels {
		return
	}
	t.Errorf("%d pixels differ by more than %d levels (worst %d), tolerance %d pixels; see the artifacts (go test -artifacts)", pixels, maxLevel, worst, maxPixels)
	var buf bytes.Buffer
	if err := png.Encode(&buf, diff); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"got.png": got, "want.png": want, "difference.png": buf.Bytes()} {
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func distance(a, b color.Color) int {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	d := func(x, y uint32) int { return int(max(x, y)-min(x, y)) >> 8 }
	return max(d(r1, r2), d(g1, g2), d(b1, b2))
}

// spectrumData imitates small-fc: eigenvalues λmax·10^(−(i/57)^0.7), slightly different
// at the three checkpoints.
func spectrumData() figure.SpectrumFigure {
	r := figure.SpectrumFigure{Network: "tiny-fc", DataSet: "MNIST 7×7, digits 0–4", Dim: 917, Samples: 30596}
	for i, fraction := range []float64{0.2, 0.4, 1} {
		r.Checkpoints = append(r.Checkpoints, checkpoint(r.Dim, fraction, 1.1-0.05*float64(i), 57-5*float64(i), 0.7))
	}
	return r
}

// narrowSpectrum has one checkpoint, both cut-offs left of the mean and on the axis, and
// fewer samples than weights.
func narrowSpectrum() figure.SpectrumFigure {
	r := figure.SpectrumFigure{Network: "a toy", DataSet: "40 samples", Dim: 60, Samples: 40}
	c := checkpoint(60, 1, 2e-3, 12, 1)
	c.Label, c.Values, c.CutF32, c.CutF64 = "all of training", c.Values[21:], 3e-8, 5e-9
	r.Checkpoints = []figure.SpectrumCheckpoint{c}
	return r
}

func checkpoint(d int, fraction, largest, scale, power float64) figure.SpectrumCheckpoint {
	c := figure.SpectrumCheckpoint{Fraction: fraction}
	var sum, squares float64
	for i := range d {
		v := largest * math.Pow(10, -math.Pow(float64(i)/scale, power))
		c.Values = append(c.Values, v)
		sum += v
		squares += v * v
	}
	slices.Sort(c.Values)
	c.Mean = sum / float64(d)
	c.Std = math.Sqrt(squares/float64(d) - c.Mean*c.Mean)
	c.CutF32 = largest * float64(d) * 0x1p-23
	c.CutF64 = largest * float64(d) * 0x1p-52
	return c
}

// t1Data is a run of 400,000 steps on T1, measured in blocks of 1,000 steps.
func t1Data() figure.T1Figure {
	p := problem.T1()
	r := figure.NewT1Figure(p, 0.1, 1)
	rng := rand.New(rand.NewPCG(1, 1))
	x, next, g := make([]float64, 2), make([]float64, 2), make([]float64, 2)
	var blocks []float64
	r.Steps = 400_000
	for k := range r.Steps {
		if _, err := p.BatchGradTo(g, x, []int{rng.IntN(p.Samples())}); err != nil {
			panic(err)
		}
		for i := range next {
			next[i] = x[i] - 0.1*g[i]
		}
		if k%1000 == 0 {
			blocks = append(blocks, 0)
		}
		blocks[len(blocks)-1] += (x[0]*next[1] - x[1]*next[0]) / 2000
		copy(x, next)
		if k%700 == 0 {
			r.X, r.Y = append(r.X, x[0]), append(r.Y, x[1])
		}
	}
	for _, a := range blocks {
		r.AreaRate += a / float64(len(blocks))
	}
	for _, a := range blocks {
		r.AreaRateError += (a - r.AreaRate) * (a - r.AreaRate)
	}
	r.AreaRateError = math.Sqrt(r.AreaRateError) / float64(len(blocks))
	return r
}

// scatterData draws batches of 60 random gradients.
func scatterData() figure.BatchScatterFigure {
	const n = 60
	rng := rand.New(rand.NewPCG(2, 1))
	g := mat.NewDense(n, 2, nil)
	mean := make([]float64, 2)
	for k := range n {
		u, v := rng.NormFloat64(), rng.NormFloat64()
		g.SetRow(k, []float64{0.3 + u, -0.5 + 1.1*u + 0.8*v})
		mean[0] += g.At(k, 0) / n
		mean[1] += g.At(k, 1) / n
	}
	r := figure.BatchScatterFigure{
		System: "60 random samples", Gradient: mean, Diffusion: new(mat.SymDense),
		Drawn: "Batches without replacement.",
	}
	noise.DiffusionTo(r.Diffusion, g)
	for _, b := range []int{1, 4, 16} {
		cloud := figure.BatchCloud{BatchSize: b, Factor: noise.WithoutReplacement.CovarianceFactor(b, n)}
		sampler := noise.NewSampler(noise.WithoutReplacement, n, b, rand.NewPCG(3, uint64(b)))
		idx := make([]int, b)
		for range 500 {
			var x, y float64
			for _, k := range sampler.Next(idx) {
				x += g.At(k, 0) / float64(b)
				y += g.At(k, 1) / float64(b)
			}
			cloud.X, cloud.Y = append(cloud.X, x), append(cloud.Y, y)
		}
		r.Batches = append(r.Batches, cloud)
	}
	return r
}

// varianceData is for N = 6 and ‖g‖² = 0.3·tr D.
func varianceData() figure.BatchVarianceFigure {
	const n = 6.0
	r := figure.BatchVarianceFigure{System: "six random samples", Samples: n}
	for b := 1.0; b <= n; b++ {
		exact := (n - b) / (b * (n - 1))
		r.BatchSizes = append(r.BatchSizes, int(b))
		r.WithReplacement = append(r.WithReplacement, 1/b)
		r.Corrected = append(r.Corrected, exact)
		r.Printed = append(r.Printed, exact+(1-b/n)/b*2/(n-1)*0.3)
		r.Remark12 = append(r.Remark12, (1-b/n)/b)
		r.Enumerated = append(r.Enumerated, exact)
	}
	return r
}

// mapData is the map of the whole paper with invented verdicts.
func mapData() figure.MapFigure {
	verdicts := map[string]claim.Verdict{}
	for i, it := range claim.Items() {
		verdicts[it.ID] = claim.Verdict(i % 7) // 0 … 3 are verdicts
		if i%7 > int(claim.Fails) {
			verdicts[it.ID] = claim.Undecided
		}
	}
	return figure.NewMapFigure(claim.Items(), verdicts)
}

func ExampleGradientNoiseSpectra() {
	p, err := figure.GradientNoiseSpectra(figure.SpectrumFigure{
		Network: "a toy", DataSet: "two samples", Dim: 4, Samples: 2,
		Checkpoints: []figure.SpectrumCheckpoint{
			{Label: "100 % of training", Fraction: 1, Values: []float64{8}, Mean: 2, Std: 3.4641, CutF32: 3.8e-6, CutF64: 7.1e-15},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Name())
	fmt.Println(p.Alt())
	// Output:
	// a-toy-two-samples-spectrum
	// Log-log histogram of the eigenvalues of the gradient covariance of a toy on two samples: 100 % of training. For the last the largest is 8.0, the mean 2.0 and the float32 rank cut-off 3.8·10⁻⁶.
}

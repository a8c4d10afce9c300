package network_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
	"sgdlab/pkg/sgd"
)

var (
	_ sgd.Objective = (*network.Network)(nil)
	_ sgd.Objective = (*network.Training)(nil)
	_ sgd.Stateful  = (*network.Training)(nil)
)

func newTraining(t testing.TB, a network.Architecture, data *dataset.Images, dt network.DType) (*network.Training, []float64) {
	x, stats := weights(a)
	tr, err := network.NewTraining(a, data, stats, 11, &network.Settings{DType: dt})
	if err != nil {
		t.Fatal(err)
	}
	return tr, x
}

// noisy has batch norm and dropout in every place where they may stand in training: first,
// last, twice, beside each other, on maps that do not fill a vector, and on flat features.
var noisy = []network.Architecture{
	{Name: "norm-first", Channels: 3, Height: 5, Width: 7, Layers: []network.Layer{
		network.BatchNorm{}, network.Dropout{P: 0.2}, network.Conv2D{Out: 10, Kernel: 3, Pad: 1}, network.BatchNorm{}, network.BatchNorm{}, network.ReLU{}, network.ReLU{},
		network.Dropout{}, network.Conv2D{Out: 5, Kernel: 2}, network.ReLU{}, network.BatchNorm{}, network.Tanh{}, network.Flatten{}, network.BatchNorm{},
		network.Dense{Out: 13}, network.BatchNorm{}, network.ReLU{}, network.Dropout{P: 0.5}, network.Dense{Out: 4}, network.BatchNorm{},
	}},
	{Name: "pixels", Channels: 2, Height: 1, Width: 2, Layers: []network.Layer{
		network.Conv2D{Out: 3, Kernel: 1}, network.BatchNorm{}, network.ReLU{}, network.Flatten{}, network.Dense{Out: 3},
	}},
	network.SmallLeNet(0.3),
}

// A batch computed directly is that of automatic differentiation: loss, gradient and running
// statistics, with the same dropout masks, on images with the ties of a constant background
// and without. In float32 it is compared with the same oracle in float64, because automatic
// differentiation in float32 adds up a batch number by number and can lose three digits.
func TestTrainingDirectEqualsAutodiff(t *testing.T) {
	oracle := backends(t)["go"] // XLA would compile every network for seconds
	for _, a := range slices.Concat(noisy, zoo[:len(zoo)-1], []network.Architecture{smooth, network.TinyFC(), network.SmallFC()}) {
		for _, background := range []bool{false, true} {
			data := images(a, 23, background)
			idx := []int{3, 4, 5, 7, 7, 11, 0, 1, 2, 22, 21, 20, 19, 9, 8, 13, 12, 6, 10} // three chunks
			run := func(s network.Settings) (all [][]float64) {                           // losses and gradients of two batches, statistics after them
				x, stats := weights(a)
				tr, err := network.NewTraining(a, data, stats, 11, &s)
				if err != nil {
					t.Fatal(err)
				}
				g := make([]float64, tr.Dim())
				for _, n := range []int{19, 10} {
					loss, err := tr.BatchGradTo(g, x, idx[:n])
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, []float64{loss}, slices.Clone(g))
				}
				return append(all, tr.State())
			}
			want := run(network.Settings{DType: network.Float64, Autodiff: true, Backend: oracle})
			for dt, tol := range map[network.DType]float64{network.Float64: 1e-12, network.Float32: 1e-5} { // see TestPerSampleGradientsEqualALoop
				for i, got := range run(network.Settings{DType: dt}) {
					if d := maxDiff(got, want[i]); !(d <= tol) {
						what := []string{"first loss", "first gradient", "second loss", "second gradient", "state"}[i]
						t.Errorf("%s, %s, constant background %v: the %s is off by %.2g of its maximum, tolerance %.0e", a.Name, dt, background, what, d, tol)
					}
				}
			}
		}
	}
}

// A batch is the same bits whatever the number of workers, and after batches of other sizes.
func TestTrainingDoesNotDependOnWorkers(t *testing.T) {
	for _, a := range []network.Architecture{network.SmallFC(), network.SmallLeNet(0.2)} {
		var want []float64
		for _, workers := range []int{1, 2, 5} {
			x, stats := weights(a)
			tr, err := network.NewTraining(a, images(a, 40, true), stats, 11, &network.Settings{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			g, idx := make([]float64, tr.Dim()), make([]int, 37)
			for i := range idx {
				idx[i] = (7 * i) % 40
			}
			state := tr.State()
			for _, n := range []int{17, 37} {
				if err := tr.SetState(state); err != nil {
					t.Fatal(err)
				}
				if workers == 1 && n < len(idx) {
					continue
				}
				if _, err := tr.BatchGradTo(g, x, idx[:n]); err != nil {
					t.Fatal(err)
				}
			}
			got := append(slices.Clone(g), tr.State()...)
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %d workers differ from one by %.2g, want the same bits", a.Name, workers, maxDiff(got, want))
			}
		}
	}
}

func trainingLoss(t *testing.T, tr *network.Training, x []float64, idx []int) float64 {
	state := tr.State()
	loss, err := tr.BatchGradTo(make([]float64, tr.Dim()), x, idx)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.SetState(state); err != nil { // the same dropout masks again
		t.Fatal(err)
	}
	return loss
}

// The gradient goes through mean and variance of the batch and through dropout, which is the
// part that GoMLX's own batch norm leaves out.
func TestTrainingGradientAgainstFiniteDifferences(t *testing.T) {
	a := smooth
	a.Layers = append(slices.Clone(a.Layers[:9]), network.Tanh{}, network.Dropout{P: 0.4}, network.Dense{Out: 3})
	tr, x := newTraining(t, a, images(a, 6, false), network.Float64)
	idx := []int{4, 1, 0, 5}
	g := make([]float64, tr.Dim())
	state := tr.State()
	if _, err := tr.BatchGradTo(g, x, idx); err != nil {
		t.Fatal(err)
	}
	if err := tr.SetState(state); err != nil {
		t.Fatal(err)
	}
	const h = 1e-5 // see TestGradientAgainstFiniteDifferences
	for i := range x {
		xh := slices.Clone(x)
		xh[i] += h
		up := trainingLoss(t, tr, xh, idx)
		xh[i] -= 2 * h
		down := trainingLoss(t, tr, xh, idx)
		if want := (up - down) / (2 * h); math.Abs(g[i]-want) > 1e-6 {
			t.Errorf("∂f/∂x[%d] = %v, finite difference %v", i, g[i], want)
		}
	}
}

// Batch norm in training mode makes the loss blind to the bias before it and to the length
// of the weight before it.
func TestTrainingGradientBeforeBatchNorm(t *testing.T) {
	a := network.SmallFC()
	tr, x := newTraining(t, a, images(a, 16, false), network.Float64)
	g := make([]float64, tr.Dim())
	if _, err := tr.BatchGradTo(g, x, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}); err != nil {
		t.Fatal(err)
	}
	w, bias := a.Views()[0], a.Views()[1]
	for i, v := range bias.Of(g) {
		if math.Abs(v) > 1e-15 { // a sum of 9 terms of order 0.1 that cancel
			t.Errorf("∂f/∂bias[%d] = %v, want 0", i, v)
		}
	}
	for unit := range 64 {
		row := func(x []float64) []float64 { return w.Of(x)[unit*49 : (unit+1)*49] }
		dot, norm := 0.0, 0.0
		for i, v := range row(x) {
			dot += v * row(g)[i]
			norm += math.Abs(v * row(g)[i])
		}
		// Exactly ε/(σ²+ε) of the radial derivative is left, ε = 1e-5: below 1e-3 of the terms.
		if math.Abs(dot) > 1e-3*norm {
			t.Errorf("unit %d: w·∂f/∂w = %v of terms %v, want 0 but for ε", unit, dot, norm)
		}
	}
}

func TestRunningStatistics(t *testing.T) {
	a := network.Architecture{Name: "norm", Channels: 1, Height: 1, Width: 2, Layers: []network.Layer{network.Flatten{}, network.BatchNorm{}}}
	data := images(a, 5, false)
	x, stats := a.Init(rand.NewPCG(0, 0))
	tr, err := network.NewTraining(a, data, stats, 0, &network.Settings{DType: network.Float64})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.BatchGradTo(make([]float64, 4), x, []int{0, 2, 3}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		mean, variance := 0.0, 0.0
		for _, k := range []int{0, 2, 3} {
			mean += float64(data.Image(k)[i]) / 3
		}
		for _, k := range []int{0, 2, 3} {
			variance += math.Pow(float64(data.Image(k)[i])-mean, 2) / 2 // unbiased
		}
		got := tr.Stats()
		if want := 0.1 * mean; math.Abs(got[i]-want) > 1e-15 {
			t.Errorf("running mean %d = %v, want %v", i, got[i], want)
		}
		if want := 0.9 + 0.1*variance; math.Abs(got[2+i]-want) > 1e-15 {
			t.Errorf("running variance %d = %v, want %v", i, got[2+i], want)
		}
	}
}

// E21: with batch norm in training mode the mean of the batch gradients over all batches is
// not the gradient of the full batch; with frozen statistics it is, exactly.
func TestTrainingGradientIsNotAFiniteSum(t *testing.T) {
	a := network.TinyFC()
	data := images(a, 6, false)
	tr, x := newTraining(t, a, data, network.Float64)
	n, err := network.New(a, data, tr.Stats(), &network.Settings{DType: network.Float64})
	if err != nil {
		t.Fatal(err)
	}
	d := a.Dim()
	meanTraining, meanFrozen := make([]float64, d), make([]float64, d)
	batches := 0.0
	for m := range 1 << 6 {
		var idx []int
		for k := range 6 {
			if m>>k&1 == 1 {
				idx = append(idx, k)
			}
		}
		if len(idx) != 3 {
			continue
		}
		batches++
		for mean, obj := range map[*[]float64]sgd.Objective{&meanTraining: tr, &meanFrozen: n} {
			g := make([]float64, d)
			if _, err := obj.BatchGradTo(g, x, idx); err != nil {
				t.Fatal(err)
			}
			for i, v := range g {
				(*mean)[i] += v
			}
		}
	}
	full := func(obj sgd.Objective) []float64 {
		g := make([]float64, d)
		if _, err := obj.BatchGradTo(g, x, []int{0, 1, 2, 3, 4, 5}); err != nil {
			t.Fatal(err)
		}
		return g
	}
	for i := range d {
		meanTraining[i] /= batches
		meanFrozen[i] /= batches
	}
	if e := maxDiff(meanFrozen, full(n)); e > 1e-13 { // round-off of 20 terms
		t.Errorf("frozen statistics: mean over all batches of 3 is off the full gradient by %.2g of its maximum", e)
	}
	if e := maxDiff(meanTraining, full(tr)); e < 0.1 {
		t.Errorf("training mode: mean over all batches of 3 is within %.2g of the full gradient, expected to differ by more than a tenth (E21)", e)
	}
}

func TestStateRestoresTheRun(t *testing.T) {
	a := network.TinyFC()
	a.Layers = append(slices.Clone(a.Layers[:4]), network.Dropout{P: 0.5}, network.Dense{Out: 5})
	data := images(a, 32, false)
	one, x := newTraining(t, a, data, network.Float32)
	run := func(tr *network.Training, steps int) []float64 {
		g := make([]float64, tr.Dim())
		for s := range steps {
			if _, err := tr.BatchGradTo(g, x, []int{s, s + 3, s + 9}); err != nil {
				t.Fatal(err)
			}
		}
		return g
	}
	run(one, 4)
	state := one.State()
	want := run(one, 2)
	two, _ := newTraining(t, a, data, network.Float32)
	if err := two.SetState(state); err != nil {
		t.Fatal(err)
	}
	if got := run(two, 2); !slices.Equal(got, want) || !slices.Equal(one.State(), two.State()) {
		t.Error("a run from the restored state differs from the run that went on")
	}
	for _, bad := range [][]float64{nil, state[:3], append(slices.Clone(state[:len(state)-1]), -1), append(slices.Clone(state[:len(state)-1]), 0.5)} {
		if err := two.SetState(bad); err == nil {
			t.Errorf("SetState accepted %d numbers ending in %v", len(bad), bad)
		}
	}
}

func TestBadInput(t *testing.T) {
	a := network.TinyFC()
	good := images(a, 4, false)
	x, stats := weights(a)
	n, err := network.New(a, good, stats, nil)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*dataset.Images)) error {
		im := *good
		im.Pixels, im.Labels = slices.Clone(good.Pixels), slices.Clone(good.Labels)
		change(&im)
		_, err := network.New(a, &im, stats, nil)
		return err
	}
	nan := slices.Clone(x)
	nan[900] = math.NaN()
	tr, _ := newTraining(t, a, good, network.Float32)
	grad := func(x []float64, idx ...int) error {
		_, err := tr.BatchGradTo(make([]float64, 917), x, idx)
		return err
	}
	_, short := network.New(a, good, stats[:3], nil)
	_, none := network.New(a, nil, stats, nil)
	_, lossNaN := n.Loss(ctx, nan, nil)
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"label out of range", with(func(im *dataset.Images) { im.Labels[2] = 7 }), "sample 2 has the label 7, but tiny-fc has the classes 0–4"},
		{"NaN pixel", with(func(im *dataset.Images) { im.Pixels[60] = float32(math.NaN()) }), "sample 1 has the pixel value NaN"},
		{"infinite pixel", with(func(im *dataset.Images) { im.Pixels[0] = float32(math.Inf(1)) }), "sample 0 has the pixel value +Inf"},
		{"wrong shape", with(func(im *dataset.Images) { im.Height = 8 }), "takes images of 1×7×7"},
		{"wrong count", with(func(im *dataset.Images) { im.Labels = im.Labels[:3] }), "3 labels"},
		{"no data", none, "there are no images"},
		{"short statistics", short, "has 32 batch-norm statistics, got 3"},
		{"NaN weight", lossNaN, "weight 900 (5 dense 5 weight, entry 68) is NaN"},
		{"NaN weight in training", grad(nan, 0, 1), "weight 900"},
		{"batch of one", grad(x, 0), "layer 3 (batch norm) cannot normalise a batch of one"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || strings.Contains(c.err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", c.name, c.err, c.want)
		}
	}
	for name, f := range map[string]func(){
		"x too short":         func() { _, _ = n.Loss(ctx, x[:5], nil) },
		"dst too long":        func() { _, _ = n.GradTo(ctx, make([]float64, 918), x) },
		"index out of range":  func() { _, _ = n.BatchGradTo(make([]float64, 917), x, []int{4}) },
		"empty batch":         func() { _, _ = n.BatchGradTo(make([]float64, 917), x, []int{}) },
		"no random source":    func() { a.Init(nil) },
		"invalid arch in Dim": func() { network.Architecture{}.Dim() },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

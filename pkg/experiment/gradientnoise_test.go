package experiment_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/experiment"
	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/spectrum"
)

// small are settings that take a second: 1,200 images, two epochs.
func small(t *testing.T) experiment.GradientNoiseSettings {
	t.Helper()
	s := experiment.Fig1bQuick()
	s.Leading = 0
	s.Samples, s.Training.Epochs, s.Fractions = 1200, 2, []float64{0.5, 1}
	s.Training.LearningRate = sgd.Annealed(0.1, 0.2, 1)
	return s
}

func mustNoise(t *testing.T, s experiment.GradientNoiseSettings) *experiment.GradientNoiseResult {
	t.Helper()
	r, err := experiment.GradientNoise(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The experiment against its parts, put together by hand: training by a plain loop, the
// covariance from its definition, eigenvalues by gonum.
func TestGradientNoiseDirectly(t *testing.T) {
	s := small(t)
	got := mustNoise(t, s)

	train, test, err := dataset.MNIST7()
	if err != nil {
		t.Fatal(err)
	}
	train, test = train.Digits(0, 1, 2, 3, 4), test.Digits(0, 1, 2, 3, 4)
	first := make([]int, s.Samples)
	for i := range first {
		first[i] = i
	}
	train = train.Subset(first)
	arch := network.TinyFC()
	x, stats := arch.Init(rand.NewPCG(42, 0))
	training, err := network.NewTraining(arch, train, stats, 42, nil)
	if err != nil {
		t.Fatal(err)
	}
	sampler := noise.NewSampler(noise.Reshuffled, s.Samples, 128, rand.NewPCG(42, 1))
	g, v := make([]float64, arch.Dim()), make([]float64, arch.Dim())
	for epoch, eta := range []float64{0.1, 0.1 * s.Training.LearningRate.At(1) / 0.1} {
		for range 9 { // ⌊1200/128⌋
			if _, err := training.BatchGradTo(g, x, sampler.Next(nil)); err != nil {
				t.Fatal(err)
			}
			for i := range x {
				v[i] = 0.9*v[i] + g[i]
				x[i] -= eta * (g[i] + 0.9*v[i])
			}
		}
		c := got.Numbers.Checkpoints[epoch]
		name := fmt.Sprintf(" after epoch %d", epoch+1)
		n, err := network.New(arch, train, training.Stats(), nil)
		if err != nil {
			t.Fatal(err)
		}
		rows := mat.NewDense(s.Samples, arch.Dim(), nil)
		next := 0
		err = n.PerSampleGradients(context.Background(), x, nil, func(b problem.Block) error {
			for i := range b.Rows() {
				b.RowTo(rows.RawRowView(next), i)
				next++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var d mat.SymDense
		noise.DiffusionTo(&d, rows)
		var eig mat.EigenSym
		if !eig.Factorize(&d, false) {
			t.Fatal("no eigenvalues")
		}
		values := eig.Values(nil)
		largest := values[len(values)-1]
		// D in float32 products, values rounded to seven digits; the chain's round-off in
		// the order of the update is far below. Residual bounds the former.
		numtest.CloseSlice(t, "eigenvalues"+name, c.Spectrum.Values, values, c.Spectrum.Residual+1e-6*largest)
		numtest.Close(t, "mean"+name, c.Spectrum.Mean, mat.Trace(&d)/917, 1e-6*largest)
		numtest.Close(t, "cut-off"+name, c.CutF32, largest*917*0x1p-23, 1e-6*largest)
		above := 0
		for _, lambda := range values {
			if lambda > 1e-2*largest {
				above++
			}
		}
		if c.Above[0].Relative != 1e-2 || c.Above[0].Count.Lower > above || c.Above[0].Count.Upper < above {
			t.Errorf("above 1 %%%s: got %v, want %d", name, c.Above[0], above)
		}
		full := make([]float64, arch.Dim())
		loss, err := n.GradTo(context.Background(), full, x)
		if err != nil {
			t.Fatal(err)
		}
		// Float32 means over 1200 samples.
		numtest.Close(t, "loss"+name, c.TrainLoss, loss, 1e-6)
		numtest.Close(t, "‖∇f‖"+name, c.GradientNorm, mat.Norm(mat.NewVecDense(917, full), 2), 1e-6)
		on, err := network.New(arch, test, training.Stats(), nil)
		if err != nil {
			t.Fatal(err)
		}
		accuracy, err := on.Accuracy(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		// One image may sit on the border between two classes.
		numtest.Close(t, "test accuracy"+name, c.TestAccuracy, accuracy, 1.01/float64(test.N))
		if c.Epoch != epoch+1 || c.Step != 9*(epoch+1) || c.LearningRate != s.Training.LearningRate.At(epoch) {
			t.Errorf("got epoch %d, step %d, learning rate %v", c.Epoch, c.Step, c.LearningRate)
		}
	}
	n := got.Numbers
	if n.Dim != 917 || n.Samples != 1200 || n.TestSamples != 5139 || len(n.Losses) != 2 || n.Network != "tiny-fc" || got.Name != "gradientnoise-tiny-fc" {
		t.Errorf("got %+v", n)
	}
	if _, ok := n.Checkpoint(0.5); !ok {
		t.Error("no checkpoint at 0.5")
	}
	if _, ok := n.Checkpoint(0.7); ok {
		t.Error("a checkpoint at 0.7")
	}
}

// An experiment that is stopped in each of its stages goes on from its folder and ends with
// the same numbers; the file of its result gives them back.
func TestGradientNoiseResumes(t *testing.T) {
	s := small(t)
	s.Samples = 500 // 3 steps an epoch
	want := mustNoise(t, s)
	path := filepath.Join(t.TempDir(), "result.json")
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := experiment.Load[experiment.GradientNoiseSettings, experiment.GradientNoiseNumbers](path)
	if err != nil || !reflect.DeepEqual(back.Numbers, want.Numbers) {
		t.Errorf("round trip: got %+v, %v, want %+v", back, err, want)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 1<<20 {
		t.Errorf("the file has %d bytes, %v, want less than 1 MiB", info.Size(), err)
	}

	s.Folder = t.TempDir()
	s.Training.Checkpoint.Every = 1 // after every step
	for i, stop := range []int{2, 4, 6, 9, 12, 1 << 40} {
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		s.Training.RecordEvery = 1
		s.Training.Record = func(sgd.Step) error {
			if calls++; calls == stop {
				cancel()
			}
			return nil
		}
		s.Progress = func(stage string, done, total int) {
			if calls++; calls >= stop {
				cancel()
			}
		}
		got, err := experiment.GradientNoise(ctx, s)
		cancel()
		if i == 0 && !errors.Is(err, context.Canceled) {
			t.Errorf("stop after %d calls: got %v, want a canceled context", stop, err)
		}
		if stop == 1<<40 {
			if err != nil || !reflect.DeepEqual(got.Numbers, want.Numbers) {
				t.Errorf("resumed: got %+v, %v, want %+v", got, err, want)
			}
		}
	}
	s.Training.Seed++
	if _, err := experiment.GradientNoise(context.Background(), s); err == nil || !strings.Contains(err.Error(), `its seed is "42", this run's "43"`) {
		t.Errorf("another seed: got %v", err)
	}
}

func TestGradientNoiseBadSettings(t *testing.T) {
	for want, change := range map[string]func(*experiment.GradientNoiseSettings){
		`no network "big-fc"`:                        func(s *experiment.GradientNoiseSettings) { s.Network = "big-fc" },
		`no figure "3"`:                              func(s *experiment.GradientNoiseSettings) { s.Figure = "3" },
		`no images "imagenet"`:                       func(s *experiment.GradientNoiseSettings) { s.Images.Set = "imagenet" },
		"-1 of 30596 samples":                        func(s *experiment.GradientNoiseSettings) { s.Samples = -1 },
		"30597 of 30596 samples":                     func(s *experiment.GradientNoiseSettings) { s.Samples = 30597 },
		"0 epochs":                                   func(s *experiment.GradientNoiseSettings) { s.Training.Epochs = 0 },
		"not Training.Steps":                         func(s *experiment.GradientNoiseSettings) { s.Training.Steps = 3 },
		"set Folder":                                 func(s *experiment.GradientNoiseSettings) { s.Training.Checkpoint.Path = "x" },
		"the last must be 1":                         func(s *experiment.GradientNoiseSettings) { s.Fractions = []float64{0.5} },
		"are the epochs [1 1 2]: they must increase": func(s *experiment.GradientNoiseSettings) { s.Fractions = []float64{0.4, 0.6, 1} },
		"are the epochs [0 2]: they must increase":   func(s *experiment.GradientNoiseSettings) { s.Fractions = []float64{0.1, 1} },
		"batch size 0":                               func(s *experiment.GradientNoiseSettings) { s.Training.BatchSize = 0 },
		"batch size 1201 exceeds":                    func(s *experiment.GradientNoiseSettings) { s.Training.BatchSize = 1201 },
		"no folder for the checkpoint":               func(s *experiment.GradientNoiseSettings) { s.Folder = "no/such/folder" },
		"diverged at step ":                          func(s *experiment.GradientNoiseSettings) { s.Training.LearningRate = sgd.Constant(1e30) },
	} {
		s := small(t)
		s.Progress = func(string, int, int) {}
		change(&s)
		_, err := experiment.GradientNoise(context.Background(), s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The comparison of two checkpoints against the dense matrices and their eigenvectors.
func TestGradientNoiseOverlaps(t *testing.T) {
	s := small(t)
	s.Folder, s.Leading = t.TempDir(), 3
	r := mustNoise(t, s)
	if len(r.Numbers.Overlaps) != 1 {
		t.Fatalf("got %d overlaps of two checkpoints, want 1", len(r.Numbers.Overlaps))
	}
	o := r.Numbers.Overlaps[0]
	train, _, err := dataset.MNIST7()
	if err != nil {
		t.Fatal(err)
	}
	first := make([]int, s.Samples)
	for i := range first {
		first[i] = i
	}
	train = train.Digits(0, 1, 2, 3, 4).Subset(first)
	var d [2]mat.SymDense
	var lead [2]*mat.Dense
	for i, epochs := range []int{1, 2} {
		x, stats := network.TinyFC().Init(rand.NewPCG(42, 0))
		training, err := network.NewTraining(network.TinyFC(), train, stats, 42, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := s.Training
		s.Epochs = epochs
		run, err := sgd.Run(context.Background(), training, x, s)
		if err != nil {
			t.Fatal(err)
		}
		n, err := network.New(network.TinyFC(), train, training.Stats(), nil)
		if err != nil {
			t.Fatal(err)
		}
		cov, err := noise.NewCovariance(context.Background(), n, run.X, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := cov.DenseTo(context.Background(), &d[i]); err != nil {
			t.Fatal(err)
		}
		var eig mat.EigenSym
		eig.Factorize(&d[i], true)
		var vectors mat.Dense
		eig.VectorsTo(&vectors)
		lead[i] = mat.DenseCopyOf(vectors.Slice(0, 917, 914, 917))
	}
	var product mat.Dense
	product.Mul(&d[0], &d[1])
	norms := mat.Norm(&d[0], 2) * mat.Norm(&d[1], 2)
	// Numbers are rounded to five digits, angles to four.
	numtest.Close(t, "cosine", o.Cosine, mat.Trace(&product)/norms, 2e-5)
	numtest.Close(t, "chance", o.Chance, mat.Trace(&d[0])*mat.Trace(&d[1])/917/norms, 2e-5)
	var c mat.Dense
	c.Mul(lead[0].T(), lead[1])
	var svd mat.SVD
	svd.Factorize(&c, mat.SVDNone)
	for i, cos := range svd.Values(nil) {
		numtest.Close(t, fmt.Sprintf("cos of angle %d", i), math.Cos(o.Angles[i]), cos, 2e-4)
	}
	if o.From != 0.5 || o.To != 1 {
		t.Errorf("of %v and %v, want 0.5 and 1", o.From, o.To)
	}
}

// With EarlyTop the first checkpoint has the largest eigenvalues of the full one, within its
// bounds, and the last one is the same.
func TestGradientNoiseEarlyTop(t *testing.T) {
	s := small(t)
	want := mustNoise(t, s).Numbers.Checkpoints
	s.EarlyTop = 20
	got := mustNoise(t, s).Numbers.Checkpoints
	if !reflect.DeepEqual(got[1], want[1]) {
		t.Errorf("the end: got %+v, want %+v", got[1], want[1])
	}
	early, full := got[0].Spectrum, want[0].Spectrum
	if early.Method != spectrum.Lanczos || len(early.Values) < 20 || early.Rest != 917-len(early.Values)-early.Zeros {
		t.Fatalf("%v with %d values, %d zeros and %d others", early.Method, len(early.Values), early.Zeros, early.Rest)
	}
	all := full.Values[len(full.Values)-len(early.Values):]
	numtest.CloseSlice(t, "largest eigenvalues", early.Values, all, early.Residual+full.Residual+1e-6*full.Max())
	if r, w := early.RankF32, full.RankF32; r.Lower > w.Upper || r.Upper < w.Lower {
		t.Errorf("float32 rank %v, all eigenvalues give %v", r, w)
	}
	if next := full.Values[len(full.Values)-len(early.Values)-1]; next > early.RestMax+full.Residual {
		t.Errorf("the next eigenvalue %v exceeds RestMax %v", next, early.RestMax)
	}
}

package experiment

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/figure"
	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/sgd"
)

func fig3Digits(t *testing.T, n int) *dataset.Images {
	t.Helper()
	train, _, err := dataset.MNIST7()
	if err != nil {
		t.Fatal(err)
	}
	return first(train.Digits(0, 1, 2, 3, 4), n)
}

// The Hessian and D against those of another engine.
func TestQuadraticAgainstNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: 1,834 gradients take a second")
	}
	ctx := context.Background()
	data := fig3Digits(t, 300)
	x, stats := network.TinyFC().Init(rand.NewPCG(5, 1))
	training, err := network.NewTinyChain(data, stats, nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := sgd.Run(ctx, training, x, sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 50, Epochs: 100, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	x, stats = run.X, training.Stats()
	q, err := newQuadratic(ctx, data, stats, x, [][]float64{x}, 50, nil)
	if err != nil {
		t.Fatal(err)
	}
	net, err := network.New(network.TinyFC(), data, stats, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Entries of H by differences of the gradients of another engine, over the same step. Products
	// by automatic differentiation would differ: they leave out what ReLUs that switch add to
	// the curvature of the mean.
	d := len(x)
	up, down := make([]float64, d), make([]float64, d)
	at := append([]float64(nil), x...)
	some := []int{3, 400, 785, 801, 820, 850, 915} // two of W₁, of b₁, γ, β, W₂, b₂
	block := mat.NewDense(len(some), len(some), nil)
	for c, j := range some {
		at[j] = x[j] + 1./128
		if _, err := net.GradTo(ctx, up, at); err != nil {
			t.Fatal(err)
		}
		at[j] = x[j] - 1./128
		if _, err := net.GradTo(ctx, down, at); err != nil {
			t.Fatal(err)
		}
		at[j] = x[j]
		for r, i := range some {
			block.Set(r, c, (up[i]-down[i])*64)
		}
	}
	for r, i := range some {
		for c, j := range some {
			var got float64
			for m, l := range q.curvature {
				got += q.modes.At(i, m) * l * q.modes.At(j, m)
			}
			// Gradients of size one in float32 on both sides: 64·10⁻⁶.
			numtest.Close(t, "Hᵢⱼ", got, (block.At(r, c)+block.At(c, r))/2, 1e-4)
		}
	}
	cov, err := noise.NewCovariance(ctx, net, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	var dense mat.SymDense
	if err := cov.DenseTo(ctx, &dense); err != nil {
		t.Fatal(err)
	}
	var rotated mat.Dense
	rotated.Mul(&dense, q.modes)
	rotated.Mul(q.modes.T(), &rotated)
	for i := range 5 {
		for j := range 5 {
			numtest.Close(t, "VᵀDV", q.rotated.At(i, j)*299/300, rotated.At(i, j), 1e-4*mat.Trace(&dense)) // float32 gradients
		}
	}
	law := chainLaw{LearningRate: 1e-3, BatchSize: 50, Samples: 300}
	var hd mat.Dense
	h := mat.NewDense(d, d, nil)
	for j, l := range q.curvature {
		for i := range d {
			h.Set(i, j, l*q.modes.At(i, j))
		}
	}
	h.Mul(h, q.modes.T())
	hd.Mul(h, &dense)
	numtest.Close(t, "β⁻¹tr(D∇²f)", q.plateau(law)/(1e-3/100*mat.Trace(&hd)*300/299), 1, 1e-3)
	chain, _ := q.gradientSquared(law, 1<<40)
	if !(chain > 0.8*q.plateau(law) && chain < 1.2*q.plateau(law)) { // a small learning rate, and few modes that are negative
		t.Errorf("𝔼‖∇f‖² of the chain is %.3g, that of the equation %.3g: they should be near", chain, q.plateau(law))
	}
	numtest.Close(t, "‖∇f‖", q.steepness, gradientNorm(t, net, x), 1e-4)
}

func gradientNorm(t *testing.T, net *network.Network, x []float64) float64 {
	t.Helper()
	g := make([]float64, len(x))
	if _, err := net.GradTo(context.Background(), g, x); err != nil {
		t.Fatal(err)
	}
	return mat.Norm(mat.NewVecDense(len(g), g), 2)
}

// Two short chains from recording to figures.
func TestFig3(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: two Hessians take seconds")
	}
	ctx := context.Background()
	s := Fig3Quick()
	for i := range s.Chains {
		c := &s.Chains[i]
		c.Training.Epochs, c.Training.BatchSize, c.Samples, c.BurnIn = 400, 20, 100, 30
	}
	s.Modes, s.Flips, s.Surrogates, s.Folder = 3, 99, 19, t.TempDir()
	stages := map[string]bool{}
	s.Progress = func(stage string, done, total int) { stages[stage] = true }
	r, err := Fig3(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Numbers.Runs) != 2 || r.Numbers.Dim != 917 || len(stages) < 4 {
		t.Fatalf("%d runs of %d weights, stages %v", len(r.Numbers.Runs), r.Numbers.Dim, stages)
	}
	path := filepath.Join(s.Folder, "fig3.json")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := LoadFig3(path)
	if err != nil || !reflect.DeepEqual(back.Numbers, r.Numbers) {
		t.Errorf("what was saved is not what is read: %v", err)
	}
	for _, a := range r.Numbers.Runs {
		if a.Epochs != 400 || len(a.Rotation.Pairs) != 3 || a.Gradients.Squared.Value <= 0 || a.Stationary.Scale < 0.9 || a.Spectrum.Effective < 1 {
			t.Errorf("%s: %+v", a.Chain.Name(), a)
		}
		for name, draw := range map[string]func() (*figure.Picture, error){
			"3a":    func() (*figure.Picture, error) { return figure.IncrementSpectrum(a.IncrementFigure(true)) },
			"3b":    func() (*figure.Picture, error) { return figure.WeightCorrelation(a.CorrelationFigure(true)) },
			"3c":    func() (*figure.Picture, error) { return figure.GradientNorm(a.GradientFigure(true, 917)) },
			"areas": func() (*figure.Picture, error) { return figure.AreaRates(a.AreaFigure()) },
		} {
			if _, err := draw(); err != nil {
				t.Errorf("%s of %s: %v", name, a.Chain.Name(), err)
			}
		}
	}
	if _, err := figure.Survey(r.Numbers.SurveyFigure()); err != nil {
		t.Error(err)
	}
	if n := len(r.Numbers.StationaryTable()) + len(r.Numbers.GradientTable()) + len(r.Numbers.RotationTable()); n != 6 {
		t.Errorf("%d rows of tables, want 6", n)
	}
	if rows := r.Numbers.SurveyTable(); len(rows) != 2 || rows[0].Run != r.Numbers.Runs[0].Chain.Label() || rows[1].BeyondLinear != r.Numbers.Runs[1].Answers.BeyondLinear.String() {
		t.Errorf("got %+v", rows)
	}
	shorter := r.Numbers
	shorter.Runs = slices.Clone(r.Numbers.Runs)
	shorter.Runs[0].Epochs--
	if got := shorter.Longest().Runs; len(got) != 1 || !reflect.DeepEqual(got[0], r.Numbers.Runs[1]) {
		t.Errorf("the longest are %+v", got)
	}
	paper, ok := r.Numbers.Paper()
	if theory, also := r.Numbers.Theory(); !ok || !also || paper.Chain.Frozen || !theory.Chain.Frozen {
		t.Error("the paper's run and that of the theory were not found")
	}

	// What is recorded is taken as it is, and an analysis is not made twice.
	s.Recorded = true
	s.Chains = append(s.Chains, Fig3Full().Chains[5])
	again, err := Fig3(ctx, s)
	if err != nil || !reflect.DeepEqual(again.Numbers, r.Numbers) {
		t.Errorf("a second analysis differs: %v", err)
	}
	s.Folder = t.TempDir()
	if _, err := Fig3(ctx, s); err == nil || !strings.Contains(err.Error(), "record them first") {
		t.Errorf("nothing recorded: got %v", err)
	}
	s.Modes = 1
	if _, err := Fig3(ctx, s); err == nil || !strings.Contains(err.Error(), "Fig3Quick") {
		t.Errorf("one mode: got %v", err)
	}
}

func TestGradientBins(t *testing.T) {
	squared := make([]float64, 1000)
	for k := range squared {
		squared[k] = 4
	}
	epoch, norm := gradientBins(squared, 1)
	if epoch[0] != 1 || len(epoch) != len(norm) || epoch[len(epoch)-1] > 1000 {
		t.Errorf("bins %v", epoch)
	}
	for i := range norm {
		numtest.Close(t, "norm", norm[i], 2, 0)
	}
}

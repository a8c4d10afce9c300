package trajectory_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/trajectory"
)

// quadratic returns a chain with the given curvatures and the D of T1.
func quadratic(l []float64) trajectory.ChainSettings {
	return trajectory.ChainSettings{
		Hessian: mat.NewDiagDense(2, l), Diffusion: mat.NewSymDense(2, []float64{1, 1.8, 1.8, 9}),
		LearningRate: 0.1, BatchSize: 1, Samples: 4, StepsPerEpoch: 1,
	}
}

// ou samples n values of an Ornstein–Uhlenbeck process at stationarity, exactly.
func ou(p *problem.OrnsteinUhlenbeck, dt float64, n int, src rand.Source) [][]float64 {
	var e mat.Dense
	e.Scale(-dt, p.Relaxation())
	e.Exp(&e)
	step := p.CovarianceAt(dt, nil)
	var cs, c0 mat.Cholesky
	if !cs.Factorize(step) || !c0.Factorize(p.Covariance()) {
		panic("not positive definite")
	}
	var ls, l0 mat.TriDense
	cs.LTo(&ls)
	c0.LTo(&l0)
	r := rand.New(src)
	x := [2]float64{}
	out := [][]float64{make([]float64, n), make([]float64, n)}
	for k := range n {
		a, b := r.NormFloat64(), r.NormFloat64()
		if k == 0 {
			x = [2]float64{l0.At(0, 0) * a, l0.At(1, 0)*a + l0.At(1, 1)*b}
		} else {
			x = [2]float64{
				e.At(0, 0)*x[0] + e.At(0, 1)*x[1] + ls.At(0, 0)*a,
				e.At(1, 0)*x[0] + e.At(1, 1)*x[1] + ls.At(1, 0)*a + ls.At(1, 1)*b,
			}
		}
		out[0][k], out[1][k] = x[0], x[1]
	}
	return out
}

// SGD on T1: the area rate −0.00486486 per step, by the chain itself and by the class that
// knows its law. statements.md §6.4 [m17].
func TestT1(t *testing.T) {
	const eta, steps, block = 0.1, 400_000, 500 // the slow mode forgets in 10 steps
	x := [][]float64{make([]float64, 0, steps), make([]float64, 0, steps)}
	_, err := sgd.Run(context.Background(), problem.T1(), []float64{0, 0}, sgd.Settings{
		LearningRate: sgd.Constant(eta), BatchSize: 1, Steps: steps + 1000, Seed: 4, RecordEvery: 1,
		Record: func(s sgd.Step) error {
			if s.Step > 1000 {
				x[0], x[1] = append(x[0], s.X[0]), append(x[1], s.X[1])
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = -0.00486486 // statements.md §14
	got, err := trajectory.AreaRate(x[0], x[1], block)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("T1: area rate %.6f ± %.6f per step, want %.8f", got.Value, got.Error, want)
	// Student with 799 degrees of freedom beyond 5: 7e-7.
	if math.Abs(got.Z(want)) > 5 || got.Error > 0.03*math.Abs(want) {
		t.Errorf("area rate %.6f ± %.6f, want %.8f", got.Value, got.Error, want)
	}
	test, err := trajectory.SignFlip(x[0], x[1], block, 999, rand.NewPCG(1, 0))
	if err != nil || test.P != 0.001 {
		t.Errorf("sign flips: p = %v, %v; want 0.001, the smallest", test.P, err)
	}
	c := trajectory.LagCovariance(x, 3)
	exact := problem.T1().LagCovariance(eta, 1, 3)
	for i := range 2 {
		for j := range 2 {
			// Relative errors of covariances over 400,000 steps with memory 20: √(2·20/400000) = 1 %; 5 of them.
			numtest.Close(t, "C(3)", c.At(i, j), exact.At(i, j), 0.05*math.Sqrt(exact.At(0, 0)*exact.At(1, 1)))
		}
	}

	// ⟨x·∇f⟩ = (η/2)⟨‖∇f_b‖²⟩: both 0.5820433437 on T1. statements.md §6.3 [m20].
	chain, err := trajectory.NewLinearChain(quadratic([]float64{1, 3}))
	if err != nil {
		t.Fatal(err)
	}
	s := chain.Covariance()
	var hs, hsh mat.Dense
	h, d := problem.T1().Hessian(), problem.T1().Diffusion()
	hs.Mul(h, s)
	hsh.Mul(&hs, h)
	numtest.Close(t, "⟨x·∇f⟩", mat.Trace(&hs), 0.5820433437, 1e-10)
	numtest.Close(t, "(η/2)⟨‖∇f_b‖²⟩", eta/2*(mat.Trace(&hsh)+mat.Trace(d)), 0.5820433437, 1e-10)
	balance := make([]float64, steps-1)
	f := problem.T1()
	for k := range balance {
		at := []float64{x[0][k], x[1][k]}
		g := f.GradTo(nil, at)
		// ∇f_b from the step: x(k+1) = x(k) − η∇f_b.
		b0, b1 := (at[0]-x[0][k+1])/eta, (at[1]-x[1][k+1])/eta
		balance[k] = at[0]*g[0] + at[1]*g[1] - eta/2*(b0*b0+b1*b1)
	}
	if e, p, err := trajectory.ZeroMean(balance, block); err != nil || p < 1e-6 || e.Error > 0.02 {
		t.Errorf("balance %+v, p = %v, %v", e, p, err)
	}
}

// REF at β = 2, sampled every 0.02: area rate −.2162 per unit time and its standard error
// .2215/√T. statements.md §6.4 [m12].
func TestREF(t *testing.T) {
	p := problem.REF().AtBeta(2)
	const dt, n, block = 0.02, 500_000, 500 // ten correlation times
	x := ou(p, dt, n, rand.NewPCG(8, 0))
	got, err := trajectory.AreaRate(x[0], x[1], block)
	if err != nil {
		t.Fatal(err)
	}
	c := p.LagCovariance(dt)
	want := (c.At(1, 0) - c.At(0, 1)) / 2
	numtest.Close(t, "exact rate at Δ = .02", want/dt, -.2162, 5e-5) // the printed digits
	t.Logf("REF: %.4f ± %.4f per unit time, want %.4f ± %.4f", got.Value/dt, got.Error/dt, want/dt, .2215/math.Sqrt(n*dt))
	if math.Abs(got.Z(want)) > 5 {
		t.Errorf("area rate %.4f ± %.4f, want %.4f", got.Value/dt, got.Error/dt, want/dt)
	}
	// A standard deviation of 1000 values has the relative error 2.2 %; 5 of them, and the
	// dependence of neighbouring blocks, about 1/10.
	numtest.Close(t, "standard error/exact", got.Error/dt/(.2215/math.Sqrt(n*dt)), 1, 0.21)
}

// Exact properties of a block test: reversal in time and exchange of the columns change the
// sign of every area. statements.md §13.15.
func TestSymmetries(t *testing.T) {
	const block, blocks = 7, 40
	u, v := trajectory.White(block*blocks+1, rand.NewPCG(1, 5)), trajectory.White(block*blocks+1, rand.NewPCG(1, 6))
	of := func(u, v []float64) trajectory.Test {
		r, err := trajectory.SignFlip(u, v, block, 99, rand.NewPCG(2, 0))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	back := func(x []float64) []float64 {
		out := make([]float64, len(x))
		for k, v := range x {
			out[len(x)-1-k] = v
		}
		return out
	}
	a := of(u, v)
	numtest.Close(t, "reversed", of(back(u), back(v)).Area.Value, -a.Area.Value, 1e-12)
	numtest.Close(t, "exchanged", of(v, u).Area.Value, -a.Area.Value, 1e-12)
	// The definitions, and all pairs at once.
	mu, mv := stat.Mean(u, nil), stat.Mean(v, nil)
	var sum float64
	for k := range block * blocks {
		sum += ((u[k]-mu)*(v[k+1]-mv) - (v[k]-mv)*(u[k+1]-mu)) / 2
	}
	numtest.Close(t, "area", a.Area.Value, sum/(block*blocks), 1e-13)
	c := trajectory.LagCovariance([][]float64{u, v}, 1)
	numtest.Close(t, "½(C(1)ᵀ−C(1))", (c.At(1, 0)-c.At(0, 1))/2, sum/(block*blocks), 1e-13)
	three := [][]float64{u, v, back(u)}
	weights := mat.NewDense(3, 3, []float64{0, 2, -1, 9, 0, 0.5, 9, 9, 0}) // below the diagonal nothing counts
	var want float64
	for i := range 3 {
		for j := i + 1; j < 3; j++ {
			want += weights.At(i, j) * of(three[i], three[j]).Area.Value
		}
	}
	e, _, err := trajectory.AreaAlong(three, weights, block)
	if err != nil {
		t.Fatal(err)
	}
	numtest.Close(t, "weighted areas", e.Value, want, 1e-13)
	r, err := trajectory.Rotation(three, block, 99, rand.NewPCG(2, 0))
	if err != nil || len(r.Pairs) != 3 || r.Pairs[0] != a {
		t.Errorf("all pairs: %+v, %v; first want %+v", r, err, a)
	}
}

// rejections returns how often p(r) ≤ 0.05 in runs replicates.
func rejections(t *testing.T, runs int, p func(r uint64) (float64, error)) (count int) {
	t.Helper()
	for r := range runs {
		v, err := p(uint64(r))
		if err != nil {
			t.Fatal(err)
		}
		if v <= 0.05 {
			count++
		}
	}
	return count
}

// bounds returns the limits of a binomial count of n trials of probability p that are left on
// either side with a probability of at most 5e-7.
func bounds(n int, p float64) (lo, hi int) {
	b := distuv.Binomial{N: float64(n), P: p}
	for lo = 0; b.CDF(float64(lo)) < 5e-7; lo++ {
	}
	for hi = n; 1-b.CDF(float64(hi-1)) < 5e-7; hi-- {
	}
	return lo, hi
}

// Every test at its nominal level of 5 % on null models, and the power of the sign flips.
// The limits leave a false alarm of 1e-6 for each of 17 rates; where blocks are not quite
// independent the level itself may be off, by at most what the fields say.
func TestCalibration(t *testing.T) {
	runs := 120
	if *long {
		runs = 2000
	}
	if testing.Short() {
		runs = 40
	}
	commuting := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, 3}), mat.NewDiagDense(2, []float64{1, 5}), 2)
	weak := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, 3}), mat.NewSymDense(2, []float64{1, .3, .3, 1}), 2)
	// 60 blocks of time 3, sampled every 0.02 [m12].
	const dt, ouBlock = 0.02, 150
	const block, n = 30, 60*30 + 1
	flip := func(x [][]float64, block int, r uint64) (float64, error) {
		test, err := trajectory.SignFlip(x[0], x[1], block, 199, rand.NewPCG(100, r))
		return test.P, err
	}
	process := func(p *problem.OrnsteinUhlenbeck) func(r uint64) (float64, error) {
		return func(r uint64) (float64, error) {
			return flip(ou(p, dt, 60*ouBlock+1, rand.NewPCG(101, r)), ouBlock, r)
		}
	}
	ar := func(a float64, stream uint64) func(r uint64) []float64 {
		return func(r uint64) []float64 {
			if a == 1 {
				return trajectory.RandomWalk(n, rand.NewPCG(stream, r))
			}
			return trajectory.AR1{A: a, Innovation: 1}.Simulate(n, rand.NewPCG(stream, r))
		}
	}
	pair := func(a, b float64) func(r uint64) (float64, error) {
		return func(r uint64) (float64, error) { return flip([][]float64{ar(a, 102)(r), ar(b, 103)(r)}, block, r) }
	}
	along := func(p *problem.OrnsteinUhlenbeck) func(r uint64) (float64, error) {
		return func(r uint64) (float64, error) {
			_, v, err := trajectory.AreaAlong(ou(p, dt, 60*ouBlock+1, rand.NewPCG(130, r)), problem.REF().AreaRate(), ouBlock)
			return v, err
		}
	}
	for _, tt := range []struct {
		name   string
		p      func(r uint64) (float64, error)
		lo, hi float64 // range of the true rejection rate at 5 %
	}{
		{"sign flip, commuting OU", process(commuting), 0.03, 0.06},
		{"sign flip, REF", process(problem.REF().AtBeta(2)), 0.995, 1},
		{"sign flip, D₁₂ = .3", process(weak), 0.72, 0.88}, // .855 ± .025 about the mean [m12], a little less about the chord
		{"sign flip, ROT(1)", process(problem.ROT(1)), 0.995, 1},
		{"sign flip, white noise", pair(0, 0), 0.04, 0.06},
		{"sign flip, AR(1)", pair(0.8, 0.5), 0.04, 0.06},
		{"sign flip, AR(1) of long memory", pair(0.999, 0.98), 0.04, 0.06},
		{"sign flip, random walks", pair(1, 1), 0.04, 0.06},
		{"sign flip, random walk and white noise", pair(1, 0), 0.04, 0.06},
		{"sign flip, drift", func(r uint64) (float64, error) {
			return flip([][]float64{trajectory.AddDrift(ar(0.8, 104)(r), 20, 300), trajectory.AddDrift(ar(0.9, 105)(r), -30, 200)}, block, r)
		}, 0.04, 0.06},
		{"all pairs, four AR(1)", func(r uint64) (float64, error) {
			var x [][]float64
			for i := range 4 {
				x = append(x, ar(0.4+0.1*float64(i), 110+uint64(i))(r))
			}
			test, err := trajectory.Rotation(x, block, 199, rand.NewPCG(100, r))
			if err != nil {
				return 0, err
			}
			return test.P, nil
		}, 0.04, 0.06},
		{"areas along those of REF, commuting OU", along(commuting), 0.04, 0.06},
		{"areas along those of REF, D₁₂ = .3", along(weak), 0.72, 0.88},
		{"halves, mean of AR(1)", func(r uint64) (float64, error) {
			h, err := trajectory.SplitHalves(ar(0.8, 106)(r), block)
			return h.PMean, err
		}, 0.04, 0.09}, // neighbouring blocks of six correlation times make errors 8 % too small
		{"halves, variance of AR(1)", func(r uint64) (float64, error) {
			h, err := trajectory.SplitHalves(ar(0.8, 107)(r), block)
			return h.PVariance, err
		}, 0.03, 0.09},
		{"halves, random walk", func(r uint64) (float64, error) {
			h, err := trajectory.SplitHalves(ar(1, 108)(r), block)
			return h.PMean, err
		}, 0.75, 0.9}, // not stationary: most are found
		{"zero mean, AR(1)", func(r uint64) (float64, error) {
			_, p, err := trajectory.ZeroMean(ar(0.8, 109)(r), block)
			return p, err
		}, 0.04, 0.1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := rejections(t, runs, tt.p)
			lo, _ := bounds(runs, tt.lo)
			_, hi := bounds(runs, tt.hi)
			t.Logf("%d of %d rejected at 5 %% (%.1f %%), limits %d…%d", got, runs, 100*float64(got)/float64(runs), lo, hi)
			if got < lo || got > hi {
				t.Errorf("%d of %d rejected at 5 %%, want %d…%d", got, runs, lo, hi)
			}
		})
	}
}

// A path of package sde has the area rate of its equation.
func TestPath(t *testing.T) {
	p := problem.ROT(1)
	const dt, n = 0.02, 200_000
	path, err := sde.Path(context.Background(), sde.Linear(p), []float64{0, 0}, 0, 1, &sde.Settings{Scheme: sde.WeakTwo, Step: dt, Steps: n, BurnIn: 500, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	x := [][]float64{make([]float64, path.Len()), make([]float64, path.Len())}
	for k := range path.Len() {
		x[0][k], x[1][k] = path.State(k)[0], path.State(k)[1]
	}
	got, err := trajectory.AreaRate(x[0], x[1], 500)
	if err != nil {
		t.Fatal(err)
	}
	want := p.AreaRate().At(0, 1)
	if math.Abs(got.Value/dt-want) > 5*got.Error/dt+2*dt*math.Abs(want) { // 5 standard errors, and the bias of sampling at Δ, about ΔF
		t.Errorf("ROT: area rate %.4f ± %.4f, want %.4f", got.Value/dt, got.Error/dt, want)
	}
}

func TestMultiple(t *testing.T) {
	p := []float64{0.01, 0.04, 0.03, 0.5}
	numtest.CloseSlice(t, "Bonferroni", trajectory.Bonferroni(p), []float64{0.04, 0.16, 0.12, 1}, 1e-15)
	// By hand: sorted .01 .03 .04 .5, times 4/1, 4/2, 4/3, 1, made monotone from the right.
	numtest.CloseSlice(t, "Benjamini–Hochberg", trajectory.BenjaminiHochberg(p), []float64{0.04, 0.16 / 3, 0.16 / 3, 0.5}, 1e-15)
}

func Example() {
	chain, err := trajectory.NewLinearChain(trajectory.ChainSettings{
		Hessian: problem.T1().Hessian(), Diffusion: problem.T1().Diffusion(),
		LearningRate: 0.1, BatchSize: 1, Samples: 4, Sampling: noise.WithReplacement, StepsPerEpoch: 1,
	})
	if err != nil {
		panic(err)
	}
	x := chain.Simulate(200_000, rand.NewPCG(1, 0))
	area, err := trajectory.AreaRate(x[0], x[1], 500)
	if err != nil {
		panic(err)
	}
	fmt.Printf("area per step: exact %.6f, measured %.3f\n", chain.AreaRate().At(0, 1), area.Value)
	// Output: area per step: exact -0.004865, measured -0.005
}

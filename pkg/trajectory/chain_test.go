package trajectory_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/trajectory"
)

// newChain returns the chain of s, which must have a law.
func newChain(t *testing.T, s trajectory.ChainSettings) *trajectory.LinearChain {
	t.Helper()
	c, err := trajectory.NewLinearChain(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func closeMatrix(t *testing.T, name string, got, want mat.Matrix, tol float64) {
	t.Helper()
	r, c := want.Dims()
	for i := range r {
		for j := range c {
			numtest.Close(t, name, got.At(i, j), want.At(i, j), tol)
		}
	}
}

// Without momentum the chain of T1 has the closed forms of package problem, and 240 steps per epoch
// are the 240th power of one: appendix P.7.
func TestChainT1(t *testing.T) {
	p := problem.T1()
	for _, steps := range []int{1, 7, 240} {
		s := quadratic([]float64{1, 3})
		s.StepsPerEpoch = steps
		c := newChain(t, s)
		closeMatrix(t, "Σ", c.Covariance(), p.StationaryCovariance(0.1, 1), 1e-13)
		for _, lag := range []int{0, 1, 3} {
			closeMatrix(t, "C", c.LagCovariance(lag), p.LagCovariance(0.1, 1, lag*steps), 1e-13)
		}
		if steps == 1 {
			closeMatrix(t, "area", c.AreaRate(), p.AreaRatePerStep(0.1, 1), 1e-14)
			numtest.Close(t, "area per step", c.AreaRate().At(0, 1), -.00486486, 1e-8) // statements.md §14
		}
	}
	// A Hessian that is not diagonal: the law turns with the axes.
	rot := numtest.Orthogonal(rand.New(rand.NewPCG(3, 0)), 2)
	turn := func(a mat.Symmetric) *mat.SymDense {
		var b, c mat.Dense
		b.Mul(rot, a)
		c.Mul(&b, rot.T())
		return mat.NewSymDense(2, []float64{c.At(0, 0), c.At(0, 1), c.At(0, 1), c.At(1, 1)})
	}
	s := quadratic([]float64{1, 3})
	s.Hessian, s.Diffusion, s.StepsPerEpoch = turn(p.Hessian()), turn(p.Diffusion()), 5
	closeMatrix(t, "turned Σ", newChain(t, s).Covariance(), turn(p.StationaryCovariance(0.1, 1)), 1e-13)
}

// Momentum in one dimension, statements.md §11.4 [m02]: the variance over ηD/(2b(1−μ)l) at
// μ = .9. That of Nesterov is the look-ahead point's, which package sgd keeps: .9365 at ηl = .01.
func TestChainMomentum(t *testing.T) {
	const mu = 0.9
	for _, tt := range []struct {
		kind   sgd.MomentumKind
		etaL   float64
		want   float64
		digits float64
	}{
		{sgd.HeavyBall, 0.1, 1.0270, 5e-5},
		{sgd.HeavyBall, 0.01, 1.0026, 5e-5},
		{sgd.HeavyBall, 0.001, 1.0003, 5e-5},
		{sgd.Nesterov, 0.01, 0.9365, 5e-5},
	} {
		s := trajectory.ChainSettings{
			Hessian: mat.NewDiagDense(1, []float64{2}), Diffusion: mat.NewDiagDense(1, []float64{5}),
			LearningRate: tt.etaL / 2, Momentum: sgd.Momentum{Kind: tt.kind, Mu: mu}, BatchSize: 4, Samples: 100, StepsPerEpoch: 3,
		}
		got := newChain(t, s).Covariance().At(0, 0) / (s.LearningRate * 5 / (2 * 4 * (1 - mu) * 2))
		numtest.Close(t, tt.kind.String(), got, tt.want, tt.digits)
	}
	// Heavy ball in closed form: (ηD/b)(1+μ)/((1−μ)l(2(1+μ)−ηl)).
	s := trajectory.ChainSettings{
		Hessian: mat.NewDiagDense(1, []float64{3}), Diffusion: mat.NewDiagDense(1, []float64{2}),
		LearningRate: 0.2, Momentum: sgd.Momentum{Kind: sgd.HeavyBall, Mu: 0.5}, BatchSize: 2, Samples: 9, StepsPerEpoch: 1,
	}
	numtest.Close(t, "variance", newChain(t, s).Covariance().At(0, 0), 0.2*2./2*1.5/(0.5*3*(3-0.6)), 1e-14)

	// Rotation is damped more than variances: area and Σ₁₂ times .680 at μ = .9, η = .01,
	// l = (1, 3) [m20, m21].
	eta := 0.01
	two := trajectory.ChainSettings{
		Hessian: problem.T1().Hessian(), Diffusion: problem.T1().Diffusion(), LearningRate: eta,
		Momentum: sgd.Momentum{Kind: sgd.HeavyBall, Mu: mu}, BatchSize: 1, Samples: 4, StepsPerEpoch: 1,
	}
	plain := eta * 1.8 / ((1 - mu) * 4) // ηD₁₂/(b(1−μ)(l₁+l₂))
	c := newChain(t, two)
	numtest.Close(t, "damping of Σ₁₂", c.Covariance().At(0, 1)/plain, 0.680, 5e-4)

	for _, tt := range []struct {
		m    sgd.Momentum
		etaL float64
		want bool
	}{
		{sgd.Momentum{}, 1.5, false},
		{sgd.Momentum{Kind: sgd.HeavyBall, Mu: 0.9}, 0.0026, false},
		{sgd.Momentum{Kind: sgd.HeavyBall, Mu: 0.9}, 0.0027, true}, // from .00263
		{sgd.Momentum{Kind: sgd.Nesterov, Mu: 0.9}, 0.0027, false},
		{sgd.Momentum{Kind: sgd.Nesterov, Mu: 0.9}, 0.0028, true}, // from .00277
	} {
		if got := trajectory.Oscillates(tt.m, tt.etaL/2, 2); got != tt.want {
			t.Errorf("%v at ηl = %v oscillates: got %v, want %v", tt.m, tt.etaL, got, tt.want)
		}
	}
}

// Every momentum and sampling against the chain that package sgd runs on a finite sum:
// covariance and area per epoch, N = 7 with b = 2, so that reshuffling drops a sample.
func TestChainAgainstSGD(t *testing.T) {
	r := rand.New(rand.NewPCG(30, 0))
	p := problem.NewCommonHessian(mat.NewSymDense(2, []float64{1, .2, .2, 3}), numtest.Gaussian(r, 7, 2))
	const eta, epochs = 0.1, 40_000
	for _, m := range []sgd.Momentum{{}, {Kind: sgd.HeavyBall, Mu: 0.5}, {Kind: sgd.Nesterov, Mu: 0.6}} {
		for _, sampling := range []noise.Sampling{noise.WithReplacement, noise.WithoutReplacement, noise.Reshuffled} {
			t.Run(m.String()+", "+sampling.String(), func(t *testing.T) {
				x := [][]float64{nil, nil}
				const perEpoch, burn = 3, 100
				_, err := sgd.Run(context.Background(), p, p.Minimum(), sgd.Settings{
					LearningRate: sgd.Constant(eta), Momentum: m, BatchSize: 2, Sampling: sampling, Epochs: epochs + burn, Seed: 31,
					Record: func(s sgd.Step) error {
						if s.Epoch > burn {
							x[0], x[1] = append(x[0], s.X[0]), append(x[1], s.X[1])
						}
						return nil
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				c := newChain(t, trajectory.ChainSettings{
					Hessian: p.Hessian(), Diffusion: p.Diffusion(), LearningRate: eta, Momentum: m,
					BatchSize: 2, Samples: 7, Sampling: sampling, StepsPerEpoch: perEpoch,
				})
				got, want := trajectory.LagCovariance(x, 0), c.Covariance()
				one, wantOne := trajectory.LagCovariance(x, 1), c.LagCovariance(1)
				// The slow mode (ηl ≈ 0.1, less with momentum) forgets in at most 4 epochs: relative
				// errors of √(2·2·4/40000) = 2 %; 5 of them for 8 entries of 9 chains, 4e-5 together.
				for i := range 2 {
					for j := range 2 {
						scale := math.Sqrt(want.At(i, i) * want.At(j, j))
						numtest.Close(t, "Σ", got.At(i, j), want.At(i, j), 0.1*scale)
						numtest.Close(t, "C(1)", one.At(i, j), wantOne.At(i, j), 0.1*scale)
					}
				}
				area, err := trajectory.AreaRate(x[0], x[1], 100)
				if err != nil {
					t.Fatal(err)
				}
				if z := area.Z(c.AreaRate().At(0, 1)); math.Abs(z) > 5 {
					t.Errorf("area %.3g ± %.3g per epoch, want %.3g", area.Value, area.Error, c.AreaRate().At(0, 1))
				}
			})
		}
	}
}

// A reshuffled epoch is quieter by about (ηlN)²/12 (erratum E18): statements.md §1.3.
func TestReshuffledSuppression(t *testing.T) {
	const n, l, eta = 100, 1.0, 1e-4
	s := trajectory.ChainSettings{
		Hessian: mat.NewDiagDense(1, []float64{l}), Diffusion: mat.NewDiagDense(1, []float64{1}),
		LearningRate: eta, BatchSize: 1, Samples: n, StepsPerEpoch: n,
	}
	iid := newChain(t, s).Covariance().At(0, 0)
	s.Sampling = noise.Reshuffled
	got := newChain(t, s).Covariance().At(0, 0) / iid
	numtest.Close(t, "suppression", got/(eta*l*n*eta*l*n/12), 1, 0.03) // next order: ηlN = 1 %, and 1/N
}

// A run of the chain itself has uniform p-values, one of another chain is found out.
func TestCompare(t *testing.T) {
	s := quadratic([]float64{1, 3})
	s.StepsPerEpoch = 4
	c := newChain(t, s)
	runs, surrogates, n := 20, 39, 1000
	if *long {
		runs, surrogates, n = 400, 99, 2000
	}
	low := [2]int{}
	lags := []int{1, 3}
	for r := range runs {
		got, err := trajectory.Compare(context.Background(), c.Simulate(n, rand.NewPCG(40, uint64(r))), c, lags, surrogates, 1000+uint64(r), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got[1].PSym <= 0.05 {
			low[0]++
		}
		if got[1].PSkew <= 0.05 {
			low[1]++
		}
		numtest.Close(t, "skew of the chain", got[0].SkewChain, mat.Norm(c.AreaRate(), 2)/mat.Norm(c.Covariance(), 2), 1e-12)
	}
	lo, hi := bounds(runs, 0.05)
	t.Logf("%d runs at 5 %%: %d symmetric, %d antisymmetric rejected, limits %d…%d", runs, low[0], low[1], lo, hi)
	for _, count := range low {
		if count < lo || count > hi {
			t.Errorf("%d of %d rejected at 5 %%, want %d…%d", count, runs, lo, hi)
		}
	}
	// A reversible chain beside the one that rotates: the skew part tells.
	s.Diffusion = mat.NewSymDense(2, []float64{1, 0, 0, 9})
	reversible := newChain(t, s)
	got, err := trajectory.Compare(context.Background(), c.Simulate(20*n, rand.NewPCG(41, 0)), reversible, []int{1}, surrogates, 7, nil)
	if err != nil || got[0].PSkew > 1.5/float64(1+surrogates) || got[0].SkewChain > 1e-15 {
		t.Errorf("a rotating run beside a reversible chain: %+v, %v", got, err)
	}
}

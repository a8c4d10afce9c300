package sgd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
)

// False alarms. A chain is cut into blocks = 200 blocks of thousands of steps, many times
// its correlation time, so that block means are nearly independent and normal and
// (mean − want)/SE follows Student's t with 199 degrees of freedom: |t| > 6 has the
// probability 9e-9. Independent runs (TestReshufflingSuppression) number 20,000, where
// |z| > 6 has 2e-9. There are fewer than 60 such comparisons: together below 1e-6. The
// seeds are fixed besides.
const (
	blocks = 200
	limit  = 6
)

// checkMean compares the mean of independent values with want.
func checkMean(t *testing.T, name string, values []float64, want float64) {
	t.Helper()
	mean, std := stat.MeanStdDev(values, nil)
	numtest.Close(t, name, mean, want, limit*std/math.Sqrt(float64(len(values))))
	if se := std / math.Sqrt(float64(len(values))); !(se < 0.05*math.Abs(want)) {
		t.Errorf("%s: standard error %.3g of %.3g: the test sees nothing", name, se, want)
	}
}

// series runs a chain and returns the block means of the values that of(x, before)
// appends for every step from before to x, after a burn-in.
func series(t *testing.T, obj sgd.Objective, s sgd.Settings, perBlock int, of func(dst, x, before []float64) []float64) [][]float64 {
	t.Helper()
	const burnIn = 2000
	s.Steps = burnIn + blocks*perBlock
	s.RecordEvery = 1
	before := make([]float64, obj.Dim())
	var values []float64
	var means [][]float64
	s.Record = func(step sgd.Step) error {
		if k := step.Step - burnIn - 1; k >= 0 {
			values = of(values[:0], step.X, before)
			for i, v := range values {
				if i == len(means) {
					means = append(means, make([]float64, blocks))
				}
				means[i][k/perBlock] += v / float64(perBlock)
			}
		}
		copy(before, step.X)
		return nil
	}
	mustRun(t, obj, make([]float64, obj.Dim()), s)
	return means
}

// T1 at η = 0.1: covariance and area rate of the discrete chain, for batches of the two
// independent schemes. The slowest mode forgets in 10 steps. statements.md §1.4, §6.4.
func TestStationaryLawOfT1(t *testing.T) {
	const eta = 0.1
	f := problem.T1()
	for i, c := range []struct {
		sampling noise.Sampling
		b        int
	}{{noise.WithReplacement, 1}, {noise.WithReplacement, 3}, {noise.WithoutReplacement, 1}, {noise.WithoutReplacement, 2}} {
		s := sgd.Settings{LearningRate: sgd.Constant(eta), BatchSize: c.b, Sampling: c.sampling, Seed: uint64(i)}
		got := series(t, f, s, 3000, func(dst, x, before []float64) []float64 {
			return append(dst, x[0]*x[0], x[0]*x[1], x[1]*x[1], (before[0]*x[1]-before[1]*x[0])/2)
		})
		scale := c.sampling.CovarianceFactor(c.b, 4)
		sigma, area := f.StationaryCovariance(eta, 1), f.AreaRatePerStep(eta, 1)
		name := fmt.Sprintf(", b = %d %v", c.b, c.sampling)
		checkMean(t, "⟨x₁²⟩"+name, got[0], scale*sigma.At(0, 0))
		checkMean(t, "⟨x₁x₂⟩"+name, got[1], scale*sigma.At(0, 1))
		checkMean(t, "⟨x₂²⟩"+name, got[2], scale*sigma.At(1, 1))
		checkMean(t, "area per step"+name, got[3], scale*area.At(0, 1))
		if i == 0 {
			// The printed values, so that both sides do not lean on package problem.
			checkMean(t, "⟨x₁²⟩ printed", got[0], 0.052632)
			checkMean(t, "⟨x₁x₂⟩ printed", got[1], 0.048649)
			checkMean(t, "⟨x₂²⟩ printed", got[2], 0.176471)
			checkMean(t, "area per step printed", got[3], -0.00486486)
		}
	}
}

// The noise of T2 grows with x. statements.md §1.4.
func TestStationarySecondMomentOfT2(t *testing.T) {
	for i, b := range []int{1, 2} {
		s := sgd.Settings{LearningRate: sgd.Constant(0.2), BatchSize: b, Seed: uint64(10 + i)}
		got := series(t, problem.T2(), s, 2000, func(dst, x, _ []float64) []float64 { return append(dst, x[0]*x[0]) })
		checkMean(t, fmt.Sprintf("⟨x²⟩, b = %d", b), got[0], []float64{0.1142857, 0.2 / 2 / (2 - 0.2 - 0.2*0.25/2)}[i])
	}
}

// The transient of T2 from x = 2 after 1, 5 and 20 steps, over independent runs.
func TestTransientOfT2(t *testing.T) {
	f := problem.T2()
	for _, steps := range []int{1, 5, 20} {
		values := make([]float64, 20_000)
		for seed := range values {
			s := sgd.Settings{LearningRate: sgd.Constant(0.2), BatchSize: 1, Steps: steps, Seed: uint64(seed)}
			x := mustRun(t, f, []float64{2}, s).X[0]
			values[seed] = x * x
		}
		checkMean(t, fmt.Sprintf("⟨x²⟩ after %d steps", steps), values, f.SecondMomentAfter(steps, 4, 0.2, 1))
	}
}

// Every coordinate of T1 is an AR(2) process under momentum. statements.md §11.4.
func TestMomentumVariances(t *testing.T) {
	const eta, mu = 0.05, 0.8
	f := problem.T1()
	for i, kind := range []sgd.MomentumKind{sgd.HeavyBall, sgd.Nesterov} {
		s := sgd.Settings{LearningRate: sgd.Constant(eta), Momentum: sgd.Momentum{Kind: kind, Mu: mu}, BatchSize: 1, Seed: uint64(20 + i)}
		got := series(t, f, s, 3000, func(dst, x, _ []float64) []float64 { return append(dst, x[0]*x[0], x[1]*x[1]) })
		for j, l := range []float64{1, 3} {
			d := f.Diffusion().At(j, j)
			phi1, phi2 := 1+mu-eta*l, -mu
			if kind == sgd.Nesterov {
				phi1, phi2 = (1+mu)*(1-eta*l), -mu*(1-eta*l)
			}
			want := eta * eta * d * (1 - phi2) / ((1 + phi2) * ((1-phi2)*(1-phi2) - phi1*phi1))
			if kind == sgd.Nesterov { // the look-ahead point is (1+μ)y_k − μy_{k−1}
				want *= (1+mu)*(1+mu) + mu*mu - 2*mu*(1+mu)*phi1/(1-phi2)
			}
			checkMean(t, fmt.Sprintf("⟨x²⟩, %v, l = %v", kind, l), got[j], want)
		}
	}
}

// mode is a quadratic of curvature l on the line with n random centres of mean 0, and
// their variance.
func mode(l float64, n int) (f *problem.CommonHessian, variance float64) {
	rng := rand.New(rand.NewPCG(5, 0))
	c := make([]float64, n)
	for i := range c {
		c[i] = rng.NormFloat64()
	}
	mean := stat.Mean(c, nil)
	for i := range c {
		c[i] -= mean
		variance += c[i] * c[i] / float64(n)
	}
	return problem.NewCommonHessian(mat.NewSymDense(1, []float64{l}), mat.NewDense(n, 1, c)), variance
}

// epochVariance is the exact variance of the displacement over an epoch of n batches of one
// from the minimum, reshuffled and with replacement: erratum E18, statements.md §1.3.
func epochVariance(variance, etal float64, n int) (reshuffled, independent float64) {
	w := make([]float64, n)
	for k := range w {
		w[k] = etal * math.Pow(1-etal, float64(n-1-k))
		independent += variance * w[k] * w[k]
	}
	mean := stat.Mean(w, nil)
	for _, wk := range w {
		reshuffled += variance * float64(n) / float64(n-1) * (wk - mean) * (wk - mean)
	}
	return reshuffled, independent
}

// Reshuffling suppresses the noise of an epoch by about (ηlN)²/12 (E18).
func TestReshufflingSuppression(t *testing.T) {
	const eta, l, n = 0.02, 1.0, 8
	f, variance := mode(l, n)
	reshuffled, independent := epochVariance(variance, eta*l, n)
	// Leading order in ηlN = 0.16; the next orders are of that relative size.
	numtest.Close(t, "suppression/((ηlN)²/12)", reshuffled/independent*12/math.Pow(eta*l*n, 2), 1, 0.16)
	for _, c := range []struct {
		sampling noise.Sampling
		want     float64
	}{{noise.Reshuffled, reshuffled}, {noise.WithReplacement, independent}, {noise.WithoutReplacement, independent}} {
		values := make([]float64, 20_000)
		for seed := range values {
			s := sgd.Settings{LearningRate: sgd.Constant(eta), BatchSize: 1, Sampling: c.sampling, Epochs: 1, Seed: uint64(seed)}
			x := mustRun(t, f, []float64{0}, s).X[0]
			values[seed] = x * x
		}
		checkMean(t, fmt.Sprintf("variance of an epoch, %v", c.sampling), values, c.want)
	}
}

// The formula of E18 by enumeration: all orders of 6 samples, stepped by hand.
func TestReshufflingVarianceByEnumeration(t *testing.T) {
	const eta, l, n = 0.3, 1.2, 6
	f, variance := mode(l, n)
	c := f.Centres()
	var sum float64
	orders := 0
	var visit func(x float64, used int)
	visit = func(x float64, used int) {
		if used == 1<<n-1 {
			sum += x * x
			orders++
			return
		}
		for k := range n {
			if used&(1<<k) == 0 {
				visit(x-eta*l*(x-c.At(k, 0)), used|1<<k)
			}
		}
	}
	visit(0, 0)
	want, _ := epochVariance(variance, eta*l, n)
	// 720 squares of size one.
	numtest.Close(t, "variance of an epoch", sum/float64(orders), want, 1e-14)
}

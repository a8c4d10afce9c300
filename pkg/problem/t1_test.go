package problem_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

// random returns a CommonHessian with a full Hessian (eigenvalues 0.5, 1, 4) and
// centres whose mean is not zero.
func random(seed uint64) *problem.CommonHessian {
	rng := rand.New(rand.NewPCG(seed, 1))
	centres := numtest.Gaussian(rng, 5, 3)
	for k := range 5 {
		centres.Set(k, 1, centres.At(k, 1)+2)
	}
	return problem.NewCommonHessian(numtest.Symmetric(rng, []float64{0.5, 1, 4}), centres)
}

func TestT1Constants(t *testing.T) {
	p := problem.T1()
	// Exact values of statements §0.2; the round-off of a few products is below 1e-14.
	numtest.CloseSlice(t, "D", raw(p.Diffusion()), []float64{1, 1.8, 1.8, 9}, 1e-14)
	numtest.CloseSlice(t, "Y", raw(p.PotentialCovariance()), []float64{1, .9, .9, 3}, 1e-14)
	numtest.CloseSlice(t, "Q", raw(p.Skew()), []float64{0, -.9, .9, 0}, 1e-14)
	numtest.Close(t, "entropy production", p.EntropyProduction(), 0.5625, 1e-14)
	numtest.CloseSlice(t, "minimum", p.Minimum(), []float64{0, 0}, 1e-15)
	// Printed to six and eight decimals in statements §14 (m02, m17).
	numtest.CloseSlice(t, "Σ discrete", raw(p.StationaryCovariance(.1, 1)), []float64{.052632, .048649, .048649, .176471}, 1e-6)
	numtest.Close(t, "area per step", p.AreaRatePerStep(.1, 1).At(0, 1), -.00486486, 1e-8)
	numtest.CloseSlice(t, "Σ continuous", raw(p.ContinuousCovariance(.1, 1)), []float64{.05, .045, .045, .15}, 1e-15)
	// Statements §6.3 (m20): the stationary ‖∇f‖², tr(FΣF).
	var fs, fsf mat.Dense
	fs.Mul(p.Hessian(), p.StationaryCovariance(.1, 1))
	fsf.Mul(&fs, p.Hessian())
	numtest.Close(t, "𝔼‖∇f‖²", fsf.Trace(), 1.640867, 1e-6)
}

func TestT1DiffusionEverywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for _, p := range []*problem.CommonHessian{problem.T1(), random(1), random(2)} {
		for range 20 {
			x := make([]float64, p.Dim())
			for i := range x {
				x[i] = 3 * rng.NormFloat64()
			}
			// Gradients up to 50, squares up to 2500, times 2⁻⁵² and a few operations.
			numtest.CloseSlice(t, fmt.Sprint("D at ", x), raw(covariance(gradients(t, p, x, nil))), raw(p.Diffusion()), 1e-11)
		}
	}
}

func TestT1AgainstEnumeration(t *testing.T) {
	tests := []struct {
		name string
		p    *problem.CommonHessian
		eta  float64
		b    int
	}{
		{"T1 η=.1 b=1", problem.T1(), .1, 1},
		{"T1 η=.2 b=2", problem.T1(), .2, 2},
		{"T1 η=.01 b=3", problem.T1(), .01, 3},
		{"T1 alternating η=.6", problem.T1(), .6, 1},
		{"full Hessian η=.1 b=1", random(1), .1, 1},
		{"full Hessian η=.3 b=2", random(2), .3, 2},
	}
	for _, tt := range tests {
		cov, area := enumerate(t, tt.p, tt.eta, tt.b).stationary(t)
		// The recursion stops when it changes by less than round-off of a step, and
		// 1/(1−(1−ηl)²) ≤ 50 steps of it accumulate; the second moment is subtracted
		// from the squared mean, of size up to 10.
		numtest.CloseSlice(t, tt.name+": Σ", raw(tt.p.StationaryCovariance(tt.eta, tt.b)), raw(cov), 1e-13)
		numtest.CloseSlice(t, tt.name+": area", raw(tt.p.AreaRatePerStep(tt.eta, tt.b)), raw(area), 1e-13)
	}
}

func TestT1Identities(t *testing.T) {
	for _, p := range []*problem.CommonHessian{problem.T1(), random(3), random(4)} {
		f, d, y, q := p.Hessian(), p.Diffusion(), p.PotentialCovariance(), p.Skew()
		n := p.Dim()
		var lhs, fy, yf, gu, u, sum, two mat.Dense
		// All entries are of order 10 at most; a handful of 3×3 products.
		const tol = 1e-12
		fy.Mul(f, y)
		yf.Mul(y, f)
		sum.Add(&fy, &yf)
		two.Scale(2, d)
		numtest.CloseSlice(t, "FY+YF=2D", raw(&sum), raw(&two), tol)
		sum.Add(q, q.T())
		numtest.CloseSlice(t, "Q+Qᵀ=0", raw(&sum), make([]float64, n*n), 0)
		if err := u.Inverse(y); err != nil {
			t.Fatal(err)
		}
		lhs.Add(d, q)
		gu.Mul(&lhs, &u)
		numtest.CloseSlice(t, "(D+Q)U=F", raw(&gu), raw(f), 1e-10) // cond(Y) ≈ 100
		// The entropy production by the other formula, −tr(U Q D⁻¹ Q).
		var dq, qdq, uqdq mat.Dense
		if err := dq.Solve(d, q); err != nil {
			t.Fatal(err)
		}
		qdq.Mul(q, &dq)
		uqdq.Mul(&u, &qdq)
		numtest.Close(t, "entropy production", p.EntropyProduction(), -uqdq.Trace(), 1e-9)
		// Σ = β⁻¹Y and its discrete correction; the area rate is β⁻¹Q per unit time to
		// leading order in η, with a correction of relative order ηl.
		const eta, b = 1e-5, 4
		var area mat.Dense
		area.Scale(2*b/(eta*eta), p.AreaRatePerStep(eta, b))
		numtest.RelSlice(t, "area→β⁻¹Q", raw(&area), raw(q), 1e-4)
		sum.Scale(2*b/eta, p.ContinuousCovariance(eta, b))
		numtest.CloseSlice(t, "Σ=β⁻¹Y", raw(&sum), raw(y), tol)
	}
}

func TestT1LagCovariance(t *testing.T) {
	p := random(5)
	const eta, b = .2, 1
	sigma := p.StationaryCovariance(eta, b)
	numtest.CloseSlice(t, "C(0)", raw(p.LagCovariance(eta, b, 0)), raw(sigma), 1e-14)
	step := mat.NewDense(3, 3, nil)
	step.Scale(-eta, p.Hessian())
	for i := range 3 {
		step.Set(i, i, step.At(i, i)+1)
	}
	want := mat.DenseCopyOf(sigma)
	for range 7 {
		want.Mul(step, want)
	}
	numtest.CloseSlice(t, "C(7)", raw(p.LagCovariance(eta, b, 7)), raw(want), 1e-14)
}

func TestT1CommutingIsReversible(t *testing.T) {
	// Centres along the eigenvectors of F: D is diagonal, [F, D] = 0.
	p := problem.NewCommonHessian(mat.NewSymDense(2, []float64{1, 0, 0, 3}), mat.NewDense(4, 2, []float64{1, 0, -1, 0, 0, 2, 0, -2}))
	numtest.CloseSlice(t, "Q", raw(p.Skew()), make([]float64, 4), 0)
	numtest.CloseSlice(t, "area", raw(p.AreaRatePerStep(.1, 1)), make([]float64, 4), 0)
	numtest.Close(t, "entropy production", p.EntropyProduction(), 0, 1e-14)
}

func TestT1SingularNoise(t *testing.T) {
	p := problem.NewCommonHessian(mat.NewSymDense(2, []float64{1, 0, 0, 3}), mat.NewDense(2, 2, []float64{1, 1, -1, -1}))
	if got := p.EntropyProduction(); !math.IsInf(got, 1) {
		t.Errorf("entropy production of singular noise: got %v, want +Inf", got)
	}
}

// conformance holds for every system: batch gradients are means of per-sample
// gradients and derivatives of the batch loss; inputs stay as they are.
func conformance(t *testing.T, f system) {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, 1))
	d, n := f.Dim(), f.Samples()
	x := make([]float64, d)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	kept := append([]float64(nil), x...)
	all := gradients(t, f, x, nil)
	for _, idx := range [][]int{{0}, {n - 1, 0}, {1, 1, 2}, {3, 2, 1, 0}, nil} {
		rows := gradients(t, f, x, idx)
		list := idx
		if idx == nil {
			for k := range n {
				list = append(list, k)
			}
		}
		want := make([]float64, d)
		for i, k := range list {
			numtest.CloseSlice(t, fmt.Sprintf("row %d of %v", i, idx), rows.RawRowView(i), all.RawRowView(k), 0)
			for j := range want {
				want[j] += all.At(k, j) / float64(len(list))
			}
		}
		got := make([]float64, d)
		for i := range got {
			got[i] = nan
		}
		loss, err := f.BatchGradTo(got, x, idx)
		if err != nil {
			t.Fatal(err)
		}
		numtest.CloseSlice(t, fmt.Sprintf("batch gradient of %v", idx), got, want, 1e-13) // a few dozen additions of numbers < 50
		scratch := make([]float64, d)
		at := func(x []float64) float64 { l, _ := f.BatchGradTo(scratch, x, idx); return l }
		numtest.Close(t, fmt.Sprintf("batch loss of %v", idx), loss, at(x), 0)
		// Central differences of a quadratic have no truncation error; the step 6e-6
		// magnifies the round-off of a loss < 50 to 2⁻⁵³·50/6e-6 < 1e-9.
		numtest.CloseSlice(t, fmt.Sprintf("derivative of the loss of %v", idx), fd.Gradient(nil, at, x, &fd.Settings{Formula: fd.Central}), got, 1e-8)
		if idx == nil {
			numtest.Close(t, "loss", f.Loss(x), loss, 1e-13)
			numtest.CloseSlice(t, "gradient", f.GradTo(nil, x), want, 1e-13)
		}
	}
	numtest.CloseSlice(t, "x after use", x, kept, 0)

	// Blocks: more rows than one block holds, in order, and errors stop the work.
	long := make([]int, 2500)
	for i := range long {
		long[i] = rng.IntN(n)
	}
	rows := gradients(t, f, x, long)
	for i, k := range long {
		numtest.CloseSlice(t, fmt.Sprintf("row %d", i), rows.RawRowView(i), all.RawRowView(k), 0)
	}
	stop, calls := errors.New("enough"), 0
	err := f.PerSampleGradients(context.Background(), x, long, func(problem.Block) error { calls++; return stop })
	if err != stop || calls != 1 {
		t.Errorf("error of yield: got %v after %d calls, want %v after 1", err, calls, stop)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.PerSampleGradients(ctx, x, nil, func(problem.Block) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want %v", err, context.Canceled)
	}
	if err := f.PerSampleGradients(context.Background(), x, []int{}, func(problem.Block) error { return stop }); err != nil {
		t.Errorf("no samples asked for: got %v, want no block", err)
	}

	wrong, dst := make([]float64, d+1), make([]float64, d)
	for name, fn := range map[string]func(){
		"long x":          func() { f.Loss(wrong) },
		"long x gradient": func() { f.GradTo(nil, wrong) },
		"long dst":        func() { f.GradTo(wrong, x) },
		"batch long x":    func() { f.BatchGradTo(dst, wrong, nil) },
		"batch long dst":  func() { f.BatchGradTo(wrong, x, nil) },
		"empty batch":     func() { f.BatchGradTo(dst, x, []int{}) },
		"sample N":        func() { f.BatchGradTo(dst, x, []int{n}) },
		"sample −1":       func() { f.PerSampleGradients(context.Background(), x, []int{-1}, nil) },
		"rows long x":     func() { f.PerSampleGradients(context.Background(), wrong, nil, nil) },
	} {
		if msg := fmt.Sprint(panics(fn)); !strings.HasPrefix(msg, "problem: ") {
			t.Errorf("%s: got %q, want a panic of this package", name, msg)
		}
	}
}

func TestT1Conformance(t *testing.T) {
	conformance(t, problem.T1())
	conformance(t, random(6))
}

func TestT1Misuse(t *testing.T) {
	p := problem.T1()
	eye := mat.NewSymDense(2, []float64{1, 0, 0, 1})
	for name, fn := range map[string]func(){
		"η = 0":              func() { p.StationaryCovariance(0, 1) },
		"η at the limit":     func() { p.StationaryCovariance(2./3, 1) },
		"η NaN":              func() { p.ContinuousCovariance(nan, 1) },
		"b = 0":              func() { p.AreaRatePerStep(.1, 0) },
		"negative lag":       func() { p.LagCovariance(.1, 1, -1) },
		"sizes disagree":     func() { problem.NewCommonHessian(eye, mat.NewDense(4, 3, nil)) },
		"saddle":             func() { problem.NewCommonHessian(mat.NewSymDense(2, []float64{1, 0, 0, -1}), mat.NewDense(4, 2, nil)) },
		"flat":               func() { problem.NewCommonHessian(mat.NewSymDense(2, nil), mat.NewDense(4, 2, nil)) },
		"Hessian not finite": func() { problem.NewCommonHessian(mat.NewSymDense(2, []float64{1, 0, 0, nan}), mat.NewDense(4, 2, nil)) },
		"centres not finite": func() { problem.NewCommonHessian(eye, mat.NewDense(2, 2, []float64{0, nan, 0, 0})) },
	} {
		if msg := fmt.Sprint(panics(fn)); !strings.HasPrefix(msg, "problem: ") {
			t.Errorf("%s: got %q, want a panic of this package", name, msg)
		}
	}
}

func TestT1ReturnsCopies(t *testing.T) {
	p := problem.T1()
	p.Hessian().SetSym(0, 0, 99)
	p.Centres().Set(0, 0, 99)
	p.Diffusion().SetSym(0, 0, 99)
	p.Minimum()[0] = 99
	numtest.CloseSlice(t, "D", raw(p.Diffusion()), []float64{1, 1.8, 1.8, 9}, 1e-14)
	numtest.CloseSlice(t, "F", raw(p.Hessian()), []float64{1, 0, 0, 3}, 0)
	numtest.Close(t, "c", p.Centres().At(0, 0), math.Sqrt(1.6), 0)
	numtest.Close(t, "minimum", p.Minimum()[0], 0, 0)
}

func ExampleT1() {
	t1 := problem.T1()
	fmt.Printf("D = %.1f\n", mat.Formatted(t1.Diffusion(), mat.Prefix("    ")))
	fmt.Printf("Σ = %.4f\n", mat.Formatted(t1.StationaryCovariance(0.1, 1), mat.Prefix("    ")))
	fmt.Printf("area rate %.6f per step, entropy production %.4f\n", t1.AreaRatePerStep(0.1, 1).At(0, 1), t1.EntropyProduction())
	// Output:
	// D = ⎡1.0  1.8⎤
	//     ⎣1.8  9.0⎦
	// Σ = ⎡0.0526  0.0486⎤
	//     ⎣0.0486  0.1765⎦
	// area rate -0.004865 per step, entropy production 0.5625
}

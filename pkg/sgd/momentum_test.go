package sgd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sgdlab/pkg/internal/numtest"
)

// The chain on f(x) = l·x²/2 with the additive noise n·ξ, E ξ = 0, E ξ² = 1, is linear in
// (x, v, ξ). Its matrices are read off the update itself, one basis vector at a time, and
// its stationary second moments follow from the deterministic recursion
// M ← A M Aᵀ + n² b bᵀ; the closed forms of statements.md §11.4 come from AR(2).
type linear struct {
	a [2][2]float64 // (x, v) → (x, v)
	b [2]float64    // ξ → (x, v)
}

func linearise(m Momentum, decay, l, eta float64) linear {
	column := func(x, v, xi float64) [2]float64 {
		c := newChain([]float64{x}, m, decay)
		if c.v != nil {
			c.v[0] = v
		}
		if !c.step([]float64{l*x + xi}, eta) {
			panic("not finite")
		}
		if c.v == nil {
			return [2]float64{c.x[0], 0}
		}
		return [2]float64{c.x[0], c.v[0]}
	}
	var s linear
	for j, unit := range [][2]float64{{1, 0}, {0, 1}} {
		out := column(unit[0], unit[1], 0)
		s.a[0][j], s.a[1][j] = out[0], out[1]
	}
	s.b = column(0, 0, 1)
	return s
}

// stationary iterates the second moments to their fixed point by doubling:
// M_{2k} = M_k + Aᵏ M_k (Aᵏ)ᵀ.
func (s linear) stationary(noise float64) (xx, xv, vv float64) {
	a := s.a
	m := [2][2]float64{}
	for i := range 2 {
		for j := range 2 {
			m[i][j] = noise * s.b[i] * s.b[j]
		}
	}
	for range 40 {
		var am, sum [2][2]float64
		for i := range 2 {
			for j := range 2 {
				am[i][j] = a[i][0]*m[0][j] + a[i][1]*m[1][j]
			}
		}
		for i := range 2 {
			for j := range 2 {
				sum[i][j] = m[i][j] + am[i][0]*a[j][0] + am[i][1]*a[j][1]
			}
		}
		m = sum
		a = [2][2]float64{
			{a[0][0]*a[0][0] + a[0][1]*a[1][0], a[0][0]*a[0][1] + a[0][1]*a[1][1]},
			{a[1][0]*a[0][0] + a[1][1]*a[1][0], a[1][0]*a[0][1] + a[1][1]*a[1][1]},
		}
	}
	return m[0][0], m[0][1], m[1][1]
}

// ar2 is Var x of x_{k+1} = φ₁x_k + φ₂x_{k−1} + e with Var e = v, and the covariance of
// neighbours. statements.md §11.4.
func ar2(phi1, phi2, v float64) (variance, neighbours float64) {
	variance = v * (1 - phi2) / ((1 + phi2) * ((1-phi2)*(1-phi2) - phi1*phi1))
	return variance, variance * phi1 / (1 - phi2)
}

func TestStationaryVariance(t *testing.T) {
	const noise = 2.5 // D/b
	for _, mu := range []float64{0, 0.5, 0.9} {
		for _, etal := range []float64{0.1, 0.01, 0.001} {
			const l = 0.7
			eta := etal / l
			for _, kind := range []MomentumKind{None, HeavyBall, Nesterov} {
				if kind == None && mu != 0 {
					continue
				}
				m := Momentum{Kind: kind, Mu: mu}
				xx, xv, vv := linearise(m, 0, l, eta).stationary(noise)
				e := eta * eta * noise
				var want, base, wantBase float64
				switch kind {
				case None:
					want = eta * noise / (l * (2 - etal))
					base, wantBase = xx, want
				case HeavyBall:
					want = eta * noise * (1 + mu) / ((1 - mu) * l * (2*(1+mu) - etal))
					general, _ := ar2(1+mu-etal, -mu, e)
					numtest.Close(t, fmt.Sprintf("two closed forms, %v", m), general/want, 1, 1e-12)
					base, wantBase = xx, want
				case Nesterov:
					// The base point is AR(2); the look-ahead point is (1+μ)y_k − μy_{k−1}.
					c0, c1 := ar2((1+mu)*(1-etal), -mu*(1-etal), e)
					wantBase = c0
					want = ((1+mu)*(1+mu)+mu*mu)*c0 - 2*mu*(1+mu)*c1
					// Base point y = x + ημv, see Step.BaseTo.
					k := eta * mu
					base = xx + 2*k*xv + k*k*vv
				}
				// The recursion of 2⁴⁰ steps and the closed forms lose about
				// 1/(ηl(1−μ)) ≤ 1e4 units of round-off.
				name := fmt.Sprintf("%v, ηl = %v", m, etal)
				numtest.Close(t, "variance of the weights/want, "+name, xx/want, 1, 1e-10)
				numtest.Close(t, "variance of the base point/want, "+name, base/wantBase, 1, 1e-10)
			}
		}
	}
}

// The printed numbers of statements.md §11.4: the ratios to ηD/(2b(1−μ)l) at μ = 0.9 of
// heavy ball and of Nesterov's base point, and 0.9365 for the look-ahead point at 0.01.
func TestMomentumRatios(t *testing.T) {
	const mu, l = 0.9, 1.0
	for i, eta := range []float64{0.1, 0.01, 0.001} {
		limit := eta / (2 * (1 - mu) * l)
		heavy, _, _ := linearise(Momentum{HeavyBall, mu}, 0, l, eta).stationary(1)
		xx, xv, vv := linearise(Momentum{Nesterov, mu}, 0, l, eta).stationary(1)
		base := xx + 2*eta*mu*xv + eta*eta*mu*mu*vv
		// Half a unit of the last printed digit.
		numtest.Close(t, fmt.Sprintf("heavy ball, ηl = %v", eta), heavy/limit, []float64{1.0270, 1.0026, 1.0003}[i], 5e-5)
		numtest.Close(t, fmt.Sprintf("Nesterov base, ηl = %v", eta), base/limit, []float64{0.5413, 0.9199, 0.9913}[i], 5e-5)
		if eta == 0.01 {
			numtest.Close(t, "Nesterov look-ahead, ηl = 0.01", xx/limit, 0.9365, 5e-5)
		}
	}
}

// Weight decay λ on curvature l is the curvature l+λ.
func TestWeightDecayIsCurvature(t *testing.T) {
	for _, m := range []Momentum{{}, {HeavyBall, 0.9}, {Nesterov, 0.9}} {
		got, want := linearise(m, 0.3, 0.7, 0.1), linearise(m, 0, 1, 0.1)
		for i := range 2 {
			// Numbers below 2, a few roundings.
			numtest.CloseSlice(t, fmt.Sprintf("row %d, %v", i, m), got.a[i][:], want.a[i][:], 1e-15)
		}
	}
}

// Roots of the chain are complex, the motion an oscillation, from ηl = (1−√μ)² on (heavy
// ball) and from ((1−μ)/(1+μ))² on (Nesterov). statements.md §11.4.
func TestInertialOscillation(t *testing.T) {
	const mu = 0.9
	for kind, threshold := range map[MomentumKind]float64{
		HeavyBall: (1 - math.Sqrt(mu)) * (1 - math.Sqrt(mu)),
		Nesterov:  (1 - mu) * (1 - mu) / ((1 + mu) * (1 + mu)),
	} {
		for _, side := range []float64{0.999, 1.001} {
			a := linearise(Momentum{kind, mu}, 0, 1, side*threshold).a
			trace, det := a[0][0]+a[1][1], a[0][0]*a[1][1]-a[0][1]*a[1][0]
			if complex := trace*trace < 4*det; complex != (side > 1) {
				t.Errorf("%v at %v of the threshold %.5f: got complex roots %v, want %v", kind, side, threshold, complex, side > 1)
			}
		}
	}
}

func TestStepDropsWhatIsNotFinite(t *testing.T) {
	for _, m := range []Momentum{{}, {HeavyBall, 0.5}, {Nesterov, 0.5}} {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64} {
			c := newChain([]float64{1, 2}, m, 0)
			if !c.step([]float64{1, 1}, 0.1) {
				t.Fatal("a finite step was refused")
			}
			x, v := append([]float64(nil), c.x...), append([]float64(nil), c.v...)
			if c.step([]float64{1, bad}, 10) {
				t.Errorf("%v, gradient %v: the step was taken", m, bad)
			}
			numtest.CloseSlice(t, "weights", c.x, x, 0)
			numtest.CloseSlice(t, "velocity", c.v, v, 0)
		}
	}
}

func TestStepDoesNotAllocate(t *testing.T) {
	c, g := newChain(make([]float64, 100), Momentum{Nesterov, 0.9}, 1e-4), make([]float64, 100)
	if n := testing.AllocsPerRun(100, func() { c.step(g, 0.1) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// Between modes of curvatures 1 and 3 heavy ball multiplies the covariance by about
// [1 + ημ(lᵢ−lⱼ)²/((1+μ)(1−μ)²(lᵢ+lⱼ))]⁻¹ besides the factor 1/(1−μ) of the effective
// learning rate: 0.680 at μ = 0.9, η = 0.01 (statements.md §11.4, E34).
func TestMomentumDampsCovariance(t *testing.T) {
	const eta, mu, l1, l2 = 0.01, 0.9, 1.0, 3.0
	m := Momentum{HeavyBall, mu}
	s1, s2 := linearise(m, 0, l1, eta), linearise(m, 0, l2, eta)
	var c [2][2]float64 // E (x₁, v₁)(x₂, v₂)ᵀ with E ξ₁ξ₂ = 1
	for range 5000 {    // the slowest root is √μ = 0.95
		var next [2][2]float64
		for i := range 2 {
			for j := range 2 {
				next[i][j] = s1.b[i] * s2.b[j]
				for p := range 2 {
					for q := range 2 {
						next[i][j] += s1.a[i][p] * c[p][q] * s2.a[j][q]
					}
				}
			}
		}
		c = next
	}
	ratio := c[0][0] / (eta / (1 - mu) / (l1 + l2))
	// Half a unit of the last printed digit; the formula gives 0.679.
	numtest.Close(t, "covariance ratio", ratio, 0.680, 5e-4)
}

// The vectors take the steps of the plain loop, bit for bit, and see what is not finite.
func TestStepVectors(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	random := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return v
	}
	for _, m := range []Momentum{{}, {HeavyBall, 0.9}, {Nesterov, 0.9}} {
		for _, n := range []int{1, 7, 8, 9, 16, 917} {
			x, decay := random(n), 0.1*r.Float64()
			got, want := newChain(x, m, decay), newChain(x, m, decay)
			for range 3 {
				g := random(n)
				if done, finite := got.stepVectors(g, 0.1); done > n || !finite || !got.stepRest(g, 0.1, done) || !want.stepRest(g, 0.1, 0) {
					t.Fatalf("%v, length %d: %d coordinates in vectors, finite %v", m, n, done, finite)
				}
				if !slices.Equal(got.nextX, want.nextX) || !slices.Equal(got.nextV, want.nextV) {
					t.Fatalf("%v, length %d: the vectors give other bits", m, n)
				}
				got.x, got.nextX, got.v, got.nextV = got.nextX, got.x, got.nextV, got.v
				want.x, want.nextX, want.v, want.nextV = want.nextX, want.x, want.nextV, want.v
			}
			for i := range n {
				for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
					g := random(n)
					g[i] = bad
					if got.step(g, 0.1) {
						t.Errorf("%v, length %d: %v at %d passed", m, n, bad, i)
					}
				}
			}
		}
	}
}

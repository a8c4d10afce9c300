package sde

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/problem"
)

// polynomial is an equation in the plane whose moments are known: a linear drift and a
// quadratic D, with noise that does not commute. Its generator maps polynomials to
// polynomials of the same degree.
func polynomial() *problem.System {
	return &problem.System{
		Name: "polynomial", Beta: 2, Box: problem.Box{XMin: -4, XMax: 4, YMin: -4, YMax: 4},
		Drift: func(dst, x []float64) { dst[0], dst[1] = -x[0]+.5*x[1], -.7*x[0]-2*x[1] },
		Diffusion: func(x []float64) problem.Tensor {
			return problem.Tensor{XX: 1 + .5*x[1]*x[1], XY: .2 + .3*x[0]*x[1], YY: 1 + .5*x[0]*x[0]}
		},
	}
}

// degrees are the monomials x^a y^b up to degree 4, in the order of the generator.
var degrees = func() (list [][2]int) {
	for n := range 5 {
		for b := range n + 1 {
			list = append(list, [2]int{n - b, b})
		}
	}
	return list
}()

// exactMoments returns 𝔼[x^a y^b] of the solution after the time t from x, for all of
// degrees: exp(tL) of the backward generator on polynomials.
func exactMoments(t float64, x []float64) []float64 {
	n := len(degrees)
	l := mat.NewDense(n, n, nil)
	add := func(row, a, b int, c float64) {
		if c == 0 {
			return
		}
		for k, d := range degrees {
			if d == [2]int{a, b} {
				l.Set(row, k, l.At(row, k)+c)
				return
			}
		}
		panic("degree grew")
	}
	const beta1 = .5
	for row, d := range degrees {
		a, b := d[0], d[1]
		fa, fb := float64(a), float64(b)
		add(row, a, b, -fa-2*fb)
		add(row, a-1, b+1, .5*fa)
		add(row, a+1, b-1, -.7*fb)
		add(row, a-2, b, beta1*fa*(fa-1)) // D₁₁∂₁²
		add(row, a-2, b+2, beta1*fa*(fa-1)*.5)
		add(row, a, b-2, beta1*fb*(fb-1)) // D₂₂∂₂²
		add(row, a+2, b-2, beta1*fb*(fb-1)*.5)
		add(row, a-1, b-1, 2*beta1*fa*fb*.2) // 2D₁₂∂₁∂₂
		add(row, a, b, 2*beta1*fa*fb*.3)
	}
	l.Scale(t, l)
	var e mat.Dense
	e.Exp(l)
	start := mat.NewVecDense(n, monomials(x))
	var m mat.VecDense
	m.MulVec(&e, start)
	return m.RawVector().Data
}

func monomials(x []float64) []float64 {
	m := make([]float64, len(degrees))
	for k, d := range degrees {
		m[k] = math.Pow(x[0], float64(d[0])) * math.Pow(x[1], float64(d[1]))
	}
	return m
}

// stepMoments returns the same moments after one step of a scheme, without sampling: by
// Gauss–Hermite quadrature over the two normal variates and the mean over the sign.
func stepMoments(t *testing.T, eq *Ito, scheme Scheme, dt float64, x []float64) []float64 {
	t.Helper()
	const n = 24
	at, weight := make([]float64, n), make([]float64, n)
	quad.Hermite{}.FixedLocations(at, weight, math.Inf(-1), math.Inf(1))
	var total float64 // √π: the rule is for ∫e^(−x²)φ(x)dx
	for _, w := range weight {
		total += w
	}
	st := newStepper(eq, scheme, dt)
	mean, next := make([]float64, len(degrees)), make([]float64, 2)
	for i := range n {
		for k := range n {
			for _, signs := range []uint64{0, ^uint64(0)} {
				st.dw[0], st.dw[1] = at[i]*math.Sqrt(2*dt), at[k]*math.Sqrt(2*dt)
				if err := st.step(next, x, signs); err != nil {
					t.Fatal(err)
				}
				w := weight[i] * weight[k] / (total * total) / 2
				for m, v := range monomials(next) {
					mean[m] += w * v
				}
			}
		}
	}
	return mean
}

// TestWeakLocalOrder finds the order of the error of one step, which is one more than the
// weak order, for all moments up to the fourth and without any statistics.
func TestWeakLocalOrder(t *testing.T) {
	sys := polynomial()
	literal := &Ito{Name: "literal", Dim: 2, Beta: sys.Beta, Drift: sys.Drift, Diffusion: Plane(sys).Diffusion}
	for _, eq := range []*Ito{Plane(sys), literal} {
		for scheme, want := range map[Scheme]float64{EulerMaruyama: 2, WeakTwo: 3} {
			for _, x := range [][]float64{{1, .5}, {-.4, 1.2}} {
				err := func(dt float64) (sum float64) {
					got, exact := stepMoments(t, eq, scheme, dt, x), exactMoments(dt, x)
					for k := range got {
						sum += (got[k] - exact[k]) * (got[k] - exact[k])
					}
					return math.Sqrt(sum)
				}
				a, b := err(.02), err(.01)
				// The next term of the expansion changes the slope by O(Δ) ≈ 0.05.
				if slope := math.Log2(a / b); !(math.Abs(slope-want) <= .2) {
					t.Errorf("%s, %v at %v: local order %v, want %v ± 0.2 (errors %.3g, %.3g)", eq.Name, scheme, x, slope, want, a, b)
				}
			}
		}
	}
}

func TestPairs(t *testing.T) {
	seen := map[int]string{}
	for j := range 6 {
		for i := range j {
			k := pair(i, j)
			if seen[k] != "" || k >= 15 || pair(j, i) != k {
				t.Errorf("pair(%d, %d) = %d, taken by %s", i, j, k, seen[k])
			}
			seen[k] = fmt.Sprint(i, j)
		}
	}
}

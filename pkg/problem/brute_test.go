package problem_test

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/problem"
)

// system is what T1 and T2 share.
type system interface {
	problem.FiniteSum
	BatchGradTo(dst, x []float64, idx []int) (loss float64, err error)
	Loss(x []float64) float64
	GradTo(dst, x []float64) []float64
}

// gradients collects the rows of PerSampleGradients.
func gradients(t *testing.T, f problem.FiniteSum, x []float64, idx []int) *mat.Dense {
	t.Helper()
	var data []float64
	err := f.PerSampleGradients(context.Background(), x, idx, func(b problem.Block) error {
		for i := range b.Rows() {
			data = append(data, b.RowTo(nil, i)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return mat.NewDense(len(data)/f.Dim(), f.Dim(), data)
}

// covariance is the definition of D, entry by entry.
func covariance(g *mat.Dense) *mat.SymDense {
	n, d := g.Dims()
	c := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			var sum, si, sj float64
			for k := range n {
				sum += g.At(k, i) * g.At(k, j)
				si += g.At(k, i)
				sj += g.At(k, j)
			}
			c.SetSym(i, j, sum/float64(n)-si*sj/float64(n*n))
		}
	}
	return c
}

// batches calls visit with every ordered batch of b out of n samples.
func batches(n, b int, visit func(idx []int)) {
	idx := make([]int, b)
	var fill func(i int)
	fill = func(i int) {
		if i == b {
			visit(idx)
			return
		}
		for k := range n {
			idx[i] = k
			fill(i + 1)
		}
	}
	fill(0)
}

// chain is stochastic gradient descent on a sum of quadratics, by enumeration: the
// maps x ↦ A·x + a of all batches, each with probability 1/len(maps).
type chain struct {
	dim  int
	maps []affine
}

type affine struct {
	a *mat.Dense
	c *mat.VecDense
}

// enumerate reads the affine map of every batch off BatchGradTo.
func enumerate(t *testing.T, f system, eta float64, b int) chain {
	t.Helper()
	d := f.Dim()
	ch := chain{dim: d}
	at0, at1, x := make([]float64, d), make([]float64, d), make([]float64, d)
	batches(f.Samples(), b, func(idx []int) {
		m := affine{mat.NewDense(d, d, nil), mat.NewVecDense(d, nil)}
		if _, err := f.BatchGradTo(at0, x, idx); err != nil {
			t.Fatal(err)
		}
		for j := range d {
			x[j] = 1
			if _, err := f.BatchGradTo(at1, x, idx); err != nil {
				t.Fatal(err)
			}
			x[j] = 0
			for i := range d {
				m.a.Set(i, j, -eta*(at1[i]-at0[i]))
			}
		}
		for i := range d {
			m.a.Set(i, i, m.a.At(i, i)+1)
			m.c.SetVec(i, -eta*at0[i])
		}
		ch.maps = append(ch.maps, m)
	})
	return ch
}

// step maps the mean and the second moment of x to those one step later, and returns
// the mixed moment 𝔼[x(k) x(k+1)ᵀ].
func (ch chain) step(mean *mat.VecDense, second *mat.Dense) (mean1 *mat.VecDense, second1, mixed *mat.Dense) {
	d := ch.dim
	mean1 = mat.NewVecDense(d, nil)
	second1, mixed = mat.NewDense(d, d, nil), mat.NewDense(d, d, nil)
	var v mat.VecDense
	var m, outer mat.Dense
	p := 1 / float64(len(ch.maps))
	for _, f := range ch.maps {
		// x′ = Ax + c: 𝔼x′x′ᵀ = A𝔼xxᵀAᵀ + A𝔼x cᵀ + c(A𝔼x)ᵀ + ccᵀ, 𝔼xx′ᵀ = 𝔼xxᵀAᵀ + 𝔼x cᵀ.
		v.MulVec(f.a, mean)
		m.Mul(f.a, second)
		m.Mul(&m, f.a.T())
		for _, pair := range [][2]mat.Vector{{&v, f.c}, {f.c, &v}, {f.c, f.c}} {
			outer.Outer(1, pair[0], pair[1])
			m.Add(&m, &outer)
		}
		m.Scale(p, &m)
		second1.Add(second1, &m)
		m.Mul(second, f.a.T())
		outer.Outer(1, mean, f.c)
		m.Add(&m, &outer)
		m.Scale(p, &m)
		mixed.Add(mixed, &m)
		v.AddVec(&v, f.c)
		mean1.AddScaledVec(mean1, p, &v)
	}
	return mean1, second1, mixed
}

// stationary iterates step from 0 until nothing moves, and returns the covariance and
// the area rate per step.
func (ch chain) stationary(t *testing.T) (cov, area *mat.Dense) {
	t.Helper()
	d := ch.dim
	mean, second := mat.NewVecDense(d, nil), mat.NewDense(d, d, nil)
	for range 100000 {
		mean1, second1, mixed := ch.step(mean, second)
		var diff mat.Dense
		diff.Sub(second1, second)
		done := mat.Norm(&diff, 2) <= 1e-15*mat.Norm(second1, 2)
		mean, second = mean1, second1
		if !done {
			continue
		}
		cov, area = mat.NewDense(d, d, nil), mat.NewDense(d, d, nil)
		for i := range d {
			for j := range d {
				cov.Set(i, j, second.At(i, j)-mean.AtVec(i)*mean.AtVec(j))
				area.Set(i, j, (mixed.At(i, j)-mixed.At(j, i))/2)
			}
		}
		return cov, area
	}
	t.Fatal("the recursion is not stationary after 100000 steps")
	return nil, nil
}

// settle integrates a moment equation m′ = rate(m) with the classical Runge–Kutta
// method of order 4.
func settle(m, horizon float64, steps int, rate func(m float64) float64) float64 {
	h := horizon / float64(steps)
	for range steps {
		k1 := rate(m)
		k2 := rate(m + h/2*k1)
		k3 := rate(m + h/2*k2)
		k4 := rate(m + h*k3)
		m += h / 6 * (k1 + 2*k2 + 2*k3 + k4)
	}
	return m
}

// panics returns what fn panics with, or nil.
func panics(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

// raw returns the entries of m row by row.
func raw(m mat.Matrix) []float64 { return mat.DenseCopyOf(m).RawMatrix().Data }

var nan = math.NaN()

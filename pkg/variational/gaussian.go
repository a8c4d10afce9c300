package variational

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Gaussian is the normal law N(Mean, Covariance) in d dimensions.
//
//	g := variational.Gaussian{Mean: mat.NewVecDense(2, nil), Covariance: mat.NewSymDense(2, []float64{1, 0, 0, 2})}
//	h := g.Entropy()
type Gaussian struct {
	Mean       *mat.VecDense // m (d)
	Covariance *mat.SymDense // C (d×d)
}

// Entropy returns ½ log det(2πe·C) in nats. It is −Inf for a singular covariance.
func (g Gaussian) Entropy() float64 {
	var c mat.Cholesky
	if !c.Factorize(g.Covariance) {
		return math.Inf(-1)
	}
	return (float64(g.Covariance.SymmetricDim())*(1+math.Log(2*math.Pi)) + c.LogDet()) / 2
}

// Density returns the density at x (d), NaN for a singular covariance. It panics if x has
// another length.
func (g Gaussian) Density(x []float64) float64 {
	var c mat.Cholesky
	if !c.Factorize(g.Covariance) {
		return math.NaN()
	}
	var diff, y mat.VecDense
	diff.SubVec(mat.NewVecDense(len(x), x), g.Mean)
	_ = c.SolveVecTo(&y, &diff) // a poor condition shows in the result
	return math.Exp(-(mat.Dot(&diff, &y) + float64(len(x))*math.Log(2*math.Pi) + c.LogDet()) / 2)
}

// KLTo returns KL(g‖q) in nats:
//
//	½ [tr(Q⁻¹C) + (m−μ)ᵀQ⁻¹(m−μ) − d + log det Q − log det C].
//
// It is +Inf if either covariance is singular.
//
//	g := variational.Gaussian{Mean: mat.NewVecDense(1, nil), Covariance: mat.NewSymDense(1, []float64{2})}
//	kl := g.KLTo(variational.Gaussian{Mean: mat.NewVecDense(1, nil), Covariance: mat.NewSymDense(1, []float64{1})})
func (g Gaussian) KLTo(q Gaussian) float64 {
	var c, cq mat.Cholesky
	if !c.Factorize(g.Covariance) || !cq.Factorize(q.Covariance) {
		return math.Inf(1)
	}
	var a mat.Dense
	_ = cq.SolveTo(&a, g.Covariance) // a poor condition shows in the result
	var diff, x mat.VecDense
	diff.SubVec(g.Mean, q.Mean)
	_ = cq.SolveVecTo(&x, &diff)
	return (mat.Trace(&a) + mat.Dot(&diff, &x) - float64(diff.Len()) + cq.LogDet() - c.LogDet()) / 2
}

// Relax returns the law at time t of the Ornstein–Uhlenbeck process dx = −Fx dt + √(2β⁻¹D) dW
// (Itô) that starts at g: mean e^(−Ft)m and covariance Σ + e^(−Ft)(C−Σ)e^(−Fᵀt), where Σ is
// its stationary covariance. relaxation is F (d×d). statements.md §3.1 [m20].
func (g Gaussian) Relax(relaxation mat.Matrix, stationary *mat.SymDense, t float64) Gaussian {
	d := stationary.SymmetricDim()
	var scaled, e mat.Dense
	scaled.Scale(-t, relaxation)
	e.Exp(&scaled)
	mean := mat.NewVecDense(d, nil)
	mean.MulVec(&e, g.Mean)
	var diff mat.SymDense
	diff.AddSym(g.Covariance, scale(-1, stationary))
	var right, both mat.Dense
	right.Mul(&diff, e.T())
	both.Mul(&e, &right)
	c := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			c.SetSym(i, j, stationary.At(i, j)+(both.At(i, j)+both.At(j, i))/2)
		}
	}
	return Gaussian{mean, c}
}

// FreeEnergyRate returns dF/dt of g under the Ornstein–Uhlenbeck process with the diffusion
// matrix D (d×d), the stationary law N(0, Σ), Σ (d×d), and the inverse temperature beta, by Theorem 5:
//
//	dF/dt = −∫ρ ∇μ·D∇μ = −β⁻² [tr(ADAC) + (Σ⁻¹m)ᵀD(Σ⁻¹m)],   A = Σ⁻¹ − C⁻¹.
//
// It does not depend on the rotation, which is in Σ only. It is NaN for singular covariances.
//
//	cov, d := mat.NewSymDense(1, []float64{2}), mat.NewSymDense(1, []float64{1})
//	g := variational.Gaussian{Mean: mat.NewVecDense(1, nil), Covariance: cov}
//	rate := g.FreeEnergyRate(d, mat.NewSymDense(1, []float64{1}), 1)
func (g Gaussian) FreeEnergyRate(diffusion, stationary *mat.SymDense, beta float64) float64 {
	var inverseC, inverseS mat.Dense
	if inverseC.Inverse(g.Covariance) != nil || inverseS.Inverse(stationary) != nil {
		return math.NaN()
	}
	var a, ad, ac, product mat.Dense
	a.Sub(&inverseS, &inverseC)
	ad.Mul(&a, diffusion)
	ac.Mul(&a, g.Covariance)
	product.Mul(&ad, &ac)
	var s mat.VecDense
	s.MulVec(&inverseS, g.Mean)
	return -(mat.Trace(&product) + mat.Inner(&s, diffusion, &s)) / (beta * beta)
}

func scale(c float64, a *mat.SymDense) *mat.SymDense {
	var s mat.SymDense
	s.ScaleSym(c, a)
	return &s
}

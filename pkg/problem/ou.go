package problem

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/mat"
)

// OrnsteinUhlenbeck is the linear equation
//
//	dx = −Fx dt + √(2β⁻¹D) dW
//
// in d dimensions with constant D, the linearised dynamics of [chaudhari2018] Lemma 20.
// F need not be symmetric. Its stationary law is Gaussian with covariance Σ = β⁻¹Y,
//
//	FY + YFᵀ = 2D,   U = Y⁻¹,   Φ = ½xᵀUx,   Q = ½(FY − YFᵀ),   F = (D+Q)U.
//
// Y, U and Q do not depend on β. Use [NewOrnsteinUhlenbeck], [REF] or [ROT]; the zero
// value is not usable.
//
//	var p *problem.OrnsteinUhlenbeck = problem.REF()
//	cov := p.Covariance() // 2×2
type OrnsteinUhlenbeck struct {
	name string
	beta float64
	f    *mat.Dense    // F
	d    *mat.SymDense // D
	y    *mat.SymDense // Y
	u    *mat.SymDense // U, nil if Y is singular
	q    *mat.Dense    // Q
}

// REF is the reference system: F = diag(1, 3), D = [1 .9; .9 1], β = 1.
//
// Its oracles: Y = [1 .45; .45 1/3], Q₁₂ = −0.45, entropy production 81/19 = 4.2631579,
// ω = √(243/157) = 1.244094, loop integral 29.7625.
//
//	p := problem.REF()
//	fmt.Println(p.EntropyProduction(), p.Frequencies())
func REF() *OrnsteinUhlenbeck {
	p := NewOrnsteinUhlenbeck(mat.NewDense(2, 2, []float64{1, 0, 0, 3}), mat.NewSymDense(2, []float64{1, .9, .9, 1}), 1)
	p.name = "REF"
	return p
}

// ROT is the rotating system, not a gradient: F = [1 a; −a 1], D = I, β = 1, with
// U = I, Q₁₂ = a and entropy production 2a². It panics if a is not finite.
//
//	fmt.Println(problem.ROT(2).EntropyProduction()) // 8
func ROT(a float64) *OrnsteinUhlenbeck {
	p := NewOrnsteinUhlenbeck(mat.NewDense(2, 2, []float64{1, a, -a, 1}), mat.NewSymDense(2, []float64{1, 0, 0, 1}), 1)
	p.name = fmt.Sprintf("ROT, a = %.6g", a)
	return p
}

// NewOrnsteinUhlenbeck returns the equation with relaxation matrix F (d×d), diffusion D
// (d×d, positive semi-definite) and inverse temperature β. The matrices are copied. The
// Lyapunov equation is solved as d² linear equations, at a cost of O(d⁶): for small d.
//
// It panics if the sizes disagree, a number is not finite, D is not positive
// semi-definite, β is not positive, or F is not stable, that is, has an eigenvalue
// without positive real part.
func NewOrnsteinUhlenbeck(relaxation mat.Matrix, diffusion mat.Symmetric, beta float64) *OrnsteinUhlenbeck {
	n, c := relaxation.Dims()
	if d := diffusion.SymmetricDim(); n != c || n != d {
		panic(fmt.Sprintf("problem: dimension mismatch: F is %d×%d, D is %d×%d", n, c, d, d))
	}
	checkBeta(beta)
	p := &OrnsteinUhlenbeck{
		name: fmt.Sprintf("Ornstein–Uhlenbeck, d = %d", n),
		beta: beta, f: mat.DenseCopyOf(relaxation), d: mat.NewSymDense(n, nil), y: mat.NewSymDense(n, nil), q: new(mat.Dense),
	}
	p.d.CopySym(diffusion)
	if norm := mat.Norm(p.f, 1) + mat.Norm(p.d, 1); math.IsNaN(norm) || math.IsInf(norm, 0) {
		panic("problem: F and D must be finite")
	}
	var sym mat.EigenSym
	if !sym.Factorize(p.d, false) || sym.Values(nil)[0] < -1e-12*mat.Trace(p.d) {
		panic(fmt.Sprintf("problem: D must be positive semi-definite: its eigenvalues are %.6g", sym.Values(nil)))
	}
	decay := math.Inf(1)
	var eig mat.Eigen
	if !eig.Factorize(p.f, mat.EigenNone) {
		panic("problem: the eigenvalues of F were not found")
	}
	for _, l := range eig.Values(nil) {
		decay = min(decay, real(l))
	}
	if !(decay > 0) {
		panic(fmt.Sprintf("problem: F must be stable, all its eigenvalues with positive real part: got %.6g", eig.Values(nil)))
	}
	p.solveLyapunov()

	var fy mat.Dense
	fy.Mul(p.f, p.y)
	p.q.Sub(&fy, fy.T())
	p.q.Scale(.5, p.q)

	var chol mat.Cholesky
	if chol.Factorize(p.y) && chol.Cond() < 1e14 {
		p.u = mat.NewSymDense(n, nil)
		if err := chol.InverseTo(p.u); err != nil {
			panic("problem: the stationary covariance was not inverted: " + err.Error())
		}
	}
	return p
}

// solveLyapunov finds Y: (F⊗I + I⊗F) vec Y = 2 vec D.
func (p *OrnsteinUhlenbeck) solveLyapunov() {
	n := p.Dim()
	a, b := mat.NewDense(n*n, n*n, nil), mat.NewVecDense(n*n, nil)
	for i := range n {
		for j := range n {
			row := i*n + j
			b.SetVec(row, 2*p.d.At(i, j))
			for k := range n {
				a.Set(row, k*n+j, a.At(row, k*n+j)+p.f.At(i, k))
				a.Set(row, i*n+k, a.At(row, i*n+k)+p.f.At(j, k))
			}
		}
	}
	var y mat.VecDense
	if err := y.SolveVec(a, b); err != nil {
		panic("problem: the Lyapunov equation of a stable F was not solved: " + err.Error())
	}
	for i := range n {
		for j := i; j < n; j++ {
			p.y.SetSym(i, j, (y.AtVec(i*n+j)+y.AtVec(j*n+i))/2)
		}
	}
}

// Dim returns d.
func (p *OrnsteinUhlenbeck) Dim() int { return p.d.SymmetricDim() }

// Beta returns the inverse temperature β.
func (p *OrnsteinUhlenbeck) Beta() float64 { return p.beta }

// Name returns a short name.
func (p *OrnsteinUhlenbeck) Name() string { return p.name }

// AtBeta returns the same drift and diffusion at another inverse temperature. It panics
// unless β is positive and finite.
//
//	p := problem.REF().AtBeta(4)
func (p *OrnsteinUhlenbeck) AtBeta(beta float64) *OrnsteinUhlenbeck {
	checkBeta(beta)
	c := *p
	c.beta = beta
	return &c
}

// Relaxation returns a copy of F (d×d).
//
//	f := problem.REF().Relaxation() // 2×2
func (p *OrnsteinUhlenbeck) Relaxation() *mat.Dense { return mat.DenseCopyOf(p.f) }

// Diffusion returns a copy of D (d×d).
func (p *OrnsteinUhlenbeck) Diffusion() *mat.SymDense { return copySym(p.d) }

// UnitCovariance returns a copy of Y = βΣ (d×d).
func (p *OrnsteinUhlenbeck) UnitCovariance() *mat.SymDense { return copySym(p.y) }

// HasDensity reports whether Y is invertible, so that there is a stationary density:
// whether (F, √D) is controllable. A rank-deficient D can be enough (erratum E31).
func (p *OrnsteinUhlenbeck) HasDensity() bool { return p.u != nil }

// PotentialHessian returns a copy of U = Y⁻¹ (d×d). It panics if there is no density.
func (p *OrnsteinUhlenbeck) PotentialHessian() *mat.SymDense {
	p.needDensity()
	return copySym(p.u)
}

func (p *OrnsteinUhlenbeck) needDensity() {
	if p.u == nil {
		panic(fmt.Sprintf("problem: %s has no stationary density: D does not reach every direction, Y is singular", p.name))
	}
}

// Skew returns a copy of Q = ½(FY − YFᵀ) (d×d), antisymmetric.
func (p *OrnsteinUhlenbeck) Skew() *mat.Dense { return mat.DenseCopyOf(p.q) }

// Covariance returns the stationary covariance Σ = β⁻¹Y (d×d).
func (p *OrnsteinUhlenbeck) Covariance() *mat.SymDense {
	s := mat.NewSymDense(p.Dim(), nil)
	s.ScaleSym(1/p.beta, p.y)
	return s
}

// LagCovariance returns C(t), Cᵢⱼ(t) = ⟨xᵢ(s+t)xⱼ(s)⟩ at stationarity (d×d): e^(−Ft)Σ for
// t ≥ 0 and Σe^(Fᵀt) for t < 0.
func (p *OrnsteinUhlenbeck) LagCovariance(t float64) *mat.Dense {
	c := new(mat.Dense)
	c.Mul(p.propagator(math.Abs(t)), p.Covariance())
	if t < 0 {
		return mat.DenseCopyOf(c.T())
	}
	return c
}

// propagator returns e^(−Ft).
func (p *OrnsteinUhlenbeck) propagator(t float64) *mat.Dense {
	var e mat.Dense
	e.Scale(-t, p.f)
	e.Exp(&e)
	return &e
}

// MeanAt returns the mean at the time t ≥ 0 after starting with mean m0 (d), e^(−Ft)m0.
func (p *OrnsteinUhlenbeck) MeanAt(t float64, m0 []float64) []float64 {
	checkLen("m0", len(m0), p.Dim())
	dst := make([]float64, p.Dim())
	mat.NewVecDense(len(dst), dst).MulVec(p.propagator(t), mat.NewVecDense(len(m0), m0))
	return dst
}

// CovarianceAt returns the covariance at the time t ≥ 0 after starting with covariance c0
// (d×d; nil means a point, zero),
//
//	C(t) = Σ + e^(−Ft)(C₀ − Σ)e^(−Fᵀt).
func (p *OrnsteinUhlenbeck) CovarianceAt(t float64, c0 mat.Symmetric) *mat.SymDense {
	n := p.Dim()
	sigma := p.Covariance()
	excess := mat.NewDense(n, n, nil)
	excess.Sub(excess, sigma)
	if c0 != nil {
		checkLen("c0", c0.SymmetricDim(), n)
		excess.Add(excess, c0)
	}
	e := p.propagator(t)
	excess.Product(e, excess, e.T())
	for i := range n {
		for j := i; j < n; j++ {
			sigma.SetSym(i, j, sigma.At(i, j)+(excess.At(i, j)+excess.At(j, i))/2)
		}
	}
	return sigma
}

// AreaRate returns the matrix of area rates ⟨½(xᵢẋⱼ − xⱼẋᵢ)⟩ at stationarity (d×d),
// β⁻¹Q.
func (p *OrnsteinUhlenbeck) AreaRate() *mat.Dense {
	a := p.Skew()
	a.Scale(1/p.beta, a)
	return a
}

// EntropyProduction returns the stationary rate tr(D⁻¹FYFᵀ) − tr F, in nats per unit
// time. It does not depend on β, is 0 without rotation, and infinite if Q is not zero
// and D singular.
func (p *OrnsteinUhlenbeck) EntropyProduction() float64 {
	if mat.Norm(p.q, math.Inf(1)) <= 1e-14*mat.Norm(p.y, math.Inf(1))*mat.Norm(p.f, math.Inf(1)) {
		return 0
	}
	var chol mat.Cholesky
	if !chol.Factorize(p.d) || chol.Cond() > 1e14 {
		return math.Inf(1)
	}
	var fyf, w mat.Dense
	fyf.Product(p.f, p.y, p.f.T())
	if err := chol.SolveTo(&w, &fyf); err != nil {
		return math.Inf(1)
	}
	return mat.Trace(&w) - mat.Trace(p.f)
}

// Frequencies returns the angular frequencies of the mean circulation ẋ = j = −QUx,
// ascending (length ⌊d/2⌋): the largest imaginary parts of the eigenvalues of QU, which are
// imaginary in pairs. In the plane it is ω = |Q₁₂|√det U. It panics if there is no density.
func (p *OrnsteinUhlenbeck) Frequencies() []float64 {
	p.needDensity()
	var qu mat.Dense
	qu.Mul(p.q, p.u)
	var eig mat.Eigen
	if !eig.Factorize(&qu, mat.EigenNone) {
		panic("problem: the eigenvalues of QU were not found")
	}
	values := eig.Values(nil)
	parts := make([]float64, len(values))
	for i, l := range values {
		parts[i] = imag(l)
	}
	sort.Float64s(parts)
	return parts[(len(parts)+1)/2:]
}

// LoopIntegral returns ∮D⁻¹Fx·dx round the unit circle, counter-clockwise,
// π((D⁻¹F)₂₁ − (D⁻¹F)₁₂). It is zero in the plane exactly if the force j is. It panics
// unless d = 2, and is not finite if D is singular.
func (p *OrnsteinUhlenbeck) LoopIntegral() float64 {
	p.needPlane()
	inv := p.tensor().Inverse()
	_, lower := inv.MulVec(p.f.At(0, 0), p.f.At(1, 0))
	upper, _ := inv.MulVec(p.f.At(0, 1), p.f.At(1, 1))
	return math.Pi * (lower - upper)
}

func (p *OrnsteinUhlenbeck) needPlane() { checkLen("x", p.Dim(), 2) }

func (p *OrnsteinUhlenbeck) tensor() Tensor {
	return Tensor{p.d.At(0, 0), p.d.At(0, 1), p.d.At(1, 1)}
}

// DriftTo stores −Fx in dst; both have length d.
func (p *OrnsteinUhlenbeck) DriftTo(dst, x []float64) {
	checkLen("x", len(x), p.Dim())
	checkLen("dst", len(dst), p.Dim())
	raw := p.f.RawMatrix()
	for i := range dst {
		var sum float64
		for j, v := range x {
			sum += raw.Data[i*raw.Stride+j] * v
		}
		dst[i] = -sum
	}
}

// System returns the equation in the plane with all its functions; the loss is there if
// F is symmetric. The box is ±6 standard deviations. It panics unless d = 2 and there is
// a density.
func (p *OrnsteinUhlenbeck) System() *System {
	p.needPlane()
	p.needDensity()
	f11, f12, f21, f22 := p.f.At(0, 0), p.f.At(0, 1), p.f.At(1, 0), p.f.At(1, 1)
	d, u, q := p.tensor(), Tensor{p.u.At(0, 0), p.u.At(0, 1), p.u.At(1, 1)}, p.q.At(0, 1)
	sx, sy := 6*math.Sqrt(p.y.At(0, 0)/p.beta), 6*math.Sqrt(p.y.At(1, 1)/p.beta)
	skew := func([]float64) float64 { return q }
	potential := func(x []float64) float64 {
		a, b := u.MulVec(x[0], x[1])
		return (x[0]*a + x[1]*b) / 2
	}
	s := &System{
		Name: p.name, Beta: p.beta, Box: Box{-sx, sx, -sy, sy},
		Drift: func(dst, x []float64) {
			dst[0], dst[1] = -f11*x[0]-f12*x[1], -f21*x[0]-f22*x[1]
		},
		Diffusion:    func([]float64) Tensor { return d },
		DivDiffusion: zeroVector,
		Potential:    potential,
		Gradient:     func(dst, x []float64) { dst[0], dst[1] = u.MulVec(x[0], x[1]) },
		Force: func(dst, x []float64) {
			a, b := u.MulVec(x[0], x[1])
			dst[0], dst[1] = -q*b, q*a
		},
		Skew:           skew,
		StreamFunction: streamFromSkew(p.beta, skew, potential),
		BetaFree:       true,
	}
	if f12 == f21 {
		s.Loss = func(x []float64) float64 {
			return (f11*x[0]*x[0] + 2*f12*x[0]*x[1] + f22*x[1]*x[1]) / 2
		}
	}
	return s
}

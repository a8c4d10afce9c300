package problem

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// CommonHessian is the finite sum of quadratics that share their Hessian F,
//
//	fₖ(x) = ½ (x−cₖ)ᵀ F (x−cₖ),
//
// with one centre cₖ per sample. Then f = ½(x−c̄)ᵀF(x−c̄) + const, and the diffusion
// matrix of [chaudhari2018] eq. (2) is D = F·S·F at every x, where S is the covariance
// of the centres: a loss with constant, anisotropic noise. Stochastic gradient descent
// on it is a linear chain with an exact stationary covariance.
//
//	var f *problem.CommonHessian = problem.T1()
//	cov := f.StationaryCovariance(0.1, 1) // 2×2
//
// Use [NewCommonHessian] or [T1]; the zero value is not usable.
type CommonHessian struct {
	hessian   *mat.SymDense // F, d×d
	centres   *mat.Dense    // N×d
	mean      []float64     // c̄
	diffusion *mat.SymDense // D
	curvature []float64     // l, eigenvalues of F, ascending
	modes     *mat.Dense    // V, eigenvectors of F in columns
	rotated   *mat.SymDense // VᵀDV
}

var _ FiniteSum = (*CommonHessian)(nil)

// T1 is the system "common Hessian": F = diag(1, 3) and the four centres
// ±√1.6·(1, 1) and ±√0.4·(1, −1), so that D = [1 1.8; 1.8 9] at every x.
//
// Its oracles: Y = [1 .9; .9 3], Q₁₂ = −0.9, entropy production 9/16, and at η = 0.1,
// b = 1 an area rate of −0.00486486 per step.
//
//	f := problem.T1()
//	g := f.GradTo(nil, []float64{1, 1})
func T1() *CommonHessian {
	p, m := math.Sqrt(1.6), math.Sqrt(0.4)
	return NewCommonHessian(
		mat.NewSymDense(2, []float64{1, 0, 0, 3}),
		mat.NewDense(4, 2, []float64{p, p, -p, -p, m, -m, -m, m}),
	)
}

// NewCommonHessian returns the finite sum with the Hessian F (d×d) and the centres cₖ
// in rows (N×d). Both are copied. It panics if the sizes disagree, a number is not
// finite, or F is not positive definite.
func NewCommonHessian(hessian *mat.SymDense, centres *mat.Dense) *CommonHessian {
	n, d := centres.Dims()
	if got := hessian.SymmetricDim(); got != d {
		panic(fmt.Sprintf("problem: dimension mismatch: Hessian is %d×%d, centres have length %d", got, got, d))
	}
	if norm := mat.Norm(hessian, 1) + mat.Norm(centres, 1); math.IsNaN(norm) || math.IsInf(norm, 0) {
		panic("problem: the common Hessian and the centres must be finite")
	}
	p := &CommonHessian{
		hessian:   mat.NewSymDense(d, nil),
		centres:   mat.DenseCopyOf(centres),
		mean:      make([]float64, d),
		diffusion: mat.NewSymDense(d, nil),
		modes:     new(mat.Dense),
		rotated:   mat.NewSymDense(d, nil),
	}
	p.hessian.CopySym(hessian)
	var eig mat.EigenSym
	if !eig.Factorize(p.hessian, true) || !(eig.Values(nil)[0] > 0) {
		panic("problem: the common Hessian must be positive definite")
	}
	p.curvature = eig.Values(nil)
	eig.VectorsTo(p.modes)

	for j := range d {
		p.mean[j] = mat.Sum(p.centres.ColView(j)) / float64(n)
	}
	deviations := mat.NewDense(n, d, nil) // rows (F(cₖ−c̄))ᵀ
	for k := range n {
		row := deviations.RawRowView(k)
		for j := range row {
			row[j] = p.centres.At(k, j) - p.mean[j]
		}
	}
	deviations.Mul(deviations, p.hessian)
	p.diffusion.SymOuterK(1/float64(n), deviations.T())
	deviations.Mul(deviations, p.modes)
	p.rotated.SymOuterK(1/float64(n), deviations.T())
	return p
}

// Dim returns d.
func (p *CommonHessian) Dim() int { return len(p.mean) }

// Samples returns N.
//
//	n := problem.T1().Samples() // 4
func (p *CommonHessian) Samples() int { n, _ := p.centres.Dims(); return n }

// Hessian returns a copy of F (d×d), the Hessian of every fₖ and of f.
func (p *CommonHessian) Hessian() *mat.SymDense { return copySym(p.hessian) }

// Centres returns a copy of the minima cₖ of the samples, in rows (N×d).
func (p *CommonHessian) Centres() *mat.Dense { return mat.DenseCopyOf(p.centres) }

// Minimum returns the minimum (d) of f, the mean of the centres.
func (p *CommonHessian) Minimum() []float64 { return append([]float64(nil), p.mean...) }

// Diffusion returns a copy of D (d×d), the centred covariance of the per-sample
// gradients divided by N, which is the same at every x. [chaudhari2018] eq. (2).
func (p *CommonHessian) Diffusion() *mat.SymDense { return copySym(p.diffusion) }

// Loss returns f(x), the mean over all samples. It panics if x has another length
// than d.
//
//	f := problem.T1().Loss([]float64{1, 1})
func (p *CommonHessian) Loss(x []float64) float64 {
	checkLen("x", len(x), p.Dim())
	var sum float64
	for k := range p.Samples() {
		sum += p.sampleLoss(x, k)
	}
	return sum / float64(p.Samples())
}

// GradTo stores ∇f(x) = F(x−c̄) in dst and returns dst; a nil dst is allocated. It
// panics if x or dst has another length than d.
func (p *CommonHessian) GradTo(dst, x []float64) []float64 {
	if dst == nil {
		dst = make([]float64, p.Dim())
	}
	checkLen("x", len(x), p.Dim())
	checkLen("dst", len(dst), p.Dim())
	for i := range dst {
		dst[i] = 0
		for j, c := range p.mean {
			dst[i] += p.hessian.At(i, j) * (x[j] - c)
		}
	}
	return dst
}

// BatchGradTo stores the gradient of the batch idx, the mean of ∇fₖ(x) over it, in dst
// and returns the mean of fₖ(x) over it. A nil idx means all samples; an index may
// appear more than once. The error is always nil.
//
// It panics if x or dst has another length than d, or if idx is empty or holds
// something that is not a sample.
func (p *CommonHessian) BatchGradTo(dst, x []float64, idx []int) (loss float64, err error) {
	checkLen("x", len(x), p.Dim())
	checkLen("dst", len(dst), p.Dim())
	if idx == nil {
		p.GradTo(dst, x)
		return p.Loss(x), nil
	}
	checkBatch(idx, p.Samples())
	d := p.Dim()
	offset := make([]float64, d) // x minus the mean centre of the batch
	for _, k := range idx {
		loss += p.sampleLoss(x, k)
		for j := range offset {
			offset[j] += x[j] - p.centres.At(k, j)
		}
	}
	b := float64(len(idx))
	for i := range dst {
		dst[i] = 0
		for j, o := range offset {
			dst[i] += p.hessian.At(i, j) * o / b
		}
	}
	return loss / b, nil
}

// PerSampleGradients delivers ∇fₖ(x) = F(x−cₖ) in float64 blocks, see [FiniteSum]. It
// panics if x has another length than d or idx holds something that is not a sample.
func (p *CommonHessian) PerSampleGradients(ctx context.Context, x []float64, idx []int, yield func(Block) error) error {
	checkLen("x", len(x), p.Dim())
	return yieldRows(ctx, p.Dim(), p.Samples(), idx, func(dst []float64, k int) {
		for i := range dst {
			dst[i] = 0
			for j := range x {
				dst[i] += p.hessian.At(i, j) * (x[j] - p.centres.At(k, j))
			}
		}
	}, yield)
}

func (p *CommonHessian) sampleLoss(x []float64, k int) float64 {
	var sum float64
	for i := range x {
		for j := range x {
			sum += (x[i] - p.centres.At(k, i)) * p.hessian.At(i, j) * (x[j] - p.centres.At(k, j))
		}
	}
	return sum / 2
}

// StationaryCovariance returns the exact covariance Σ (d×d) of the weights of stochastic
// gradient descent at stationarity, with learning rate eta and batches of b drawn with
// replacement. In the eigenbasis of F, with eigenvalues l,
//
//	Σᵢⱼ = η Dᵢⱼ / (b (lᵢ + lⱼ − η lᵢlⱼ)).
//
// The mean is [CommonHessian.Minimum]. Other schemes with independent batches replace
// 1/b by their factor in var(∇f_b) = factor·D, so multiply by b·factor.
//
// It panics if b < 1 or eta is outside (0, 2/max l), where no stationary law exists.
func (p *CommonHessian) StationaryCovariance(eta float64, b int) *mat.SymDense {
	checkStep(eta, b, p.curvature[p.Dim()-1])
	return p.fromModes(func(i, j int) float64 {
		li, lj := p.curvature[i], p.curvature[j]
		return eta * p.rotated.At(i, j) / (float64(b) * (li + lj - eta*li*lj))
	})
}

// ContinuousCovariance returns the stationary covariance β⁻¹Y (d×d) of the stochastic
// differential equation of Lemma 2 at β⁻¹ = η/(2b): in the eigenbasis of F,
//
//	Σᵢⱼ = η Dᵢⱼ / (b (lᵢ + lⱼ)).
//
// It is smaller than [CommonHessian.StationaryCovariance] by the factor
// 1 − ηlᵢlⱼ/(lᵢ+lⱼ). It panics where that does.
//
//	cov := problem.T1().ContinuousCovariance(0.1, 1) // 2×2
func (p *CommonHessian) ContinuousCovariance(eta float64, b int) *mat.SymDense {
	checkStep(eta, b, p.curvature[p.Dim()-1])
	return p.fromModes(func(i, j int) float64 {
		return eta * p.rotated.At(i, j) / (float64(b) * (p.curvature[i] + p.curvature[j]))
	})
}

// LagCovariance returns C(τ) = (I−ηF)^τ Σ with Cᵢⱼ = ⟨xᵢ(k+τ) xⱼ(k)⟩ about the mean,
// for stochastic gradient descent at stationarity (d×d, lag τ ≥ 0 in steps, Σ of
// [CommonHessian.StationaryCovariance]). It panics where that does and if lag < 0.
func (p *CommonHessian) LagCovariance(eta float64, b, lag int) *mat.Dense {
	if lag < 0 {
		panic(fmt.Sprintf("problem: lag must not be negative: got %d", lag))
	}
	sigma := p.StationaryCovariance(eta, b)
	decay := p.fromModes(func(i, j int) float64 {
		if i != j {
			return 0
		}
		return math.Pow(1-eta*p.curvature[i], float64(lag))
	})
	c := new(mat.Dense)
	c.Mul(decay, sigma)
	return c
}

// AreaRatePerStep returns the antisymmetric matrix A (d×d) of mean areas swept in one
// step of stochastic gradient descent at stationarity,
//
//	Aᵢⱼ = ½⟨xᵢ(k) xⱼ(k+1) − xⱼ(k) xᵢ(k+1)⟩ = ½(C(1)ᵀ − C(1))ᵢⱼ
//	    = η²/(2b) · (lᵢ−lⱼ) Dᵢⱼ / (lᵢ + lⱼ − η lᵢlⱼ)     in the eigenbasis of F.
//
// It is zero exactly if F and D commute: then the chain is reversible. It panics where
// [CommonHessian.StationaryCovariance] does.
func (p *CommonHessian) AreaRatePerStep(eta float64, b int) *mat.Dense {
	c := p.LagCovariance(eta, b, 1)
	a := mat.NewDense(p.Dim(), p.Dim(), nil)
	for i := range p.Dim() {
		for j := range p.Dim() {
			a.Set(i, j, (c.At(j, i)-c.At(i, j))/2)
		}
	}
	return a
}

// PotentialCovariance returns Y = U⁻¹ (d×d), the stationary covariance of the
// stochastic differential equation divided by β⁻¹: the solution of FY + YF = 2D, in
// the eigenbasis Yᵢⱼ = 2Dᵢⱼ/(lᵢ+lⱼ). [chaudhari2018] Lemma 20.
func (p *CommonHessian) PotentialCovariance() *mat.SymDense {
	return p.fromModes(func(i, j int) float64 {
		return 2 * p.rotated.At(i, j) / (p.curvature[i] + p.curvature[j])
	})
}

// Skew returns Q = ½(FY − YF) (d×d, antisymmetric), in the eigenbasis
// Qᵢⱼ = (lᵢ−lⱼ)/(lᵢ+lⱼ)·Dᵢⱼ. F = (D+Q)Y⁻¹. [chaudhari2018] Lemma 20.
func (p *CommonHessian) Skew() *mat.Dense {
	var fy mat.Dense
	fy.Mul(p.hessian, p.PotentialCovariance())
	q := mat.NewDense(p.Dim(), p.Dim(), nil)
	for i := range p.Dim() {
		for j := range p.Dim() {
			q.Set(i, j, (fy.At(i, j)-fy.At(j, i))/2)
		}
	}
	return q
}

// EntropyProduction returns the entropy production rate of the stochastic differential
// equation at stationarity, tr(D⁻¹FYF) − tr F, in nats per unit of time. It does not
// depend on the temperature, and is zero exactly if F and D commute. It is +Inf if D
// is singular.
func (p *CommonHessian) EntropyProduction() float64 {
	var chol mat.Cholesky
	if !chol.Factorize(p.diffusion) {
		return math.Inf(1)
	}
	var fy, fyf, quotient mat.Dense
	fy.Mul(p.hessian, p.PotentialCovariance())
	fyf.Mul(&fy, p.hessian)
	if chol.SolveTo(&quotient, &fyf) != nil {
		return math.Inf(1)
	}
	return quotient.Trace() - mat.Trace(p.hessian)
}

// fromModes returns V·M·Vᵀ for the symmetric M with the entries entry(i, j) in the
// eigenbasis V of F.
func (p *CommonHessian) fromModes(entry func(i, j int) float64) *mat.SymDense {
	d := p.Dim()
	m := mat.NewDense(d, d, nil)
	for i := range d {
		for j := range d {
			m.Set(i, j, entry(i, j))
		}
	}
	m.Mul(p.modes, m)
	m.Mul(m, p.modes.T())
	s := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			s.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	return s
}

func copySym(a *mat.SymDense) *mat.SymDense {
	s := mat.NewSymDense(a.SymmetricDim(), nil)
	s.CopySym(a)
	return s
}

// checkBatch panics unless idx is a non-empty batch out of n samples.
func checkBatch(idx []int, n int) {
	if len(idx) == 0 {
		panic("problem: an empty batch has no gradient")
	}
	for _, k := range idx {
		checkSample(k, n)
	}
}

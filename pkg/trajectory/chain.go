package trajectory

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/noise"
	"sgdlab/pkg/sgd"
)

// ChainSettings describe stochastic gradient descent on a quadratic loss ½xᵀHx with constant noise.
//
//	s := trajectory.ChainSettings{Hessian: mat.NewSymDense(2, []float64{1, 0, 0, 3}), Diffusion: mat.NewSymDense(2, []float64{1, 1.8, 1.8, 9}),
//		LearningRate: 0.1, BatchSize: 1, Samples: 4}
type ChainSettings struct {
	Hessian       mat.Symmetric // H (k×k)
	Diffusion     mat.Symmetric // D (k×k), of eq. (2): the covariance of a single sample's gradient
	LearningRate  float64       // η
	Momentum      sgd.Momentum
	BatchSize     int // b
	Samples       int // N
	Sampling      noise.Sampling
	StepsPerEpoch int // steps from one snapshot to the next
}

// LinearChain is stochastic gradient descent on a quadratic loss with constant noise, seen
// once per epoch: the null model that a network must be compared with, for it has everything
// but nonlinearity. Its laws are exact,
//
//	z(e+1) = M z(e) + ξ,   cov z = S = MSMᵀ + cov ξ,   C(τ) = MᵗS,
//
// with z = x, or (x, v) with momentum; M and the covariance of ξ are those of all steps of an epoch
// together, which reshuffling correlates (erratum E18). Without momentum and with
// independent batches it is appendix P.7 of statements.md. Use [NewLinearChain].
type LinearChain struct {
	k        int        // of x
	step     *mat.Dense // of one step of z
	epoch    *mat.Dense // M
	noise    *mat.SymDense
	law      *mat.SymDense // S
	rootLaw  *mat.Dense
	rootStep *mat.Dense // root of cov ξ
}

// NewLinearChain returns the chain of s. It returns an error if it has no stationary law: a
// mode is flat, unstable, or too fast for the learning rate; project on fewer or other
// directions. It panics if sizes or numbers of s make no sense.
//
//	c, err := trajectory.NewLinearChain(trajectory.ChainSettings{Hessian: mat.NewSymDense(2, []float64{1, 0, 0, 3}),
//		Diffusion: mat.NewSymDense(2, []float64{1, 1.8, 1.8, 9}), LearningRate: 0.1, BatchSize: 1, Samples: 4})
func NewLinearChain(s ChainSettings) (*LinearChain, error) {
	k := s.Hessian.SymmetricDim()
	if d := s.Diffusion.SymmetricDim(); d != k || s.StepsPerEpoch < 1 || !(s.LearningRate > 0) {
		panic(fmt.Sprintf("trajectory: chain with a %d×%d Hessian, a %d×%d diffusion, %d steps per epoch, learning rate %v: sizes must agree, numbers be positive", k, k, d, d, s.StepsPerEpoch, s.LearningRate))
	}
	eta, mu := s.LearningRate, s.Momentum.Mu
	size, step, gain := k, identity(k), scaled(k, -eta) // one step: z ← step·z + gain·noise, noise of covariance ∝ D
	switch s.Momentum.Kind {
	case sgd.None:
		addScaled(step, 0, 0, -eta, s.Hessian)
	case sgd.HeavyBall, sgd.Nesterov:
		// v ← μv + g, x ← x − ηv, or x ← x − η(g + μv) with the new v, g = Hx + noise.
		direct, old := eta, eta*mu
		if s.Momentum.Kind == sgd.Nesterov {
			direct, old = eta*(1+mu), eta*mu*mu
		}
		size = 2 * k
		step, gain = mat.NewDense(size, size, nil), mat.NewDense(size, k, nil)
		for i := range k {
			step.Set(i, i, 1)
			step.Set(i, k+i, -old)
			step.Set(k+i, k+i, mu)
			gain.Set(i, i, -direct)
			gain.Set(k+i, i, 1)
		}
		addScaled(step, 0, 0, -direct, s.Hessian)
		addScaled(step, k, 0, 1, s.Hessian)
	default:
		panic(fmt.Sprintf("trajectory: no chain with momentum %v", s.Momentum))
	}
	c := &LinearChain{k: k, step: step}

	// ξ = Σ W_j·noise_j with W_j = step^(n−1−j)·gain; noises of one epoch have the covariance
	// own·D with themselves and cross·D with each other.
	own, cross := s.Sampling.CovarianceFactor(s.BatchSize, s.Samples), s.Sampling.CrossCovarianceFactor(s.Samples)
	if s.StepsPerEpoch == 1 {
		cross = 0
	}
	w, total := mat.DenseCopyOf(gain), mat.NewDense(size, k, nil)
	var wd, term mat.Dense
	sum := mat.NewDense(size, size, nil)
	c.epoch = identity(size)
	for range s.StepsPerEpoch {
		wd.Mul(w, s.Diffusion)
		term.Mul(&wd, w.T())
		term.Scale(own-cross, &term)
		sum.Add(sum, &term)
		total.Add(total, w)
		var next mat.Dense
		next.Mul(step, w)
		w.Copy(&next)
		var power mat.Dense
		power.Mul(step, c.epoch)
		c.epoch.Copy(&power)
	}
	wd.Mul(total, s.Diffusion)
	term.Mul(&wd, total.T())
	term.Scale(cross, &term)
	sum.Add(sum, &term)
	c.noise = symmetric(sum)

	var eig mat.Eigen
	if !eig.Factorize(step, mat.EigenNone) {
		return nil, fmt.Errorf("trajectory: the eigenvalues of the chain did not converge")
	}
	for _, v := range eig.Values(nil) {
		if radius := math.Hypot(real(v), imag(v)); !(radius < 1-1e-12) {
			return nil, fmt.Errorf("trajectory: the chain has no stationary law: a mode is multiplied by %.6g a step; leave out flat and unstable directions, or lower the learning rate %v", radius, eta)
		}
	}
	c.law = symmetric(stein(c.epoch, c.noise))
	c.rootLaw, c.rootStep = root(c.law), root(c.noise)
	return c, nil
}

// stein returns S = Σ MʲNMʲᵀ, the solution of S = MSMᵀ + N, by doubling: after i rounds it
// holds the first 2ⁱ terms.
func stein(m *mat.Dense, n *mat.SymDense) *mat.Dense {
	a, s := mat.DenseCopyOf(m), mat.DenseCopyOf(n)
	var t, add, square mat.Dense
	for range 64 {
		t.Mul(a, s)
		add.Mul(&t, a.T())
		if mat.Norm(&add, 2) <= 1e-17*mat.Norm(s, 2) {
			break
		}
		s.Add(s, &add)
		square.Mul(a, a)
		a.Copy(&square)
	}
	return s
}

// root returns R with RRᵀ = a for a positive semi-definite a; what round-off has made
// negative counts as zero.
func root(a *mat.SymDense) *mat.Dense {
	var eig mat.EigenSym
	if !eig.Factorize(a, true) {
		panic("trajectory: the eigenvalues of a covariance did not converge")
	}
	var v mat.Dense
	eig.VectorsTo(&v)
	for j, l := range eig.Values(nil) {
		for i := range a.SymmetricDim() {
			v.Set(i, j, v.At(i, j)*math.Sqrt(max(0, l)))
		}
	}
	return &v
}

func identity(n int) *mat.Dense { return scaled(n, 1) }

func scaled(n int, c float64) *mat.Dense {
	a := mat.NewDense(n, n, nil)
	for i := range n {
		a.Set(i, i, c)
	}
	return a
}

// addScaled adds c·b to the part of a that begins at (i0, j0).
func addScaled(a *mat.Dense, i0, j0 int, c float64, b mat.Symmetric) {
	for i := range b.SymmetricDim() {
		for j := range b.SymmetricDim() {
			a.Set(i0+i, j0+j, a.At(i0+i, j0+j)+c*b.At(i, j))
		}
	}
}

func symmetric(a *mat.Dense) *mat.SymDense {
	n, _ := a.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			s.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	return s
}

// Dim returns k, the dimension of x.
func (c *LinearChain) Dim() int { return c.k }

// Covariance returns the stationary covariance of x (k×k).
func (c *LinearChain) Covariance() *mat.SymDense {
	s := mat.NewSymDense(c.k, nil)
	s.CopySym(c.law)
	return s
}

// LagCovariance returns C(τ)ᵢⱼ = ⟨xᵢ(e+τ)xⱼ(e)⟩ at stationarity for a lag of τ ≥ 0 epochs
// (k×k). It panics if the lag is negative.
func (c *LinearChain) LagCovariance(lag int) *mat.Dense {
	if lag < 0 {
		panic(fmt.Sprintf("trajectory: lag %d is negative", lag))
	}
	var m, all mat.Dense
	m.Pow(c.epoch, lag)
	all.Mul(&m, c.law)
	return mat.DenseCopyOf(all.Slice(0, c.k, 0, c.k))
}

// AreaRate returns the matrix of mean areas per epoch, ½(C(1)ᵀ−C(1)) (k×k): the entry (i, j) is
// positive if the chain turns from xᵢ towards xⱼ.
func (c *LinearChain) AreaRate() *mat.Dense {
	one := c.LagCovariance(1)
	a := mat.NewDense(c.k, c.k, nil)
	a.Sub(one.T(), one)
	a.Scale(0.5, a)
	return a
}

// Simulate returns n epochs of the chain at stationarity, one series (n) for each component of x.
// The noise of an epoch is taken as normal, of the exact covariance. It panics if src is nil or n < 1.
func (c *LinearChain) Simulate(n int, src rand.Source) [][]float64 {
	if src == nil || n < 1 {
		panic(fmt.Sprintf("trajectory: %d epochs from source %v: want a positive number and a source", n, src))
	}
	r := rand.New(src)
	size := c.law.SymmetricDim()
	z, next, xi := make([]float64, size), make([]float64, size), make([]float64, size)
	out := make([][]float64, c.k)
	for i := range out {
		out[i] = make([]float64, n)
	}
	addProduct := func(dst []float64, a *mat.Dense, v []float64) {
		for i := range dst {
			var sum float64
			for j, m := range a.RawRowView(i) {
				sum += m * v[j]
			}
			dst[i] += sum
		}
	}
	for e := range n {
		for i := range xi {
			xi[i], next[i] = r.NormFloat64(), 0
		}
		if e == 0 {
			addProduct(next, c.rootLaw, xi)
		} else {
			addProduct(next, c.epoch, z)
			addProduct(next, c.rootStep, xi)
		}
		z, next = next, z
		for i := range out {
			out[i][e] = z[i]
		}
	}
	return out
}

// Oscillates reports whether momentum alone makes a mode of curvature l oscillate at
// learning rate eta: with the roots of its recursion complex, η·l > (1−√μ)² for heavy ball
// and ((1−μ)/(1+μ))² for Nesterov. A spectral peak of such a mode says nothing about the
// force j. statements.md §11.4, erratum E34.
func Oscillates(m sgd.Momentum, eta, l float64) bool {
	switch m.Kind {
	case sgd.HeavyBall:
		c := 1 - math.Sqrt(m.Mu)
		return eta*l > c*c
	case sgd.Nesterov:
		c := (1 - m.Mu) / (1 + m.Mu)
		return eta*l > c*c
	}
	return false
}

// Comparison is a run beside a linear chain at one lag.
type Comparison struct {
	Lag       int     `json:"lag"`       // epochs
	Symmetric float64 `json:"symmetric"` // ‖Ĉₛ−Cₛ‖_F/‖Σ‖_F, Σ and C of the chain
	PSym      float64 `json:"p_sym"`     // its rank among surrogates
	Skew      float64 `json:"skew"`      // ‖Ĉₐ−Cₐ‖_F/‖Σ‖_F
	PSkew     float64 `json:"p_skew"`
	SkewSize  float64 `json:"skew_size"`  // ‖Ĉₐ‖_F/‖Σ‖_F: the irreversibility that was measured
	SkewChain float64 `json:"skew_chain"` // ‖Cₐ‖_F/‖Σ‖_F: that of linear theory
}

// Compare tests whether the lag covariances of the series (k of n epochs) are those of the chain
// c: the distance of their symmetric and antisymmetric parts, with p-values from as many
// simulated runs of c of the same length. A straight line is taken from the series and from
// the surrogates alike ([Detrended]). Surrogate r draws from rand.NewPCG(seed, r).
// statements.md §6.4.
//
// It returns an error if ctx ends, and panics if the number of series is not that of the
// chain, a lag is outside 0…n−1, or surrogates < 1.
func Compare(ctx context.Context, series [][]float64, c *LinearChain, lags []int, surrogates int, seed uint64, s *Settings) ([]Comparison, error) {
	checkSeries(series)
	n := len(series[0])
	checkLags(lags, n)
	if len(series) != c.k || surrogates < 1 {
		panic(fmt.Sprintf("trajectory: %d series and %d surrogates for a chain of %d components", len(series), surrogates, c.k))
	}
	expected := make([]*mat.Dense, len(lags))
	scale := mat.Norm(c.Covariance(), 2)
	out := make([]Comparison, len(lags))
	for i, lag := range lags {
		expected[i] = c.LagCovariance(lag)
		_, skew := parts(expected[i])
		out[i] = Comparison{Lag: lag, SkewChain: mat.Norm(skew, 2) / scale}
	}
	distance := func(series [][]float64, i int) (sym, skew, size float64) {
		got := LagCovariance(series, lags[i])
		_, own := parts(got)
		got.Sub(got, expected[i])
		a, b := parts(got)
		return mat.Norm(a, 2) / scale, mat.Norm(b, 2) / scale, mat.Norm(own, 2) / scale
	}
	detrended := func(series [][]float64) [][]float64 {
		out := make([][]float64, len(series))
		for i, x := range series {
			out[i] = Detrended(x)
		}
		return out
	}
	straight := detrended(series)
	for i := range lags {
		out[i].Symmetric, out[i].Skew, out[i].SkewSize = distance(straight, i)
	}
	type distances struct{ sym, skew float64 }
	null := make([][]distances, surrogates)
	err := each(ctx, surrogates, s, func() struct{} { return struct{}{} }, func(r int, _ struct{}) error {
		sim := detrended(c.Simulate(n, rand.NewPCG(seed, uint64(r))))
		null[r] = make([]distances, len(lags))
		for i := range lags {
			null[r][i].sym, null[r][i].skew, _ = distance(sim, i)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		sym, skew := 1, 1
		for r := range null {
			if null[r][i].sym >= out[i].Symmetric {
				sym++
			}
			if null[r][i].skew >= out[i].Skew {
				skew++
			}
		}
		out[i].PSym, out[i].PSkew = float64(sym)/float64(1+surrogates), float64(skew)/float64(1+surrogates)
	}
	return out, nil
}

// parts returns the symmetric and the antisymmetric part of a.
func parts(a *mat.Dense) (sym, skew *mat.Dense) {
	sym, skew = mat.DenseCopyOf(a), mat.DenseCopyOf(a)
	sym.Add(sym, a.T())
	sym.Scale(0.5, sym)
	skew.Sub(skew, a.T())
	skew.Scale(0.5, skew)
	return sym, skew
}

package experiment

import (
	"context"
	"fmt"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/trajectory"
)

// quadratic is a network near a point: what stochastic gradient descent would do there if
// the loss were quadratic and its noise constant. Lemma 20 on a network.
type quadratic struct {
	curvature []float64     // l, eigenvalues of the Hessian H, descending
	modes     *mat.Dense    // d×d, its eigenvectors in columns, in this order
	rotated   *mat.SymDense // VᵀDV
	steepness float64       // ‖∇f‖ at the point
}

// quadraticBatches is the number of batches from which D is estimated where there are no
// per-sample gradients: its entries are known to about 1/√8192 = 1 %.
const quadraticBatches = 8192

// newQuadratic returns the quadratic loss of tiny-fc on data about x, with the mean of D over
// the given points. With stats, batch norm is frozen: f is the loss over all samples and D the
// covariance of their gradients, at every point of another share of the samples. Without,
// batch norm is in training mode, where both depend on the batches: f is the mean loss of
// the batches of b of one fixed order, and D is b times the covariance of the gradients of
// random batches.
//
// The Hessian is taken by central differences of 2d gradients. It has what ReLUs that switch
// in between add to the curvature of the mean, which automatic differentiation leaves out.
// The rounding of gradients in float32, about 10⁻⁷, makes its entries uncertain by about
// 10⁻⁵, and eigenvalues below 10⁻³ are not resolved.
func newQuadratic(ctx context.Context, data *dataset.Images, stats, x []float64, points [][]float64, b int, progress func(done, total int)) (*quadratic, error) {
	frozen := stats != nil
	if !frozen {
		_, stats = network.TinyFC().Init(rand.NewPCG(0, 0))
	}
	chain := func() (*network.TinyChain, error) {
		return network.NewTinyChain(data, stats, &network.TinyChainSettings{Frozen: frozen})
	}
	order := rand.New(rand.NewPCG(1, 0)).Perm(data.N)
	gradTo := func(c *network.TinyChain, dst, sum, x []float64) error {
		if frozen {
			_, err := c.GradTo(ctx, dst, x)
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		clear(dst)
		batches := data.N / b
		for k := range batches {
			if _, err := c.BatchGradTo(sum, x, order[k*b:(k+1)*b]); err != nil {
				return err
			}
			for i, v := range sum {
				dst[i] += v / float64(batches)
			}
		}
		return nil
	}

	d := len(x)
	h := mat.NewDense(d, d, nil)
	const workers = 4
	columns := make(chan int)
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(columns)
		for j := range d {
			if progress != nil {
				progress(j, d)
			}
			select {
			case columns <- j:
			case <-inner.Done():
				return inner.Err()
			}
		}
		return nil
	})
	for range workers {
		group.Go(func() error {
			c, err := chain()
			if err != nil {
				return err
			}
			at := append([]float64(nil), x...)
			up, down, sum := make([]float64, d), make([]float64, d), make([]float64, d)
			for j := range columns {
				// Against rounding the step is long; a third derivative of order one adds h²/6 = 10⁻⁵.
				const step = 1.0 / 128
				at[j] = x[j] + step
				if err := gradTo(c, up, sum, at); err != nil {
					return err
				}
				at[j] = x[j] - step
				if err := gradTo(c, down, sum, at); err != nil {
					return err
				}
				at[j] = x[j]
				for i := range up {
					up[i] = (up[i] - down[i]) / (2 * step)
				}
				h.SetCol(j, up)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	sym := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			sym.SetSym(i, j, (h.At(i, j)+h.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		return nil, fmt.Errorf("experiment: the eigenvalues of the Hessian did not converge")
	}
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	q := &quadratic{modes: mat.NewDense(d, d, nil)}
	values := eig.Values(nil)
	for j := range d {
		q.curvature = append(q.curvature, values[d-1-j])
		q.modes.SetCol(j, mat.Col(nil, d-1-j, &vectors))
	}

	c, err := chain()
	if err != nil {
		return nil, err
	}
	g := make([]float64, d)
	if err := gradTo(c, g, make([]float64, d), x); err != nil {
		return nil, err
	}
	q.steepness = mat.Norm(mat.NewVecDense(d, g), 2)
	diffusion, n, scale := mat.NewSymDense(d, nil), data.N, 1.0
	sampler := noise.NewSampler(noise.WithReplacement, data.N, b, rand.NewPCG(2, 0))
	batch := func(k int, dst []int) []int { return append(dst[:0], order[k]) }
	if !frozen {
		n, scale = quadraticBatches, float64(b)
		batch = func(_ int, dst []int) []int { return sampler.Next(dst) }
	}
	for i, point := range points {
		from, to := i*n/len(points), (i+1)*n/len(points)
		rows := gradientRows{chain: c, n: to - from, batch: func(k int, dst []int) []int { return batch(from+k, dst) }}
		cov, err := noise.NewCovariance(ctx, rows, point, nil)
		if err != nil {
			return nil, err
		}
		var one mat.SymDense
		if err := cov.DenseTo(ctx, &one); err != nil {
			return nil, err
		}
		// Divided by the number of samples less one, the covariance of a share has the right mean.
		one.ScaleSym(float64(to-from)/float64(to-from-1)/float64(len(points)), &one)
		diffusion.AddSym(diffusion, &one)
	}
	var dv mat.Dense
	dv.Mul(diffusion, q.modes)
	dv.Mul(q.modes.T(), &dv)
	q.rotated = mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			q.rotated.SetSym(i, j, scale*(dv.At(i, j)+dv.At(j, i))/2)
		}
	}
	return q, nil
}

// gradientRows are the gradients of single samples, or of batches, as the terms of a finite sum.
type gradientRows struct {
	chain *network.TinyChain
	n     int
	batch func(k int, dst []int) []int
}

var _ problem.FiniteSum = gradientRows{}

// Dim returns d.
func (r gradientRows) Dim() int { return r.chain.Dim() }

// Samples returns the number of terms.
func (r gradientRows) Samples() int { return r.n }

// PerSampleGradients delivers the gradients of all terms; it is for one pass with nil indices.
func (r gradientRows) PerSampleGradients(ctx context.Context, x []float64, _ []int, yield func(problem.Block) error) error {
	const together = 512
	var idx []int
	for from := 0; from < r.n; from += together {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(together, r.n-from)
		block := problem.Block{Dim: r.chain.Dim(), F64: make([]float64, n*r.chain.Dim())}
		for i := range n {
			idx = r.batch(from+i, idx)
			block.Index = append(block.Index, from+i)
			if _, err := r.chain.BatchGradTo(block.F64[i*block.Dim:(i+1)*block.Dim], x, idx); err != nil {
				return err
			}
		}
		if err := yield(block); err != nil {
			return err
		}
	}
	return nil
}

// settings returns the chain of the given modes.
func (q *quadratic) settings(c chainLaw, modes ...int) trajectory.ChainSettings {
	h, d := mat.NewSymDense(len(modes), nil), mat.NewSymDense(len(modes), nil)
	for i, a := range modes {
		h.SetSym(i, i, q.curvature[a])
		for j, b := range modes {
			d.SetSym(i, j, q.rotated.At(a, b))
		}
	}
	return trajectory.ChainSettings{
		Hessian: h, Diffusion: d, LearningRate: c.LearningRate, Momentum: c.Momentum, BatchSize: c.BatchSize,
		Samples: c.Samples, Sampling: c.Sampling, StepsPerEpoch: c.Samples / c.BatchSize,
	}
}

// chainLaw is what the law of a run depends on besides the loss.
type chainLaw struct {
	LearningRate float64
	Momentum     sgd.Momentum
	BatchSize    int
	Samples      int
	Sampling     noise.Sampling
}

// directions returns the given modes in columns.
func (q *quadratic) directions(modes []int) *mat.Dense {
	v := mat.NewDense(len(q.curvature), len(modes), nil)
	for j, m := range modes {
		v.SetCol(j, mat.Col(nil, m, q.modes))
	}
	return v
}

// tested returns the k steepest modes that remember more than 1/e from one epoch to the next;
// the others, fast of them, show nothing in a record of one snapshot per epoch. Modes that
// forget their start fewer than twenty times in the given number of steps are left out, unless fewer than two
// would remain: then all tests are weak, and the run hardly passes as stationary.
func (q *quadratic) tested(c chainLaw, k, steps int) (modes []int, fast int) {
	var slow []int
	for i, l := range q.curvature {
		rate := l * c.LearningRate / (1 - c.Momentum.Mu)
		switch {
		case rate*float64(c.Samples/c.BatchSize) > 1:
			fast++
		case rate*float64(steps) >= 20 && len(modes) < k:
			modes = append(modes, i)
		case len(slow) < k:
			slow = append(slow, i)
		}
	}
	if len(modes) < 2 {
		modes = slow
	}
	return modes, fast
}

// plateau returns β⁻¹tr(D∇²f), the stationary 𝔼‖∇f‖² of a stochastic differential equation (erratum
// E23), with the temperature of momentum and independent batches.
func (q *quadratic) plateau(c chainLaw) float64 {
	var sum float64
	for i, l := range q.curvature {
		sum += l * q.rotated.At(i, i)
	}
	return noise.MomentumTemperature(c.LearningRate, c.Momentum.Mu, c.BatchSize, c.Samples, noise.WithReplacement) * sum
}

// gradientSquared returns 𝔼‖∇f‖² of the linear chain itself, Σ l²·var of every mode, at the
// end of an epoch; and the number of modes without a stationary law on the run, which are left out: those that are
// flat, negative or too slow to have forgotten their start five times in the given steps.
func (q *quadratic) gradientSquared(c chainLaw, steps int) (sum float64, left int) {
	for i, l := range q.curvature {
		if !q.settles(c, i, steps) {
			left++
			continue
		}
		chain, err := trajectory.NewLinearChain(q.settings(c, i))
		if err != nil { // faster than the learning rate allows
			left++
			continue
		}
		sum += l * l * chain.Covariance().At(0, 0)
	}
	return sum, left
}

// settles reports whether mode i is stationary on a run of the given number of steps:
// statements.md §6.4.
func (q *quadratic) settles(c chainLaw, i, steps int) bool {
	return q.curvature[i] > 0 && q.curvature[i]*c.LearningRate/(1-c.Momentum.Mu)*float64(steps) > 5
}

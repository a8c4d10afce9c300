package trajectory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/syrk"
)

// gramRows is the number of snapshots that are put together for a product.
const gramRows = 1024

// gram returns Σₖ zₖzₖᵀ over the snapshots of the moving weights, row-major, lower triangle,
// where value(i, k) stores z of weight moving[i] at snapshots from, from+1, … in dst. The products
// are float32 over 256 rows, float64 beyond.
func (t *Trajectory) gram(ctx context.Context, rows int, s *Settings, value func(dst []float32, i, from int)) ([]float64, error) {
	d := len(t.moving)
	workers := 0
	if s != nil {
		workers = s.Workers
	}
	sum := make([]float64, d*d)
	block := make([]float32, min(rows, gramRows)*d)
	columns := make([]float32, len(block))
	for from := 0; from < rows; from += gramRows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(gramRows, rows-from)
		for i := range d {
			value(columns[i*n:(i+1)*n], i, from)
		}
		const tile = 32
		for i0 := 0; i0 < d; i0 += tile {
			for k := range n {
				for i := i0; i < min(i0+tile, d); i++ {
					block[k*d+i] = columns[i*n+k]
				}
			}
		}
		syrk.Lower32(sum, block[:n*d], n, d, workers)
	}
	return sum, nil
}

// EffectiveDimension returns the number of independent weights behind the increments of t,
// the participation ratio d²/‖R‖²_F of their correlation matrix R over the d weights whose
// increments vary. An average over weights of normalised periodograms of white increments varies as one over
// this many independent weights: its relative variance is Σᵢⱼ Rᵢⱼ²/d². statements.md §6.1.
//
// It returns an error if no weight moves. Cost O(n·d²) and 8d² bytes.
func EffectiveDimension(ctx context.Context, t *Trajectory, s *Settings) (float64, error) {
	d, m := len(t.moving), t.n-1
	if d == 0 {
		return 0, errors.New("trajectory: no weight moves: there is nothing to correlate")
	}
	mean, scale, varying := make([]float64, d), make([]float64, d), 0
	for i, w := range t.moving {
		x := t.column(w)
		mean[i] = (float64(x[m]) - float64(x[0])) / float64(m)
		for k := range m {
			v := float64(x[k+1]) - float64(x[k]) - mean[i]
			scale[i] += v * v
		}
		if scale[i] > 0 {
			scale[i] = 1 / math.Sqrt(scale[i])
			varying++
		}
	}
	if varying == 0 {
		return 0, errors.New("trajectory: the increments of every weight are constant: there is nothing to correlate")
	}
	r, err := t.gram(ctx, m, s, func(dst []float32, i, from int) {
		x := t.column(t.moving[i])[from : from+len(dst)+1]
		for k := range dst {
			dst[k] = float32((float64(x[k+1]) - float64(x[k]) - mean[i]) * scale[i])
		}
	})
	if err != nil {
		return 0, err
	}
	var norm float64
	for i := range d {
		for j := range i {
			norm += 2 * r[i*d+j] * r[i*d+j]
		}
		norm += r[i*d+i] * r[i*d+i]
	}
	return float64(varying) * float64(varying) / norm, nil
}

// Modes are orthonormal directions in the space of the weights, and a centre.
type Modes struct {
	Centre     []float64  // d; projections are relative to it
	Directions *mat.Dense // d×k, orthonormal columns
	Variance   []float64  // k, of the run along them, descending; nil for given directions
	Total      float64    // variance of the run along all directions; 0 for given directions
}

// PrincipalModes returns the k directions along which t varies most, by the eigenvectors of
// its covariance (divided by n), and their variances in descending order. The sign of a
// direction is such that its entry of largest size is positive.
//
// It returns an error if fewer than k weights move. Cost O(n·d² + d³) and 24d² bytes.
func PrincipalModes(ctx context.Context, t *Trajectory, k int, s *Settings) (*Modes, error) {
	d := len(t.moving)
	if k < 1 || k > d {
		return nil, fmt.Errorf("trajectory: %d principal modes of %d moving weights: choose 1..%d", k, d, d)
	}
	centre := t.Mean()
	sum, err := t.gram(ctx, t.n, s, func(dst []float32, i, from int) {
		x, c := t.column(t.moving[i])[from:from+len(dst)], centre[t.moving[i]]
		for k, v := range x {
			dst[k] = float32(float64(v) - c)
		}
	})
	if err != nil {
		return nil, err
	}
	cov := mat.NewSymDense(d, nil)
	m := &Modes{Centre: centre, Directions: mat.NewDense(t.d, k, nil)}
	for i := range d {
		for j := range i + 1 {
			cov.SetSym(i, j, sum[i*d+j]/float64(t.n))
		}
		m.Total += cov.At(i, i)
	}
	var eig mat.EigenSym
	if !eig.Factorize(cov, true) {
		return nil, errors.New("trajectory: the eigenvalues of the covariance did not converge: look for outliers in the run")
	}
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	values := eig.Values(nil)
	for j := range k {
		from := d - 1 - j
		m.Variance = append(m.Variance, values[from])
		sign, most := 1.0, 0.0
		for i := range d {
			if v := vectors.At(i, from); math.Abs(v) > most {
				most, sign = math.Abs(v), math.Copysign(1, v)
			}
		}
		for i, w := range t.moving {
			m.Directions.Set(w, j, sign*vectors.At(i, from))
		}
	}
	return m, nil
}

// Project returns the coordinates Vᵀ(x−centre) of every snapshot of t along the directions
// of m, one series of n values for each. It panics if m belongs to another number of weights.
// Cost O(n·d·k).
func (m *Modes) Project(t *Trajectory) [][]float64 {
	d, k := m.Directions.Dims()
	if d != t.d || len(m.Centre) != t.d {
		panic(fmt.Sprintf("trajectory: dimension mismatch: modes of %d weights, trajectory of %d", d, t.d))
	}
	out := make([][]float64, k)
	for j := range out {
		out[j] = make([]float64, t.n)
	}
	const together = 4096
	blocks := (t.n + together - 1) / together
	err := each(context.Background(), blocks, &Settings{Workers: runtime.GOMAXPROCS(0)}, func() struct{} { return struct{}{} }, func(b int, _ struct{}) error {
		lo, hi := b*together, min((b+1)*together, t.n)
		for i := range d {
			x := t.column(i)[lo:hi]
			for j, series := range out {
				v := m.Directions.At(i, j)
				if v == 0 {
					continue
				}
				y := series[lo:hi]
				for r, w := range x {
					y[r] += v * (float64(w) - m.Centre[i])
				}
			}
		}
		return nil
	})
	if err != nil {
		panic(err) // nothing above returns one
	}
	return out
}

package dense

import (
	"math"
	"sync/atomic"

	"sgdlab/pkg/internal/syrk/kernel"
)

// stride is the distance of columns in a band.
const stride = kernel.BandStride

// band is the lower triangle of a symmetric band matrix with room for the bulges:
// entry (i, j), 0 ≤ i−j < 2·48, is element i + 104·j. Seen from any entry it is a
// column-major matrix with leading dimension 104. The order is padded with zeros, and
// so is each column, beyond 2·48−1: kernels may read and write back that padding.
type band []float64

func newBand(n int) band { return make(band, (n+3*width)*(stride+1)) }

func (b band) set(i, j int, x float64) { b[i+stride*j] = x }

// block returns the storage from entry (i, j) on.
func (b band) block(i, j int) []float64 { return b[i+stride*j:] }

// chase reduces the band of order n, half width 48, to a tridiagonal matrix with the
// same eigenvalues, and returns its diagonal and what is beside it.
//
// Sweep s makes column s tridiagonal by a reflector on rows s+1..s+48. That fills in
// below the band; each hop moves the bulge 48 rows down, until it drops out.
//
//	              r      r+48
//	     s ▌
//	       ▌reflector v
//	   r   ▓▓▓▓▓▓▓
//	       ▓ H A H ▓        diagonal block, two-sided
//	       ▓▓▓▓▓▓▓
//	r+48   ░░░░░░░▓▓▓▓▓▓▓   hop: E ← E·H fills the block below;
//	       ░  E  ░▓     ▓   the reflector of its first column
//	       ░░░░░░░▓▓▓▓▓▓▓   is applied to E and to the next diagonal block
//
// Hop h of sweep s touches rows and columns up to s+48(h+1), of which hop h+2 of the
// sweep before does not touch any: it may begin once hop h+1 of that one is done. So
// sweeps can follow each other closely, and the order of operations on any entry is that
// of one sweep after the other.
//
// A goroutine takes several sweeps through the band together: what the first has fetched
// serves all, and the band goes through the processor once for each such group.
func chase(k *kernel.Set, b band, n int, team *team) (diag, off []float64) {
	sweeps := max(n-2, 0)
	groups := (sweeps + together - 1) / together
	hops := make([]atomic.Int64, groups) // finished by the last sweep of each group
	team.run(groups, func(_, g int) {
		var group [together]sweep
		members := group[:min(together, sweeps-g*together)]
		for q := range members {
			members[q] = sweep{band: b, n: n, row: g*together + q + 1}
		}
		last := len(members) - 1
		// At step t sweep q makes hop t−q, just after hop t−q+1 of the one before.
		for t := 0; !members[last].ended; t++ {
			for q := range members[:min(last, t)+1] {
				s := &members[q]
				if s.ended {
					continue
				}
				if q == 0 && g > 0 {
					waitFor(&hops[g-1], int64(s.hops+2))
				}
				s.hop(k)
			}
			hops[g].Store(int64(members[last].hops))
		}
		hops[g].Store(math.MaxInt64)
	})
	diag, off = make([]float64, n), make([]float64, n-1)
	for j := range n {
		diag[j] = b[j+stride*j]
		if j+1 < n {
			off[j] = b[j+1+stride*j]
		}
	}
	return diag, off
}

// together is the number of sweeps that one goroutine takes at once: they have about
// 300 kB of the band at hand, the second cache of a core has more.
const together = 8

// sweep is one on its way.
type sweep struct {
	band  band
	n     int
	row   int           // the first that the next hop changes
	hops  int           // done
	v     kernel.Vector // the reflector of the last hop
	tau   float64
	ended bool
}

// hop makes the next hop.
func (s *sweep) hop(k *kernel.Set) {
	var y kernel.Vector
	if s.hops == 0 {
		s.tau = reflect(s.band.block(s.row, s.row-1), &s.v)
	} else {
		var u, p kernel.Vector
		e := s.band.block(s.row, s.row-width)
		k.BandMulVec(e, &s.v, &y)
		for i := range u {
			u[i] = s.tau * s.v[i]
		}
		for i, x := range y {
			e[i] -= x * u[0]
		}
		s.tau = reflect(e, &p)
		k.BandReflect(e, &u, &y, &p, s.tau)
		s.v = p
	}
	twoSided(k, s.band.block(s.row, s.row), &s.v, s.tau, &y)
	s.hops++
	s.ended = s.row+width >= s.n
	s.row += width
}

// reflect returns v and τ such that (I − τvvᵀ)x = βe₁, v[0] = 1, and replaces x, the
// first 48 elements of col, by βe₁.
func reflect(col []float64, v *kernel.Vector) (tau float64) {
	x := (*kernel.Vector)(col)
	var sum float64
	for _, t := range x[1:] {
		sum += t * t
	}
	alpha, beta, scale := x[0], x[0], 0.0
	if sum > negligible {
		beta = -math.Copysign(math.Sqrt(alpha*alpha+sum), alpha)
		tau = (beta - alpha) / beta
		scale = 1 / (alpha - beta)
	}
	for i, t := range x {
		v[i] = scale * t
	}
	v[0] = 1
	clear(x[1:])
	x[0] = beta
	return tau
}

// twoSided replaces the diagonal block A by HAH, H = I − τvvᵀ. y is scratch.
func twoSided(k *kernel.Set, a []float64, v *kernel.Vector, tau float64, y *kernel.Vector) {
	if tau == 0 {
		return
	}
	k.BandSymMulVec(a, v, y)
	// w = τAv − ½τ²(vᵀAv)v, then HAH = A − vwᵀ − wvᵀ.
	var dot float64
	for i := range y {
		y[i] *= tau
		dot += y[i] * v[i]
	}
	dot *= -0.5 * tau
	for i := range y {
		y[i] += dot * v[i]
	}
	k.BandRankTwo(a, v, y)
}

package dense

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/internal/syrk/kernel"
)

func TestRetile(t *testing.T) {
	both := pair(t)
	for _, n := range []int{129, 144, 145, 191, 240} {
		a := lower(gaussian(rand.New(rand.NewPCG(uint64(n), 2)), n))
		want := append([]float64(nil), a...)
		got := retile(a, n, both)
		count := (n + width - 1) / width
		for i := range count * width {
			for j := range (i/width + 1) * width {
				var w float64
				if i < n && j < n {
					w = want[max(i, j)*n+min(i, j)]
				}
				if g := got.tile(i/width, j/width)[i%width*width+j%width]; g != w {
					t.Fatalf("n = %d, entry (%d, %d): got %v, want %v", n, i, j, g, w)
				}
			}
		}
	}
}

// The panel is QR to round-off: VᵀV and T make an orthogonal Q, R is upper triangular.
func TestPanelQR(t *testing.T) {
	panels := []struct {
		name  string
		rows  int
		value func(rng *rand.Rand, i, j int) float64
	}{
		{"square", 48, func(rng *rand.Rand, i, j int) float64 { return rng.NormFloat64() }},
		{"tall", 864, func(rng *rand.Rand, i, j int) float64 { return rng.NormFloat64() }},
		{"zero", 144, func(rng *rand.Rand, i, j int) float64 { return 0 }},
		{"triangular", 144, func(rng *rand.Rand, i, j int) float64 { return float64(min(1, max(0, j-i+1))) }},
		{"rank one", 144, func(rng *rand.Rand, i, j int) float64 { return float64(i+1) * float64(j-20) }},
		{"padded below", 192, func(rng *rand.Rand, i, j int) float64 { return rng.NormFloat64() * float64(min(1, max(0, 150-i))) }},
		{"squares underflow", 144, func(rng *rand.Rand, i, j int) float64 { return 1e-162 * rng.NormFloat64() }},
	}
	both := pair(t)
	for _, set := range kernel.Available() {
		for _, c := range panels {
			rng := rand.New(rand.NewPCG(3, 1))
			p := make([]float64, c.rows*width)
			for i := range p {
				p[i] = c.value(rng, i/width, i%width)
			}
			original := mat.NewDense(c.rows, width, append([]float64(nil), p...))
			var f panelQR
			f.factor(set, p, both)
			tri := make([]float64, area)
			f.triangle(tri)

			v := mat.NewDense(c.rows, width, p)
			var q, tv mat.Dense
			tv.Mul(mat.NewDense(width, width, tri), v.T())
			q.Mul(v, &tv)
			for i := range c.rows {
				for j := range c.rows {
					q.Set(i, j, -q.At(i, j))
				}
				q.Set(i, i, 1+q.At(i, i))
			}
			var qtq, qr mat.Dense
			qtq.Mul(q.T(), &q)
			for i := range c.rows {
				qtq.Set(i, i, qtq.At(i, i)-1)
			}
			// 48 reflectors, each orthogonal to a few units of round-off.
			numtest.Close(t, set.Name+", "+c.name+", ‖QᵀQ−I‖", mat.Norm(&qtq, 2), 0, 48*4*0x1p-52*math.Sqrt(48))

			r := mat.NewDense(c.rows, width, nil)
			for i := range width {
				for j := range width {
					r.Set(i, j, f.r[i*width+j])
				}
			}
			qr.Mul(&q, r)
			qr.Sub(&qr, original)
			numtest.Close(t, set.Name+", "+c.name+", ‖QR−P‖", mat.Norm(&qr, 2), 0, 48*4*0x1p-52*mat.Norm(original, 2)+1e-130)
			for i := range width {
				for j := range i {
					if f.r[i*width+j] != 0 {
						t.Fatalf("%s, %s: R(%d, %d) is %g, want 0", set.Name, c.name, i, j, f.r[i*width+j])
					}
				}
			}
		}
	}
}

// Both stages keep trace and Frobenius norm, which are sums over their output.
func TestStagesKeepInvariants(t *testing.T) {
	const n = 333
	a := gaussian(rand.New(rand.NewPCG(16, 1)), n)
	trace, fro := mat.Trace(a), mat.Norm(a, 2)
	both := pair(t)
	for _, set := range kernel.Available() {
		b := reduce(set, lower(a), n, both)
		var bTrace, bSq float64
		for j := range n {
			bTrace += b[j+stride*j]
			for i := j; i < n && i-j < stride; i++ {
				x := b[i+stride*j]
				if i-j > width && x != 0 {
					t.Fatalf("%s: entry (%d, %d) outside the band is %g", set.Name, i, j, x)
				}
				bSq += x * x * float64(1+min(1, i-j))
			}
		}
		// Errors of n·ε·‖A‖ in each entry's direction at most.
		tol := tolerance(n, fro)
		numtest.Close(t, set.Name+", trace of the band", bTrace, trace, tol)
		numtest.Close(t, set.Name+", norm of the band", math.Sqrt(bSq), fro, tol)

		diag, off := chase(set, b, n, both)
		var tTrace, tSq float64
		for i, x := range diag {
			tTrace += x
			tSq += x * x
			if i < n-1 {
				tSq += 2 * off[i] * off[i]
			}
		}
		numtest.Close(t, set.Name+", trace of the tridiagonal matrix", tTrace, trace, tol)
		numtest.Close(t, set.Name+", norm of the tridiagonal matrix", math.Sqrt(tSq), fro, tol)
		// What is left outside the tridiagonal part, bulges and padding, is zero.
		for j := range n {
			for i := j + 2; i-j <= stride; i++ {
				if x := b[i+stride*j]; x != 0 {
					t.Fatalf("%s: entry (%d, %d) after the last sweep is %g, want 0", set.Name, i, j, x)
				}
			}
		}
	}
}

// pair returns a team of two, one for a test: while it has nothing to do, it takes time.
func pair(tb testing.TB) *team {
	team := newTeam(2)
	tb.Cleanup(team.dismiss)
	return team
}

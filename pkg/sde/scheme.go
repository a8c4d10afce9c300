package sde

import (
	"fmt"
	"math"
)

// Scheme is a way to step an equation in the sense of Itô over a time Δ.
type Scheme int

const (
	// EulerMaruyama is x + uΔ + BΔW with B = √(2β⁻¹D): strong order ½ (1 if D is
	// constant), weak order 1, one evaluation of u and D a step.
	EulerMaruyama Scheme = iota
	// WeakTwo is the explicit scheme of weak order 2 of Platen, for any noise
	// ([kloeden1992] eq. (15.1.3)): two evaluations of u and 1+4d of D a step. If D is
	// constant it is the Heun scheme x + ½(u(x) + u(x + uΔ + BΔW))Δ + BΔW, of strong
	// order 1. Paths are close to the solution in law only.
	WeakTwo
)

// String returns the name of the scheme.
func (s Scheme) String() string {
	switch s {
	case EulerMaruyama:
		return "Euler–Maruyama"
	case WeakTwo:
		return "weak order 2"
	}
	return fmt.Sprintf("Scheme(%d)", int(s))
}

// stepper carries the workspace of one walker through any scheme in any dimension.
type stepper struct {
	eq        *Ito
	scheme    Scheme
	n         int
	dt        float64
	sqrtDt    float64
	amplitude float64 // √(2β⁻¹)
	root      *root
	dw        []float64 // ΔW, to be filled before step
	u, u2     []float64
	b, bp, bm []float64 // B at x, and at two supporting points
	at        []float64
}

func newStepper(eq *Ito, scheme Scheme, dt float64) *stepper {
	n := eq.Dim
	vec := func(k int) []float64 { return make([]float64, k) }
	return &stepper{
		eq: eq, scheme: scheme, n: n, dt: dt, sqrtDt: math.Sqrt(dt), amplitude: math.Sqrt(2 / eq.Beta),
		root: newRoot(eq), dw: vec(n), u: vec(n), u2: vec(n), b: vec(n * n), bp: vec(n * n), bm: vec(n * n), at: vec(n),
	}
}

// draw fills ΔW from the stream and returns the bits for the schemes that need signs.
func (st *stepper) draw(s *stream) uint64 {
	for i := range st.dw {
		st.dw[i] = st.sqrtDt * s.normal()
	}
	if st.scheme == WeakTwo && st.n > 1 {
		return s.src.Uint64()
	}
	return 0
}

// step stores the state after one step from x in next, with the ΔW in st.dw. Bit k of
// signs decides the k-th pair of components in weak order 2, in the order (0,1), (0,2),
// (1,2), (0,3), …, repeating after 64.
func (st *stepper) step(next, x []float64, signs uint64) error {
	st.eq.Drift(st.u, x)
	if err := st.root.at(st.b, x, st.amplitude); err != nil {
		return err
	}
	n := st.n
	for i := range n {
		v := x[i] + st.u[i]*st.dt
		for k := range n {
			v += st.b[i*n+k] * st.dw[k]
		}
		next[i] = v
	}
	if st.scheme == EulerMaruyama {
		return nil
	}
	return st.correct(next, x, signs)
}

// correct turns the step of Euler and Maruyama in next into the step of weak order 2.
func (st *stepper) correct(next, x []float64, signs uint64) error {
	n, dt := st.n, st.dt
	st.eq.Drift(st.u2, next)
	for i := range n {
		next[i] += (st.u2[i] - st.u[i]) * dt / 2
	}
	for r := range n { // supporting points along column r of B
		// R± = x + uΔ ± b_r√Δ serve the r-th component of the noise,
		if err := st.support(x, r, dt); err != nil {
			return err
		}
		w := st.dw[r]
		for i := range n {
			p, m, b := st.bp[i*n+r], st.bm[i*n+r], st.b[i*n+r]
			next[i] += ((p-b)+(m-b))*w/4 + (p-m)*(w*w-dt)/(4*st.sqrtDt)
		}
		if n == 1 {
			continue
		}
		// U± = x ± b_r√Δ all others.
		if err := st.support(x, r, 0); err != nil {
			return err
		}
		for j := range n {
			if j == r {
				continue
			}
			wj := st.dw[j]
			v := dt // V_{r,j}
			if signs>>(pair(r, j)%64)&1 == 1 {
				v = -v
			}
			if r > j {
				v = -v
			}
			for i := range n {
				p, m, b := st.bp[i*n+j], st.bm[i*n+j], st.b[i*n+j]
				next[i] += ((p-b)+(m-b))*wj/4 + (p-m)*(wj*w+v)/(4*st.sqrtDt)
			}
		}
	}
	return nil
}

// support stores B(x + u·along ± b_r√Δ) in st.bp and st.bm.
func (st *stepper) support(x []float64, r int, along float64) error {
	n := st.n
	for _, side := range [2]struct {
		dst  []float64
		sign float64
	}{{st.bp, st.sqrtDt}, {st.bm, -st.sqrtDt}} {
		for i := range n {
			st.at[i] = x[i] + st.u[i]*along + side.sign*st.b[i*n+r]
		}
		if err := st.root.at(side.dst, st.at, st.amplitude); err != nil {
			return err
		}
	}
	return nil
}

// pair numbers the pairs of different components.
func pair(i, j int) int {
	if i > j {
		i, j = j, i
	}
	return j*(j-1)/2 + i
}

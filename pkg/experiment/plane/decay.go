package plane

import (
	"fmt"
	"math"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/potential"
	"sgdlab/pkg/variational"
)

// Relaxation is the free energy F = β⁻¹KL(p‖π) of masses on their way to the steady state
// in steps of implicit Euler.
type Relaxation struct {
	Dt   float64
	F    []float64    // after 0, 1, 2, … steps: its length is their number plus 1
	Slow []complex128 // eigenvalues of the slowest modes of the generator (k), slowest first
}

// Relax starts with the masses p (NX·NY), which it does not change, and takes steps of dt. The steady
// state is that of l, which must be a Markov chain.
//
//	r, err := plane.Relax(l, p, 0.02, 500)
func Relax(l *fokkerplanck.Generator, p []float64, dt float64, steps int) (*Relaxation, error) {
	st, err := l.Steady()
	if err != nil {
		return nil, err
	}
	r := &Relaxation{Dt: dt, F: []float64{variational.KL(p, st.P) / st.Beta}}
	err = advance(l, p, dt, steps, func(_ int, p []float64) error {
		r.F = append(r.F, variational.KL(p, st.P)/st.Beta)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.Slow, err = l.SlowModes(4)
	return r, err
}

// advance takes steps from a copy of p and calls each after every one, counted from 1.
func advance(l *fokkerplanck.Generator, p []float64, dt float64, steps int, each func(step int, p []float64) error) error {
	step, err := l.Step(dt)
	if err != nil {
		return err
	}
	p = append([]float64(nil), p...)
	for k := range steps {
		step.Advance(p)
		if err := each(k+1, p); err != nil {
			return err
		}
	}
	return nil
}

// LargestRise returns the largest F after a step minus F before it: negative if F falls in
// every step.
//
//	r, err := plane.Relax(l, p, 0.02, 500)
//	fmt.Println(r.LargestRise())
func (r *Relaxation) LargestRise() float64 {
	rise := math.Inf(-1)
	for k := 1; k < len(r.F); k++ {
		rise = max(rise, r.F[k]-r.F[k-1])
	}
	return rise
}

// Gap returns the spectral gap, the slowest rate of decay.
//
//	r, err := plane.Relax(l, p, 0.02, 500)
//	fmt.Println(r.Gap())
func (r *Relaxation) Gap() float64 { return -real(r.Slow[0]) }

// Rate returns −d log F/dt at time t, over the steps within half a unit of time.
//
//	r, err := plane.Relax(l, p, 0.02, 500)
//	fmt.Println(r.Rate(10))
func (r *Relaxation) Rate(t float64) float64 {
	a, b := int(math.Round((t-.5)/r.Dt)), int(math.Round((t+.5)/r.Dt))
	a, b = max(a, 0), min(b, len(r.F)-1)
	return math.Log(r.F[a]/r.F[b]) / (float64(b-a) * r.Dt)
}

// FinalRate returns what Rate settles at or turns about: twice the gap g, as steps of
// implicit Euler see it, 2 log(1 + gΔt)/Δt.
//
//	r, err := plane.Relax(l, p, 0.02, 500)
//	fmt.Println(r.FinalRate())
func (r *Relaxation) FinalRate() float64 { return 2 * math.Log1p(r.Gap()*r.Dt) / r.Dt }

// Turn returns the period π/|Im| with which the rate turns about [Relaxation.FinalRate] if
// the slowest modes are a complex pair, +Inf if they are real.
//
//	r, err := plane.Relax(l, p, 0.02, 500)
//	fmt.Println(r.Turn())
func (r *Relaxation) Turn() float64 { return math.Pi / math.Abs(imag(r.Slow[0])) }

// Curve returns F against time for [figure.Decay].
//
//	r, err := plane.Relax(l, p, 0.02, 500)
//	c := r.Curve("λ = 0.5")
func (r *Relaxation) Curve(label string) figure.DecayCurve {
	c := figure.DecayCurve{Label: label, Gap: r.Gap()}
	for k, f := range r.F {
		c.T, c.Value = append(c.T, r.Dt*float64(k)), append(c.Value, f)
	}
	return c
}

// Snapshots returns the densities on the way from the masses p (NX·NY) at the given times,
// ascending, in steps of dt: one for each time.
//
//	maps, err := plane.Snapshots(l, p, 0.05, 0.3, 0.8, 3) // at the times 0.3, 0.8 and 3
func Snapshots(l *fokkerplanck.Generator, p []float64, dt float64, times ...float64) (maps []figure.Density, err error) {
	last := int(math.Round(times[len(times)-1] / dt))
	err = advance(l, p, dt, last, func(step int, p []float64) error {
		if step == int(math.Round(times[len(maps)]/dt)) {
			maps = append(maps, figure.Density{Title: fmt.Sprintf("t = %.1f", float64(step)*dt), Cells: Masses(l.Grid, p)})
		}
		return nil
	})
	return maps, err
}

// Production returns the entropy production and its parts on the way from the masses
// p (NX·NY), at 0, every, 2·every, …, n·every, in steps of a sixth of that.
//
//	r, err := plane.Production(l, p, 0.3, 10)
//	picture, err := figure.ProductionBars(r)
func Production(l *fokkerplanck.Generator, p []float64, every float64, n int) (figure.ProductionFigure, error) {
	r := figure.ProductionFigure{System: l.System.Name}
	st, err := l.Steady()
	if err != nil {
		return r, err
	}
	record := func(step int, p []float64) error {
		if step%6 != 0 {
			return nil
		}
		e, err := potential.EntropyProduction(l, p, st.P)
		r.Times = append(r.Times, every/6*float64(step))
		r.Adiabatic, r.NonAdiabatic = append(r.Adiabatic, e.Adiabatic), append(r.NonAdiabatic, e.NonAdiabatic)
		return err
	}
	if err := record(0, p); err != nil {
		return r, err
	}
	return r, advance(l, p, every/6, 6*n, record)
}

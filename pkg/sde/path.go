package sde

import (
	"context"
	"fmt"
)

// Trajectory is a path, kept at equal distances in time.
type Trajectory struct {
	Dim    int       `json:"dim"`
	Step   float64   `json:"step"`   // time between two states
	States []float64 `json:"states"` // row-major, states×d, the start first
	Status Status    `json:"status"`
	BlowUp *BlowUp   `json:"blow_up,omitempty"` // where it ended if it blew up
}

// Len returns the number of states.
func (t *Trajectory) Len() int { return len(t.States) / t.Dim }

// State returns state k, a view of length d.
func (t *Trajectory) State(k int) []float64 { return t.States[k*t.Dim : (k+1)*t.Dim] }

// Component returns xᵢ of all states, one per state, a copy.
func (t *Trajectory) Component(i int) []float64 {
	x := make([]float64, t.Len())
	for k := range x {
		x[k] = t.State(k)[i]
	}
	return x
}

// Time returns the time of state k.
func (t *Trajectory) Time(k int) float64 { return float64(k) * t.Step }

// Path follows one walker from x0 (d), of the ensemble of [Simulate] with the same settings, bit for
// bit, and keeps every every-th state, the last of the burn-in being the first of them.
// Observables and Grid play no part. It panics if every < 1 or walker < 0.
//
//	path, err := sde.Path(ctx, sde.Plane(problem.REF().System()), []float64{1, 0.5}, 0, 5, &sde.Settings{Step: 0.01, Steps: 10_000, Seed: 5})
//	x1 := path.Component(0)
func Path(ctx context.Context, eq *Ito, x0 []float64, walker, every int, s *Settings) (*Trajectory, error) {
	if every < 1 || walker < 0 {
		panic(fmt.Sprintf("sde: a path keeps every k-th state, k ≥ 1, of a walker ≥ 0: got %d and %d", every, walker))
	}
	if err := eq.check(x0); err != nil {
		return nil, err
	}
	bare := *s
	bare.Observables, bare.Grid = nil, nil
	if err := bare.check(eq.Dim); err != nil {
		return nil, err
	}
	g := newGroup(eq, &bare)
	g.begin(x0, walker, 1)
	w := &g.walkers[0]
	t := &Trajectory{Dim: eq.Dim, Step: s.Step * float64(every), States: make([]float64, 0, (s.Steps/every+1)*eq.Dim)}
	for done, steps := -s.BurnIn, 0; len(g.active) > 0; done += steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		steps = every
		if done < 0 {
			steps = min(-done, chunk)
		} else {
			t.States = append(t.States, w.x...)
		}
		if done+steps > s.Steps {
			break
		}
		g.run(steps, false)
	}
	if w.locate(); w.err != nil {
		return nil, w.err
	}
	if w.blown != nil {
		t.Status, t.BlowUp = BlewUp, w.blown
	}
	return t, nil
}

// Drive follows the path of eq from x0 under given increments of Brownian motion dw,
// row-major steps×d, each over a step of length dt, and keeps every state. With the
// increments of one [Brownian] at several levels it gives approximations of one and the
// same solution. Of weak order 2 it is the strong order that shows then; the random signs
// of that scheme are a function of the number of the step.
//
// It fails as [Simulate] does, with a bound of 1e6. It panics if dw is not a whole number
// of steps.
func Drive(eq *Ito, x0, dw []float64, dt float64, scheme Scheme) (*Trajectory, error) {
	if err := eq.check(x0); err != nil {
		return nil, err
	}
	if len(dw) == 0 || len(dw)%eq.Dim != 0 {
		panic(fmt.Sprintf("sde: dimension mismatch: %d increments are not steps of dimension %d", len(dw), eq.Dim))
	}
	s := &Settings{Scheme: scheme, Step: dt, Steps: len(dw) / eq.Dim}
	if err := s.check(eq.Dim); err != nil {
		return nil, err
	}
	st := newStepper(eq, scheme, dt)
	t := &Trajectory{Dim: eq.Dim, Step: dt, States: append(make([]float64, 0, len(dw)+eq.Dim), x0...)}
	next := make([]float64, eq.Dim)
	for k := range s.Steps {
		x := t.State(k)
		copy(st.dw, dw[k*eq.Dim:])
		// splitmix64 of k: signs that do not depend on dw.
		signs := (uint64(k) + 1) * 0x9e3779b97f4a7c15
		signs = (signs ^ signs>>30) * 0xbf58476d1ce4e5b9
		signs = (signs ^ signs>>27) * 0x94d049bb133111eb
		if err := st.step(next, x, signs^signs>>31); err != nil {
			return nil, fmt.Errorf("sde: after %d steps: %w", k, err)
		}
		if !inside(next, s.bound()) {
			if err := explain(eq, x); err != nil {
				return nil, fmt.Errorf("sde: after %d steps: %w", k+1, err)
			}
			t.Status, t.BlowUp = BlewUp, &BlowUp{Step: k + 1, State: next, From: x}
			return t, nil
		}
		t.States = append(t.States, next...)
	}
	return t, nil
}

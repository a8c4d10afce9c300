package sde

import "fmt"

// Status says how a simulation ended.
type Status int

const (
	// Completed means that every path was followed to the end.
	Completed Status = iota
	// BlewUp means that a path left every bound: the step is too large for the drift far
	// out, or the drift does not confine.
	BlewUp
)

// String says what happened and what to change.
func (s Status) String() string {
	switch s {
	case Completed:
		return "completed"
	case BlewUp:
		return "blew up: lower the step, or check that the drift confines"
	}
	return fmt.Sprintf("Status(%d)", int(s))
}

// BlowUp is where a path left the bounds.
type BlowUp struct {
	Walker int       `json:"walker"`
	Step   int       `json:"step"`  // number of steps made, from the start, burn-in included
	State  []float64 `json:"state"` // the first state out of bounds (d)
	From   []float64 `json:"from"`  // the state before (d)
}

// String names walker, step and state.
func (b *BlowUp) String() string {
	return fmt.Sprintf("walker %d blew up at step %d: from %.6g to %.6g", b.Walker, b.Step, b.From, b.State)
}

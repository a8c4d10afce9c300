package sgd

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Schedule is a learning rate that is constant between given epochs. It is a plain value:
// it prints, compares with reflect.DeepEqual and survives JSON. The zero value has no
// learning rate and is refused by [Run].
type Schedule struct {
	Pieces []Piece `json:"pieces"` // the first from epoch 0, the others at later and later epochs
}

// Piece is a learning rate and the epoch, counted from 0, from which on it holds.
type Piece struct {
	Epoch int     `json:"epoch"`
	Rate  float64 `json:"rate"`
}

// Constant returns the learning rate rate for the whole run.
//
//	s := sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 128, Epochs: 10}
func Constant(rate float64) Schedule { return Piecewise(Piece{0, rate}) }

// Annealed returns the learning rate rate, multiplied by factor at the beginning of each
// of the epochs.
func Annealed(rate, factor float64, epochs ...int) Schedule {
	pieces := []Piece{{0, rate}}
	for _, epoch := range epochs {
		rate *= factor
		pieces = append(pieces, Piece{epoch, rate})
	}
	return Piecewise(pieces...)
}

// Piecewise returns the schedule of the given pieces.
func Piecewise(pieces ...Piece) Schedule { return Schedule{Pieces: pieces} }

// At returns the learning rate during the given epoch, counted from 0; before the first
// piece, and if there is none, it is 0.
func (s Schedule) At(epoch int) float64 {
	var rate float64
	for _, p := range s.Pieces {
		if p.Epoch <= epoch {
			rate = p.Rate
		}
	}
	return rate
}

// String returns the schedule as in "0.1, from epoch 10: 0.01".
func (s Schedule) String() string {
	if len(s.Pieces) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, p := range s.Pieces {
		if i > 0 {
			b.WriteString(", ")
		}
		if p.Epoch != 0 {
			fmt.Fprintf(&b, "from epoch %d: ", p.Epoch)
		}
		fmt.Fprintf(&b, "%.6g", p.Rate)
	}
	return b.String()
}

// exact is String with every bit of the rates.
func (s Schedule) exact() string { return fmt.Sprint(s.Pieces) }

func (s Schedule) check() error {
	if len(s.Pieces) == 0 {
		return errors.New("sgd: no learning rate: set Settings.LearningRate, for example to sgd.Constant(0.1)")
	}
	for i, p := range s.Pieces {
		switch {
		case !(p.Rate >= 0) || math.IsInf(p.Rate, 1):
			return fmt.Errorf("sgd: learning rate %v from epoch %d: it must be finite and not negative", p.Rate, p.Epoch)
		case i == 0 && p.Epoch != 0:
			return fmt.Errorf("sgd: the learning rate begins at epoch %d: the first piece must begin at epoch 0", p.Epoch)
		case i > 0 && p.Epoch <= s.Pieces[i-1].Epoch:
			return fmt.Errorf("sgd: learning-rate epochs %d and %d are not increasing: order the pieces by epoch", s.Pieces[i-1].Epoch, p.Epoch)
		}
	}
	return nil
}

package sgd

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"sgdlab/pkg/noise"
)

// Settings are the choices of [Run]. LearningRate, BatchSize and one of Epochs and Steps
// must be set; the zero value of every other field is its default. The callbacks and the
// checkpoint do not change a run and are left out of its JSON.
//
//	s := sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 128, Epochs: 10, Seed: 42}
type Settings struct {
	LearningRate Schedule       `json:"learning_rate"` // η
	Momentum     Momentum       `json:"momentum"`      // default: none
	WeightDecay  float64        `json:"weight_decay"`  // λ ≥ 0; λx is added to every batch gradient, not to the loss
	BatchSize    int            `json:"batch_size"`    // b, 1..N under every scheme
	Sampling     noise.Sampling `json:"sampling"`      // default: with replacement
	Epochs       int            `json:"epochs,omitempty"`
	Steps        int            `json:"steps,omitempty"` // instead of Epochs
	Seed         uint64         `json:"seed"`            // of the batches

	// Record, if not nil, is called after every RecordEvery-th step, 0 meaning once per
	// epoch. Its error ends the run. After a run was killed it sees the steps since the
	// last checkpoint a second time, and never misses one.
	Record      func(Step) error `json:"-"`
	RecordEvery int              `json:"-"`

	// Progress, if not nil, is called about ten times a second and at the end, with the
	// number of steps done and their total.
	Progress func(done, total int) `json:"-"`

	Checkpoint Checkpoint `json:"-"`
}

// Checkpoint says where a run keeps what it needs to go on after it was canceled or
// killed: weights, velocity, the state of the objective and of the sampler.
//
// It is one file with a checksum, replaced atomically, so that at any moment it is
// complete or not there. If it exists, [Run] goes on from it, bit for bit as if it had
// never stopped. A file that is damaged or belongs to another run is refused with an error
// that names what differs; only Epochs and Steps may be changed, to run longer.
type Checkpoint struct {
	Path      string        // of the file; empty means none is kept
	Every     time.Duration // time between two writings; 0 means 10 s
	Objective string        // identifies what is minimised, such as "small-fc on MNIST 7×7": another one is refused
}

// StepsPerEpoch returns the number of steps of an epoch over n samples, ⌊n/b⌋; 0 if the
// batch size is not set.
func (s Settings) StepsPerEpoch(n int) int {
	if s.BatchSize < 1 {
		return 0
	}
	return n / s.BatchSize
}

// String describes the run in one line, without callbacks and checkpoint.
func (s Settings) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "batches of %d %v, learning rate %v, %v", s.BatchSize, s.Sampling, s.LearningRate, s.Momentum)
	if s.WeightDecay != 0 {
		fmt.Fprintf(&b, ", weight decay %.6g", s.WeightDecay)
	}
	if s.Steps != 0 {
		fmt.Fprintf(&b, ", %d steps", s.Steps)
	} else {
		fmt.Fprintf(&b, ", %d epochs", s.Epochs)
	}
	fmt.Fprintf(&b, ", seed %d", s.Seed)
	return b.String()
}

// check returns the first thing that is wrong with a run of s from x0 on d weights and n
// samples.
func (s Settings) check(x0 []float64, d, n int) error {
	if err := s.LearningRate.check(); err != nil {
		return err
	}
	if err := s.Momentum.check(); err != nil {
		return err
	}
	switch {
	case n < 1:
		return fmt.Errorf("sgd: the objective has %d samples: it needs at least one", n)
	case s.BatchSize < 1:
		return fmt.Errorf("sgd: batch size %d: set Settings.BatchSize to 1..%d", s.BatchSize, n)
	case s.BatchSize > n:
		return fmt.Errorf("sgd: batch size %d exceeds the %d samples: set Settings.BatchSize to 1..%d", s.BatchSize, n, n)
	case s.Sampling < noise.WithReplacement || s.Sampling > noise.IndexWalk:
		return fmt.Errorf("sgd: unknown sampling scheme %d: choose WithReplacement, WithoutReplacement, Reshuffled or IndexWalk of package noise", int(s.Sampling))
	case !(s.WeightDecay >= 0) || math.IsInf(s.WeightDecay, 1):
		return fmt.Errorf("sgd: weight decay %v: it must be finite and not negative", s.WeightDecay)
	case s.Epochs < 0 || s.Steps < 0:
		return fmt.Errorf("sgd: %d epochs and %d steps: neither can be negative", s.Epochs, s.Steps)
	case s.Epochs == 0 && s.Steps == 0:
		return errors.New("sgd: nothing to do: set Settings.Epochs or Settings.Steps")
	case s.Epochs != 0 && s.Steps != 0:
		return fmt.Errorf("sgd: %d epochs and %d steps: set only one of Settings.Epochs and Settings.Steps", s.Epochs, s.Steps)
	case s.RecordEvery < 0:
		return fmt.Errorf("sgd: record every %d steps: it cannot be negative", s.RecordEvery)
	case s.Checkpoint.Every < 0:
		return fmt.Errorf("sgd: checkpoint every %v: it cannot be negative", s.Checkpoint.Every)
	case len(x0) != d:
		return fmt.Errorf("sgd: the starting point has %d weights, the objective %d", len(x0), d)
	}
	for i, v := range x0 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("sgd: weight %d of the starting point is %v: start from finite weights", i, v)
		}
	}
	return nil
}

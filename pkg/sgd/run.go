package sgd

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"sgdlab/pkg/noise"
)

// Objective is a finite sum with mini-batch gradients.
//
//	var f sgd.Objective = problem.T1()
//	g := make([]float64, f.Dim())
//	loss, err := f.BatchGradTo(g, []float64{1, 1}, []int{0, 3})
type Objective interface {
	// Dim is d, the number of weights.
	Dim() int
	// Samples is N.
	Samples() int
	// BatchGradTo stores the mean gradient over the samples idx at x in dst, both of
	// length d, and returns the mean loss. It must return the same bits for the same x,
	// idx and state.
	BatchGradTo(dst, x []float64, idx []int) (loss float64, err error)
}

// Stateful is an Objective that changes with every batch: a network with running
// batch-norm statistics or dropout. Run keeps the state in checkpoints, and an objective
// without this interface must have none.
type Stateful interface {
	// AppendState appends the state, always of the same length, to dst and returns that.
	AppendState(dst []float64) []float64
	// SetState makes state, as long as AppendState makes it, the state, and keeps no part of it.
	SetState(state []float64) error
}

// Step is what Settings.Record sees after a step. X and Velocity are views, valid during
// the call only; they must not be changed.
type Step struct {
	Step         int       // steps taken, counting from 1
	Epoch        int       // whole epochs completed
	Loss         float64   // of the batch of this step, at the weights before it
	LearningRate float64   // η of this step
	X            []float64 // weights after the step (d); with Nesterov the look-ahead point
	Velocity     []float64 // v after the step (d); nil without momentum
	momentum     Momentum
}

// BaseTo stores the base point in dst and returns dst; a nil dst is allocated. It is
// x + ημv with Nesterov momentum, where x is the look-ahead point, and x otherwise. It
// panics if dst has another length than X.
func (s Step) BaseTo(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(s.X))
	}
	if len(dst) != len(s.X) {
		panic(fmt.Sprintf("sgd: dimension mismatch: dst has length %d, want %d", len(dst), len(s.X)))
	}
	copy(dst, s.X)
	if s.momentum.Kind == Nesterov {
		for i, v := range s.Velocity {
			dst[i] += s.LearningRate * s.momentum.Mu * v
		}
	}
	return dst
}

// Status is why a run ended.
type Status int

const (
	// Failed: the objective, Settings.Record or the checkpoint returned an error.
	Failed Status = iota
	// Finished: all steps were taken.
	Finished
	// Canceled: the context ended. The run can be resumed from its checkpoint.
	Canceled
	// Diverged: a loss or a weight was NaN or infinite. The step that made it is dropped.
	Diverged
)

// String returns the name of the status.
func (s Status) String() string {
	switch s {
	case Failed:
		return "failed"
	case Finished:
		return "finished"
	case Canceled:
		return "canceled"
	case Diverged:
		return "diverged"
	}
	return fmt.Sprintf("Status(%d)", int(s))
}

// Result is what a run has when it ends, for whatever reason.
type Result struct {
	X            []float64 // final weights (d); with Nesterov the look-ahead point
	Velocity     []float64 // final v (d); nil without momentum
	State        []float64 // final state of a Stateful objective, as long as its AppendState makes it; otherwise nil
	Steps        int       // steps taken
	LearningRate float64   // η of the last step, or of the step that diverged
	Losses       []float64 // mean of the batch losses, one per whole epoch
	Status       Status
	Message      string        // one sentence: the status with the step and, if it diverged, what to change
	Elapsed      time.Duration // wall time, including earlier parts of a resumed run
	Settings     Settings
}

// batchStream is the PCG stream of the batches of a seed.
const batchStream = 1

// Run takes Settings.Epochs or Settings.Steps steps of stochastic gradient descent on obj
// from x0 (d), which is not changed, and leaves a Stateful obj in its final state; it starts
// from the state that obj is in. If the file of Settings.Checkpoint exists, it goes on from
// there instead.
//
// Wrong settings, an error of obj, of Settings.Record or of the checkpoint, and the end of
// ctx are returned as an error, together with the result so far unless the settings are
// wrong. Divergence is not an error but a Status: the weights, the state and the losses are
// those before the first step with a NaN or infinite number.
//
//	run, err := sgd.Run(ctx, problem.T1(), []float64{0, 0}, sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 1, Steps: 1000, Seed: 2})
//	fmt.Println(run.X)
func Run(ctx context.Context, obj Objective, x0 []float64, s Settings) (*Result, error) {
	if err := s.check(x0, obj.Dim(), obj.Samples()); err != nil {
		return nil, err
	}
	r := newRun(obj, x0, s)
	if err := r.resume(x0); err != nil {
		return nil, err
	}
	return r.run(ctx)
}

// run is a run under way.
type run struct {
	obj      Objective
	stateful Stateful // obj, or nil
	settings Settings
	id       identity
	chain    *chain
	sampler  *noise.Sampler
	perEpoch int // steps of an epoch
	total    int // steps of the run

	step    int
	losses  []float64 // of the whole epochs
	sum     float64   // of the batch losses of the epoch under way
	earlier time.Duration
	start   time.Time
}

func newRun(obj Objective, x0 []float64, s Settings) *run {
	r := &run{obj: obj, settings: s, chain: newChain(x0, s.Momentum, s.WeightDecay), start: time.Now()}
	r.stateful, _ = obj.(Stateful)
	r.sampler = noise.NewSampler(s.Sampling, obj.Samples(), s.BatchSize, rand.NewPCG(s.Seed, batchStream))
	r.perEpoch = s.StepsPerEpoch(obj.Samples())
	r.total = s.Steps + s.Epochs*r.perEpoch
	return r
}

func (r *run) run(ctx context.Context) (*Result, error) {
	const tick = 100 * time.Millisecond
	every := r.settings.RecordEvery
	if every == 0 {
		every = r.perEpoch
	}
	g, idx := make([]float64, r.obj.Dim()), make([]int, r.settings.BatchSize)
	var before []float64 // the state before a step
	shown, saved := r.start, r.start
	for r.step < r.total {
		if ctx.Err() != nil {
			err := fmt.Errorf("sgd: canceled after step %d of %d: %w", r.step, r.total, context.Cause(ctx))
			return r.end(Canceled, err.Error(), err)
		}
		eta := r.settings.LearningRate.At(r.step / r.perEpoch)
		if r.stateful != nil {
			before = r.stateful.AppendState(before[:0])
		}
		loss, err := r.obj.BatchGradTo(g, r.chain.x, r.sampler.Next(idx))
		if err != nil {
			return r.fail(fmt.Errorf("sgd: gradient of step %d: %w", r.step+1, err))
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) || !r.chain.step(g, eta) {
			if r.stateful != nil {
				if err := r.stateful.SetState(before); err != nil {
					return r.fail(fmt.Errorf("sgd: going back before step %d: %w", r.step+1, err))
				}
			}
			return r.end(Diverged, r.diverged(loss, eta), nil)
		}
		r.step++
		if r.sum += loss; r.step%r.perEpoch == 0 {
			r.losses = append(r.losses, r.sum/float64(r.perEpoch))
			r.sum = 0
		}
		if r.settings.Record != nil && r.step%every == 0 {
			err := r.settings.Record(Step{
				Step: r.step, Epoch: r.step / r.perEpoch, Loss: loss, LearningRate: eta,
				X: r.chain.x, Velocity: r.chain.v, momentum: r.settings.Momentum,
			})
			if err != nil {
				return r.fail(fmt.Errorf("sgd: recording step %d: %w", r.step, err))
			}
		}
		now := time.Now()
		if r.settings.Progress != nil && now.Sub(shown) >= tick {
			r.settings.Progress(r.step, r.total)
			shown = now
		}
		if r.due(now.Sub(saved)) {
			if err := r.save(r.elapsed()); err != nil {
				return r.fail(err)
			}
			saved = time.Now()
		}
	}
	return r.end(Finished, fmt.Sprintf("sgd: finished %d steps", r.step), nil)
}

// diverged says what the step after r.step at learning rate eta came to.
func (r *run) diverged(loss, eta float64) string {
	what := "the new weights are not finite"
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		what = fmt.Sprintf("the loss is %v", loss)
	}
	return fmt.Sprintf("sgd: diverged at step %d with learning rate %.6g: %s; lower the learning rate or the momentum", r.step+1, eta, what)
}

// end saves the checkpoint and returns the result. A run that diverged keeps its last
// checkpoint, because the sampler is a batch ahead of the weights: resumed, it diverges at
// the same step.
func (r *run) end(status Status, message string, err error) (*Result, error) {
	if r.settings.Progress != nil {
		r.settings.Progress(r.step, r.total)
	}
	elapsed := r.elapsed() // the same here and in the checkpoint
	if r.settings.Checkpoint.Path != "" && status != Diverged {
		if failure := r.save(elapsed); failure != nil {
			return r.fail(failure)
		}
	}
	return r.result(status, message, elapsed), err
}

// fail returns the result so far and err. The checkpoint stays as it is: a step that could
// not be recorded must come again.
func (r *run) fail(err error) (*Result, error) {
	return r.result(Failed, err.Error(), r.elapsed()), err
}

func (r *run) result(status Status, message string, elapsed time.Duration) *Result {
	last := r.step - 1
	if status == Diverged {
		last = r.step
	}
	result := &Result{
		X:            r.chain.x,
		Velocity:     r.chain.v,
		Steps:        r.step,
		LearningRate: r.settings.LearningRate.At(max(last, 0) / r.perEpoch),
		Losses:       r.losses,
		Status:       status,
		Message:      message,
		Elapsed:      elapsed,
		Settings:     r.settings,
	}
	if r.stateful != nil {
		result.State = r.stateful.AppendState(nil)
	}
	return result
}

func (r *run) elapsed() time.Duration { return r.earlier + time.Since(r.start) }

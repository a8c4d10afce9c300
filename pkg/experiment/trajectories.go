package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/sgd/snapshot"
)

// ChainSettings are one long run of tiny-fc on the digits 0–4 of MNIST 7×7, as in Fig. 3.
//
// The network is first trained for BurnIn epochs at the rate BurnInRate, with batch norm in
// training mode and otherwise with the batches and the momentum of Training. Then Training
// begins, without velocity, and is recorded. If Frozen is set, batch norm keeps the running
// statistics that the network has at this moment.
type ChainSettings struct {
	Training   sgd.Settings `json:"training"` // in whole Epochs; its Seed also draws the first weights
	Frozen     bool         `json:"frozen"`
	BurnIn     int          `json:"burn_in"`
	BurnInRate float64      `json:"burn_in_rate"`
	Samples    int          `json:"samples,omitempty"` // first images of the digits; 0 means all 30,596
}

// Name is the stem of the files of the chain, as in
// "lr0.001-heavyball0.9-reshuffled-training-seed1". It does not tell the number of epochs, so
// that a run can be made longer, nor that of samples.
func (s ChainSettings) Name() string {
	t := s.Training
	momentum := "none"
	if t.Momentum.Kind != sgd.None {
		momentum = fmt.Sprintf("%v%g", t.Momentum.Kind, t.Momentum.Mu)
	}
	norm := "training"
	if s.Frozen {
		norm = "frozen"
	}
	name := fmt.Sprintf("lr%g-%s-%v-%s-seed%d", t.LearningRate.At(0), momentum, t.Sampling, norm, t.Seed)
	return strings.ToLower(strings.ReplaceAll(name, " ", ""))
}

// Path returns the snapshot file of the chain in the given folder.
func (s ChainSettings) Path(folder string) string { return filepath.Join(folder, s.Name()+".snap") }

// TrajectoriesSettings are the choices of [Trajectories]; start from [Fig3Chains] or [Fig3ChainsQuick].
type TrajectoriesSettings struct {
	Chains []ChainSettings `json:"chains"` // in the order of their importance, with different names

	// Folder must exist. It keeps the trajectories, 7.4 kB an epoch, and what a killed run
	// needs to go on.
	Folder   string   `json:"-"`
	Workers  int      `json:"-"` // chains at a time; 0 means two, or one if there is one core
	Progress Progress `json:"-"`
}

// Fig3Chains are the runs behind Fig. 3 and the table around it, three quarters of a million epochs:
//
//   - 10⁵ epochs at the settings of the paper, with the heavy ball and the index walk of the
//     authors' code, and 10⁵ as the theory wants them, without momentum, with independent
//     batches and frozen batch norm, with three seeds;
//   - all other combinations of the learning rates 10⁻³ and 0.1 (that of the authors' script), no
//     momentum, heavy ball and Nesterov, three ways of sampling, and batch norm in training mode
//     and frozen: 10⁴ epochs;
//   - the settings of the paper with two more seeds, 10⁴ epochs.
//
// NOTE: the paper fixes the learning rate to 10⁻³ "after" 10³ epochs and does not give that
// of the burn-in: here it is 0.1, the one of the script. The script burns in for 10 epochs.
func Fig3Chains() TrajectoriesSettings {
	const long, short = 100_000, 10_000
	paper := ChainSettings{
		Training: sgd.Settings{
			LearningRate: sgd.Constant(1e-3),
			Momentum:     sgd.Momentum{Kind: sgd.HeavyBall, Mu: 0.9},
			BatchSize:    128,
			Sampling:     noise.IndexWalk,
			Epochs:       long,
			Seed:         1,
		},
		BurnIn:     1000,
		BurnInRate: 0.1,
	}
	theory := paper
	theory.Training.Momentum, theory.Training.Sampling, theory.Frozen = sgd.Momentum{}, noise.WithReplacement, true
	with := func(s ChainSettings, rate float64, seed uint64) ChainSettings {
		s.Training.LearningRate, s.Training.Seed = sgd.Constant(rate), seed
		return s
	}
	all := []ChainSettings{paper, theory, with(theory, 1e-3, 2), with(theory, 1e-3, 3)}
	for _, frozen := range []bool{false, true} {
		for _, rate := range []float64{1e-3, 0.1} {
			for _, sampling := range []noise.Sampling{noise.WithReplacement, noise.Reshuffled, noise.IndexWalk} {
				for _, kind := range []sgd.MomentumKind{sgd.None, sgd.HeavyBall, sgd.Nesterov} {
					c := with(paper, rate, 1)
					c.Training.Epochs, c.Training.Sampling, c.Training.Momentum, c.Frozen = short, sampling, sgd.Momentum{Kind: kind}, frozen
					if kind != sgd.None {
						c.Training.Momentum.Mu = 0.9
					}
					if !slices.ContainsFunc(all, func(have ChainSettings) bool { return have.Name() == c.Name() }) {
						all = append(all, c)
					}
				}
			}
		}
	}
	paper.Training.Epochs = short
	return TrajectoriesSettings{Chains: append(all, with(paper, 1e-3, 2), with(paper, 1e-3, 3))}
}

// Fig3ChainsQuick is Fig3Chains with 3,000 images and 2¹³ epochs, one seed.
func Fig3ChainsQuick() TrajectoriesSettings {
	s := Fig3Chains()
	var quick []ChainSettings
	for _, c := range s.Chains {
		if c.Training.Seed == 1 {
			c.Training.Epochs, c.Samples = 1<<13, 3000
			quick = append(quick, c)
		}
	}
	s.Chains = quick
	return s
}

// ChainNumbers are what is known of a chain when it has ended. Its trajectory is in the
// snapshot file.
type ChainNumbers struct {
	Name           string  `json:"name"`
	Samples        int     `json:"samples"`
	Engine         string  `json:"engine"`
	Epochs         int     `json:"epochs"` // recorded
	Steps          int     `json:"steps"`
	Status         string  `json:"status"`            // "finished", or "diverged" and then Message
	Message        string  `json:"message,omitempty"` // with step and learning rate
	StepsPerSecond float64 `json:"steps_per_second"`  // with one full gradient per epoch
	BurnInLoss     float64 `json:"burn_in_loss"`      // mean batch loss of the last epoch before the recording
	Loss           float64 `json:"loss"`              // and of the last epoch
}

// TrajectoriesNumbers are what [Trajectories] finds.
type TrajectoriesNumbers struct {
	Chains []ChainNumbers `json:"chains"` // in the order of the settings
}

// TrajectoriesResult is the result of [Trajectories].
type TrajectoriesResult = Record[TrajectoriesSettings, TrajectoriesNumbers]

type chainRecord = Record[ChainSettings, ChainNumbers]

// Trajectories runs chains of tiny-fc and records after every epoch the weights, the full
// gradient (with batch norm in training mode: of all samples as one batch) and the numbers
// that package snapshot names. Chains that have ended are not run again; others go on where
// they were, with the same bits. A chain that diverges ends, says so in its numbers, and
// keeps what it has.
//
// It returns an error for settings that cannot be, if a file is damaged or belongs to another
// run, or if ctx ends.
func Trajectories(ctx context.Context, s TrajectoriesSettings) (*TrajectoriesResult, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	train, _, err := dataset.MNIST7()
	if err != nil {
		return nil, err
	}
	digits := train.Digits(0, 1, 2, 3, 4)
	record := newRecord[TrajectoriesSettings, TrajectoriesNumbers]("trajectories", s, "")
	parts := make([]*chainRecord, len(s.Chains))
	var mutex sync.Mutex // of the progress
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.workers())
	for i, c := range s.Chains {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			var err error
			parts[i], err = c.run(ctx, digits, s.Folder, s.Progress.locked(&mutex))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, p := range parts {
		record.Numbers.Chains = append(record.Numbers.Chains, p.Numbers)
		record.Seconds = append(record.Seconds, p.Seconds...)
	}
	return record, nil
}

func (s TrajectoriesSettings) workers() int {
	if s.Workers != 0 {
		return s.Workers
	}
	return min(2, thisMachine("").Cores)
}

// locked returns p for several goroutines.
func (p Progress) locked(mutex *sync.Mutex) Progress {
	if p == nil {
		return nil
	}
	return func(stage string, done, total int) {
		mutex.Lock()
		defer mutex.Unlock()
		p(stage, done, total)
	}
}

func (s TrajectoriesSettings) check() error {
	if len(s.Chains) == 0 {
		return errors.New("experiment: no chains: start from Fig3Chains or Fig3ChainsQuick")
	}
	if s.Workers < 0 {
		return fmt.Errorf("experiment: %d chains at a time: set Workers to 1 or more, or to 0", s.Workers)
	}
	if info, err := os.Stat(s.Folder); err != nil || !info.IsDir() {
		return fmt.Errorf("experiment: no folder %q for the trajectories: set Folder to one that exists", s.Folder)
	}
	names := map[string]bool{}
	for _, c := range s.Chains {
		if names[c.Name()] {
			return fmt.Errorf("experiment: two chains %s: one file cannot keep both", c.Name())
		}
		names[c.Name()] = true
		switch {
		case c.Training.Epochs < 1 || c.Training.Steps != 0:
			return fmt.Errorf("experiment: %d epochs and %d steps of the chain %s: set Training.Epochs and not Training.Steps", c.Training.Epochs, c.Training.Steps, c.Name())
		case c.Training.Checkpoint.Path != "" || c.Training.Record != nil:
			return fmt.Errorf("experiment: the chain %s keeps its own records and checkpoint: set Folder instead", c.Name())
		case c.BurnIn < 0 || c.BurnIn > 0 && !(c.BurnInRate > 0):
			return fmt.Errorf("experiment: a burn-in of %d epochs at the rate %v: neither can be negative", c.BurnIn, c.BurnInRate)
		case c.Samples < 0:
			return fmt.Errorf("experiment: %d samples: set Samples to 1 or more, or to 0 for all", c.Samples)
		}
	}
	return nil
}

// run returns the record of the chain, from its file if it has ended before.
func (s ChainSettings) run(ctx context.Context, digits *dataset.Images, folder string, progress Progress) (*chainRecord, error) {
	path := func(kind string) string { return filepath.Join(folder, s.Name()+"."+kind) }
	record := newRecord[ChainSettings, ChainNumbers](s.Name(), s, "")
	if before, err := s.ended(path("json"), record); before != nil || err != nil {
		return before, err
	}
	data := digits
	if s.Samples != 0 {
		if s.Samples > digits.N {
			return nil, fmt.Errorf("experiment: %d of %d samples: set Samples to 1..%d, or 0 for all", s.Samples, digits.N, digits.N)
		}
		data = first(digits, s.Samples)
	}

	x, stats := network.TinyFC().Init(rand.NewPCG(s.Training.Seed, 0))
	objective, err := network.NewTinyChain(data, stats, nil)
	if err != nil {
		return nil, err
	}
	training := func(t sgd.Settings, what, kind string) sgd.Settings {
		t.Checkpoint = sgd.Checkpoint{Path: path(kind), Every: s.Training.Checkpoint.Every, Objective: objective.String()}
		t.Progress = progress.of(s.Name() + ", " + what)
		return t
	}
	numbers := &record.Numbers
	*numbers = ChainNumbers{Name: s.Name(), Samples: data.N}
	if s.BurnIn > 0 {
		burn := training(s.Training, "burn-in", "burnin.sgd")
		burn.Epochs, burn.LearningRate = s.BurnIn, sgd.Constant(s.BurnInRate)
		burn.Seed += 1 << 32 // other batches than those recorded
		result, err := sgd.Run(ctx, objective, x, burn)
		if err != nil {
			return nil, err
		}
		if result.Status != sgd.Finished {
			return nil, fmt.Errorf("experiment: the burn-in of the chain %s: %s", s.Name(), result.Message)
		}
		x, numbers.BurnInLoss = result.X, round(result.Losses[s.BurnIn-1], 7)
		record.Seconds = append(record.Seconds, Stage{s.Name() + ", burn-in", round(result.Elapsed.Seconds(), 4)})
	}
	if s.Frozen {
		if objective, err = network.NewTinyChain(data, objective.Stats(), &network.TinyChainSettings{Frozen: true}); err != nil {
			return nil, err
		}
	}
	numbers.Engine = objective.String()

	file, err := snapshot.Create(s.Path(folder), s.header(objective))
	if err != nil {
		return nil, err
	}
	observed := &observed{TinyChain: objective, perEpoch: s.Training.StepsPerEpoch(data.N)}
	t := training(s.Training, "recording", "sgd")
	t.Record = func(step sgd.Step) error { return observed.record(ctx, file, step) }
	result, err := sgd.Run(ctx, observed, x, t)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	numbers.Epochs, numbers.Steps, numbers.Status = len(result.Losses), result.Steps, result.Status.String()
	numbers.StepsPerSecond = round(float64(result.Steps)/result.Elapsed.Seconds(), 3)
	if result.Status != sgd.Finished {
		numbers.Message = result.Message
	}
	if n := len(result.Losses); n > 0 {
		numbers.Loss = round(result.Losses[n-1], 7)
	}
	record.Seconds = append(record.Seconds, Stage{s.Name() + ", recording", round(result.Elapsed.Seconds(), 4)})
	return record, record.Save(path("json"))
}

// ended returns the record at path if it is that of this chain, and nil if there is none, or
// one of fewer epochs.
func (s ChainSettings) ended(path string, want *chainRecord) (*chainRecord, error) {
	got, err := Load[ChainSettings, ChainNumbers](path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if got.Settings.Training.Epochs < s.Training.Epochs && got.Numbers.Status == sgd.Finished.String() {
		return nil, nil
	}
	return resumed(path, want)
}

// header says in the snapshot file what the chain depends on.
func (s ChainSettings) header(objective *network.TinyChain) snapshot.Header {
	t := s.Training
	exact := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	h := snapshot.Header{
		Run: [][2]string{
			{"objective", objective.String()},
			{"batch size", strconv.Itoa(t.BatchSize)},
			{"sampling", t.Sampling.String()},
			{"learning rate", fmt.Sprint(t.LearningRate.Pieces)},
			{"momentum", t.Momentum.Kind.String() + " " + exact(t.Momentum.Mu)},
			{"weight decay", exact(t.WeightDecay)},
			{"seed", strconv.FormatUint(t.Seed, 10)},
			{"burn-in", fmt.Sprintf("%d epochs at %s", s.BurnIn, exact(s.BurnInRate))},
		},
		Weights: objective.Dim(),
		Numbers: []string{snapshot.BatchLoss, snapshot.BatchGradientSquared, snapshot.WeightsDotBatchGradient, snapshot.FullLoss},
	}
	if s.Frozen {
		h.Stats = objective.Stats()
	}
	return h
}

// observed is a chain that keeps means over the epoch under way. They are part of its state,
// so that they survive with the weights.
type observed struct {
	*network.TinyChain
	perEpoch int
	sums     [4]float64 // loss, ‖∇f_b‖², x·∇f_b, number of batches
	gradient []float64
}

var _ sgd.Stateful = (*observed)(nil)

// BatchGradTo is that of the chain.
func (o *observed) BatchGradTo(dst, x []float64, idx []int) (loss float64, err error) {
	loss, err = o.TinyChain.BatchGradTo(dst, x, idx)
	if o.sums[3] == float64(o.perEpoch) {
		o.sums = [4]float64{}
	}
	o.sums[0] += loss
	o.sums[1] += floats.Dot(dst, dst)
	o.sums[2] += floats.Dot(x, dst)
	o.sums[3]++
	return loss, err
}

// AppendState appends that of the chain and the sums.
func (o *observed) AppendState(dst []float64) []float64 {
	return append(o.TinyChain.AppendState(dst), o.sums[:]...)
}

// State returns what AppendState appends.
func (o *observed) State() []float64 { return o.AppendState(nil) }

// SetState restores what AppendState appended.
func (o *observed) SetState(state []float64) error {
	n := len(state) - len(o.sums)
	if n < 0 {
		return fmt.Errorf("experiment: a state of %d numbers is not one of a recorded chain", len(state))
	}
	if err := o.TinyChain.SetState(state[:n]); err != nil {
		return err
	}
	copy(o.sums[:], state[n:])
	return nil
}

// record writes the end of an epoch.
func (o *observed) record(ctx context.Context, file *snapshot.Writer, step sgd.Step) error {
	if o.gradient == nil {
		o.gradient = make([]float64, o.Dim())
	}
	full, err := o.GradTo(context.WithoutCancel(ctx), o.gradient, step.X)
	if err != nil {
		return err
	}
	n := o.sums[3]
	return file.Append(step.Epoch, step.X, o.gradient, []float64{o.sums[0] / n, o.sums[1] / n, o.sums[2] / n, full})
}

package sgd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sgdlab/pkg/backend"
	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
)

// same reports an error unless two runs ended with the same bits.
func same(t *testing.T, name string, got, want *sgd.Result) {
	t.Helper()
	if got.Steps != want.Steps || !reflect.DeepEqual(got.X, want.X) || !reflect.DeepEqual(got.Velocity, want.Velocity) ||
		!reflect.DeepEqual(got.State, want.State) || !reflect.DeepEqual(got.Losses, want.Losses) {
		t.Errorf("%s: resumed: %d steps, weights %v, velocity %v, state %v, %d losses; in one go: %d steps, weights %v, velocity %v, state %v, %d losses",
			name, got.Steps, got.X, got.Velocity, got.State, len(got.Losses), want.Steps, want.X, want.Velocity, want.State, len(want.Losses))
	}
}

// A run that is canceled at every step it takes ends with the bits of one that is not.
func TestResumeAfterCancel(t *testing.T) {
	for _, sampling := range samplings {
		for _, m := range momenta {
			s := base()
			s.BatchSize, s.Sampling, s.Momentum, s.LearningRate = 1, sampling, m, sgd.Annealed(0.1, 0.5, 2)
			want := mustRun(t, newMemory(), []float64{1, 1}, s)

			s.Checkpoint.Path = filepath.Join(t.TempDir(), "run")
			s.RecordEvery = 1
			var got *sgd.Result
			var recorded []int
			for range want.Steps + 1 {
				ctx, cancel := context.WithCancel(context.Background())
				s.Record = func(step sgd.Step) error { recorded = append(recorded, step.Step); cancel(); return nil }
				var err error
				got, err = sgd.Run(ctx, newMemory(), []float64{1, 1}, s)
				cancel()
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			same(t, fmt.Sprintf("%v, %v", sampling, m), got, want)
			for i, step := range recorded {
				if step != i+1 {
					t.Fatalf("recorded steps %v", recorded)
				}
			}
			if len(recorded) != want.Steps {
				t.Errorf("recorded %d of %d steps", len(recorded), want.Steps)
			}
		}
	}
}

// The same with the same objective, not a new one, and a failure of Record: its step comes
// again.
func TestResumeAfterFailure(t *testing.T) {
	s := base()
	want := mustRun(t, newMemory(), []float64{1, 1}, s)
	s.Checkpoint.Path = filepath.Join(t.TempDir(), "run")
	s.Checkpoint.Every = 1
	failed := false
	var recorded []int
	s.Record = func(step sgd.Step) error {
		if step.Step == 4 && !failed {
			failed = true
			return errors.New("disk full")
		}
		recorded = append(recorded, step.Step)
		return nil
	}
	f := newMemory()
	if _, err := sgd.Run(context.Background(), f, []float64{1, 1}, s); err == nil {
		t.Fatal("no error")
	}
	same(t, "after a failure", mustRun(t, f, []float64{1, 1}, s), want)
	if fmt.Sprint(recorded) != "[2 4 6 8 10]" {
		t.Errorf("recorded steps %v", recorded)
	}
}

func TestFinishedRunGoesOn(t *testing.T) {
	s := base()
	s.Epochs = 9
	want := mustRun(t, problem.T1(), []float64{1, 1}, s)
	s.Checkpoint.Path = filepath.Join(t.TempDir(), "run")
	for _, s.Epochs = range []int{4, 4, 9} {
		got := mustRun(t, problem.T1(), []float64{1, 1}, s)
		if s.Epochs == 9 {
			same(t, "longer", got, want)
		}
	}
	s.Epochs = 4
	refused(t, s, "it is at step 18, this run ends at step 8")
}

// refused demands that s cannot go on from its checkpoint, with a sentence that contains
// want, and that the file is left alone.
func refused(t *testing.T, s sgd.Settings, want string) {
	t.Helper()
	before, _ := os.ReadFile(s.Checkpoint.Path)
	r, err := sgd.Run(context.Background(), problem.T1(), []float64{1, 1}, s)
	if r != nil || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one sentence with %q", err, want)
	}
	if after, _ := os.ReadFile(s.Checkpoint.Path); !bytes.Equal(before, after) {
		t.Error("the refused file was changed")
	}
}

func TestForeignCheckpoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	settings := func() sgd.Settings {
		s := base()
		s.Momentum = momenta[1]
		s.Checkpoint = sgd.Checkpoint{Path: path, Objective: "T1"}
		return s
	}
	mustRun(t, problem.T1(), []float64{1, 1}, settings())
	for want, change := range map[string]func(*sgd.Settings){
		`its objective is "T1", this run's "T2"`:                                                   func(s *sgd.Settings) { s.Checkpoint.Objective = "T2" },
		`its batch size is "2", this run's "1"`:                                                    func(s *sgd.Settings) { s.BatchSize = 1 },
		`its sampling is "with replacement", this run's "reshuffled"`:                              func(s *sgd.Settings) { s.Sampling = noise.Reshuffled },
		`its learning rate is "[{0 0.1}]", this run's "[{0 0.1} {2 0.05}]"`:                        func(s *sgd.Settings) { s.LearningRate = sgd.Annealed(0.1, 0.5, 2) },
		`its learning rate is "[{0 0.1}]", this run's "[{0 0.10000000000000002}]"`:                 func(s *sgd.Settings) { s.LearningRate = sgd.Constant(0.1 + 1.4e-17) },
		`its momentum is "heavy ball 0.9", this run's "Nesterov 0.9"`:                              func(s *sgd.Settings) { s.Momentum.Kind = sgd.Nesterov },
		`its momentum is "heavy ball 0.9", this run's "heavy ball 0.8"`:                            func(s *sgd.Settings) { s.Momentum.Mu = 0.8 },
		`its weight decay is "0", this run's "0.1"`:                                                func(s *sgd.Settings) { s.WeightDecay = 0.1 },
		`its seed is "3", this run's "4"`:                                                          func(s *sgd.Settings) { s.Seed = 4 },
		`belongs to another run: its seed is "3", this run's "4"; remove the file to start afresh`: func(s *sgd.Settings) { s.Seed = 4 },
	} {
		s := settings()
		change(&s)
		refused(t, s, want)
	}
	run := func(obj sgd.Objective, x0 []float64) error {
		_, err := sgd.Run(context.Background(), obj, x0, settings())
		return err
	}
	for want, err := range map[string]error{
		`its number of weights is "2", this run's "1"`:                   run(problem.T2(), []float64{1}),
		"its starting point is":                                          run(problem.T1(), []float64{1, 2}),
		"its objective has a state of 0 numbers, this run's 2":           run(newMemory(), []float64{1, 1}),
		"cannot go on from the checkpoint " + path + ": it belongs to a": run(newMemory(), []float64{1, 1}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := run(problem.T1(), []float64{1, 1}); err != nil {
		t.Errorf("the checkpoint's own run: %v", err)
	}
}

// Every truncation and every flipped byte is refused.
func TestDamagedCheckpoints(t *testing.T) {
	s := base()
	s.Checkpoint.Path = filepath.Join(t.TempDir(), "run")
	mustRun(t, problem.T1(), []float64{1, 1}, s)
	good, err := os.ReadFile(s.Checkpoint.Path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(data []byte, want string) {
		t.Helper()
		if err := os.WriteFile(s.Checkpoint.Path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		refused(t, s, want)
	}
	for n := range good {
		try(good[:n], "truncated")
	}
	for i := range good {
		data := append([]byte(nil), good...)
		data[i] ^= 1
		try(data, "it ") // any of the reasons, but always refused
	}
	try(append(append([]byte(nil), good...), 0), fmt.Sprintf("damaged: %d bytes instead of %d", len(good)+1, len(good)))
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)/2] ^= 64
	try(flipped, "damaged: the checksum differs")
	try([]byte("weights,1,2,3\n"), "not a checkpoint file")
	try(bytes.Replace(good, []byte("checkpoint 1 "), []byte("checkpoint 2 "), 1), "format version 2, this program reads version 1")
	if err := os.Remove(s.Checkpoint.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.Checkpoint.Path, 0o755); err != nil {
		t.Fatal(err)
	}
	refused(t, s, "reading the checkpoint")
}

// A checkpoint is one file; what a killed writer left beside it is overwritten.
func TestCheckpointIsOneFile(t *testing.T) {
	dir := t.TempDir()
	s := base()
	s.Checkpoint = sgd.Checkpoint{Path: filepath.Join(dir, "run"), Every: 1}
	if err := os.WriteFile(s.Checkpoint.Path+".tmp", []byte("half a checkpo"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, problem.T1(), []float64{1, 1}, s)
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("got %d files, want 1", len(entries))
	}
}

// killed is what TestResumeAfterKill gives to the child processes that it starts and kills.
var killed = flag.String("killed", "", "settings and checkpoint of a run as JSON: be the child process of TestResumeAfterKill")

type killedRun struct {
	Settings sgd.Settings
	Path     string
	Network  bool // newTraining instead of newMemory
}

func TestMain(m *testing.M) {
	flag.Parse()
	if *killed == "" {
		os.Exit(m.Run())
	}
	var run killedRun
	err := json.Unmarshal([]byte(*killed), &run)
	if err == nil {
		run.Settings.Checkpoint = sgd.Checkpoint{Path: run.Path, Every: 1} // after every step
		if run.Network {
			training, x := newTraining(nil)
			_, err = sgd.Run(context.Background(), slow{training}, x, run.Settings)
		} else {
			f := newMemory()
			f.delay = 20 * time.Microsecond
			_, err = sgd.Run(context.Background(), f, []float64{1, 1}, run.Settings)
		}
	}
	fmt.Println("the child ended:", err)
	os.Exit(1)
}

// slow leaves time for a kill.
type slow struct{ *network.Training }

func (s slow) BatchGradTo(dst, x []float64, idx []int) (float64, error) {
	time.Sleep(2 * time.Millisecond)
	return s.Training.BatchGradTo(dst, x, idx)
}

// A process that is killed with SIGKILL at random moments, most often in the middle of
// writing a checkpoint, loses nothing: the run ends with the bits of one in one go.
func TestResumeAfterKill(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)) // random moments on purpose
	for _, sampling := range samplings {
		for _, m := range momenta {
			t.Run(fmt.Sprintf("%v, %v", sampling, m), func(t *testing.T) {
				s := base()
				s.BatchSize, s.Epochs, s.Steps, s.Sampling, s.Momentum = 1, 0, 50_000, sampling, m
				want := mustRun(t, newMemory(), []float64{1, 1}, s)
				killTwice(t, rng, &s, false)
				same(t, "after two kills", mustRun(t, newMemory(), []float64{1, 1}, s), want)
			})
		}
	}
}

// The same for a network in training mode, with batch norm, dropout and float32.
func TestResumeNetworkAfterKill(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for i, sampling := range samplings {
		m := momenta[i%len(momenta)]
		t.Run(fmt.Sprintf("%v, %v", sampling, m), func(t *testing.T) {
			s := base()
			s.BatchSize, s.Epochs, s.Steps, s.Sampling, s.Momentum = 32, 0, 300, sampling, m
			training, x := newTraining(nil)
			want := mustRun(t, training, x, s)
			killTwice(t, rng, &s, true)
			training, x = newTraining(nil)
			same(t, "after two kills", mustRun(t, training, x, s), want)
		})
	}
}

// The same directly and on both backends, canceled in the middle of an epoch.
func TestResumeNetworkAfterCancel(t *testing.T) {
	for _, config := range []string{"direct", "go", "xla:cpu"} {
		t.Run(config, func(t *testing.T) {
			var b *backend.Backend
			if config != "direct" {
				var err error
				if b, err = backend.Open(config); err != nil {
					t.Skipf("no such backend here: %v", err)
				}
			}
			s := base()
			s.BatchSize, s.Epochs, s.Sampling, s.Momentum = 32, 5, noise.Reshuffled, momenta[2]
			training, x := newTraining(b)
			want := mustRun(t, training, x, s)

			s.Checkpoint.Path = filepath.Join(t.TempDir(), "run")
			ctx, cancel := context.WithCancel(context.Background())
			s.RecordEvery, s.Record = 14, func(sgd.Step) error { cancel(); return nil }
			training, x = newTraining(b)
			if r, err := sgd.Run(ctx, training, x, s); !errors.Is(err, context.Canceled) || r.Steps != 14 {
				t.Fatalf("got %+v, %v, want a canceled run after 14 steps", r, err)
			}
			s.Record = nil
			training, x = newTraining(b)
			same(t, "after a cancel", mustRun(t, training, x, s), want)
		})
	}
}

// newTraining returns tiny-fc with dropout on 200 images and its first weights, computed
// directly or, if b is not nil, by automatic differentiation on b.
func newTraining(b *backend.Backend) (*network.Training, []float64) {
	train, _, err := dataset.MNIST7()
	if err != nil {
		panic(err)
	}
	idx := make([]int, 200)
	for i := range idx {
		idx[i] = i
	}
	a := network.TinyFC()
	last := len(a.Layers) - 1
	a.Layers = slices.Insert(slices.Clone(a.Layers), last, network.Layer(network.Dropout{P: 0.2}))
	x, stats := a.Init(rand.NewPCG(1, 0))
	training, err := network.NewTraining(a, train.Digits(0, 1, 2, 3, 4).Subset(idx), stats, 1, &network.Settings{Backend: b, Autodiff: b != nil})
	if err != nil {
		panic(err)
	}
	return training, x
}

// killTwice runs s in a child until it is killed, twice, and lets s go on from what is left.
func killTwice(t *testing.T, rng *rand.Rand, s *sgd.Settings, network bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	argument, err := json.Marshal(killedRun{*s, path, network})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		kill(t, string(argument), path, time.Duration(rng.IntN(30_000))*time.Microsecond)
	}
	s.Checkpoint.Path = path
	s.RecordEvery = 1
	first := 0
	s.Record = func(step sgd.Step) error {
		if first == 0 {
			first = step.Step
		}
		return nil
	}
	t.Cleanup(func() {
		if first < 2 {
			t.Errorf("resumed at step %d: the kills proved nothing", first)
		}
	})
}

// kill starts a child and kills it the given time after it has written a checkpoint.
func kill(t *testing.T, argument, path string, after time.Duration) {
	t.Helper()
	before, _ := os.ReadFile(path)
	child := exec.Command(os.Args[0], "-killed="+argument)
	var output bytes.Buffer
	child.Stdout, child.Stderr = &output, &output
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if now, err := os.ReadFile(path); err == nil && !bytes.Equal(now, before) {
			break
		}
		if time.Now().After(deadline) {
			child.Process.Kill()
			child.Wait()
			t.Fatalf("the child wrote no checkpoint:\n%s", output.Bytes())
		}
	}
	time.Sleep(after)
	child.Process.Kill()
	err := child.Wait()
	if err == nil || output.Len() != 0 {
		t.Fatalf("the child ended before it was killed: %v\n%s", err, output.Bytes())
	}
}

package sgd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
)

var (
	samplings = []noise.Sampling{noise.WithReplacement, noise.WithoutReplacement, noise.Reshuffled, noise.IndexWalk}
	momenta   = []sgd.Momentum{{}, {Kind: sgd.HeavyBall, Mu: 0.9}, {Kind: sgd.Nesterov, Mu: 0.9}}
)

func base() sgd.Settings {
	return sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 2, Epochs: 5, Seed: 3}
}

func mustRun(t testing.TB, obj sgd.Objective, x0 []float64, s sgd.Settings) *sgd.Result {
	t.Helper()
	r, err := sgd.Run(context.Background(), obj, x0, s)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != sgd.Finished {
		t.Fatalf("got %v: %s", r.Status, r.Message)
	}
	return r
}

// memory is T1 with a state: the running mean of its batch losses, which shifts the gradient
// a little, as batch norm would.
type memory struct {
	*problem.CommonHessian
	state []float64 // running mean, number of batches
	fail  int       // number of the batch that returns an error, 0 for none
	bad   int       // number of the batch with a NaN loss, 0 for none
	delay time.Duration
}

func newMemory() *memory {
	return &memory{CommonHessian: problem.T1(), state: make([]float64, 2)}
}

func (m *memory) BatchGradTo(dst, x []float64, idx []int) (float64, error) {
	time.Sleep(m.delay)
	loss, err := m.CommonHessian.BatchGradTo(dst, x, idx)
	m.state[0] = 0.9*m.state[0] + 0.1*loss
	m.state[1]++
	for i := range dst {
		dst[i] += 0.01 * m.state[0]
	}
	switch int(m.state[1]) {
	case m.fail:
		return loss, errors.New("out of gradients")
	case m.bad:
		return math.NaN(), err
	}
	return loss, err
}

func (m *memory) AppendState(dst []float64) []float64 { return append(dst, m.state...) }

func (m *memory) SetState(s []float64) error {
	if len(s) != 2 {
		return fmt.Errorf("got a state of %d numbers, want 2", len(s))
	}
	copy(m.state, s)
	return nil
}

// The batches of a run, replayed with the textbook updates on plain slices.
func TestRunAgainstALoop(t *testing.T) {
	for _, sampling := range samplings {
		for _, m := range momenta {
			f := problem.T1()
			s := base()
			s.Sampling, s.Momentum, s.WeightDecay = sampling, m, 0.01
			s.LearningRate = sgd.Annealed(0.1, 0.5, 1, 3)
			var batches [][]int
			var losses []float64
			spy := &spy{Objective: f, seen: func(idx []int, loss float64) {
				batches = append(batches, append([]int(nil), idx...))
				losses = append(losses, loss)
			}}
			x0 := []float64{1, -2}
			r := mustRun(t, spy, x0, s)
			numtest.CloseSlice(t, "starting point", x0, []float64{1, -2}, 0)

			x, y, v := []float64{1, -2}, []float64{1, -2}, []float64{0, 0}
			g := make([]float64, 2)
			for k, idx := range batches {
				eta := []float64{0.1, 0.05, 0.05, 0.025, 0.025}[k/2]
				f.BatchGradTo(g, x, idx)
				for i := range x {
					gi := g[i] + 0.01*x[i]
					v[i] = m.Mu*v[i] + gi
					next := x[i] - eta*v[i]
					if m.Kind == sgd.Nesterov {
						next = x[i] - eta*gi - eta*m.Mu*v[i]
						y[i] = x[i] - eta*gi
					}
					x[i] = next
				}
			}
			if len(batches) != 10 || r.Steps != 10 {
				t.Errorf("got %d batches, %d steps, want 5 epochs of 2", len(batches), r.Steps)
			}
			// Ten steps with numbers of size 2.
			numtest.CloseSlice(t, fmt.Sprintf("weights, %v, %v", sampling, m), r.X, x, 1e-14)
			var mean []float64
			for k := 0; k < len(losses); k += 2 {
				mean = append(mean, (losses[k]+losses[k+1])/2)
			}
			numtest.CloseSlice(t, "losses", r.Losses, mean, 1e-14)
			if r.LearningRate != 0.025 {
				t.Errorf("last learning rate: got %v, want 0.025", r.LearningRate)
			}
			if sampling == noise.Reshuffled {
				for k := 0; k < len(batches); k += 2 {
					seen := map[int]bool{}
					for _, i := range append(append([]int(nil), batches[k]...), batches[k+1]...) {
						seen[i] = true
					}
					if len(seen) != 4 {
						t.Errorf("epoch %d saw %d of 4 samples", k/2, len(seen))
					}
				}
			}
		}
	}
}

// spy shows every batch.
type spy struct {
	sgd.Objective
	seen func(idx []int, loss float64)
}

func (s *spy) BatchGradTo(dst, x []float64, idx []int) (float64, error) {
	loss, err := s.Objective.BatchGradTo(dst, x, idx)
	s.seen(idx, loss)
	return loss, err
}

// The textbook form of Nesterov's method, in base points, is what BaseTo returns.
func TestBasePoint(t *testing.T) {
	const eta, mu = 0.05, 0.8
	f := problem.T1()
	s := sgd.Settings{LearningRate: sgd.Constant(eta), Momentum: sgd.Momentum{Kind: sgd.Nesterov, Mu: mu}, BatchSize: 4, Sampling: noise.WithoutReplacement, Steps: 20, RecordEvery: 1}
	y, previous, x, g := []float64{1, -2}, []float64{1, -2}, []float64{1, -2}, make([]float64, 2)
	s.Record = func(step sgd.Step) error {
		f.GradTo(g, x)
		for i := range x {
			y[i] = x[i] - eta*g[i]
			x[i] = y[i] + mu*(y[i]-previous[i])
		}
		copy(previous, y)
		// Twenty steps with numbers of size 2.
		numtest.CloseSlice(t, "look-ahead point", step.X, x, 1e-14)
		numtest.CloseSlice(t, "base point", step.BaseTo(nil), y, 1e-14)
		return nil
	}
	mustRun(t, f, []float64{1, -2}, s)
	s.Momentum.Kind = sgd.HeavyBall
	s.Record = func(step sgd.Step) error {
		numtest.CloseSlice(t, "heavy ball base point", step.BaseTo(make([]float64, 2)), step.X, 0)
		return nil
	}
	mustRun(t, f, []float64{1, -2}, s)
}

// Without replacement at b = N there is no noise: every seed gives gradient descent.
func TestFullBatchHasNoNoise(t *testing.T) {
	f := problem.T1()
	for _, sampling := range []noise.Sampling{noise.WithoutReplacement, noise.Reshuffled} {
		for seed := range uint64(3) {
			s := sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 4, Sampling: sampling, Epochs: 30, Seed: seed}
			x := mustRun(t, f, []float64{1, -2}, s).X
			// x_i = (1−ηl_i)³⁰x_i(0); the order of the samples changes the round-off.
			want := []float64{math.Pow(0.9, 30), -2 * math.Pow(0.7, 30)}
			numtest.CloseSlice(t, fmt.Sprintf("%v, seed %d", sampling, seed), x, want, 1e-14)
		}
	}
}

func TestSeeds(t *testing.T) {
	s := base()
	one, two := mustRun(t, problem.T1(), []float64{1, 1}, s), mustRun(t, problem.T1(), []float64{1, 1}, s)
	if !reflect.DeepEqual(one.X, two.X) || !reflect.DeepEqual(one.Losses, two.Losses) {
		t.Errorf("the same seed gave %v and %v", one.X, two.X)
	}
	s.Seed++
	if other := mustRun(t, problem.T1(), []float64{1, 1}, s); reflect.DeepEqual(one.X, other.X) {
		t.Errorf("two seeds gave the same weights %v", one.X)
	}
}

func TestRecord(t *testing.T) {
	for every, want := range map[int][]int{0: {2, 4, 6, 8, 10}, 1: {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 4: {4, 8}, 11: nil} {
		var got []int
		s := base()
		s.LearningRate = sgd.Annealed(0.1, 0.1, 2)
		s.RecordEvery = every
		s.Record = func(step sgd.Step) error {
			got = append(got, step.Step)
			if step.Epoch != step.Step/2 || len(step.X) != 2 || step.Velocity != nil {
				t.Errorf("step %d: epoch %d, %d weights, velocity %v", step.Step, step.Epoch, len(step.X), step.Velocity)
			}
			want := 0.1
			if step.Step > 4 {
				want = 0.01
			}
			numtest.Close(t, fmt.Sprintf("learning rate of step %d", step.Step), step.LearningRate, want, 1e-17)
			return nil
		}
		mustRun(t, problem.T1(), []float64{1, 1}, s)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("every %d: got steps %v, want %v", every, got, want)
		}
	}
}

func TestErrorsEndTheRun(t *testing.T) {
	s := base()
	s.Record = func(step sgd.Step) error {
		if step.Epoch == 3 {
			return errors.New("disk full")
		}
		return nil
	}
	r, err := sgd.Run(context.Background(), problem.T1(), []float64{1, 1}, s)
	if err == nil || !strings.Contains(err.Error(), "recording step 6: disk full") {
		t.Errorf("got %v, want the error of Record with its step", err)
	}
	if r == nil || r.Status != sgd.Failed || r.Steps != 6 || len(r.Losses) != 3 || r.Message == "" {
		t.Errorf("got %+v, want what there was after step 6", r)
	}

	s.Record = nil
	m := newMemory()
	m.fail = 4
	r, err = sgd.Run(context.Background(), m, []float64{1, 1}, s)
	if err == nil || !strings.Contains(err.Error(), "gradient of step 4: out of gradients") || r.Steps != 3 {
		t.Errorf("got %v, want the error of the objective at step 4", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("enough")
	s := base()
	s.Record = func(step sgd.Step) error {
		if step.Epoch == 2 {
			cancel(reason)
		}
		return nil
	}
	r, err := sgd.Run(ctx, problem.T1(), []float64{1, 1}, s)
	if !errors.Is(err, reason) || r == nil || r.Status != sgd.Canceled || r.Steps != 4 {
		t.Fatalf("got %+v, %v, want 4 steps and the cause", r, err)
	}
	s.Record, s.Epochs = nil, 2
	numtest.CloseSlice(t, "weights", r.X, mustRun(t, problem.T1(), []float64{1, 1}, s).X, 0)
}

func TestProgress(t *testing.T) {
	s := base()
	var done, total int
	s.Progress = func(d, n int) { done, total = d, n }
	mustRun(t, problem.T1(), []float64{1, 1}, s)
	if done != 10 || total != 10 {
		t.Errorf("last progress: got %d of %d, want 10 of 10", done, total)
	}
}

func TestDivergence(t *testing.T) {
	// |1−ηl| = |1−10·3| = 29: the weights overflow after log(1e308)/log(29) ≈ 210 steps,
	// the loss, their square, after half of that.
	s := base()
	s.LearningRate, s.Epochs = sgd.Constant(10), 1000
	last := []float64{1, 1}
	s.RecordEvery = 1
	s.Record = func(step sgd.Step) error { copy(last, step.X); return nil }
	for _, m := range momenta {
		s.Momentum = m
		r, err := sgd.Run(context.Background(), problem.T1(), []float64{1, 1}, s)
		if err != nil || r.Status != sgd.Diverged {
			t.Fatalf("%v: got %+v, %v, want a divergence", m, r, err)
		}
		if r.Steps < 50 || r.Steps > 300 || len(r.Losses) != r.Steps/2 {
			t.Errorf("%v: diverged after %d steps with %d losses", m, r.Steps, len(r.Losses))
		}
		if want := fmt.Sprintf("diverged at step %d with learning rate 10", r.Steps+1); !strings.Contains(r.Message, want) {
			t.Errorf("%v: got %q, want %q", m, r.Message, want)
		}
		for i, x := range r.X {
			if math.IsNaN(x) || math.IsInf(x, 0) || x != last[i] {
				t.Errorf("%v: got weight %v, want the last finite one, %v", m, x, last[i])
			}
		}
	}
}

// The state of the objective is that of the weights also after a divergence.
func TestDivergenceRestoresTheState(t *testing.T) {
	m := newMemory()
	m.bad = 7
	r, err := sgd.Run(context.Background(), m, []float64{1, 1}, base())
	if err != nil || r.Status != sgd.Diverged || r.Steps != 6 || !strings.Contains(r.Message, "the loss is NaN") {
		t.Fatalf("got %+v, %v", r, err)
	}
	if r.State[1] != 6 || m.state[1] != 6 {
		t.Errorf("got the state after %v batches, want 6", r.State[1])
	}
}

func TestBadSettings(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name   string
		change func(s *sgd.Settings, x0 *[]float64)
		want   string
	}{
		{"no learning rate", func(s *sgd.Settings, _ *[]float64) { s.LearningRate = sgd.Schedule{} }, "no learning rate"},
		{"negative learning rate", func(s *sgd.Settings, _ *[]float64) { s.LearningRate = sgd.Constant(-0.1) }, "learning rate -0.1"},
		{"NaN learning rate", func(s *sgd.Settings, _ *[]float64) { s.LearningRate = sgd.Constant(nan) }, "learning rate NaN"},
		{"infinite learning rate", func(s *sgd.Settings, _ *[]float64) { s.LearningRate = sgd.Annealed(0.1, inf, 3) }, "learning rate +Inf from epoch 3"},
		{"late learning rate", func(s *sgd.Settings, _ *[]float64) { s.LearningRate = sgd.Piecewise(sgd.Piece{Epoch: 1, Rate: 0.1}) }, "epoch 1"},
		{"disordered learning rate", func(s *sgd.Settings, _ *[]float64) { s.LearningRate = sgd.Annealed(0.1, 0.1, 5, 5) }, "not increasing"},
		{"momentum 1", func(s *sgd.Settings, _ *[]float64) { s.Momentum = sgd.Momentum{Kind: sgd.HeavyBall, Mu: 1} }, "momentum 1"},
		{"negative momentum", func(s *sgd.Settings, _ *[]float64) { s.Momentum = sgd.Momentum{Kind: sgd.Nesterov, Mu: -0.1} }, "momentum -0.1"},
		{"NaN momentum", func(s *sgd.Settings, _ *[]float64) { s.Momentum = sgd.Momentum{Kind: sgd.Nesterov, Mu: nan} }, "momentum NaN"},
		{"momentum of no kind", func(s *sgd.Settings, _ *[]float64) { s.Momentum = sgd.Momentum{Mu: 0.9} }, "choose HeavyBall or Nesterov"},
		{"unknown momentum", func(s *sgd.Settings, _ *[]float64) { s.Momentum.Kind = 7 }, "momentum kind 7"},
		{"negative decay", func(s *sgd.Settings, _ *[]float64) { s.WeightDecay = -1 }, "weight decay -1"},
		{"infinite decay", func(s *sgd.Settings, _ *[]float64) { s.WeightDecay = inf }, "weight decay +Inf"},
		{"batch size 0", func(s *sgd.Settings, _ *[]float64) { s.BatchSize = 0 }, "batch size 0: set Settings.BatchSize to 1..4"},
		{"batch size -1", func(s *sgd.Settings, _ *[]float64) { s.BatchSize = -1 }, "batch size -1"},
		{"batch size above N", func(s *sgd.Settings, _ *[]float64) { s.BatchSize = 5 }, "batch size 5 exceeds the 4 samples"},
		{"unknown sampling", func(s *sgd.Settings, _ *[]float64) { s.Sampling = 4 }, "sampling scheme 4"},
		{"nothing to do", func(s *sgd.Settings, _ *[]float64) { s.Epochs = 0 }, "nothing to do"},
		{"negative epochs", func(s *sgd.Settings, _ *[]float64) { s.Epochs = -1 }, "-1 epochs"},
		{"negative steps", func(s *sgd.Settings, _ *[]float64) { s.Epochs, s.Steps = 0, -1 }, "-1 steps"},
		{"epochs and steps", func(s *sgd.Settings, _ *[]float64) { s.Steps = 3 }, "set only one"},
		{"negative record", func(s *sgd.Settings, _ *[]float64) { s.RecordEvery = -1 }, "record every -1"},
		{"negative interval", func(s *sgd.Settings, _ *[]float64) { s.Checkpoint.Every = -time.Second }, "checkpoint every -1s"},
		{"no folder", func(s *sgd.Settings, _ *[]float64) { s.Checkpoint.Path = "no/such/folder/a" }, "create it"},
		{"no weights", func(_ *sgd.Settings, x0 *[]float64) { *x0 = nil }, "starting point has 0 weights, the objective 2"},
		{"too many weights", func(_ *sgd.Settings, x0 *[]float64) { *x0 = make([]float64, 3) }, "starting point has 3 weights, the objective 2"},
		{"NaN weight", func(_ *sgd.Settings, x0 *[]float64) { (*x0)[1] = nan }, "weight 1 of the starting point is NaN"},
		{"infinite weight", func(_ *sgd.Settings, x0 *[]float64) { (*x0)[0] = inf }, "weight 0 of the starting point is +Inf"},
	}
	for _, tt := range tests {
		s, x0 := base(), []float64{1, 1}
		tt.change(&s, &x0)
		r, err := sgd.Run(context.Background(), problem.T1(), x0, s)
		if err == nil || !strings.HasPrefix(err.Error(), "sgd: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one sentence with %q", tt.name, err, tt.want)
		}
		if r != nil {
			t.Errorf("%s: got a result", tt.name)
		}
	}
}

func TestSchedule(t *testing.T) {
	s := sgd.Annealed(0.1, 0.1, 10, 15)
	for epoch, want := range map[int]float64{0: 0.1, 9: 0.1, 10: 0.01, 14: 0.01, 15: 0.001, 1000: 0.001} {
		numtest.Close(t, fmt.Sprintf("epoch %d", epoch), s.At(epoch), want, 1e-17)
	}
	if got, want := s.String(), "0.1, from epoch 10: 0.01, from epoch 15: 0.001"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (sgd.Schedule{}).String(); got != "none" {
		t.Errorf("zero value: got %q", got)
	}
}

func TestSettingsSurviveJSON(t *testing.T) {
	s := base()
	s.LearningRate, s.Momentum = sgd.Annealed(0.1, 1./3, 4), momenta[2]
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back sgd.Settings
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("got %+v, %v, want %+v", back, err, s)
	}
	if err := json.Unmarshal([]byte(`{"momentum":{"kind":"fast"}}`), &back); err == nil {
		t.Error("an unknown kind of momentum was read")
	}
	if _, err := json.Marshal(sgd.Momentum{Kind: 9}); err == nil {
		t.Error("an unknown kind of momentum was written")
	}
}

func ExampleRun() {
	// A full batch is gradient descent: the curvatures 1 and 3 shrink by 0.9 and 0.7 a step.
	result, err := sgd.Run(context.Background(), problem.T1(), []float64{1, 1}, sgd.Settings{
		LearningRate: sgd.Constant(0.1),
		BatchSize:    4,
		Sampling:     noise.WithoutReplacement,
		Epochs:       2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: x = %.2f\n", result.Message, result.X)
	fmt.Println(result.Settings)
	// Output:
	// sgd: finished 2 steps: x = [0.81 0.49]
	// batches of 4 without replacement, learning rate 0.1, no momentum, 2 epochs, seed 0
}

func BenchmarkRun(b *testing.B) {
	s := base()
	s.BatchSize, s.Epochs, s.Steps = 1, 0, 100_000
	for _, m := range momenta {
		b.Run(m.String(), func(b *testing.B) {
			s.Momentum = m
			b.ReportAllocs()
			for b.Loop() {
				mustRun(b, problem.T1(), []float64{1, 1}, s)
			}
			b.ReportMetric(float64(s.Steps)*float64(b.N)/b.Elapsed().Seconds(), "steps/s")
		})
	}
}

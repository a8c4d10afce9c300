package experiment_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"sgdlab/pkg/experiment"
	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/sgd"
)

type comparison = func(context.Context, experiment.ComparisonSettings) (*experiment.ComparisonResult, error)

// short are settings that take a second.
func short(s experiment.ComparisonSettings) experiment.ComparisonSettings {
	s = s.Quick()
	s.Samples, s.Training.Epochs, s.Seeds = 400, 2, []uint64{1, 2}
	s.Training.LearningRate = sgd.Constant(0.1)
	return s
}

// Identities between the numbers of each line, and the dimensions by hand.
func TestComparisons(t *testing.T) {
	for name, c := range map[string]struct {
		run  comparison
		dims []int
	}{
		// 49·16+16 + 32 + 16·50+50 weights
		"remark14": {experiment.DataDiversity, []int{1682, 1682, 1682, 1682, 1682}},
		// 49·16+16 + 16·5+5 = 885; batch norm adds 32, a second layer 16·16+16+32; 64 units 49·64+64+128+64·5+5
		"remark16": {experiment.Architectures, []int{917, 885, 917, 1221, 3653}},
	} {
		if testing.Short() && name == "remark16" {
			continue
		}
		s := short(experiment.Remark14())
		r, err := c.run(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != name || len(r.Numbers) != len(c.dims) {
			t.Fatalf("got %s with %d cases, want %s with %d", r.Name, len(r.Numbers), name, len(c.dims))
		}
		for i, n := range r.Numbers {
			d := float64(c.dims[i])
			if n.Dim != c.dims[i] {
				t.Errorf("%s: d = %d, want %d", n.Case, n.Dim, c.dims[i])
			}
			// Values of the first seed have three digits; the means over two seeds lie
			// within twice the standard error of either.
			sum, squares := floats.Sum(n.Values), floats.Dot(n.Values, n.Values)
			numtest.Close(t, n.Case+": Σλ", sum, n.Mean.Value*d, 1.5*n.Mean.Error*d+1e-3*sum)
			numtest.Close(t, n.Case+": PR", sum*sum/squares, n.Participation.Value, 1.5*n.Participation.Error+2e-3*n.Participation.Value)
			if n.EntropyRank.Value < n.Participation.Value || n.Participation.Value > 400 {
				t.Errorf("%s: participation ratio %v, entropy rank %v of 400 samples", n.Case, n.Participation.Value, n.EntropyRank.Value)
			}
			if !(n.TrainLoss.Value > 0 && n.TestAccuracy.Value > 0 && n.TestAccuracy.Value <= 1) {
				t.Errorf("%s: loss %v, accuracy %v", n.Case, n.TrainLoss, n.TestAccuracy)
			}
		}
		if name == "remark14" {
			s.Workers = 1
			again, err := c.run(context.Background(), s)
			if err != nil || !reflect.DeepEqual(again.Numbers, r.Numbers) {
				t.Errorf("one worker: got %+v, %v, want %+v", again, err, r.Numbers)
			}
		}
	}
}

func TestComparisonErrors(t *testing.T) {
	for want, change := range map[string]func(*experiment.ComparisonSettings){
		"1 samples":    func(s *experiment.ComparisonSettings) { s.Samples = 1 },
		"0 seeds":      func(s *experiment.ComparisonSettings) { s.Seeds = nil },
		"batch size 0": func(s *experiment.ComparisonSettings) { s.Training.BatchSize = 0 },
		"diverged at":  func(s *experiment.ComparisonSettings) { s.Training.LearningRate = sgd.Constant(1e30) },
	} {
		s := short(experiment.Remark14())
		change(&s)
		if _, err := experiment.DataDiversity(context.Background(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := experiment.DataDiversity(ctx, short(experiment.Remark14())); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v", err)
	}
}

// Batches in evaluation mode have the covariance D/b and the mean ∇f; in training mode, and
// more so with dropout, neither.
func TestTrainingNoise(t *testing.T) {
	s := experiment.Remark15().Quick()
	s.Samples, s.Batches, s.Training.Epochs = 800, 1000, 5
	s.Training.LearningRate = sgd.Constant(0.1)
	r, err := experiment.TrainingNoise(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Numbers) != 3 {
		t.Fatalf("got %d modes, want 3", len(r.Numbers))
	}
	// Five standard errors, false alarm 6e-7 each. The trace is a mean over 1,000 batches.
	control, training, dropout := r.Numbers[0], r.Numbers[1], r.Numbers[2]
	numtest.Close(t, "trace ratio of the control", control.TraceRatio.Value, 1, 5*control.TraceRatio.Error)
	numtest.Close(t, "shift of the control", control.Shift.Value, 0, 5*control.Shift.Error)
	// The cosine errs by the noise of two covariances from 500 batches each, of a matrix
	// with a participation ratio of a few: √(PR/500)/few.
	numtest.Close(t, "cosine of the control", control.Cosine, 1, 0.1)
	if z := math.Abs(training.TraceRatio.Value-1) / training.TraceRatio.Error; z < 5 {
		t.Errorf("training mode: trace ratio %v, only %v standard errors from 1", training.TraceRatio, z)
	}
	if training.Cosine > 0.9 || dropout.Cosine > 0.9 {
		t.Errorf("cosines %v and %v: want the matrices to differ", training.Cosine, dropout.Cosine)
	}
	if dropout.TraceRatio.Value-training.TraceRatio.Value < 5*(dropout.TraceRatio.Error+training.TraceRatio.Error) {
		t.Errorf("dropout adds no noise: trace ratio %v, without %v", dropout.TraceRatio, training.TraceRatio)
	}
	for want, change := range map[string]func(*experiment.TrainingNoiseSettings){
		"3 batches":    func(s *experiment.TrainingNoiseSettings) { s.Batches = 3 },
		"2 batches":    func(s *experiment.TrainingNoiseSettings) { s.Batches = 2 },
		"from 100":     func(s *experiment.TrainingNoiseSettings) { s.Samples = 100 },
		"batch size 0": func(s *experiment.TrainingNoiseSettings) { s.Training.BatchSize = 0 },
	} {
		bad := s
		change(&bad)
		if _, err := experiment.TrainingNoise(context.Background(), bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

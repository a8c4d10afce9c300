package experiment_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"sgdlab/pkg/experiment"
)

// Training ends at the checkpoints of GradientNoise, with its test accuracies, whether it was
// stopped in between or not; and GradientNoise goes on from its folder.
func TestTraining(t *testing.T) {
	s := small(t)
	s.Samples = 500 // 3 steps an epoch
	s.Training.Epochs, s.Fractions = 4, []float64{0.5, 1}
	want := mustNoise(t, s).Numbers.Checkpoints

	s.Folder = t.TempDir()
	whole, err := experiment.Training(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range want {
		if e := whole.Numbers.Epochs[c.Epoch-1]; e.Epoch != c.Epoch || e.TestAccuracy != c.TestAccuracy || e.LearningRate != c.LearningRate {
			t.Errorf("epoch %d: got %+v, want accuracy %v at learning rate %v", c.Epoch, e, c.TestAccuracy, c.LearningRate)
		}
	}
	if got := mustNoise(t, s).Numbers.Checkpoints; !reflect.DeepEqual(got, want) {
		t.Errorf("from the folder of the training: got %+v, want %+v", got, want)
	}

	s.Folder = t.TempDir()
	s.Training.Checkpoint.Every = 1 // after every step
	for stop := 1; stop < 20; stop += 3 {
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		s.Progress = func(string, int, int) {
			if calls++; calls == stop {
				cancel()
			}
		}
		if _, err := experiment.Training(ctx, s); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
	s.Progress = nil
	got, err := experiment.Training(context.Background(), s)
	if err != nil || !reflect.DeepEqual(got.Numbers, whole.Numbers) {
		t.Errorf("resumed: got %+v, %v, want %+v", got, err, whole)
	}

	s.Folder = ""
	if _, err := experiment.Training(context.Background(), s); err == nil || !strings.Contains(err.Error(), "set Folder") {
		t.Errorf("no folder: got %v", err)
	}
}

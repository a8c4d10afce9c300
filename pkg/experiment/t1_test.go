package experiment_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sgdlab/pkg/experiment"
	"sgdlab/pkg/internal/numtest"
)

func TestT1Panel(t *testing.T) {
	calls := 0
	s := experiment.T1Quick()
	s.Progress = func(stage string, done, total int) { calls++ }
	r, err := experiment.T1Panel(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	n := r.Numbers
	// Means of 200 blocks of 1000 steps: |t| > 6 has the probability 9e-9, four times.
	for i, e := range n.Covariance {
		numtest.Close(t, fmt.Sprintf("covariance %d", i), e.Value, n.CovarianceExact[i], 6*e.Error)
	}
	numtest.Close(t, "area rate", n.AreaRate.Value, -0.00486486, 6*n.AreaRate.Error)
	if e := n.AreaRate.Error; !(e > 1e-6 && e < 2e-4) {
		t.Errorf("standard error of the area rate: got %g", e)
	}
	// statements.md §1.4, six printed digits.
	numtest.CloseSlice(t, "covariance", n.CovarianceExact[:], []float64{0.052632, 0.048649, 0.176471}, 5e-7)
	numtest.CloseSlice(t, "SDE", n.CovarianceSDE[:], []float64{0.05, 0.045, 0.15}, 1e-15)
	numtest.CloseSlice(t, "diffusion", n.Diffusion[:], []float64{1, 1.8, 9}, 1e-14)
	numtest.Close(t, "exact area rate", n.AreaRateExact, -0.00486486, 5e-9)
	if len(n.X) != 1200 || len(n.Y) != 1200 || calls == 0 {
		t.Errorf("got %d and %d points, %d calls of Progress", len(n.X), len(n.Y), calls)
	}

	again, err := experiment.T1Panel(context.Background(), experiment.T1Quick())
	if err != nil || !reflect.DeepEqual(again.Numbers, n) {
		t.Errorf("the same seed gave other numbers: %v", err)
	}
	path := filepath.Join(t.TempDir(), "t1.json")
	if err := again.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := experiment.Load[experiment.T1Settings, experiment.T1Numbers](path)
	if err != nil || !reflect.DeepEqual(back, again) {
		t.Errorf("round trip: got %+v, %v", back, err)
	}
}

func TestT1PanelDefaults(t *testing.T) {
	r, err := experiment.T1Panel(context.Background(), experiment.T1Settings{Steps: 400, Points: 3, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := experiment.T1()
	want.Steps, want.Points = 400, 3
	if !reflect.DeepEqual(r.Settings, want) || len(r.Numbers.X) != 3 {
		t.Errorf("got %+v, want %+v", r.Settings, want)
	}
}

func TestT1PanelBadSettings(t *testing.T) {
	for want, change := range map[string]func(*experiment.T1Settings){
		"multiple of 200":       func(s *experiment.T1Settings) { s.Steps = 4100 },
		"401 points of 400":     func(s *experiment.T1Settings) { s.Steps, s.Points = 400, 401 },
		"learning rate 0.7":     func(s *experiment.T1Settings) { s.LearningRate = 0.7 },
		"learning rate NaN":     func(s *experiment.T1Settings) { s.LearningRate = math.NaN() },
		"BurnIn to 0 or more":   func(s *experiment.T1Settings) { s.BurnIn = -1 },
		"exceeds the 4 samples": func(s *experiment.T1Settings) { s.BatchSize = 5 },
	} {
		s := experiment.T1Quick()
		change(&s)
		if _, err := experiment.T1Panel(context.Background(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := experiment.T1Panel(ctx, experiment.T1Quick()); err == nil {
		t.Error("a canceled context gave no error")
	}
}

func ExampleT1Panel() {
	result, err := experiment.T1Panel(context.Background(), experiment.T1Quick())
	if err != nil {
		fmt.Println(err)
		return
	}
	rate := result.Numbers.AreaRate
	fmt.Printf("exact %.6f, %.0f standard errors from rest: %v\n",
		result.Numbers.AreaRateExact, math.Abs(rate.Value/rate.Error), math.Abs(rate.Value-result.Numbers.AreaRateExact) < 4*rate.Error)
	// Output:
	// exact -0.004865, 74 standard errors from rest: true
}

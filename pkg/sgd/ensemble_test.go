package sgd_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
)

// 4000 runs of T1 have the covariance of the discrete chain, within five standard errors
// √((1+ρ⁻²)/n) or less of each entry (3 numbers: false alarm 2e-6), and run r is Run with
// its seed.
func TestEnsemble(t *testing.T) {
	f := problem.T1()
	s := sgd.Settings{LearningRate: sgd.Constant(.1), BatchSize: 1, Steps: 100, Seed: 3}
	const n = 4000
	x, err := sgd.Ensemble(context.Background(), f, []float64{0, 0}, s, n)
	if err != nil {
		t.Fatal(err)
	}
	want := f.StationaryCovariance(.1, 1)
	for _, e := range [][2]int{{0, 0}, {0, 1}, {1, 1}} {
		sum := 0.
		for r := range n {
			sum += x.At(r, e[0]) * x.At(r, e[1]) / n
		}
		spread := math.Sqrt((want.At(e[0], e[0])*want.At(e[1], e[1]) + want.At(e[0], e[1])*want.At(e[0], e[1])) / n)
		numtest.Close(t, "covariance", sum, want.At(e[0], e[1]), 5*spread)
	}
	s.Seed += 7
	one, err := sgd.Run(context.Background(), f, []float64{0, 0}, s)
	if err != nil {
		t.Fatal(err)
	}
	numtest.CloseSlice(t, "run 7", x.RawRowView(7), one.X, 0)
}

func TestEnsembleReportsTrouble(t *testing.T) {
	good := sgd.Settings{LearningRate: sgd.Constant(.1), BatchSize: 1, Steps: 10}
	for want, change := range map[string]func(*sgd.Settings){
		"diverged":    func(s *sgd.Settings) { s.LearningRate, s.Steps = sgd.Constant(5), 2000 },
		"Record":      func(s *sgd.Settings) { s.Record = func(sgd.Step) error { return nil } },
		"batch size":  func(s *sgd.Settings) { s.BatchSize = 9 },
		"final weigh": func(s *sgd.Settings) { s.Checkpoint.Path = "x" },
	} {
		s := good
		change(&s)
		if _, err := sgd.Ensemble(context.Background(), problem.T1(), []float64{0, 0}, s, 3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no runs: no panic")
		}
	}()
	sgd.Ensemble(context.Background(), problem.T1(), []float64{0, 0}, good, 0)
}

package experiment

import (
	"context"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sgd"
)

// T1Settings are the choices of [T1Panel]. The zero value of a field means the value of
// [T1].
type T1Settings struct {
	LearningRate float64 `json:"learning_rate"` // η
	BatchSize    int     `json:"batch_size"`    // b, drawn with replacement
	BurnIn       int     `json:"burn_in"`       // steps before the first that counts
	Steps        int     `json:"steps"`         // steps that count; a multiple of 200
	Points       int     `json:"points"`        // number of weights kept for the cloud
	Seed         uint64  `json:"seed"`

	Progress Progress `json:"-"`
}

// T1 is the full setting: four million steps, where the area rate stands out by hundreds of
// standard errors.
func T1() T1Settings {
	return T1Settings{LearningRate: 0.1, BatchSize: 1, BurnIn: 1000, Steps: 4_000_000, Points: 1200, Seed: 1}
}

// T1Quick takes a tenth of a second.
//
//	s := experiment.T1Quick()
//	s.LearningRate = 0.2
//	result, err := experiment.T1Panel(ctx, s)
func T1Quick() T1Settings {
	s := T1()
	s.Steps = 200_000
	return s
}

// T1Numbers are the stationary law and the rotation of stochastic gradient descent on
// [problem.T1], measured and exact. Covariances are about the minimum, in the order
// 11, 12, 22.
type T1Numbers struct {
	Covariance      Estimate3  `json:"covariance"`       // of the weights, over all steps that count
	CovarianceExact [3]float64 `json:"covariance_exact"` // of the discrete chain
	CovarianceSDE   [3]float64 `json:"covariance_sde"`   // of the equation of Lemma 2
	Diffusion       [3]float64 `json:"diffusion"`        // D
	AreaRate        Estimate   `json:"area_rate"`        // mean of ½(x₁Δx₂ − x₂Δx₁) per step
	AreaRateExact   float64    `json:"area_rate_exact"`
	X               []float64  `json:"x"` // the cloud: x₁ at equal intervals of the run (n, Points of the settings)
	Y               []float64  `json:"y"` // and x₂, of equal length
}

// Estimate is a mean with its standard error.
type Estimate struct {
	Value float64 `json:"value"`
	Error float64 `json:"error"`
}

// Estimate3 are the estimates of the entries 11, 12, 22 of a symmetric matrix.
type Estimate3 [3]Estimate

// T1Result is what [T1Panel] returns.
type T1Result = Record[T1Settings, T1Numbers]

// t1Blocks is the number of blocks of steps whose means give the standard errors. The
// slowest mode of T1 at η = 0.1 forgets in 10 steps.
const t1Blocks = 200

// T1Panel runs stochastic gradient descent on [problem.T1] and measures its stationary
// covariance and the area it sweeps per step: the opener of the tour. statements.md §0.2,
// §1.4, §6.4.
//
// Standard errors come from the means of 200 blocks of steps. The same settings give the
// same numbers on every machine.
//
//	result, err := experiment.T1Panel(ctx, experiment.T1Quick())
func T1Panel(ctx context.Context, s T1Settings) (*T1Result, error) {
	s = s.withDefaults()
	switch {
	case s.Steps < 2*t1Blocks || s.Steps%t1Blocks != 0 || s.BurnIn < 0:
		return nil, fmt.Errorf("experiment: %d steps after %d: set Steps to a multiple of %d, BurnIn to 0 or more", s.Steps, s.BurnIn, t1Blocks)
	case s.Points < 1 || s.Points > s.Steps:
		return nil, fmt.Errorf("experiment: %d points of %d steps: set Points to 1..%d", s.Points, s.Steps, s.Steps)
	case !(s.LearningRate > 0 && s.LearningRate < 2./3):
		return nil, fmt.Errorf("experiment: T1 has no stationary law at learning rate %v: set it within (0, 2/3)", s.LearningRate)
	}
	start := time.Now()
	f := problem.T1()
	record := newRecord[T1Settings, T1Numbers]("t1", s, "")
	numbers := &record.Numbers

	var blocks [4][]float64 // means of x₁², x₁x₂, x₂² and the area of a step
	for i := range blocks {
		blocks[i] = make([]float64, t1Blocks)
	}
	before := make([]float64, 2)
	perBlock, every := s.Steps/t1Blocks, s.Steps/s.Points
	training := sgd.Settings{
		LearningRate: sgd.Constant(s.LearningRate),
		BatchSize:    s.BatchSize,
		Sampling:     noise.WithReplacement,
		Steps:        s.BurnIn + s.Steps,
		Seed:         s.Seed,
		Progress:     s.Progress.of("steps on T1"),
		RecordEvery:  1,
		Record: func(step sgd.Step) error {
			x, y := step.X[0], step.X[1]
			if k := step.Step - s.BurnIn - 1; k >= 0 {
				for i, v := range [...]float64{x * x, x * y, y * y, (before[0]*y - before[1]*x) / 2} {
					blocks[i][k/perBlock] += v / float64(perBlock)
				}
				if k%every == 0 && len(numbers.X) < s.Points {
					numbers.X = append(numbers.X, round(x, 7))
					numbers.Y = append(numbers.Y, round(y, 7))
				}
			}
			copy(before, step.X)
			return nil
		},
	}
	if _, err := sgd.Run(ctx, f, make([]float64, 2), training); err != nil {
		return nil, err
	}
	for i := range numbers.Covariance {
		numbers.Covariance[i] = estimate(blocks[i])
	}
	numbers.AreaRate = estimate(blocks[3])
	numbers.CovarianceExact = upper(f.StationaryCovariance(s.LearningRate, s.BatchSize))
	numbers.CovarianceSDE = upper(f.ContinuousCovariance(s.LearningRate, s.BatchSize))
	numbers.Diffusion = upper(f.Diffusion())
	numbers.AreaRateExact = f.AreaRatePerStep(s.LearningRate, s.BatchSize).At(0, 1)
	record.stage("steps", start)
	return record, nil
}

func (s T1Settings) withDefaults() T1Settings {
	d := T1()
	if s.LearningRate == 0 {
		s.LearningRate = d.LearningRate
	}
	if s.BatchSize == 0 {
		s.BatchSize = d.BatchSize
	}
	if s.BurnIn == 0 {
		s.BurnIn = d.BurnIn
	}
	if s.Steps == 0 {
		s.Steps = d.Steps
	}
	if s.Points == 0 {
		s.Points = d.Points
	}
	return s
}

// estimate is the mean of independent values and its standard error, 0 for a single one.
func estimate(values []float64) Estimate {
	if len(values) == 1 {
		return Estimate{Value: values[0]}
	}
	mean, std := stat.MeanStdDev(values, nil)
	return Estimate{Value: mean, Error: std / math.Sqrt(float64(len(values)))}
}

// upper returns the entries 11, 12, 22 of a 2×2 matrix.
func upper(a mat.Symmetric) [3]float64 { return [3]float64{a.At(0, 0), a.At(0, 1), a.At(1, 1)} }

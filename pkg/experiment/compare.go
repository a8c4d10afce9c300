package experiment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/spectrum"
)

// ComparisonSettings are the choices of [DataDiversity] and [Architectures]; start from
// [Remark14] or [Remark16].
type ComparisonSettings struct {
	Samples  int          `json:"samples"`  // N, in every case
	Training sgd.Settings `json:"training"` // its Seed is not used
	Seeds    []uint64     `json:"seeds"`    // of data, first weights and batches; one training each

	Workers  int      `json:"-"` // 0 means GOMAXPROCS
	Progress Progress `json:"-"`
}

// Remark14 is the full setting of [DataDiversity].
func Remark14() ComparisonSettings {
	return ComparisonSettings{
		Samples: 8000,
		Training: sgd.Settings{
			LearningRate: sgd.Annealed(0.1, 0.2, 6, 9),
			Momentum:     sgd.Momentum{Kind: sgd.Nesterov, Mu: 0.9},
			BatchSize:    128,
			Sampling:     noise.Reshuffled,
			Epochs:       10,
		},
		Seeds: []uint64{1, 2, 3},
	}
}

// Remark16 is the full setting of [Architectures].
func Remark16() ComparisonSettings { return Remark14() }

// Quick returns s with one seed and a quarter of the samples: seconds.
func (s ComparisonSettings) Quick() ComparisonSettings {
	s.Samples /= 4
	s.Seeds = s.Seeds[:1]
	return s
}

// ComparedNoise is D(x) in evaluation mode at the end of training in one case: means over
// the seeds with their standard errors, which are 0 for one seed.
type ComparedNoise struct {
	Case          string    `json:"case"`
	Dim           int       `json:"dim"`                 // d
	TrainLoss     Estimate  `json:"train_loss"`          // nats
	TestAccuracy  Estimate  `json:"test_accuracy"`       // 0…1
	Mean          Estimate  `json:"mean"`                // of all d eigenvalues
	Std           Estimate  `json:"std"`                 // of all d eigenvalues
	Participation Estimate  `json:"participation_ratio"` // (tr D)²/tr D²
	EntropyRank   Estimate  `json:"entropy_rank"`
	Values        []float64 `json:"values"` // d eigenvalues less structural zeros for the first seed, ascending, three digits
}

// ComparisonResult is what [DataDiversity] and [Architectures] return.
type ComparisonResult = Record[ComparisonSettings, []ComparedNoise]

// noiseCase is one line of a comparison: an architecture and its data for a seed.
type noiseCase struct {
	name string
	arch network.Architecture
	data func(seed uint64) (train, test *dataset.Images, err error)
}

// compare trains and measures every case for every seed.
func compare(ctx context.Context, name string, s ComparisonSettings, cases []noiseCase) (*ComparisonResult, error) {
	if s.Samples < 2 || len(s.Seeds) == 0 {
		return nil, fmt.Errorf("experiment: %d samples and %d seeds: at least two samples and one seed are needed", s.Samples, len(s.Seeds))
	}
	record := newRecord[ComparisonSettings, []ComparedNoise](name, s, "")
	done, total := 0, len(cases)*len(s.Seeds)
	for _, c := range cases {
		start := time.Now()
		result := ComparedNoise{Case: c.name, Dim: c.arch.Dim()}
		var loss, accuracy, mean, std, participation, entropy []float64
		for _, seed := range s.Seeds {
			m, err := c.measure(ctx, s, seed)
			if err != nil {
				return nil, fmt.Errorf("experiment: %s, seed %d: %w", c.name, seed, err)
			}
			loss, accuracy = append(loss, m.loss), append(accuracy, m.accuracy)
			mean, std = append(mean, m.spectrum.Mean), append(std, m.spectrum.Std)
			participation, entropy = append(participation, m.spectrum.ParticipationRatio), append(entropy, m.spectrum.EntropyRank)
			if result.Values == nil {
				result.Values = roundAll(m.spectrum.Values, 3)
			}
			if done++; s.Progress != nil {
				s.Progress(name, done, total)
			}
		}
		result.TrainLoss, result.TestAccuracy = estimate(loss), estimate(accuracy)
		result.Mean, result.Std = estimate(mean), estimate(std)
		result.Participation, result.EntropyRank = estimate(participation), estimate(entropy)
		record.Numbers = append(record.Numbers, result)
		record.stage(c.name, start)
	}
	return record, nil
}

type measuredNoise struct {
	loss, accuracy float64
	spectrum       *spectrum.Spectrum
}

func (c noiseCase) measure(ctx context.Context, s ComparisonSettings, seed uint64) (measuredNoise, error) {
	var m measuredNoise
	train, test, err := c.data(seed)
	if err != nil {
		return m, err
	}
	x, stats, err := trained(ctx, c.arch, train, s.Training, seed, &network.Settings{Workers: s.Workers})
	if err != nil {
		return m, err
	}
	net, err := network.New(c.arch, train, stats, &network.Settings{Workers: s.Workers})
	if err != nil {
		return m, err
	}
	onTest, err := network.New(c.arch, test, stats, &network.Settings{Workers: s.Workers})
	if err != nil {
		return m, err
	}
	if m.loss, err = net.Loss(ctx, x, nil); err != nil {
		return m, err
	}
	if m.accuracy, err = onTest.Accuracy(ctx, x); err != nil {
		return m, err
	}
	cov, err := noise.NewCovariance(ctx, net, x, &noise.Settings{Workers: s.Workers})
	if err != nil {
		return m, err
	}
	m.spectrum, err = spectrum.Of(ctx, cov, &spectrum.Settings{Workers: s.Workers})
	return m, err
}

// trained returns weights and statistics of arch after training on data.
func trained(ctx context.Context, arch network.Architecture, data *dataset.Images, s sgd.Settings, seed uint64, ns *network.Settings) (x, stats []float64, err error) {
	x, stats = arch.Init(rand.NewPCG(seed, 0))
	training, err := network.NewTraining(arch, data, stats, seed, ns)
	if err != nil {
		return nil, nil, err
	}
	s.Seed = seed
	run, err := sgd.Run(ctx, training, x, s)
	if err != nil {
		return nil, nil, err
	}
	if run.Status != sgd.Finished {
		return nil, nil, errors.New(run.Message)
	}
	return run.X, training.Stats(), nil
}

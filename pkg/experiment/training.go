package experiment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sgdlab/pkg/network"
	"sgdlab/pkg/sgd"
)

// TrainingNumbers are the course of one training run.
type TrainingNumbers struct {
	Network     string  `json:"network"`
	DataSet     string  `json:"data_set"`
	Dim         int     `json:"dim"`     // d
	Samples     int     `json:"samples"` // N
	TestSamples int     `json:"test_samples"`
	Checkpoints []int   `json:"checkpoints"` // epochs after which weights were kept, ascending, one per checkpoint
	Epochs      []Epoch `json:"epochs"`      // in order, from the first
}

// Epoch is what there is to tell after an epoch.
type Epoch struct {
	Epoch        int     `json:"epoch"`         // from 1
	LearningRate float64 `json:"learning_rate"` // of its last step
	BatchLoss    float64 `json:"batch_loss"`    // of its last batch in nats, training mode
	TestAccuracy float64 `json:"test_accuracy"` // 0…1, evaluation mode
}

// TrainingResult is what [Training] returns.
//
//	var result *experiment.TrainingResult
//	result, err := experiment.LoadTraining("../data/results/fig1a-training.json")
type TrainingResult = Record[GradientNoiseSettings, TrainingNumbers]

// Training trains as [GradientNoise] does, without D(x), and measures the test accuracy after
// every epoch. It keeps the checkpoints of Settings.Fractions in Settings.Folder, which must
// be named; GradientNoise with the same settings and folder goes on from them.
func Training(ctx context.Context, s GradientNoiseSettings) (*TrainingResult, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.Folder == "" {
		return nil, fmt.Errorf("experiment: no folder for the checkpoints of the training: set Folder")
	}
	if _, err := os.Stat(s.Folder); err != nil {
		return nil, fmt.Errorf("experiment: no folder for the checkpoints of the training: create it: %w", err)
	}
	record := newRecord[GradientNoiseSettings, TrainingNumbers](s.name()+"-training", s, "")
	path := filepath.Join(s.Folder, record.Name+".json")
	before, err := resumed(path, record)
	if err != nil {
		return nil, err
	}
	if before != nil {
		record.Numbers.Epochs = before.Numbers.Epochs
	}
	start := time.Now()
	g, err := newGradientNoise(ctx, s)
	if err != nil {
		return nil, err
	}
	record.stage("data", start)
	numbers := &record.Numbers
	numbers.Network, numbers.DataSet = s.Network, g.train.Name
	numbers.Dim, numbers.Samples, numbers.TestSamples = g.arch.Dim(), g.train.N, g.test.N
	numbers.Checkpoints = g.epochs
	g.settings.Training.RecordEvery = 0
	g.settings.Training.Record = func(step sgd.Step) error {
		test, err := network.New(g.arch, g.test, g.training.Stats(), &g.network)
		if err != nil {
			return err
		}
		accuracy, err := test.Accuracy(ctx, step.X)
		if err != nil {
			return err
		}
		// A run that was killed sees some epochs again.
		numbers.Epochs = append(numbers.Epochs[:min(len(numbers.Epochs), step.Epoch-1)], Epoch{step.Epoch, step.LearningRate, round(step.Loss, 7), accuracy})
		return record.Save(path)
	}
	for i := range s.Fractions {
		run, err := g.trainTo(ctx, i)
		if err != nil {
			return nil, err
		}
		if i == len(s.Fractions)-1 {
			record.Seconds = append(record.Seconds, Stage{"training and test accuracies", round(run.Elapsed.Seconds(), 4)})
		}
	}
	return record, record.Save(path)
}

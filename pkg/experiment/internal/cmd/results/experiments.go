package main

import (
	"context"

	"sgdlab/pkg/experiment"
	"sgdlab/pkg/experiment/plane"
)

// job is an experiment with its name.
type job struct {
	name  string
	asked bool // runs only if it is named: it takes long, or needs data that must be fetched
	run   func(ctx context.Context, name string, o options) error
}

// experiments are in the order of the paper. The -training ones only train, with the test
// accuracy after every epoch; the figure goes on from their checkpoints in -folder.
// trajectories takes an hour, and 6 GB in -folder, which it needs. fig3 analyses these
// and runs what is missing; fig3-core makes the same file from seven shorter ones, in ten
// minutes, and fig3-recorded from what is in -folder so far.
var experiments = []job{
	{"t1", false, func(ctx context.Context, name string, o options) error {
		s := experiment.T1()
		if o.quick {
			s = experiment.T1Quick()
		}
		s.Progress = progress()
		return save(ctx, name, o, experiment.T1Panel, s)
	}},
	{"circulation", false, func(ctx context.Context, name string, o options) error {
		s, report := plane.CirculationFull(), progress()
		if o.quick {
			s = plane.CirculationQuick()
		}
		s.Progress = func(done, total int) { report("steps", done, total) }
		return save(ctx, name, o, experiment.Circulation, s)
	}},
	{"fig1a", true, spectra(experiment.Fig1a)},
	{"fig1b", false, spectra(experiment.Fig1b)},
	{"fig2a", true, spectra(experiment.Fig2a)},
	{"fig2b", true, spectra(experiment.Fig2b)},
	{"fig2c", true, spectra(experiment.Fig2c)},
	{"fig1a-training", true, training(experiment.Fig1a)},
	{"fig1b-training", true, training(experiment.Fig1b)},
	{"fig2a-training", true, training(experiment.Fig2a)},
	{"fig2b-training", true, training(experiment.Fig2b)},
	{"fig2c-training", true, training(experiment.Fig2c)},
	{"remark14", false, comparison(experiment.Remark14, experiment.DataDiversity)},
	{"remark15", false, func(ctx context.Context, name string, o options) error {
		s := experiment.Remark15()
		if o.quick {
			s = s.Quick()
		}
		s.Progress = progress()
		return save(ctx, name, o, experiment.TrainingNoise, s)
	}},
	{"remark16", false, comparison(experiment.Remark16, experiment.Architectures)},
	{"trajectories", true, func(ctx context.Context, name string, o options) error {
		s := experiment.Fig3Chains()
		if o.quick {
			s = experiment.Fig3ChainsQuick()
		}
		s.Folder, s.Progress = o.folder, progress()
		return save(ctx, name, o, experiment.Trajectories, s)
	}},
	{"fig3", true, trajectories(experiment.Fig3Full, false)},
	{"fig3-core", true, trajectories(experiment.Fig3Core, false)},
	{"fig3-recorded", true, trajectories(experiment.Fig3Full, true)},
}

func spectra(panel func() experiment.GradientNoiseSettings) func(context.Context, string, options) error {
	return func(ctx context.Context, name string, o options) error {
		s := panel()
		if o.quick {
			s = experiment.Fig1bQuick()
		}
		s.Folder, s.Images.Dir, s.Progress = o.folder, o.data, progress()
		return save(ctx, name, o, experiment.GradientNoise, s)
	}
}

func trajectories(full func() experiment.Fig3Settings, recorded bool) func(context.Context, string, options) error {
	return func(ctx context.Context, name string, o options) error {
		s := full()
		if o.quick {
			s = experiment.Fig3Quick()
		}
		s.Folder, s.Recorded, s.Progress = o.folder, recorded, progress()
		return save(ctx, name, o, experiment.Fig3, s)
	}
}

func training(panel func() experiment.GradientNoiseSettings) func(context.Context, string, options) error {
	return func(ctx context.Context, name string, o options) error {
		s := panel()
		s.Folder, s.Images.Dir, s.Progress = o.folder, o.data, progress()
		return save(ctx, name, o, experiment.Training, s)
	}
}

type comparisonOf = func(context.Context, experiment.ComparisonSettings) (*experiment.ComparisonResult, error)

func comparison(full func() experiment.ComparisonSettings, of comparisonOf) func(context.Context, string, options) error {
	return func(ctx context.Context, name string, o options) error {
		s := full()
		if o.quick {
			s = s.Quick()
		}
		s.Progress = progress()
		return save(ctx, name, o, of, s)
	}
}

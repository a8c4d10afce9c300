// Command results runs the experiments whose results are committed and writes them as
// data/results/<name>.json. Run it at the root of the module:
//
//	GOEXPERIMENT=simd go run ./pkg/experiment/internal/cmd/results [-dir DIR] [-folder DIR] [-quick] [-data DIR] [-for TIME] [NAME…]
//
// The names are t1, fig1a, fig1b, fig2a, fig2b and fig2c, fig1a-training and so on for the
// training alone, whose checkpoints stay in the folder for the figure, and trajectories;
// without any, t1 and fig1b are made, which need no data but those in the program. The
// trajectories take an hour or two and 9 GB in -folder, which they need.
//
// An interrupted run goes on where it was if -folder names a folder that outlives it. With
// -for it interrupts itself after that time and ends with the code 75, so that long runs can
// be made in pieces.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/experiment"
)

func main() {
	dir := flag.String("dir", "data/results", "folder of the results")
	folder := flag.String("folder", "", "folder for what a killed run needs to go on")
	data := flag.String("data", os.Getenv("SGDLAB_DATA"), "folder of the data sets")
	quick := flag.Bool("quick", false, "quick settings instead of full ones")
	limit := flag.Duration("for", 0, "time after which to stop, to go on another time; 0 means none")
	flag.Parse()
	names := flag.Args()
	if len(names) == 0 {
		names = []string{"t1", "fig1b"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *limit != 0 {
		limited, cancel := context.WithTimeout(ctx, *limit)
		defer cancel()
		ctx = limited
	}
	err := run(ctx, names, *dir, *folder, *data, *quick)
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n%v\n", err)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		os.Exit(75)
	case err != nil:
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string, dir, folder, data string, quick bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if folder != "" {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	for _, name := range names {
		command := "GOEXPERIMENT=simd go run ./pkg/experiment/internal/cmd/results " + name
		if quick {
			command = "GOEXPERIMENT=simd go run ./pkg/experiment/internal/cmd/results -quick " + name
		}
		start := time.Now()
		switch name {
		case "t1":
			s := experiment.T1()
			if quick {
				s = experiment.T1Quick()
			}
			s.Progress = progress()
			if err := save(experiment.T1Panel, s, ctx, dir, command); err != nil {
				return err
			}
		case "fig1a", "fig1b", "fig2a", "fig2b", "fig2c":
			s := panels[name]()
			if quick {
				s = experiment.Fig1bQuick()
			}
			s.Folder, s.Images.Dir, s.Progress = folder, dataset.Dir(data), progress()
			if err := save(experiment.GradientNoise, s, ctx, dir, command); err != nil {
				return err
			}
		case "fig1a-training", "fig1b-training", "fig2a-training", "fig2b-training", "fig2c-training":
			s := panels[strings.TrimSuffix(name, "-training")]()
			s.Folder, s.Images.Dir, s.Progress = folder, dataset.Dir(data), progress()
			if err := save(experiment.Training, s, ctx, dir, command); err != nil {
				return err
			}
		case "trajectories":
			s := experiment.Fig3Chains()
			if quick {
				s = experiment.Fig3ChainsQuick()
			}
			s.Folder, s.Progress = folder, progress()
			if err := save(experiment.Trajectories, s, ctx, dir, command); err != nil {
				return err
			}
		default:
			return fmt.Errorf("no experiment %q: there are t1, fig1a, fig1b, fig2a, fig2b and fig2c, the five figures with -training, and trajectories", name)
		}
		fmt.Fprintf(os.Stderr, "\r%s: %.1f s\x1b[K\n", name, time.Since(start).Seconds())
	}
	return nil
}

var panels = map[string]func() experiment.GradientNoiseSettings{
	"fig1a": experiment.Fig1a,
	"fig1b": experiment.Fig1b,
	"fig2a": experiment.Fig2a,
	"fig2b": experiment.Fig2b,
	"fig2c": experiment.Fig2c,
}

// save runs one experiment and writes its result.
func save[S, N any](experimentOf func(context.Context, S) (*experiment.Record[S, N], error), s S, ctx context.Context, dir, command string) error {
	r, err := experimentOf(ctx, s)
	if err != nil {
		return err
	}
	r.Command = command
	return r.Save(filepath.Join(dir, r.Name+".json"))
}

// progress rewrites a line of the terminal, at most ten times a second.
func progress() experiment.Progress {
	var last time.Time
	return func(stage string, done, total int) {
		if now := time.Now(); now.Sub(last) > 100*time.Millisecond {
			last = now
			fmt.Fprintf(os.Stderr, "\r%s: %d of %d\x1b[K", stage, done, total)
		}
	}
}

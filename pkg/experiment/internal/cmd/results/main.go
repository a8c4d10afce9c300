// Command results runs the experiments whose results are committed and writes them as
// data/results/<name>.json. Run it at the root of the module:
//
//	GOEXPERIMENT=simd go run ./pkg/experiment/internal/cmd/results [-dir DIR] [-folder DIR] [-quick] [t1] [fig1b]
//
// An interrupted run goes on where it was if -folder names a folder that outlives it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"sgdlab/pkg/experiment"
)

func main() {
	dir := flag.String("dir", "data/results", "folder of the results")
	folder := flag.String("folder", "", "folder for what a killed run needs to go on")
	quick := flag.Bool("quick", false, "quick settings instead of full ones")
	flag.Parse()
	names := flag.Args()
	if len(names) == 0 {
		names = []string{"t1", "fig1b"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, names, *dir, *folder, *quick); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string, dir, folder string, quick bool) error {
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
		case "fig1b":
			s := experiment.Fig1b()
			if quick {
				s = experiment.Fig1bQuick()
			}
			s.Folder, s.Progress = folder, progress()
			if err := save(experiment.GradientNoise, s, ctx, dir, command); err != nil {
				return err
			}
		default:
			return fmt.Errorf("no experiment %q: there are t1 and fig1b", name)
		}
		fmt.Fprintf(os.Stderr, "\r%s: %.1f s\x1b[K\n", name, time.Since(start).Seconds())
	}
	return nil
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

// Command results runs the experiments whose results are committed and writes them as
// data/results/<name>.json. Run it at the root of the module:
//
//	GOEXPERIMENT=simd go run ./pkg/experiment/internal/cmd/results [-dir DIR] [-folder DIR] [-quick] [-data DIR] [-for TIME] [NAME…]
//
// The names are those in experiments.go. Without any, all are run that take minutes at most
// and need no data but those in the program.
//
// An interrupted run, and one that is stopped by -for (exit status 75), goes on where it was
// if -folder names a folder that outlives it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/experiment"
)

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "data/results", "folder of the results")
	flag.StringVar(&o.folder, "folder", "", "folder for what a killed run needs to go on")
	data := flag.String("data", os.Getenv("SGDLAB_DATA"), "folder of the data sets")
	flag.BoolVar(&o.quick, "quick", false, "quick settings instead of full ones")
	limit := flag.Duration("for", 0, "time after which to stop, to go on another time; 0 means none")
	flag.Parse()
	o.data = dataset.Dir(*data)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *limit != 0 {
		limited, cancel := context.WithTimeout(ctx, *limit)
		defer cancel()
		ctx = limited
	}
	if runtime.GOARCH == "amd64" && !strings.Contains(runtime.Version(), "X:simd") {
		fmt.Fprintln(os.Stderr, "results: built without GOEXPERIMENT=simd: training takes several times as long")
	}
	err := run(ctx, flag.Args(), o)
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

// options are the flags.
type options struct {
	dir, folder, data string
	quick             bool
}

func run(ctx context.Context, names []string, o options) error {
	for _, dir := range []string{o.dir, o.folder} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		for _, e := range experiments {
			if !e.asked {
				names = append(names, e.name)
			}
		}
	}
	for _, name := range names {
		e, err := find(name)
		if err != nil {
			return err
		}
		start := time.Now()
		if err := e.run(ctx, name, o); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "\r%s: %.1f s\x1b[K\n", name, time.Since(start).Seconds())
	}
	return nil
}

func find(name string) (job, error) {
	var names []string
	for _, e := range experiments {
		if e.name == name {
			return e, nil
		}
		names = append(names, e.name)
	}
	return job{}, fmt.Errorf("no experiment %q: there are %s", name, strings.Join(names, ", "))
}

// save runs an experiment and writes its result.
func save[S, N any](ctx context.Context, name string, o options, of func(context.Context, S) (*experiment.Record[S, N], error), s S) error {
	r, err := of(ctx, s)
	if err != nil {
		return err
	}
	r.Command = "GOEXPERIMENT=simd go run ./pkg/experiment/internal/cmd/results " + name
	if o.quick {
		r.Command = strings.Replace(r.Command, "results "+name, "results -quick "+name, 1)
	}
	return r.Save(filepath.Join(o.dir, r.Name+".json"))
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

// Command peers runs the benchmarks of this project and what a Python user would run
// instead, side by side, and prints a table of medians and ratios. Run it at the root of
// the module, on an otherwise idle machine; it takes about a quarter of an hour:
//
//	go run ./pkg/experiment/internal/cmd/peers -scripts DIR -a PYTHON -b PYTHON [-rounds N] [-seconds S] [-only REGEXP]
//
// DIR holds the scripts of the peers (common.py and p1_persample.py to p5_sde.py, with the
// data in ../data); its README says which packages the interpreters need: a has JAX and
// PyTorch, b has fplanck, FiPy and numba. Peers whose interpreter is not given are left out.
//
// Within a row ours and theirs take turns, ours first and last. A number is the median of
// the runs; a run of ours is one run of `go test -bench`, one of a peer's is the median
// that its script prints. Both sides check their results before they are timed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	var s settings
	flag.StringVar(&s.scripts, "scripts", "", "folder of the peers' scripts")
	a := flag.String("a", "", "Python with JAX and PyTorch")
	b := flag.String("b", "", "Python with fplanck, FiPy and numba")
	flag.IntVar(&s.rounds, "rounds", 1, "turns of every peer")
	flag.Float64Var(&s.seconds, "seconds", 2, "time of each measurement of a peer, at least five repeats; a benchmark of ours takes as long")
	only := flag.String("only", "", "rows to run, a regular expression; empty means all")
	flag.Parse()
	s.python = map[string]string{"a": *a, "b": *b}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s, *only); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, only string) error {
	if s.scripts == "" || s.python["a"] == "" && s.python["b"] == "" {
		return fmt.Errorf("name the folder of the scripts with -scripts and at least one interpreter with -a or -b")
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	m, err := newMachine(s)
	if err != nil {
		return err
	}
	defer m.close()
	var results []result
	for _, r := range rows {
		r.peers = slices.DeleteFunc(slices.Clone(r.peers), func(p peer) bool { return s.python[p.needs] == "" })
		if len(r.peers) == 0 || !wanted.MatchString(r.name) {
			continue
		}
		res := m.measure(ctx, r)
		if ctx.Err() != nil {
			break
		}
		results = append(results, res)
		write(os.Stdout, []result{res})
	}
	fmt.Printf("\n%s, load %s\n\n", time.Now().UTC().Format("2006-01-02 15:04 MST"), load())
	write(os.Stdout, results)
	return ctx.Err()
}

// result is what the runs of a row gave; peers in the order of the row.
type result struct {
	row
	ours   []float64
	peers  [][]float64
	errors []error
}

// times is how many times as fast as the peer we are.
func (r result) times(ours, peer float64) float64 {
	if r.rate {
		return ours / peer
	}
	return peer / ours
}

// write prints a line for every peer of every row.
func write(out io.Writer, results []result) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	for _, r := range results {
		for _, err := range r.errors {
			fmt.Fprintf(w, "%s\tfailed: %v\n", r.name, err)
		}
		if len(r.ours) == 0 {
			continue
		}
		ours, fastest := median(r.ours), 0.0
		for i, p := range r.row.peers {
			if len(r.peers[i]) == 0 {
				continue
			}
			ratio := r.times(ours, median(r.peers[i]))
			if fastest == 0 || ratio < fastest {
				fastest = ratio
			}
			fmt.Fprintf(w, "%s\tours %s (%s)\t%s %s\t%.2f×\n", r.name, r.format(ours), spread(r.ours), p.name, r.format(median(r.peers[i])), ratio)
		}
		if fastest > 0 {
			verdict := "met"
			if fastest < r.target {
				verdict = "missed"
			}
			fmt.Fprintf(w, "%s\tagainst the fastest\t%.2f×, target %.1f×\t%s\n", r.name, fastest, r.target, verdict)
		}
	}
}

func (r row) format(v float64) string {
	if r.rate {
		return fmt.Sprintf("%.4g %s", v, r.unit)
	}
	return fmt.Sprintf("%.3g s", v)
}

// spread tells how far the runs are apart.
func spread(v []float64) string {
	if len(v) == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs, ±%.0f%%", len(v), 50*(slices.Max(v)-slices.Min(v))/median(v))
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

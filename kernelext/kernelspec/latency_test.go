package kernelspec_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// cells are the cells that BenchmarkCell runs: imports, then a line in which # stands for a
// number that makes each cell new to the compiler.
var cells = []struct{ name, imports, code string }{
	{"nothing", ``, `println(#)`},
	{"toy", `"sgdlab/kernelext/show"; "sgdlab/pkg/noise"; "sgdlab/pkg/problem"`,
		`show.Table(map[string]float64{"#": noise.Temperature(0.1, #, 60000, noise.WithReplacement), "d": float64(problem.T1().Dim())})`},
	{"figure", `"sgdlab/kernelext/show"; "sgdlab/pkg/figure"`,
		`show.Figure(show.Must(figure.BatchVariance(figure.BatchVarianceFigure{System: "#", Samples: 4, BatchSizes: []int{1, 2, 4}, WithReplacement: []float64{1, 0.5, 0.25}})))`},
	{"network", `"math/rand/v2"; "sgdlab/kernelext/show"; "sgdlab/pkg/dataset"; "sgdlab/pkg/network"; "sgdlab/pkg/noise"`,
		`images, _, err := dataset.MNIST7()
		show.Check(err)
		a := network.TinyFC()
		x, stats := a.Init(rand.NewPCG(#, 0))
		f := show.Must(network.New(a, images.Digits(0, 1, 2, 3, 4).Subset([]int{0, 1, 2, 3}), stats, nil))
		show.Table(map[string]float64{"tr D": show.Must(noise.NewCovariance(show.Context(), f, x, nil)).Trace()})`},
}

// BenchmarkCell measures what a user waits for, through the protocol: the first cell of a
// fresh kernel, the same cell again, and a changed cell. The metric that counts is the
// median; the targets are 2 s for the first cell and 0.8 s for a changed one.
//
//	GOEXPERIMENT=simd go test -run '^$' -bench Cell -benchtime 9x ./kernelext/kernelspec
func BenchmarkCell(b *testing.B) {
	lab := setUp(b)
	for _, name := range kernelspec.Names() {
		spec, err := notebook.FindSpec(name, lab.DataDir())
		if err != nil {
			b.Fatal(err)
		}
		start := func(b *testing.B) *notebook.Kernel {
			b.Helper()
			k, err := notebook.Start(b.Context(), spec, &notebook.KernelSettings{Dir: lab.Root})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { k.Close() })
			return k
		}
		for _, c := range cells {
			first := func(n string) string {
				return "import (" + strings.ReplaceAll(c.imports, "; ", "\n") + ")\n%%\n" + strings.ReplaceAll(c.code, "#", n)
			}
			later := func(n string) string { return "%%\n" + strings.ReplaceAll(c.code, "#", n) }
			b.Run(name+"/"+c.name+"/first", func(b *testing.B) {
				median(b, func(int) float64 { return run(b, start(b), first("1")) })
			})
			b.Run(name+"/"+c.name+"/same", func(b *testing.B) {
				k := start(b)
				run(b, k, first("1"))
				run(b, k, later("1"))
				median(b, func(int) float64 { return run(b, k, later("1")) })
			})
			b.Run(name+"/"+c.name+"/changed", func(b *testing.B) {
				k := start(b)
				run(b, k, first("1"))
				// Numbers that no earlier run had, for the cache of the go command.
				n := int(time.Now().UnixNano()%1e9) + 2
				median(b, func(i int) float64 { return run(b, k, later(strconv.Itoa(n+i))) })
			})
		}
	}
}

// median reports the median of the seconds that f returns for each iteration.
func median(b *testing.B, f func(i int) float64) {
	var seconds []float64
	for b.Loop() {
		seconds = append(seconds, f(len(seconds)))
	}
	slices.Sort(seconds)
	b.ReportMetric(seconds[len(seconds)/2], "s/median")
	b.ReportMetric(seconds[len(seconds)-1], "s/max")
}

// run executes a cell that must succeed and returns its seconds.
func run(tb testing.TB, k *notebook.Kernel, code string) float64 {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 2*time.Minute)
	defer cancel()
	reply, err := k.Execute(ctx, code)
	if err != nil {
		tb.Fatal(err)
	}
	if reply.Status != "ok" {
		tb.Fatalf("the cell failed: %s\n%s", notebook.Words(reply), code)
	}
	return reply.Seconds
}

// setUp returns the clone that holds this package, if it is set up.
func setUp(tb testing.TB) kernelspec.Lab {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	lab, ok := kernelspec.FindLab(dir)
	if !ok {
		tb.Fatalf("%s is not in a clone of sgdlab", dir)
	}
	for _, path := range []string{lab.Tool("sgdlab"), lab.Tool("gonb"), kernelspec.Folder(lab.DataDir(), kernelspec.Name)} {
		if _, err := os.Stat(path); err != nil {
			tb.Skipf("the kernel is not set up (%v); ./scripts/test sets it up", err)
		}
	}
	return lab
}

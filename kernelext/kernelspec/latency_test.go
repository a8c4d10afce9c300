package kernelspec_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sgdlab/kernelext/internal/kerneltest"
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
	lab := kerneltest.Lab(b)
	for _, name := range kernelspec.Names() {
		start := func(b *testing.B) *notebook.Kernel {
			b.Helper()
			return kerneltest.Start(b, name, notebook.KernelSettings{Dir: lab.Root})
		}
		for _, c := range cells {
			first := func(n string) string {
				return "import (" + strings.ReplaceAll(c.imports, "; ", "\n") + ")\n%%\n" + strings.ReplaceAll(c.code, "#", n)
			}
			later := func(n string) string { return "%%\n" + strings.ReplaceAll(c.code, "#", n) }
			b.Run(name+"/"+c.name+"/first", func(b *testing.B) {
				median(b, func(int) float64 { return kerneltest.Run(b, start(b), first("1")).Seconds })
			})
			b.Run(name+"/"+c.name+"/same", func(b *testing.B) {
				k := start(b)
				kerneltest.Run(b, k, first("1"))
				kerneltest.Run(b, k, later("1"))
				median(b, func(int) float64 { return kerneltest.Run(b, k, later("1")).Seconds })
			})
			b.Run(name+"/"+c.name+"/changed", func(b *testing.B) {
				k := start(b)
				kerneltest.Run(b, k, first("1"))
				// Numbers that no earlier run had, for the cache of the go command.
				n := int(time.Now().UnixNano()%1e9) + 2
				median(b, func(i int) float64 { return kerneltest.Run(b, k, later(strconv.Itoa(n+i))).Seconds })
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

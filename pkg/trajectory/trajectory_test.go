package trajectory_test

import (
	"context"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/trajectory"
)

var long = flag.Bool("long", false, "run the calibration of every test with many simulated runs, about a minute")

// table is a trajectory in memory, one row per snapshot.
type table struct {
	rows [][]float32
	dim  int
	stop int // the record is cut off here, if positive
}

func (t table) Len() int { return len(t.rows) }
func (t table) Dim() int { return t.dim }
func (t table) Each(ctx context.Context, visit func(k int, x []float32) error) error {
	for k, x := range t.rows {
		if t.stop > 0 && k == t.stop {
			return nil
		}
		if err := visit(k, x); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// newTable returns n snapshots of d weights: weight i is i + 0.1·noise, every third constant.
func newTable(n, d int) table {
	r := rand.New(rand.NewPCG(1, 2))
	t := table{dim: d}
	for range n {
		x := make([]float32, d)
		for i := range x {
			x[i] = float32(i)
			if i%3 != 2 {
				x[i] += 0.1 * float32(r.NormFloat64())
			}
		}
		t.rows = append(t.rows, x)
	}
	return t
}

func TestReadTransposes(t *testing.T) {
	for _, n := range []int{2, 63, 64, 65, 200} {
		rows := newTable(n, 5)
		tr, err := trajectory.Read(context.Background(), rows)
		if err != nil {
			t.Fatal(err)
		}
		if tr.Len() != n || tr.Dim() != 5 || !reflect.DeepEqual(tr.Moving(), []int{0, 1, 3, 4}) {
			t.Fatalf("n = %d: %d×%d, moving %v", n, tr.Len(), tr.Dim(), tr.Moving())
		}
		for i := range 5 {
			for k, v := range tr.ColumnTo(nil, i) {
				if v != float64(rows.rows[k][i]) {
					t.Fatalf("n = %d: weight %d of snapshot %d is %v, want %v", n, i, k, v, rows.rows[k][i])
				}
			}
		}
	}
	tr, err := trajectory.Read(context.Background(), newTable(200, 5))
	if err != nil {
		t.Fatal(err)
	}
	w := tr.Window(150, 190).Window(10, 30)
	whole := tr.ColumnTo(nil, 3)
	numtest.CloseSlice(t, "window of a window", w.ColumnTo(nil, 3), whole[160:180], 0)
	numtest.Close(t, "mean of the window", w.Mean()[3], stat.Mean(whole[160:180], nil), 1e-12) // round-off of 20 terms
}

func TestBadInput(t *testing.T) {
	ctx := context.Background()
	nan := newTable(100, 4)
	nan.rows[70][1] = float32(math.NaN())
	cut := newTable(100, 4)
	cut.stop = 60
	quiet := newTable(100, 3)
	for _, x := range quiet.rows {
		copy(x, []float32{1, 2, 3})
	}
	still, err := trajectory.Read(ctx, quiet)
	if err != nil {
		t.Fatal(err)
	}
	canceled, stop := context.WithCancel(ctx)
	stop()
	moving := trajectory.FromSeries(trajectory.White(100, rand.NewPCG(1, 0)))
	x, y := trajectory.White(100, rand.NewPCG(1, 1)), trajectory.White(100, rand.NewPCG(1, 2))
	constant, broken := make([]float64, 100), append([]float64(nil), x...)
	broken[7] = math.Inf(1)
	src := rand.NewPCG(1, 3)
	for _, tt := range []struct {
		name string
		do   func() error
		want string
	}{
		{"NaN", func() error { _, err := trajectory.Read(ctx, nan); return err }, "weight 1 of snapshot 70 is NaN"},
		{"cut off", func() error { _, err := trajectory.Read(ctx, cut); return err }, "60 of 100 snapshots"},
		{"one snapshot", func() error { _, err := trajectory.Read(ctx, newTable(1, 4)); return err }, "1 snapshots"},
		{"canceled", func() error {
			_, err := trajectory.IncrementSpectrum(canceled, moving, nil)
			if !errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		}, "canceled"},
		{"nothing moves", func() error { _, err := trajectory.IncrementSpectrum(ctx, still, nil); return err }, "0 of 3 weights move"},
		{"nothing correlates", func() error { _, err := trajectory.Correlations(ctx, still, []int{1}, nil); return err }, "0 of 3 weights move"},
		{"no dimension", func() error { _, err := trajectory.EffectiveDimension(ctx, still, nil); return err }, "no weight moves"},
		{"too many modes", func() error { _, err := trajectory.PrincipalModes(ctx, moving, 2, nil); return err }, "1 moving weights"},
		{"constant", func() error { _, _, err := trajectory.Periodogram(constant); return err }, "0 throughout"},
		{"infinite", func() error { _, err := trajectory.Autocorrelation(broken, nil); return err }, "value 7 of the series is +Inf"},
		{"short", func() error { _, err := trajectory.FitAR1(x[:3]); return err }, "3 values"},
		{"shorter than a block", func() error { _, err := trajectory.AreaRate(x, y, 200); return err }, "0 blocks of 200"},
		{"too few blocks", func() error { _, err := trajectory.SignFlip(x, y, 3, 99, src); return err }, "33 blocks of 3"},
		{"constant pair", func() error { _, err := trajectory.SignFlip(x, constant, 2, 99, src); return err }, "second series is 0 throughout"},
		{"short halves", func() error { _, err := trajectory.SplitHalves(x, 3); return err }, "at least 40"},
		{"mean of few", func() error { _, _, err := trajectory.ZeroMean(x, 5); return err }, "20 blocks of 5"},
		{"flat mode", func() error {
			_, err := trajectory.NewLinearChain(quadratic([]float64{0, 3}))
			return err
		}, "no stationary law"},
		{"negative mode", func() error {
			_, err := trajectory.NewLinearChain(quadratic([]float64{-1, 3}))
			return err
		}, "no stationary law"},
		{"fast mode", func() error {
			_, err := trajectory.NewLinearChain(quadratic([]float64{1, 21}))
			return err
		}, "lower the learning rate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.do(); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "trajectory: ") && tt.name != "canceled" {
				t.Errorf("got %v, want an error of trajectory with %q", err, tt.want)
			}
		})
	}
	for name, misuse := range map[string]func(){
		"no source":      func() { trajectory.White(3, nil) },
		"no block":       func() { _, _ = trajectory.AreaRate(x, y, 0) },
		"lag":            func() { _, _ = trajectory.Autocorrelation(x, []int{100}) },
		"lengths":        func() { _, _ = trajectory.SignFlip(x, y[:50], 2, 9, src) },
		"unsorted lags":  func() { _, _ = trajectory.Correlations(ctx, moving, []int{3, 1}, nil) },
		"window":         func() { moving.Window(50, 51) },
		"explosive AR1":  func() { trajectory.AR1{A: 1}.Simulate(3, src) },
		"nothing":        func() { trajectory.FromSeries() },
		"NaN":            func() { trajectory.FromSeries(broken) },
		"one series":     func() { _, _ = trajectory.Rotation([][]float64{x}, 2, 9, src) },
		"length of zero": func() { trajectory.SmoothLength(0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "trajectory: ") {
					t.Errorf("want a panic of trajectory, got %v", s)
				}
			}()
			misuse()
		})
	}
}

func TestDetrended(t *testing.T) {
	x := trajectory.White(50, rand.NewPCG(1, 8))
	tilted := make([]float64, len(x))
	for k := range x {
		tilted[k] = x[k] + 3 - 0.7*float64(k)
	}
	got := trajectory.Detrended(tilted)
	numtest.CloseSlice(t, "a line changes nothing", got, trajectory.Detrended(x), 1e-12)
	var sum, slope float64
	for k, v := range got {
		sum += v
		slope += float64(k) * v
	}
	numtest.Close(t, "mean", sum, 0, 1e-12)
	numtest.Close(t, "slope", slope, 0, 1e-10)
}

// A weight that moves only before the increments that count, or evenly, has no spectrum.
func TestWeightsWithoutSpectrum(t *testing.T) {
	const n = 1002 // 1000 increments count, the last ones
	x := trajectory.White(n, rand.NewPCG(1, 9))
	early, even := make([]float64, n), make([]float64, n)
	early[0] = 1
	for k := range even {
		even[k] = float64(k)
	}
	alone, err := trajectory.IncrementSpectrum(context.Background(), trajectory.FromSeries(x), nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := trajectory.IncrementSpectrum(context.Background(), trajectory.FromSeries(early, x, even), nil)
	if err != nil {
		t.Fatal(err)
	}
	numtest.CloseSlice(t, "spectrum", all.Power, alone.Power, 0)
	numtest.Close(t, "weights", float64(all.Weights), 1, 0)
	if _, err := trajectory.IncrementSpectrum(context.Background(), trajectory.FromSeries(early, even), nil); err == nil {
		t.Error("constant increments have a spectrum")
	}
}

// Workers must not change a bit.
func TestWorkers(t *testing.T) {
	ctx := context.Background()
	tr, err := trajectory.Read(ctx, newTable(3000, 60))
	if err != nil {
		t.Fatal(err)
	}
	type all struct {
		S *trajectory.Spectrum
		C *trajectory.CorrelationSummary
		M *trajectory.Modes
	}
	run := func(workers int) (a all) {
		s := &trajectory.Settings{Workers: workers}
		var errs [3]error
		a.S, errs[0] = trajectory.IncrementSpectrum(ctx, tr, s)
		a.C, errs[1] = trajectory.Correlations(ctx, tr, []int{1, 5, 100}, s)
		a.M, errs[2] = trajectory.PrincipalModes(ctx, tr, 3, s)
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a, b := run(1), run(5); !reflect.DeepEqual(a, b) {
		t.Errorf("1 and 5 workers differ")
	}
}

// The modes of a trajectory against the covariance by the definition.
func TestPrincipalModes(t *testing.T) {
	tr, err := trajectory.Read(context.Background(), newTable(2500, 40))
	if err != nil {
		t.Fatal(err)
	}
	const k = 4
	m, err := trajectory.PrincipalModes(context.Background(), tr, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := mat.NewDense(tr.Len(), tr.Dim(), nil)
	for i := range tr.Dim() {
		x.SetCol(i, tr.ColumnTo(nil, i))
	}
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, x, nil)
	cov.ScaleSym(float64(tr.Len()-1)/float64(tr.Len()), &cov)
	var eig mat.EigenSym
	eig.Factorize(&cov, false)
	want := eig.Values(nil)
	series := m.Project(tr)
	for j := range k {
		// Products are float32 over 256 rows: 256·2⁻²⁴ = 1.5e-5 at the very most.
		numtest.Close(t, "variance", m.Variance[j], want[len(want)-1-j], 1.5e-5*want[len(want)-1])
		numtest.Close(t, "variance of the projection", stat.PopVariance(series[j], nil), m.Variance[j], 1.5e-5*m.Variance[0])
		numtest.Close(t, "mean of the projection", stat.Mean(series[j], nil), 0, 1e-9) // round-off of Σ V(x−x̄), x up to 40
	}
	numtest.Close(t, "total", m.Total, mat.Trace(&cov), 1.5e-5*mat.Trace(&cov))
	var gram mat.Dense
	gram.Mul(m.Directions.T(), m.Directions)
	for i := range k {
		for j := range k {
			numtest.Close(t, "orthonormal", gram.At(i, j), map[bool]float64{true: 1}[i == j], 1e-12)
		}
	}
}

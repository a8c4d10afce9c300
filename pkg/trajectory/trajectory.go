package trajectory

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
)

// Rows delivers a recorded trajectory, one snapshot after the other: a file, or a table in
// memory.
type Rows interface {
	// Len is the number of snapshots.
	Len() int
	// Dim is d, the number of weights.
	Dim() int
	// Each calls visit with every snapshot in order, k from 0. x (d) is valid during the
	// call only. An error of visit or of ctx ends it and is returned.
	Each(ctx context.Context, visit func(k int, x []float32) error) error
}

// Trajectory is a recorded run in memory: n snapshots of d weights, float32, one column
// after the other. It is never changed. Use [Read] or [FromSeries].
type Trajectory struct {
	from, n, d int
	stride     int       // snapshots of a column in values
	values     []float32 // snapshot k of weight i: values[i·stride + from + k]
	moving     []int     // weights that change at least once
}

// Read reads the snapshots of rows into memory, 4 bytes for each number and little more.
// It returns an error if there are fewer than two, or if a number is NaN or infinite, which
// it names.
func Read(ctx context.Context, rows Rows) (*Trajectory, error) {
	n, d := rows.Len(), rows.Dim()
	if n < 2 || d < 1 {
		return nil, fmt.Errorf("trajectory: %d snapshots of %d weights: record two or more", n, d)
	}
	t := &Trajectory{n: n, d: d, stride: n, values: make([]float32, n*d)}
	const together = 64 // rows that are transposed at a time
	block := make([]float32, together*d)
	seen := 0
	flush := func(k int) { // stores the rows that end with k
		first := k - k%together
		for i := range d {
			column := t.values[i*n+first : i*n+k+1]
			for r := range column {
				column[r] = block[r*d+i]
			}
		}
	}
	err := rows.Each(ctx, func(k int, x []float32) error {
		if k != seen || k >= n || len(x) != d {
			return fmt.Errorf("trajectory: snapshot %d with %d weights came where %d of %d with %d was due", k, len(x), seen, n, d)
		}
		for i, v := range x {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return fmt.Errorf("trajectory: weight %d of snapshot %d is %v: the run diverged, use the snapshots before it or a smaller learning rate", i, k, v)
			}
		}
		copy(block[k%together*d:], x)
		if seen++; k%together == together-1 || k == n-1 {
			flush(k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if seen != n {
		return nil, fmt.Errorf("trajectory: %d of %d snapshots came: the record is cut off", seen, n)
	}
	t.findMoving()
	return t, nil
}

// FromSeries returns the trajectory whose columns are the series, copied and rounded to
// float32. It panics if they are none, shorter than two, of different lengths or not finite.
//
//	t := trajectory.FromSeries([]float64{0, 1, 0, 1}, []float64{1, 2, 3, 4}) // two weights, four snapshots
func FromSeries(series ...[]float64) *Trajectory {
	checkSeries(series)
	n, d := len(series[0]), len(series)
	t := &Trajectory{n: n, d: d, stride: n, values: make([]float32, 0, n*d)}
	for i, s := range series {
		for k, v := range s {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				panic(fmt.Sprintf("trajectory: value %d of series %d is %v", k, i, v))
			}
			t.values = append(t.values, float32(v))
		}
	}
	t.findMoving()
	return t
}

// Window returns the snapshots from..to−1 of t, without a copy. It panics unless
// 0 ≤ from, from+2 ≤ to ≤ Len.
func (t *Trajectory) Window(from, to int) *Trajectory {
	if from < 0 || to > t.n || to-from < 2 {
		panic(fmt.Sprintf("trajectory: window %d..%d of %d snapshots", from, to, t.n))
	}
	w := &Trajectory{from: t.from + from, n: to - from, d: t.d, stride: t.stride, values: t.values}
	w.findMoving()
	return w
}

func (t *Trajectory) findMoving() {
	for i := range t.d {
		c := t.column(i)
		for _, v := range c {
			if v != c[0] {
				t.moving = append(t.moving, i)
				break
			}
		}
	}
}

func (t *Trajectory) column(i int) []float32 {
	at := i*t.stride + t.from
	return t.values[at : at+t.n : at+t.n]
}

// Len returns n, the number of snapshots.
func (t *Trajectory) Len() int { return t.n }

// Dim returns d, the number of weights.
func (t *Trajectory) Dim() int { return t.d }

// Moving returns the indices of the weights that change at least once, one for each of them,
// in ascending order. The others, such
// as those of pixels that are always dark, have no spectrum and no correlation; whatever
// looks at all weights leaves them out.
func (t *Trajectory) Moving() []int { return append([]int(nil), t.moving...) }

// ColumnTo stores weight i of every snapshot in dst (n) and returns dst; a nil dst is
// allocated. It panics if dst has another length or there is no weight i.
func (t *Trajectory) ColumnTo(dst []float64, i int) []float64 {
	if dst == nil {
		dst = make([]float64, t.n)
	}
	if len(dst) != t.n {
		panic(fmt.Sprintf("trajectory: dimension mismatch: dst has length %d, want %d", len(dst), t.n))
	}
	for k, v := range t.column(i) {
		dst[k] = float64(v)
	}
	return dst
}

// Mean returns the mean of every weight over the snapshots (d).
func (t *Trajectory) Mean() []float64 {
	mean := make([]float64, t.d)
	for i := range mean {
		var sum float64
		for _, v := range t.column(i) {
			sum += float64(v)
		}
		mean[i] = sum / float64(t.n)
	}
	return mean
}

// Settings are the choices of the functions that look at all weights. The zero value, and
// nil, is the default.
type Settings struct {
	Workers  int                   // goroutines; 0 means GOMAXPROCS; no effect on any result
	Progress func(done, total int) // weights done, if not nil
}

// each calls do for 0..n−1 on several goroutines, each with a scratch of its own, and
// returns the first error in the order of the indices.
func each[S any](ctx context.Context, n int, s *Settings, scratch func() S, do func(i int, s S) error) error {
	var set Settings
	if s != nil {
		set = *s
	}
	if set.Workers <= 0 {
		set.Workers = runtime.GOMAXPROCS(0)
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	var mu sync.Mutex
	next, done := 0, 0
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1
	}
	for range min(set.Workers, n) {
		wg.Go(func() {
			mine := scratch()
			for i := take(); i < n; i = take() {
				if errs[i] = ctx.Err(); errs[i] == nil {
					errs[i] = do(i, mine)
				}
				mu.Lock()
				if done++; set.Progress != nil {
					set.Progress(done, n)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSeries panics unless there are series of one length, two or more.
func checkSeries(series [][]float64) {
	if len(series) == 0 {
		panic("trajectory: no series")
	}
	for i, s := range series {
		if len(s) != len(series[0]) || len(s) < 2 {
			panic(fmt.Sprintf("trajectory: dimension mismatch: series %d has %d values, series 0 has %d; want equal lengths of 2 or more", i, len(s), len(series[0])))
		}
	}
}

// varying returns an error that names what if x is shorter than least, has a NaN or an
// infinity, or never changes.
func varying(what string, x []float64, least int) error {
	if len(x) < least {
		return fmt.Errorf("trajectory: %s has %d values, at least %d are needed: record a longer run", what, len(x), least)
	}
	constant := true
	for k, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("trajectory: value %d of %s is %v: cut the series before it", k, what, v)
		}
		constant = constant && v == x[0]
	}
	if constant {
		return fmt.Errorf("trajectory: %s is %v throughout: leave it out, it has nothing to test", what, x[0])
	}
	return nil
}

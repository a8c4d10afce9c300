package noise_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
)

// wantEmpty checks that nothing is left in a folder.
func wantEmpty(t *testing.T, name, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("%s: %d files are left, such as %s", name, len(entries), entries[0].Name())
	}
}

func TestStoresGiveTheSameBits(t *testing.T) {
	for _, single := range []bool{false, true} {
		g := sample(71, 600, 37)
		var want []float64
		for _, store := range []noise.Store{noise.InMemory, noise.InFile, noise.Recompute} {
			dir := t.TempDir()
			f := &numtest.Gradients{G: g, Single: single, BlockRows: 100}
			c := covariance(t, f, make([]float64, 37), &noise.Settings{Store: store, Dir: dir})
			wantEmpty(t, store.String(), dir)
			got := everything(t, c)
			if want == nil {
				want = got
			}
			numtest.CloseSlice(t, fmt.Sprintf("%v, single %v", store, single), got, want, 0)
			if kept := store != noise.Recompute; c.Store() != store || c.Kept() != kept || kept != (f.Passes == 1) || !strings.HasSuffix(c.String(), store.String()) {
				t.Errorf("%v: got %v after %d passes", store, c, f.Passes)
			}
			for range 2 { // the second does nothing
				if err := c.Close(); err != nil {
					t.Errorf("%v: %v", store, err)
				}
			}
			wantEmpty(t, store.String()+", closed", dir)
			if err := c.MulVecTo(context.Background(), make([]float64, 37), make([]float64, 37)); err == nil || !strings.Contains(err.Error(), "closed") {
				t.Errorf("%v: product after Close: got %v", store, err)
			}
			if c.Trace() == 0 {
				t.Errorf("%v: no trace after Close", store)
			}
		}
	}
}

func TestAutomaticStore(t *testing.T) {
	const size = 20 * 4 * 8
	for _, c := range []struct {
		limit int64
		dir   string
		want  noise.Store
	}{{0, "", noise.InMemory}, {size, "", noise.InMemory}, {size - 1, "", noise.Recompute}, {size - 1, t.TempDir(), noise.InFile}, {size, "does not matter", noise.InMemory}} {
		got := covariance(t, &numtest.Gradients{G: sample(72, 20, 4)}, make([]float64, 4), &noise.Settings{MaxBytes: c.limit, Dir: c.dir})
		if got.Store() != c.want {
			t.Errorf("MaxBytes %d, folder %q: got %v, want %v", c.limit, c.dir, got.Store(), c.want)
		}
		if err := got.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStoreErrorsLeaveNothing(t *testing.T) {
	ctx := context.Background()
	broken := errors.New("the data are gone")
	bad := sample(73, 40, 3)
	bad.Set(30, 1, math.NaN())
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		f    *numtest.Gradients
		want string
	}{
		"fails half way": {ctx, &numtest.Gradients{G: sample(73, 40, 3), BlockRows: 10, Err: broken}, "gone"},
		"NaN half way":   {ctx, &numtest.Gradients{G: bad, BlockRows: 10}, "sample 30"},
		"cancelled":      {cancelled, &numtest.Gradients{G: sample(73, 40, 3), BlockRows: 10}, "canceled"},
	} {
		dir := t.TempDir()
		settings := &noise.Settings{Store: noise.InFile, Dir: dir, Progress: func(done, _ int) {
			if done == 20 {
				cancel()
			}
		}}
		got, err := noise.NewCovariance(c.ctx, c.f, make([]float64, 3), settings)
		if got != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		wantEmpty(t, name, dir)
	}

	missing := filepath.Join(t.TempDir(), "missing")
	c, err := noise.NewCovariance(ctx, &numtest.Gradients{G: sample(73, 40, 3)}, make([]float64, 3), &noise.Settings{Store: noise.InFile, Dir: missing})
	if c != nil || err == nil || !strings.Contains(err.Error(), "Settings.Dir") || strings.Contains(err.Error(), "\n") {
		t.Errorf("missing folder: got %v, %v", c, err)
	}
	wantPanics(t, map[string]func(){
		"store": func() {
			noise.NewCovariance(ctx, &numtest.Gradients{G: mat.NewDense(1, 1, nil)}, []float64{0}, &noise.Settings{Store: 7})
		},
	})
}

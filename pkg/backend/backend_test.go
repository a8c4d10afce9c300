package backend

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

func TestPick(t *testing.T) {
	absent := xlaPlugin{false, "no plug-in here"}
	for _, c := range []struct {
		name, wanted string
		plugin       xlaPlugin
		config, why  string // of the result
		err          string
	}{
		{name: "explicit go", wanted: "go", plugin: xlaPlugin{true, "found"}, config: goConfig, why: "GOMLX_BACKEND=go"},
		{name: "explicit sequential go", wanted: "go:ops_sequential", config: goConfig, why: "GOMLX_BACKEND=go:ops_sequential"},
		{name: "nothing asked, no plug-in", plugin: absent, config: goConfig, why: "no plug-in here"},
		{name: "parallel go refused", wanted: "go:ops_parallel", err: "can deadlock"},
		{name: "unknown", wanted: "cuda", err: `no backend is called "cuda"; use "go" or "xla:cpu"`},
		{name: "plug-in that does not exist", wanted: "xla:" + filepath.Join(t.TempDir(), "none.so"), err: "GOMLX_BACKEND=xla:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := pick(c.wanted, c.plugin)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n") {
					t.Fatalf("pick(%q): error %q, want one line with %q", c.wanted, err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if b.Config() != c.config || b.why != c.why {
				t.Errorf("pick(%q) = %q because %q, want %q because %q", c.wanted, b.Config(), b.why, c.config, c.why)
			}
		})
	}
}

func TestDamagedPlugin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pjrt_c_api_cpu_plugin.so")
	if err := os.WriteFile(path, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open("xla:" + path)
	if err == nil {
		t.Fatal("Open accepted a plug-in that is not a library")
	}
	if s := err.Error(); strings.Contains(s, "\n") || !strings.HasPrefix(s, "backend: ") {
		t.Errorf("error %q, want one line that begins with the package", s)
	}
}

func TestDefault(t *testing.T) {
	a, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Default()
	if a != b {
		t.Error("two calls of Default returned two backends")
	}
	if got := Describe(); got != a.String() || strings.Contains(got, "\n") {
		t.Errorf("Describe() = %q, want the one line %q", got, a.String())
	}
}

// TestManyProducts is the guard against the dead lock of the parallel Go backend: 40 matrix
// products that are ready together, 50 times. The parallel backend hung in the first calls.
func TestManyProducts(t *testing.T) {
	b, err := Open("go")
	if err != nil {
		t.Fatal(err)
	}
	const n, products, calls = 64, 40, 50
	exec, err := graph.NewExec(b, func(x *graph.Node) *graph.Node {
		var sum *graph.Node
		for i := range products {
			y := graph.AddScalar(x, float64(i))
			p := graph.DotGeneral(y, []int{1}, nil, y, []int{1}, nil)
			if sum == nil {
				sum = p
			} else {
				sum = graph.Add(sum, p)
			}
		}
		return graph.ReduceAllSum(sum)
	})
	if err != nil {
		t.Fatal(err)
	}
	x := tensors.FromFlatDataAndDimensions(make([]float32, n*n), n, n)
	// Σᵢ n·(n·i)² over i < 40: every entry of the product is n·i².
	want := 0.0
	for i := range products {
		want += float64(n*n*n) * float64(i*i)
	}
	done := make(chan error, 1)
	go func() {
		for range calls {
			out, err := exec.Call1(x)
			if err != nil {
				done <- err
				return
			}
			got := float64(tensors.ToScalar[float32](out))
			if tol := want * n * n * 0x1p-24; math.Abs(got-want) > tol { // n² float32 additions, one after the other
				done <- fmt.Errorf("sum of products = %g, want %g ± %g", got, want, tol)
				return
			}
			out.FinalizeAll()
		}
		done <- nil
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute): // 50 calls take well under a second
		t.Fatal("the Go backend hangs on many matrix products that are ready together")
	}
}

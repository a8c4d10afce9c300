package spectrum_test

import (
	"context"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/spectrum"
)

var regen = flag.Bool("regen", false, "rewrite the files of NumPy in testdata")

// exported are the gradients that are given to NumPy: 50 of 12 weights, eigenvalues over
// some ten decades, a mean that is not zero.
func exported() *mat.Dense {
	g := mat.NewDense(50, 12, nil)
	g.Apply(func(k, j int, _ float64) float64 {
		return math.Sin(float64(1+k*(j+3)))*math.Pow(10, -.4*float64(j)) + .5/float64(j+1)
	}, g)
	return g
}

func writeNPY(t *testing.T, path string, m *mat.Dense) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := npyio.Write(f, m); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func readNPY[T any](t *testing.T, path string) T {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var v T
	if err := npyio.Read(f, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

// compareWithNumPy checks all methods on the gradients in one file against the
// eigenvalues in another.
func compareWithNumPy(t *testing.T, gradients, eigenvalues string) {
	t.Helper()
	g, want := readNPY[mat.Dense](t, gradients), readNPY[[]float64](t, eigenvalues)
	_, d := g.Dims()
	cov, err := noise.NewCovariance(context.Background(), sum(&g, false), make([]float64, d), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []spectrum.Method{spectrum.Dense, spectrum.Lanczos} {
		s, err := spectrum.Of(context.Background(), cov, &spectrum.Settings{Method: method, Top: d})
		if err != nil {
			t.Fatal(err)
		}
		// NumPy's own error is of the size of ours.
		numtest.CloseSlice(t, string(method), s.Values, want, s.Residual+1e-15*want[d-1])
	}
}

func TestAgainstNumPyFiles(t *testing.T) {
	g, l := filepath.Join("testdata", "gradients.npy"), filepath.Join("testdata", "eigenvalues.npy")
	if *regen {
		writeNPY(t, g, exported())
		numpy(t, g, l)
	}
	compareWithNumPy(t, g, l)
}

func TestAgainstNumPy(t *testing.T) {
	dir := t.TempDir()
	g, l := filepath.Join(dir, "gradients.npy"), filepath.Join(dir, "eigenvalues.npy")
	writeNPY(t, g, gradients(101, 120, 40))
	numpy(t, g, l)
	compareWithNumPy(t, g, l)
}

// numpy runs testdata/eigenvalues.py, or skips the test where Python has no NumPy.
func numpy(t *testing.T, gradients, eigenvalues string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not there: nothing to compare with but the files in testdata")
	}
	if exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Skip("python3 has no NumPy: nothing to compare with but the files in testdata")
	}
	if out, err := exec.Command(python, filepath.Join("testdata", "eigenvalues.py"), gradients, eigenvalues).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

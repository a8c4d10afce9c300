package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/sgd/snapshot"
)

var header = snapshot.Header{
	Run:     [][2]string{{"network", "toy"}, {"seed", "7"}},
	Weights: 5,
	Numbers: []string{snapshot.BatchLoss, snapshot.FullLoss},
}

// blockSize is that of header: epoch, 2·5 float32, 2 float64, checksum.
const blockSize = 8 + 40 + 16 + 4

// epoch returns the content of an epoch.
func epoch(e int) (x, g, numbers []float64) {
	r := rand.New(rand.NewPCG(uint64(e), 0))
	draw := func(n int) []float64 {
		a := make([]float64, n)
		for i := range a {
			a[i] = r.NormFloat64()
		}
		return a
	}
	return draw(5), draw(5), draw(2)
}

func mustAppend(t testing.TB, w *snapshot.Writer, from, to int) {
	t.Helper()
	for e := from; e <= to; e++ {
		x, g, numbers := epoch(e)
		if err := w.Append(e, x, g, numbers); err != nil {
			t.Fatal(err)
		}
	}
}

// write makes a file of n epochs and returns its path.
func write(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.snap")
	w := mustCreate(t, path, header)
	mustAppend(t, w, 1, n)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustCreate(t testing.TB, path string, h snapshot.Header) *snapshot.Writer {
	t.Helper()
	w, err := snapshot.Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mustOpen(t testing.TB, path string) *snapshot.Reader {
	t.Helper()
	r, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// equal demands that a holds b rounded to float32.
func equal(t *testing.T, what string, a []float32, b []float64) {
	t.Helper()
	for i := range b {
		if a[i] != float32(b[i]) {
			t.Fatalf("%s: got %v, want %v", what, a, b)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	const n = 40
	r := mustOpen(t, write(t, n))
	if r.Epochs() != n || r.Damage() != nil || r.Dim() != 5 || r.Header().Value("seed") != "7" || r.Header().Value("nothing") != "" {
		t.Fatalf("got %d epochs of %d weights, %v, %+v", r.Epochs(), r.Dim(), r.Damage(), r.Header())
	}
	next := 3
	err := r.Each(2, 30, func(e snapshot.Epoch) error {
		x, g, numbers := epoch(next)
		if e.Epoch != next {
			t.Fatalf("got epoch %d, want %d", e.Epoch, next)
		}
		equal(t, "weights", e.Weights, x)
		equal(t, "gradient", e.Gradient, g)
		if !slices.Equal(e.Numbers, numbers) {
			t.Fatalf("got %v, want %v", e.Numbers, numbers)
		}
		next++
		return nil
	})
	if err != nil || next != 31 {
		t.Fatalf("ended before epoch %d: %v", next, err)
	}
	x, err := r.WeightColumnsTo(nil, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	g, err := r.GradientColumnsTo(make([]float64, 5*n), 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	loss, err := r.NumberTo(nil, snapshot.FullLoss)
	if err != nil {
		t.Fatal(err)
	}
	for k := range n {
		wantX, wantG, wantN := epoch(k + 1)
		for j := range 3 {
			if x[j*n+k] != float64(float32(wantX[1+j])) {
				t.Fatalf("weight %d of epoch %d is %v, want %v", 1+j, k+1, x[j*n+k], wantX[1+j])
			}
		}
		for j := range 5 {
			if g[j*n+k] != float64(float32(wantG[j])) {
				t.Fatalf("gradient %d of epoch %d is %v, want %v", j, k+1, g[j*n+k], wantG[j])
			}
		}
		if loss[k] != wantN[1] {
			t.Fatalf("loss of epoch %d is %v, want %v", k+1, loss[k], wantN[1])
		}
	}
	stop := errors.New("enough")
	if err := r.Each(0, n, func(snapshot.Epoch) error { return stop }); err != stop {
		t.Errorf("got %v, want the error of the callback", err)
	}
	if _, err := r.NumberTo(nil, "entropy"); err == nil || !strings.Contains(err.Error(), `no number "entropy"`) {
		t.Errorf("an unknown number: got %v", err)
	}
}

// Cut at every byte: what is whole can be read, what is cut is said, and a writer goes on.
func TestTruncated(t *testing.T) {
	path := write(t, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := len(whole) - 3*blockSize
	for size := range whole {
		if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := snapshot.Open(path)
		if size < head {
			if err == nil {
				t.Fatalf("cut to %d bytes of its header: no error", size)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		good := (size - head) / blockSize
		torn := (size - head) % blockSize
		if r.Epochs() != good || (r.Damage() != nil) != (torn != 0) {
			t.Fatalf("cut to %d bytes: %d epochs, %v", size, r.Epochs(), r.Damage())
		}
		if want := fmt.Sprintf("truncated in the block of epoch %d", good+1); torn != 0 && !strings.Contains(r.Damage().Error(), want) {
			t.Fatalf("got %v, want %q", r.Damage(), want)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		w := mustCreate(t, path, header)
		if w.Epochs() != good || (w.Damage() != nil) != (torn != 0) {
			t.Fatalf("cut to %d bytes, a writer: %d epochs, %v", size, w.Epochs(), w.Damage())
		}
		mustAppend(t, w, max(good, 1), 3) // the last epoch a second time
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if again, _ := os.ReadFile(path); !bytes.Equal(again, whole) {
			t.Fatalf("cut to %d bytes and completed: not the same file", size)
		}
	}
}

// One flipped bit anywhere is found, and what is before it can be read.
func TestCorrupted(t *testing.T) {
	path := write(t, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := len(whole) - 3*blockSize
	for i := range whole {
		bad := slices.Clone(whole)
		bad[i] ^= 1 << (i % 8)
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := snapshot.Open(path)
		if i < head {
			if err == nil {
				t.Fatalf("byte %d of the header flipped: no error", i)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		good := (i - head) / blockSize
		want := fmt.Sprintf("damaged in the block of epoch %d: the checksum differs; its first %d epochs are good", good+1, good)
		if r.Epochs() != good || r.Damage() == nil || !strings.Contains(r.Damage().Error(), want) {
			t.Fatalf("byte %d flipped: %d epochs, %v, want %q", i, r.Epochs(), r.Damage(), want)
		}
		r.Close()
	}
	// A good block in the wrong place is damage too.
	swapped := slices.Concat(whole[:head], whole[head+blockSize:head+2*blockSize], whole[head:head+blockSize], whole[head+2*blockSize:])
	if err := os.WriteFile(path, swapped, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := mustOpen(t, path); r.Epochs() != 0 || r.Damage() == nil {
		t.Errorf("two blocks exchanged: %d epochs, %v", r.Epochs(), r.Damage())
	}
}

func TestForeignFiles(t *testing.T) {
	path := write(t, 2)
	before, _ := os.ReadFile(path)
	for want, change := range map[string]func(*snapshot.Header){
		`its seed is "7", this run's "8"`:       func(h *snapshot.Header) { h.Run = [][2]string{{"network", "toy"}, {"seed", "8"}} },
		`its momentum is not recorded`:          func(h *snapshot.Header) { h.Run = append(slices.Clone(h.Run), [2]string{"momentum", "0"}) },
		`this run has no seed`:                  func(h *snapshot.Header) { h.Run = h.Run[:1] },
		`it has 5 weights, this run 6`:          func(h *snapshot.Header) { h.Weights = 6 },
		`its numbers are ["mean batch loss"`:    func(h *snapshot.Header) { h.Numbers = h.Numbers[:1] },
		`its batch-norm statistics are others`:  func(h *snapshot.Header) { h.Stats = []float64{0, 1} },
		`0 weights: there must be at least one`: func(h *snapshot.Header) { h.Weights = 0 },
		`every one needs a name of its own`:     func(h *snapshot.Header) { h.Numbers = []string{"a", "a"} },
	} {
		h := header
		change(&h)
		if _, err := snapshot.Create(path, h); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one sentence with %q", err, want)
		}
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a refused file was changed")
	}

	for want, content := range map[string]string{
		"it is not a snapshot file":           "weights,1,2\n",
		"it is truncated within its header":   "sgdlab snapshots 1 100\n{}\n",
		"its first line is not readable":      "sgdlab snapshots one\n",
		"format version 2, this program read": "sgdlab snapshots 2 3\n{}\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := snapshot.Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := snapshot.Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
	if _, err := snapshot.Create(filepath.Join(t.TempDir(), "none", "run"), header); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: got %v", err)
	}
}

func TestAppendRefuses(t *testing.T) {
	path := write(t, 2)
	w := mustCreate(t, path, header)
	defer w.Close()
	x, g, numbers := epoch(1)
	if err := w.Append(4, x, g, numbers); err == nil || !strings.Contains(err.Error(), "ends with epoch 2, the run goes on with epoch 4") {
		t.Errorf("a gap: got %v", err)
	}
	x[3] = float64(math.Nextafter32(float32(x[3]), 2))
	if err := w.Append(1, x, g, numbers); err == nil || !strings.Contains(err.Error(), "holds another epoch 1") {
		t.Errorf("another epoch 1: got %v", err)
	}
	for name, f := range map[string]func(){
		"weights":  func() { w.Append(3, x[:4], g, numbers) },
		"gradient": func() { w.Append(3, x, g[:4], numbers) },
		"numbers":  func() { w.Append(3, x, g, numbers[:1]) },
		"epoch":    func() { w.Append(0, x, g, numbers) },
	} {
		panics(t, name, f)
	}
	r := mustOpen(t, path)
	for name, f := range map[string]func(){
		"epochs":  func() { r.Each(0, 3, nil) },
		"reverse": func() { r.Each(2, 1, nil) },
		"columns": func() { r.WeightColumnsTo(nil, 0, 6) },
		"dst":     func() { r.WeightColumnsTo(make([]float64, 3), 0, 2) },
		"number":  func() { r.NumberTo(make([]float64, 3), snapshot.FullLoss) },
	} {
		panics(t, name, f)
	}
}

func panics(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "snapshot: ") {
			t.Errorf("%s: got panic %v, want one of this package", name, p)
		}
	}()
	f()
}

// The layout of the documentation, byte for byte.
func TestFormat(t *testing.T) {
	data, err := os.ReadFile(write(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitN(data, []byte("\n"), 4)
	if want := fmt.Sprintf("sgdlab snapshots 1 %d", len(lines[1])+1); string(lines[0]) != want || len(lines[2]) != 8 || len(lines[3]) != blockSize {
		t.Errorf("got the lines %q, %q, %q and %d bytes", lines[0], lines[1], lines[2], len(lines[3]))
	}
	x, g, numbers := epoch(1)
	b := lines[3]
	f32 := func(at int) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b[at:])) }
	f64 := func(at int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b[at:])) }
	if b[0] != 1 || f32(8) != float32(x[0]) || f32(28) != float32(g[0]) || f64(48) != numbers[0] || f64(56) != numbers[1] {
		t.Errorf("got % x", b)
	}
}

func BenchmarkAppend(b *testing.B) {
	h := snapshot.Header{Weights: 917, Numbers: header.Numbers}
	w := mustCreate(b, filepath.Join(b.TempDir(), "run"), h)
	defer w.Close()
	x, numbers := make([]float64, 917), make([]float64, 2)
	e := 0
	for b.Loop() {
		e++
		if err := w.Append(e, x, x, numbers); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "run")
	w := mustCreate(b, path, snapshot.Header{Weights: 917})
	x := make([]float64, 917)
	for e := range 10_000 {
		if err := w.Append(e+1, x, x, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(10_000 * (8 + 2*4*917 + 4))
	for b.Loop() {
		r, err := snapshot.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}

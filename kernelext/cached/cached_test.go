package cached

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

// newStore returns a store in a folder of its own whose messages are in log.
func newStore(t *testing.T) (s *store, log *syncBuffer) {
	t.Helper()
	log = &syncBuffer{}
	return &store{
		dir: filepath.Join(t.TempDir(), "new", "values"), limit: 1 << 30, log: log,
		code: func(position) (string, error) { return "code 1", nil },
	}, log
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// get is Value with a store.
func get[T any](s *store, name string, settings any, fn func() (T, error)) (T, error) {
	var v T
	err := s.value(name, settings, reflect.ValueOf(&v).Elem(), position{}, func() (reflect.Value, error) {
		v, err := fn()
		return reflect.ValueOf(&v).Elem(), err
	})
	return v, err
}

type inner struct {
	Name   string
	Points [][2]float32
}

type everything struct {
	Bool     bool
	Int      int
	Int8     int8
	Uint64   uint64
	Float    float64
	Complex  complex128
	Text     string
	Floats   []float64
	Halves   []float32
	Bytes    []byte
	Strings  []string
	Nested   [][]int
	Empty    []int
	Nil      []int
	Array    [3]int16
	Structs  []inner
	Map      map[string]inner
	Counts   map[int][]float64
	NilMap   map[string]int
	Pointer  *inner
	NoValue  *inner
	Matrix   *mat.Dense
	When     time.Time
	Took     time.Duration
	Level    level
	Embedded inner
	Units    []struct{}
}

type level uint8

func sample() everything {
	return everything{
		Bool: true, Int: -5, Int8: -128, Uint64: math.MaxUint64, Float: math.Copysign(0, -1), Complex: 1 + 2i,
		Text: "∇f\x00", Floats: []float64{1, math.NaN(), math.Inf(-1), 5e-324}, Halves: []float32{1.5}, Bytes: []byte{0, 255},
		Strings: []string{"", "a"}, Nested: [][]int{{1, 2}, nil, {}}, Empty: []int{}, Array: [3]int16{1, -2, 3},
		Structs: []inner{{"a", [][2]float32{{1, 2}}}, {}}, Map: map[string]inner{"k": {Name: "v"}, "": {}},
		Counts: map[int][]float64{1: {2}, -1: nil}, Pointer: &inner{Name: "p"}, Matrix: mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}),
		When: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Took: time.Second, Level: 3, Embedded: inner{Name: "e"}, Units: make([]struct{}, 3),
	}
}

// text prints a value with its pointers followed, so that NaN equals NaN.
func text(t *testing.T, v any) string {
	t.Helper()
	s, err := canonical(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestValueIsKeptBitForBit(t *testing.T) {
	s, log := newStore(t)
	calls := 0
	for range 3 {
		got, err := get(s, "everything", nil, func() (everything, error) { calls++; return sample(), nil })
		if err != nil {
			t.Fatal(err)
		}
		if g, w := text(t, got), text(t, sample()); g != w {
			t.Errorf("got\n%s\nwant\n%s", g, w)
		}
		if got.Empty == nil || got.Nil != nil || got.NilMap != nil || got.Nested[1] != nil || got.Nested[2] == nil {
			t.Error("nil and empty are confused")
		}
		if !math.Signbit(got.Float) {
			t.Error("−0 became 0")
		}
	}
	if calls != 1 || log.String() != "" {
		t.Errorf("computed %d times, want once; log %q", calls, log)
	}
	pointer, err := get(s, "pointer", nil, func() (*inner, error) { return &inner{Name: "x"}, nil })
	if err != nil || pointer.Name != "x" {
		t.Errorf("got %+v, %v", pointer, err)
	}
	number, err := get(s, "number", nil, func() (float64, error) { return 0.1, nil })
	if err != nil || number != 0.1 {
		t.Errorf("got %v, %v", number, err)
	}
}

type constant struct{ Rate float64 }
type linear struct{ Rate float64 }
type hidden struct{ seed int }

// Each of these differs from all others in one thing that counts.
func TestEverythingCounts(t *testing.T) {
	s, _ := newStore(t)
	calls := 0
	one := func(name string, settings any) {
		t.Helper()
		before := calls
		for range 2 {
			if _, err := get(s, name, settings, func() (int, error) { calls++; return 1, nil }); err != nil {
				t.Fatal(err)
			}
		}
		if calls != before+1 {
			t.Errorf("%s %+v: computed %d times, want once", name, settings, calls-before)
		}
	}
	for _, settings := range []any{
		nil, 1, 1.0, "1", int8(1), []int{1}, [1]int{1}, []any{1}, []any{1.0}, constant{1}, linear{1}, constant{math.Nextafter(1, 2)},
		&constant{1}, hidden{1}, hidden{2}, rand.NewPCG(1, 1), rand.NewPCG(1, 2), map[string]int{"a": 1, "b": 2}, map[string]int{"a": 2, "b": 1},
		[]string{"a b"}, []string{"a", "b"}, []string{`a" "b`}, struct{ A, B string }{"x", ""}, struct{ A, B string }{"", "x"}, math.NaN(), []int(nil), []int{},
		time.Duration(1),
	} {
		one("a", settings)
	}
	one("b", 1)
	one("a1", nil)
	s.code = func(position) (string, error) { return "code 2", nil }
	one("a", 1)

	// The type of the value.
	type v1 struct{ A int }
	type v2 struct{ B int }
	if got, _ := get(s, "typed", nil, func() (v1, error) { return v1{1}, nil }); got.A != 1 {
		t.Error(got)
	}
	if got, _ := get(s, "typed", nil, func() (v2, error) { return v2{2}, nil }); got.B != 2 {
		t.Error(got)
	}
	if a, b := typeText(reflect.TypeFor[struct{ X []v1 }]()), typeText(reflect.TypeFor[struct{ X []v2 }]()); a == b {
		t.Errorf("two types have the text %s", a)
	}
}

func TestErrorsAreReturnedAndNotKept(t *testing.T) {
	s, _ := newStore(t)
	want := errors.New("diverged")
	for range 2 {
		called := false
		got, err := get(s, "x", nil, func() (int, error) { called = true; return 7, want })
		if !called || got != 7 || !errors.Is(err, want) {
			t.Errorf("got %d, %v, called %v", got, err, called)
		}
	}
	if entries, err := s.list(); err != nil || len(entries) != 0 {
		t.Errorf("kept %v, %v", entries, err)
	}
}

func TestWhatCannotBeKeptIsSaidFirst(t *testing.T) {
	s, _ := newStore(t)
	check := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), "cached: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
	type unexported struct{ X struct{ y int } }
	_, err := get(s, "x", nil, func() (unexported, error) { panic("called") })
	check(err, "cached.unexported.X has the unexported field y")
	_, err = get(s, "x", nil, func() (func(), error) { panic("called") })
	check(err, "is a func")
	_, err = get(s, "x", nil, func() (map[string][]any, error) { panic("called") })
	check(err, "[][] is a interface")
	_, err = get(s, "x", nil, func() (chan int, error) { panic("called") })
	check(err, "is a chan")
	_, err = get(s, "x", struct{ Record func() }{func() {}}, func() (int, error) { panic("called") })
	check(err, "settings.Record is a func")
	_, err = get(s, "", nil, func() (int, error) { panic("called") })
	check(err, "needs a name")
	type node struct{ Next *node }
	loop := &node{}
	loop.Next = loop
	_, err = get(s, "x", loop, func() (int, error) { panic("called") })
	check(err, "contain themselves")
	if _, err := get(s, "x", struct{ Record func() }{}, func() (int, error) { return 1, nil }); err != nil {
		t.Errorf("a nil function in the settings: %v", err)
	}

	// A value that turns out to contain itself is returned, but not kept.
	s, log := newStore(t)
	if got, err := get(s, "loop", nil, func() (*node, error) { return loop, nil }); got != loop || err != nil || !strings.Contains(log.String(), "not kept") {
		t.Errorf("got %p, %v, log %q", got, err, log)
	}
}

// Whatever happens to a file, the value that comes back is right.
func TestDamageIsFoundAndRepaired(t *testing.T) {
	s, log := newStore(t)
	compute := func() (inner, error) { return inner{"name", [][2]float32{{1, 2}, {3, 4}}}, nil }
	want, err := get(s, "x", 1, compute)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "*"+extension))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	damaged := [][]byte{nil, append(bytes.Clone(good), 0)}
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 1 << (i % 8)
		damaged = append(damaged, flipped, good[:i])
	}
	for i, data := range damaged {
		if err := os.WriteFile(files[0], data, 0o666); err != nil {
			t.Fatal(err)
		}
		log.b.Reset()
		calls := 0
		got, err := get(s, "x", 1, func() (inner, error) { calls++; return compute() })
		if err != nil || !reflect.DeepEqual(got, want) || calls != 1 || !strings.Contains(log.String(), "damaged") {
			t.Fatalf("damage %d: got %+v, %v, %d calls, log %q", i, got, err, calls, log)
		}
	}
	if err := readFile(files[0], reflect.New(reflect.TypeFor[inner]()).Elem()); err != nil {
		t.Errorf("not repaired: %v", err)
	}
}

// The decoder alone, without the checksum before it, neither panics nor asks for more
// memory than its input allows.
func TestDecoderSurvivesNonsense(t *testing.T) {
	var good bytes.Buffer
	e := encoder{w: &good}
	if e.value(reflect.ValueOf(sample())); e.err != nil {
		t.Fatal(e.err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		data := bytes.Clone(good.Bytes())
		for range 1 + rng.IntN(4) {
			data[rng.IntN(len(data))] = byte(rng.Uint32())
		}
		data = data[:rng.IntN(len(data)+1)]
		var v everything
		d := decoder{r: bytes.NewReader(data), left: int64(len(data))}
		d.value(reflect.ValueOf(&v).Elem())
	}
}

func TestGoroutinesComputeOnce(t *testing.T) {
	s, _ := newStore(t)
	var calls atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got, err := get(s, "x", nil, func() ([]float64, error) {
				calls.Add(1)
				time.Sleep(30 * time.Millisecond)
				return []float64{1, 2, 3}, nil
			})
			if err != nil || len(got) != 3 {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := calls.Load(); n != 1 {
		t.Errorf("computed %d times, want once", n)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "*.lock")); len(left) > 0 {
		t.Errorf("locks were left: %v", left)
	}
}

// TestMain lets the test program stand in for a second program that needs a value.
func TestMain(m *testing.M) {
	if mark := os.Getenv("CACHED_TEST_MARK"); mark != "" {
		got, err := Value("shared", 42, func() (string, error) {
			f, err := os.OpenFile(mark, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
			if err != nil {
				return "", err
			}
			defer f.Close()
			time.Sleep(100 * time.Millisecond)
			_, err = f.WriteString("computed\n")
			return "value", err
		})
		fmt.Print(got, err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestProgramsComputeOnce(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "mark")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "CACHED_TEST_MARK="+mark, "SGDLAB_CACHE="+filepath.Join(dir, "values"), "GONB_TMP_DIR=")
			out, err := cmd.Output()
			if err != nil || string(out) != "value<nil>" {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
	wg.Wait()
	data, err := os.ReadFile(mark)
	if err != nil || string(data) != "computed\n" {
		t.Errorf("got %q, %v; want one computation", data, err)
	}
}

func TestOldValuesMakeRoom(t *testing.T) {
	s, log := newStore(t)
	keep := func(i int) {
		t.Helper()
		if _, err := get(s, "v", i, func() ([]byte, error) { return make([]byte, 1000), nil }); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-time.Hour)
	age := func(settings string, d time.Duration) {
		t.Helper()
		files, _ := filepath.Glob(filepath.Join(s.dir, "*"+extension))
		for _, f := range files {
			if h, err := readHeader(f); err == nil && h.Settings == settings {
				if err := os.Chtimes(f, past.Add(d), past.Add(d)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for i := range 3 {
		keep(i)
		age(fmt.Sprintf("int(%d)", i), time.Duration(i)*time.Minute)
	}
	keep(0) // used again: the oldest is now 1
	s.limit = 3900
	keep(3)
	age("int(3)", 2*time.Hour) // the clock of the file system is coarse
	entries, err := s.list()
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Settings)
		if e.Name != "v" || e.Type != "[]uint8" || e.Bytes < 1000 || e.Created.IsZero() {
			t.Errorf("entry %+v", e)
		}
	}
	if got := strings.Join(left, " "); got != "int(3) int(0) int(2)" {
		t.Errorf("left: %s; want 3, 0 and 2, the last used first", got)
	}

	log.b.Reset()
	big, err := get(s, "big", nil, func() ([]byte, error) { return make([]byte, 5000), nil })
	if err != nil || len(big) != 5000 || !strings.Contains(log.String(), "not kept") {
		t.Errorf("got %d bytes, %v, log %q", len(big), err, log)
	}
	if entries, _ := s.list(); len(entries) != 3 {
		t.Errorf("%d values are left, want 3", len(entries))
	}
}

func TestClear(t *testing.T) {
	s, _ := newStore(t)
	if err := s.clear(); err != nil {
		t.Errorf("clearing nothing: %v", err)
	}
	for _, name := range []string{"a", "b", "c"} {
		if _, err := get(s, name, nil, func() (int, error) { return 1, nil }); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(s.dir, "notes.txt")
	if err := os.WriteFile(other, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := s.clear("a", "c"); err != nil {
		t.Fatal(err)
	}
	if entries, err := s.list(); err != nil || len(entries) != 1 || entries[0].Name != "b" {
		t.Errorf("left %+v, %v", entries, err)
	}
	if err := s.clear(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := s.list(); len(entries) != 0 {
		t.Errorf("left %+v", entries)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("a file that is no value was removed: %v", err)
	}
}

func TestAFolderThatCannotBeWrittenCostsOnlyTheKeeping(t *testing.T) {
	s, log := newStore(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s.dir = filepath.Join(file, "values")
	got, err := get(s, "x", nil, func() (int, error) { return 5, nil })
	if got != 5 || err != nil || !strings.Contains(log.String(), `"x" is computed but not kept`) {
		t.Errorf("got %d, %v, log %q", got, err, log)
	}
}

func TestDir(t *testing.T) {
	t.Setenv("SGDLAB_CACHE", "/somewhere/values")
	if dir, err := Dir(); dir != "/somewhere/values" || err != nil {
		t.Errorf("got %s, %v", dir, err)
	}
	t.Setenv("SGDLAB_CACHE", "")
	if moduleRoot() == "" {
		t.Skip("compiled with -trimpath: the module's root is not known")
	}
	if dir, err := Dir(); !strings.HasSuffix(filepath.ToSlash(dir), "/.lab/cache") || err != nil {
		t.Errorf("got %s, %v", dir, err)
	}
}

func TestLongAndOddNames(t *testing.T) {
	s, _ := newStore(t)
	for _, name := range []string{strings.Repeat("long ", 100), "../../etc", "λ", "a/b\\c:d", "A b", "a B"} {
		if got, err := get(s, name, nil, func() (string, error) { return name, nil }); got != name || err != nil {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
	}
	entries, err := s.list()
	if err != nil || len(entries) != 6 {
		t.Errorf("%d values are kept, want 6, %v", len(entries), err)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "values")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	os.Setenv("SGDLAB_CACHE", dir)
	defer os.Unsetenv("SGDLAB_CACHE")

	type settings struct{ Terms int }
	slow := func() (float64, error) {
		fmt.Println("computing")
		sum := 0.0
		for k := range 1000 {
			sum += math.Pow(-1, float64(k)) / float64(2*k+1)
		}
		return 4 * sum, nil
	}
	for range 2 {
		pi, err := Value("Leibniz", settings{1000}, slow)
		fmt.Printf("%.3f %v\n", pi, err)
	}
	// Output:
	// computing
	// 3.141 <nil>
	// 3.141 <nil>
}

func BenchmarkLoad(b *testing.B) {
	s := &store{dir: b.TempDir(), limit: 1 << 40, log: os.Stderr, code: func(position) (string, error) { return "", nil }}
	want := make([]float32, 47_000_000)
	for b.Loop() {
		got, err := get(s, "floats", nil, func() ([]float32, error) { return want, nil })
		if err != nil || len(got) != len(want) {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(4 * len(want)))
}

package experiment

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

type someSettings struct {
	Seed     uint64 `json:"seed"`
	Progress func() `json:"-"`
}

type someNumbers struct {
	Label  string      `json:"label"`
	Values []float64   `json:"values"`
	Matrix [][]float64 `json:"matrix"`
	Empty  []float64   `json:"empty"`
}

func someRecord() *Record[someSettings, someNumbers] {
	r := newRecord[someSettings, someNumbers]("some", someSettings{Seed: 1<<64 - 1}, "go")
	r.Seconds = []Stage{{"training", 1.5}}
	r.Numbers = someNumbers{
		Label:  "text with [1, 2] and <brackets>",
		Values: []float64{-1, 0, 1e-300, 0.1, 12345678},
		Matrix: [][]float64{{1, 2}, {3, 4}},
		Empty:  []float64{},
	}
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.json")
	want := someRecord()
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load[someSettings, someNumbers](path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`"values": [-1,0,1e-300,0.1,12345678],`, `"label": "text with [1, 2] and <brackets>",`, `"empty": []`} {
		if !strings.Contains(string(data), line) {
			t.Errorf("the file has no line %q:\n%s", line, data)
		}
	}
	if m := got.Machine; m.Go != runtime.Version() || m.Cores < 1 || m.CPU == "" || m.Backend != "go" {
		t.Errorf("machine: got %+v", m)
	}
	if s := got.String(); !strings.HasPrefix(s, "some: 1.5 s on ") {
		t.Errorf("got %q", s)
	}
}

func TestRecordErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "some.json")
	bad := someRecord()
	bad.Numbers.Values[2] = math.NaN()
	if err := bad.Save(path); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("saving NaN: got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was written all the same")
	}
	if _, err := Load[someSettings, someNumbers](path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
	if err := someRecord().Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Load[someSettings, someSettings](path); err == nil || !strings.Contains(err.Error(), "not a result of this kind") {
		t.Errorf("other numbers: got %v", err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(good) - 1 { // without the last line feed it is still whole
		if err := os.WriteFile(path, good[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load[someSettings, someNumbers](path); err == nil {
			t.Fatalf("cut off after %d of %d bytes: no error", n, len(good))
		}
	}
	if err := os.WriteFile(path, append(good, good...), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load[someSettings, someNumbers](path); err == nil || !strings.Contains(err.Error(), "after its end") {
		t.Errorf("two records in a file: got %v", err)
	}
}

func TestResumed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.json")
	want := someRecord()
	if r, err := resumed(path, want); r != nil || err != nil {
		t.Errorf("no file: got %v, %v", r, err)
	}
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	want.Settings.Progress = func() {}
	if r, err := resumed(path, want); err != nil || !reflect.DeepEqual(r.Numbers, want.Numbers) {
		t.Errorf("got %v, %v", r, err)
	}
	want.Settings.Seed = 2
	if _, err := resumed(path, want); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("another seed: got %v", err)
	}
	want = someRecord()
	want.Machine.Backend = "xla:cpu"
	if _, err := resumed(path, want); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("another backend: got %v", err)
	}
}

func TestRound(t *testing.T) {
	for v, want := range map[float64]float64{0: 0, 1: 1, -1234567.8: -1234568, 1.23456789e-9: 1.234568e-9, math.Inf(1): math.Inf(1), 9.99999999: 10} {
		if got := round(v, 7); got != want {
			t.Errorf("round(%v, 7) = %v, want %v", v, got, want)
		}
	}
}

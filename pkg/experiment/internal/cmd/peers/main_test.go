package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBenchmarkValue(t *testing.T) {
	const out = `goos: linux
BenchmarkGradients/net/direct/other-2   	      31	  12566188 ns/op	       999 samples/s
BenchmarkGradients/net/direct-2         	      31	  12500000 ns/op	         1.514 cpu-µs/sample	    651908 samples/s
PASS
`
	for _, tt := range []struct {
		row  row
		want float64
	}{
		{row{bench: "BenchmarkGradients/net/direct", unit: "samples/s"}, 651908},
		{row{bench: "BenchmarkGradients/net/direct"}, 0.0125},
	} {
		if got, err := benchmarkValue(out, tt.row); err != nil || got != tt.want {
			t.Errorf("unit %q: got %v, %v, want %v", tt.row.unit, got, err, tt.want)
		}
	}
	for _, r := range []row{{bench: "BenchmarkOther"}, {bench: "BenchmarkGradients/net/direct", unit: "GFLOP/s"}, {bench: "BenchmarkGradients/net"}} {
		if got, err := benchmarkValue(out, r); err == nil {
			t.Errorf("%s with %q: got %v, want an error", r.bench, r.unit, got)
		}
	}
}

func TestScriptValue(t *testing.T) {
	const out = "fp.build 0.25 s  # best 0.2, 5 repeats\nfp.steady 1.5 s\nfp.steady.error 3e-3 -\n"
	if got, err := scriptValue(out, []string{"fp.build", "fp.steady"}); err != nil || got != 1.75 {
		t.Errorf("got %v, %v, want 1.75", got, err)
	}
	if _, err := scriptValue(out, []string{"fp.build", "fp.stead"}); err == nil || !strings.Contains(err.Error(), "fp.stead") {
		t.Errorf("got %v, want an error that names what is missing", err)
	}
}

func TestWrite(t *testing.T) {
	rate := row{name: "gradients", unit: "samples/s", rate: true, target: 1.1, peers: []peer{{name: "one"}, {name: "two"}, {name: "absent"}}}
	seconds := row{name: "spectrum", target: 2, peers: []peer{{name: "three"}}}
	var out strings.Builder
	write(&out, []result{
		{row: rate, ours: []float64{110, 130, 120}, peers: [][]float64{{60}, {100, 100}, nil}},
		{row: seconds, ours: []float64{2}, peers: [][]float64{{3}}, errors: []error{errors.New("no memory")}},
	})
	got := strings.Join(strings.Fields(out.String()), " ")
	want := "gradients ours 120 samples/s (3 runs, ±8%) one 60 samples/s 2.00× " +
		"gradients ours 120 samples/s (3 runs, ±8%) two 100 samples/s 1.20× " +
		"gradients against the fastest 1.20×, target 1.1× met " +
		"spectrum failed: no memory spectrum ours 2 s (1 run) three 3 s 1.50× " +
		"spectrum against the fastest 1.50×, target 2.0× missed"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every row names a benchmark that its package has.
func TestRowsNameBenchmarks(t *testing.T) {
	for _, r := range rows {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", "..", "..", r.pkg, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no tests in %s, %v", r.name, r.pkg, err)
		}
		function, _, _ := strings.Cut(r.bench, "/")
		found := false
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "func "+function+"(")
		}
		if !found {
			t.Errorf("%s: %s has no %s", r.name, r.pkg, function)
		}
	}
}

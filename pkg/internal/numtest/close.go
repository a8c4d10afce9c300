package numtest

import (
	"math"
	"testing"
)

// Close reports an error unless |got − want| ≤ tol (absolute). NaN is close to
// nothing, an infinity only to itself.
func Close(t testing.TB, name string, got, want, tol float64) {
	t.Helper()
	if !(got == want || math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %.17g, want %.17g, difference %.3g, tolerance %.3g", name, got, want, got-want, tol)
	}
}

// CloseSlice reports an error unless got and want have the same length and
// max|gotᵢ − wantᵢ| ≤ tol (absolute). It prints the worst entry.
func CloseSlice(t testing.TB, name string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d values, want %d", name, len(got), len(want))
		return
	}
	if i, diff := worst(got, want); !(diff <= tol) {
		t.Errorf("%s: entry %d: got %.17g, want %.17g, difference %.3g, tolerance %.3g", name, i, got[i], want[i], diff, tol)
	}
}

// RelSlice reports an error unless got and want have the same length and
// max|gotᵢ − wantᵢ| ≤ rel·max|wantᵢ|. It prints the worst entry.
func RelSlice(t testing.TB, name string, got, want []float64, rel float64) {
	t.Helper()
	var scale float64
	for _, w := range want {
		scale = max(scale, math.Abs(w))
	}
	CloseSlice(t, name, got, want, rel*scale)
}

// worst returns the index and the size of the largest difference; a NaN on
// either side counts as an infinite one.
func worst(got, want []float64) (index int, diff float64) {
	for i, g := range got {
		if g == want[i] {
			continue
		}
		d := math.Abs(g - want[i])
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		if d > diff {
			index, diff = i, d
		}
	}
	return index, diff
}

package ledger

import (
	"slices"
	"testing"

	"sgdlab/pkg/internal/numtest"
)

func TestEnumerations(t *testing.T) {
	count := func(run func(visit func([]int))) (n int, distinct map[string]bool) {
		distinct = map[string]bool{}
		run(func(batch []int) {
			n++
			key := ""
			for _, k := range batch {
				key += string(rune('a' + k))
			}
			distinct[key] = true
		})
		return n, distinct
	}
	for _, tt := range []struct {
		name string
		run  func(visit func([]int))
		want int
	}{
		{"4³ ordered batches", func(v func([]int)) { ordered(4, 3, v) }, 64},
		{"6 over 2 subsets", func(v func([]int)) { subsets(6, 2, v) }, 15},
		{"6 over 6 subsets", func(v func([]int)) { subsets(6, 6, v) }, 1},
		{"5! permutations", func(v func([]int)) { permutations(5, v) }, 120},
	} {
		if n, distinct := count(tt.run); n != tt.want || len(distinct) != tt.want {
			t.Errorf("%s: got %d, %d of them distinct, want %d", tt.name, n, len(distinct), tt.want)
		}
	}
	permutations(4, func(perm []int) {
		sorted := slices.Clone(perm)
		if slices.Sort(sorted); !slices.Equal(sorted, []int{0, 1, 2, 3}) {
			t.Errorf("not a permutation: %v", perm)
		}
	})
}

// The hand-written gradient of the batch-norm unit against central differences of its
// loss.
func TestNormUnitGradient(t *testing.T) {
	const h = 1e-5
	for _, l := range []normUnit{{frozen: true}, {frozen: false}} {
		subsets(6, 3, func(batch []int) {
			got := l.gradient(normWeights, batch)
			want := make([]float64, 2)
			for i := range want {
				up, down := slices.Clone(normWeights), slices.Clone(normWeights)
				up[i] += h
				down[i] -= h
				want[i] = (l.loss(up, batch) - l.loss(down, batch)) / (2 * h)
			}
			// Truncation h²/6·f‴ with f‴ up to 10³ where the variance of a batch is
			// small, and round-off 2⁻⁵³/h = 1e-11.
			numtest.CloseSlice(t, "gradient", got, want, 1e-7)
		})
	}
}

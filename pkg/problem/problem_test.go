package problem_test

import (
	"fmt"
	"strings"
	"testing"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

func TestBlockRowTo(t *testing.T) {
	f64 := problem.Block{Index: []int{4, 2}, Dim: 3, F64: []float64{1, 2, 3, 4, 5, 6}}
	f32 := problem.Block{Index: []int{4, 2}, Dim: 3, F32: []float32{1, 2, 3, 4, 5, 6}}
	for _, b := range []problem.Block{f64, f32} {
		if b.Rows() != 2 {
			t.Errorf("rows: got %d, want 2", b.Rows())
		}
		numtest.CloseSlice(t, "row 1", b.RowTo(nil, 1), []float64{4, 5, 6}, 0)
		dst := make([]float64, 3)
		if got := b.RowTo(dst, 0); &got[0] != &dst[0] {
			t.Error("RowTo returned another slice than dst")
		}
		numtest.CloseSlice(t, "row 0", dst, []float64{1, 2, 3}, 0)
		for name, fn := range map[string]func(){
			"short dst": func() { b.RowTo(make([]float64, 2), 0) },
			"row 2":     func() { b.RowTo(nil, 2) },
			"row −1":    func() { b.RowTo(nil, -1) },
		} {
			if msg := fmt.Sprint(panics(fn)); !strings.HasPrefix(msg, "problem: ") {
				t.Errorf("%s: got %q, want a panic of this package", name, msg)
			}
		}
	}
}

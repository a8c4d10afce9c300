package syrk_test

import (
	"fmt"

	"sgdlab/pkg/internal/syrk"
)

// Two samples of three numbers: GᵀG in the lower triangle.
func ExampleLower32() {
	g := []float32{
		1, 2, 3,
		0, 1, -1,
	}
	dst := make([]float64, 9)
	syrk.Lower32(dst, g, 2, 3, 0)
	for i := range 3 {
		fmt.Println(dst[3*i : 3*i+i+1])
	}
	// Output:
	// [1]
	// [2 5]
	// [3 5 10]
}

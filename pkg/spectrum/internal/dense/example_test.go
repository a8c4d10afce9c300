package dense_test

import (
	"fmt"

	"sgdlab/pkg/spectrum/internal/dense"
)

// The eigenvalues of [[2, 1], [1, 2]] are 1 and 3.
func ExampleEigenvalues() {
	a := []float64{
		2, 0, // above the diagonal: not read
		1, 2,
	}
	values, err := dense.Eigenvalues(a, 2, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f\n", values)
	// Output:
	// [1.000 3.000]
}

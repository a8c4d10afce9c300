package fokkerplanck_test

import (
	"fmt"

	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/problem"
)

// The steady state of Example 19 does not depend on the rotation; the current does.
func Example() {
	s := problem.EX19(0.5).System()
	l, err := fokkerplanck.Blind(s, fokkerplanck.Grid{Box: s.Box, NX: 60, NY: 80})
	if err != nil {
		panic(err)
	}
	steady, err := l.Steady()
	if err != nil {
		panic(err)
	}
	x1 := steady.Mean(func(x, _ float64) float64 { return x * x })
	fmt.Printf("E x₁² = %.2f, area rate %.2f\n", x1, l.Current(steady.P).AreaRate())
	// Output: E x₁² = 1.04, area rate 0.21
}

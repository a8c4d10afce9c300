package sde

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Observable is a quantity averaged along every path. Its value for one step may depend
// on the states before and after it; it must not keep or change them, and must allow
// concurrent calls.
type Observable struct {
	Name  string
	Rate  bool // the average is per unit time, not per step
	Value func(before, after []float64) float64

	dim int // the least dimension of the state
}

// Moment is 𝔼∏xᵢ^pᵢ of the state after the step, one power per component; it is not
// centred. It panics if a power is negative.
func Moment(powers ...int) Observable {
	var name strings.Builder
	for i, p := range powers {
		switch {
		case p < 0:
			panic(fmt.Sprintf("sde: negative power %d in a moment", p))
		case p == 1:
			fmt.Fprintf(&name, "x%d ", i+1)
		case p > 1:
			fmt.Fprintf(&name, "x%d^%d ", i+1, p)
		}
	}
	var factors []int // one component for every power
	for i, p := range powers {
		factors = append(factors, slices.Repeat([]int{i}, p)...)
	}
	return Observable{dim: len(powers), Name: "mean of " + strings.TrimSpace(name.String()), Value: func(_, after []float64) float64 {
		v := 1.
		for _, i := range factors {
			v *= after[i]
		}
		return v
	}}
}

// AreaRate is the mean of ½(xᵢẋⱼ − xⱼẋᵢ), with components counted from 0: positive if the
// paths turn from i towards j. The product of a step is the same in the sense of Itô and
// of Stratonovich. It panics if i = j.
func AreaRate(i, j int) Observable {
	if i == j || i < 0 || j < 0 {
		panic(fmt.Sprintf("sde: the area rate needs two components: got %d and %d", i, j))
	}
	return Observable{dim: max(i, j) + 1, Name: fmt.Sprintf("area rate of x%d, x%d", i+1, j+1), Rate: true, Value: func(before, after []float64) float64 {
		return (before[i]*after[j] - before[j]*after[i]) / 2
	}}
}

// RayFlux is the net number of crossings per unit time of the ray {x₂ = 0, x₁ > r0}, the
// counter-clockwise ones positive. Between two states the path is taken as straight.
func RayFlux(r0 float64) Observable {
	if math.IsNaN(r0) {
		panic("sde: the ray of a flux begins at NaN")
	}
	return Observable{dim: 2, Name: fmt.Sprintf("flux through the ray from %.6g", r0), Rate: true, Value: func(before, after []float64) float64 {
		if (before[1] < 0) == (after[1] < 0) {
			return 0
		}
		at := before[0] + (after[0]-before[0])*before[1]/(before[1]-after[1])
		switch {
		case !(at > r0):
			return 0
		case before[1] < 0:
			return 1
		}
		return -1
	}}
}

// Estimate is the average of an observable over time and walkers.
type Estimate struct {
	Name   string  `json:"name"`
	Mean   float64 `json:"mean"`
	StdErr float64 `json:"std_err"` // of Mean: from the spread of the walkers, which are independent, not from time series; NaN for one walker
}

// String returns "name = mean ± standard error".
func (e Estimate) String() string { return fmt.Sprintf("%s = %.6g ± %.2g", e.Name, e.Mean, e.StdErr) }

// estimate averages one value per walker, in their order; NaN stands for a walker that
// blew up.
func estimate(name string, values []float64) Estimate {
	var n, mean, square float64
	for _, v := range values {
		if math.IsNaN(v) {
			continue
		}
		n++
		d := v - mean
		mean += d / n
		square += d * (v - mean)
	}
	if n == 0 {
		return Estimate{name, math.NaN(), math.NaN()}
	}
	return Estimate{name, mean, math.Sqrt(square / (n - 1) / n)}
}

package trajectory

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// MeanOf returns the mean of x (n) with the standard error from the means of blocks, which
// should be several correlation times long. It returns an error if there are fewer than 40
// blocks, or x is constant or not finite, and panics if block < 1.
func MeanOf(x []float64, block int) (Estimate, error) {
	if err := varying("the series", x, 2); err != nil {
		return Estimate{}, err
	}
	if err := checkBlocks(len(x), block); err != nil {
		return Estimate{}, err
	}
	return blockEstimate(x, block), nil
}

// ZeroMean tests whether the mean of x (n) is zero: the p-value of Student's t of the block
// means, two-sided. It is the test of every identity ⟨x⟩ = 0 of a stationary run, such as
//
//	⟨x·∇f(x)⟩ = (η/2)⟨‖∇f_b(x)‖²⟩,
//
// exact for SGD with independent batches of any loss. statements.md §6.3. It returns
// an error where [MeanOf] does.
func ZeroMean(x []float64, block int) (Estimate, float64, error) {
	e, err := MeanOf(x, block)
	if err != nil {
		return e, 0, err
	}
	return e, studentP(e.Z(0), float64(len(x)/block-1)), nil
}

// studentP is the two-sided p-value of a t with nu degrees of freedom.
func studentP(t, nu float64) float64 {
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: nu}.CDF(-math.Abs(t))
}

// Halves compares the two halves of a series.
type Halves struct {
	Block     int      `json:"block"`
	First     Estimate `json:"first"` // mean of the first half
	Second    Estimate `json:"second"`
	PMean     float64  `json:"p_mean"`     // of equal means
	PVariance float64  `json:"p_variance"` // of equal mean squares about the mean of each half
}

// SplitHalves tests whether the two halves of x (n) have the same mean and the same variance, by
// Welch's t of the means of blocks. Blocks should be several correlation times long; then
// they are nearly independent. A small p says that x is not stationary on the run, or that
// the blocks are too short; a large one says nothing about slower motion.
//
// It returns an error if a half has fewer than 20 blocks, or x is constant or not finite,
// and panics if block < 1.
func SplitHalves(x []float64, block int) (Halves, error) {
	if err := varying("the series", x, 4); err != nil {
		return Halves{}, err
	}
	half := len(x) / 2
	if err := checkBlocks(2*half/block*block, block); err != nil {
		return Halves{}, err
	}
	out := Halves{Block: block}
	parts := [2][]float64{x[:half], x[len(x)-half:]}
	var means, squares [2][]float64
	for i, part := range parts {
		mean := stat.Mean(part, nil)
		means[i] = blockMeans(part, block)
		sq := make([]float64, len(part))
		for k, v := range part {
			sq[k] = (v - mean) * (v - mean)
		}
		squares[i] = blockMeans(sq, block)
		if e := blockEstimate(part, block); i == 0 {
			out.First = e
		} else {
			out.Second = e
		}
	}
	out.PMean = welch(means[0], means[1])
	out.PVariance = welch(squares[0], squares[1])
	return out, nil
}

// Detrended returns x (n) less the straight line that fits it best: what is left of a run whose mean
// moves slowly. It panics if x has fewer than two values.
func Detrended(x []float64) []float64 {
	if len(x) < 2 {
		panic(fmt.Sprintf("trajectory: no line through %d values", len(x)))
	}
	middle := float64(len(x)-1) / 2
	var sum, slope, squares float64
	for k, v := range x {
		u := float64(k) - middle
		sum += v
		slope += u * v
		squares += u * u
	}
	mean := sum / float64(len(x))
	slope /= squares
	out := make([]float64, len(x))
	for k, v := range x {
		out[k] = v - mean - slope*(float64(k)-middle)
	}
	return out
}

// welch returns the two-sided p-value of Welch's t test of equal means.
func welch(a, b []float64) float64 {
	ma, va := stat.MeanVariance(a, nil)
	mb, vb := stat.MeanVariance(b, nil)
	va, vb = va/float64(len(a)), vb/float64(len(b))
	if va+vb == 0 {
		return 1
	}
	nu := (va + vb) * (va + vb) / (va*va/float64(len(a)-1) + vb*vb/float64(len(b)-1))
	return studentP((ma-mb)/math.Sqrt(va+vb), nu)
}

package problem

import "math"

// Tensor is a symmetric 2×2 matrix [XX XY; XY YY].
//
//	d := problem.Tensor{XX: 1, XY: 0.9, YY: 1} // the D of REF
type Tensor struct{ XX, XY, YY float64 }

// MulVec returns the product with the vector (x, y).
func (t Tensor) MulVec(x, y float64) (u, v float64) { return t.XX*x + t.XY*y, t.XY*x + t.YY*y }

// Trace returns XX + YY.
func (t Tensor) Trace() float64 { return t.XX + t.YY }

// Det returns the determinant.
//
//	det := problem.Tensor{XX: 1, XY: 0.9, YY: 1}.Det() // 0.19
func (t Tensor) Det() float64 { return t.XX*t.YY - t.XY*t.XY }

// Eigenvalues returns the two eigenvalues, lower ≤ upper, each with an error of rounding
// relative to the larger one in size.
func (t Tensor) Eigenvalues() (lower, upper float64) {
	mean, half := (t.XX+t.YY)/2, math.Hypot((t.XX-t.YY)/2, t.XY)
	return mean - half, mean + half
}

// Inverse returns the inverse. Its entries are not finite if t is singular.
func (t Tensor) Inverse() Tensor {
	det := t.Det()
	return Tensor{t.YY / det, -t.XY / det, t.XX / det}
}

// Root returns the symmetric positive semi-definite S with S·S = t, by
//
//	S = (t + √det t · I) / √(tr t + 2√det t),
//
// which holds for singular t as well. An eigenvalue is taken as zero if it is negative
// by less than 1e-12 of the trace; ok is false, and S has no meaning, if t is not
// positive semi-definite or not finite.
func (t Tensor) Root() (s Tensor, ok bool) {
	trace := t.XX + t.YY
	det := t.XX*t.YY - t.XY*t.XY
	if !(det > 0) { // singular, indefinite, zero or NaN
		if !(det >= -1e-12*trace*trace) || !(t.XX >= -1e-12*trace) || !(t.YY >= -1e-12*trace) || !(trace >= 0) {
			return Tensor{}, false
		}
		if trace == 0 {
			return Tensor{}, true
		}
		det = 0
	} else if !(trace > 0 && trace <= math.MaxFloat64) {
		return Tensor{}, false
	}
	root := math.Sqrt(det)
	scale := 1 / math.Sqrt(trace+2*root)
	return Tensor{(t.XX + root) * scale, t.XY * scale, (t.YY + root) * scale}, true
}

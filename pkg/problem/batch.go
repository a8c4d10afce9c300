package problem

// Lanes is the number of points in a [Batch].
const Lanes = 16

// Batch is Lanes points (x₁, x₂), and the drift (u₁, u₂) and the diffusion [XX XY; XY YY]
// at each of them.
type Batch struct {
	X1, X2     [Lanes]float64 // the points, as they are given
	U1, U2     [Lanes]float64 // u at them
	XX, XY, YY [Lanes]float64 // D at them
}

package problem

// Lanes is the number of points in a [Batch].
const Lanes = 16

// Batch is Lanes points (x₁, x₂), and the drift (u₁, u₂) and the diffusion [XX XY; XY YY]
// at each of them.
type Batch struct {
	X1, X2, U1, U2, XX, XY, YY [Lanes]float64
}

package problem

// TensorWell is a double well at equilibrium with a full D that depends on the state,
//
//	Φ(x) = ¼(x₁²−1)² + ½x₂²,   β = 1,   u = −D∇Φ + ∇·D,   j = 0,
//	D(x) = [1 + 0.3 sin x₁ cos x₂   0.3 cos(x₁−x₂)  ]
//	       [0.3 cos(x₁−x₂)          1 + 0.4 sin(x₁+x₂)],
//
// positive definite everywhere. Its moments are those of [EX19].
func TensorWell() *System {
	zero := func([]float64) float64 { return 0 }
	both := func(u, x []float64) Tensor {
		d, div1, div2 := tensorWell(x[0], x[1])
		g1, g2 := x[0]*(x[0]*x[0]-1), x[1]
		u[0], u[1] = div1-(d.XX*g1+d.XY*g2), div2-(d.XY*g1+d.YY*g2)
		return d
	}
	return &System{
		Name: "tensor well", Beta: 1, Box: doubleWellBox,
		Drift:          func(dst, x []float64) { both(dst, x) },
		Diffusion:      func(x []float64) Tensor { d, _, _ := tensorWell(x[0], x[1]); return d },
		Coefficients:   both,
		Batch:          tensorWellBatch,
		DivDiffusion:   func(dst, x []float64) { _, dst[0], dst[1] = tensorWell(x[0], x[1]) },
		Potential:      doubleWell,
		Gradient:       doubleWellGradient,
		Force:          zeroVector,
		Skew:           zero,
		StreamFunction: zero,
	}
}

// tensorWell returns D and ∇·D of [TensorWell].
func tensorWell(x, y float64) (d Tensor, div1, div2 float64) {
	sx, cx := sincos(x)
	sy, cy := sincos(y)
	sc, cs, cc, ss := sx*cy, cx*sy, cx*cy, sx*sy
	d = Tensor{XX: 1 + .3*sc, XY: .3 * (cc + ss), YY: 1 + .4*(sc+cs)}
	slope := .3 * (sc - cs) // 0.3 sin(x₁−x₂)
	return d, .3*cc + slope, .4*(cc-ss) - slope
}

package problem

import "math"

// XD is the system whose D and Q both depend on the state, made to test
// [chaudhari2018] eq. (19) with all its terms,
//
//	Φ(x) = ½(x₁²+x₂²) + (x₁⁴+x₂⁴)/20,   q(x) = 0.8 cos x₁ + 0.5 sin x₂,
//	D(x) = diag(1 + 0.3 sin x₁ cos x₂, 1 + 0.4 sin(x₁+x₂)),   β = 1,
//	u = −(D+Q)∇Φ + β⁻¹∇·(D+Q).
//
// The divergences are those of the rows. With the paper's "column-wise" divergence of Q
// e^(−βΦ) is not stationary (erratum E14).
//
//	s := problem.XD()
//	d := s.Diffusion([]float64{0.7, -0.4}) // a Tensor
func XD() *System {
	gradient := func(dst, x []float64) {
		dst[0], dst[1] = x[0]+x[0]*x[0]*x[0]/5, x[1]+x[1]*x[1]*x[1]/5
	}
	potential := func(x []float64) float64 {
		a, b := x[0]*x[0], x[1]*x[1]
		return (a+b)/2 + (a*a+b*b)/20
	}
	diffusion := func(x []float64) Tensor {
		return Tensor{XX: 1 + .3*math.Sin(x[0])*math.Cos(x[1]), YY: 1 + .4*math.Sin(x[0]+x[1])}
	}
	divergence := func(dst, x []float64) {
		dst[0], dst[1] = .3*math.Cos(x[0])*math.Cos(x[1]), .4*math.Cos(x[0]+x[1])
	}
	skew := func(x []float64) float64 { return .8*math.Cos(x[0]) + .5*math.Sin(x[1]) }
	force := func(dst, x []float64) { // −Q∇Φ + ∇·Q, ∇·Q = (∂₂q, −∂₁q)
		q := skew(x)
		gradient(dst, x)
		dst[0], dst[1] = -q*dst[1]+.5*math.Cos(x[1]), q*dst[0]+.8*math.Sin(x[0])
	}
	both := func(u, x []float64) Tensor {
		// The same as below with two sines and two cosines in all.
		sx, cx := sincos(x[0])
		sy, cy := sincos(x[1])
		d := Tensor{XX: 1 + .3*sx*cy, YY: 1 + .4*(sx*cy+cx*sy)}
		q := .8*cx + .5*sy
		g1, g2 := x[0]+x[0]*x[0]*x[0]/5, x[1]+x[1]*x[1]*x[1]/5
		u[0] = -d.XX*g1 - q*g2 + .3*cx*cy + .5*cy
		u[1] = -d.YY*g2 + q*g1 + .4*(cx*cy-sx*sy) + .8*sx
		return d
	}
	return &System{
		Name: "XD", Beta: 1, Box: Box{-4.5, 4.5, -4.5, 4.5},
		Drift: func(dst, x []float64) {
			var j, div [2]float64
			force(j[:], x)
			divergence(div[:], x)
			gradient(dst, x)
			d := diffusion(x)
			dst[0] = j[0] - d.XX*dst[0] + div[0]
			dst[1] = j[1] - d.YY*dst[1] + div[1]
		},
		Diffusion:      diffusion,
		Coefficients:   both,
		Batch:          xdBatch,
		DivDiffusion:   divergence,
		Potential:      potential,
		Gradient:       gradient,
		Force:          force,
		Skew:           skew,
		StreamFunction: streamFromSkew(1, skew, potential),
	}
}

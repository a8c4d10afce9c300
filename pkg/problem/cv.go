package problem

// CV is the system "curved valley", a genuine loss with constant anisotropic noise,
//
//	f(x) = ¼(x₁²−1)² + (x₂ − ½x₁²)²,   D = diag(1, 0.1),   β = 1,
//
// with minima of f at (±1, ½). Its potential has no closed form and depends on β: at
// constant D that means Assumption 4 fails. Exact at every β, because 𝔼∇f = 0:
// 𝔼x₂ = ½𝔼x₁² (0.4620 at β = 1).
//
// The box holds all but a mass of about 1e-6 at β = 1. Use [System.AtBeta] for others.
//
//	v, err := plane.Solve(problem.CV(), 120)
func CV() *System {
	return &System{
		Name: "CV", Beta: 1, Box: Box{-3.2, 3.2, -2.5, 6},
		Drift: func(dst, x []float64) {
			across := x[1] - x[0]*x[0]/2
			dst[0] = -x[0]*(x[0]*x[0]-1) + 2*x[0]*across
			dst[1] = -2 * across
		},
		Loss: func(x []float64) float64 {
			well, across := x[0]*x[0]-1, x[1]-x[0]*x[0]/2
			return well*well/4 + across*across
		},
		Diffusion:    func([]float64) Tensor { return Tensor{XX: 1, YY: .1} },
		Batch:        cvBatch,
		DivDiffusion: func(dst, _ []float64) { dst[0], dst[1] = 0, 0 },
	}
}

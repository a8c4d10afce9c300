package kernel

// portable returns the kernels in plain Go: the definition that the others are
// tested against.
func portable() *Set {
	return &Set{
		Name:          "portable Go",
		MulTN32:       widened(mulTN[float32]),
		MulTN64:       mulTN[float64],
		MulNN64:       mulNN,
		PanelStep:     panelStep,
		BandMulVec:    bandMulVec,
		BandReflect:   bandReflect,
		BandSymMulVec: bandSymMulVec,
		BandRankTwo:   bandRankTwo,
	}
}

func mulTN[T float32 | float64](k int, a, b, c, _ []T) {
	// Four rows of b at a time: c is read and written once for four products.
	l := 0
	for ; l+4 <= k; l += 4 {
		al := a[l*Width : (l+4)*Width]
		bl := b[l*Width : (l+4)*Width]
		b0, b1, b2, b3 := (*[Width]T)(bl), (*[Width]T)(bl[Width:]), (*[Width]T)(bl[2*Width:]), (*[Width]T)(bl[3*Width:])
		for i := range Width {
			x0, x1, x2, x3 := al[i], al[i+Width], al[i+2*Width], al[i+3*Width]
			ci := (*[Width]T)(c[i*Width:])
			for j := range ci {
				ci[j] += x0*b0[j] + x1*b1[j] + (x2*b2[j] + x3*b3[j])
			}
		}
	}
	for ; l < k; l++ {
		bl := (*[Width]T)(b[l*Width:])
		for i := range Width {
			x := a[l*Width+i]
			ci := (*[Width]T)(c[i*Width:])
			for j := range ci {
				ci[j] += x * bl[j]
			}
		}
	}
}

func mulNN(a, b, c, _ []float64) {
	for i := range Width {
		ai := (*Vector)(a[i*Width:])
		ci := (*Vector)(c[i*Width:])
		for l := 0; l < Width; l += 4 {
			bl := b[l*Width : (l+4)*Width]
			b0, b1, b2, b3 := (*Vector)(bl), (*Vector)(bl[Width:]), (*Vector)(bl[2*Width:]), (*Vector)(bl[3*Width:])
			x0, x1, x2, x3 := ai[l], ai[l+1], ai[l+2], ai[l+3]
			for j := range ci {
				ci[j] += x0*b0[j] + x1*b1[j] + (x2*b2[j] + x3*b3[j])
			}
		}
	}
}

// widened returns mulTN with a float32 tile of its own for the sum.
func widened(mulTN func(k int, a, b, c, _ []float32)) func(k int, a, b []float32, c []float64, _ []float32) {
	return func(k int, a, b []float32, c []float64, _ []float32) {
		var sum [Tile]float32
		mulTN(k, a, b, sum[:], nil)
		c = c[:Tile]
		for i, x := range sum {
			c[i] += float64(x)
		}
	}
}

func panelStep(rows int, p []float64, col, next int, scale float64, w, g *Vector) {
	first := next &^ 15
	for r := range rows {
		row := (*Vector)(p[r*Width:])
		v := row[col] * scale
		for j := first; j < Width; j++ {
			row[j] -= v * w[j]
		}
		y := row[next]
		for j := first; j < Width; j++ {
			g[j] += y * row[j]
		}
	}
}

func bandMulVec(e []float64, v, y *Vector) {
	clear(y[:])
	for j, x := range v {
		for i, a := range (*Vector)(e[j*BandStride:]) {
			y[i] += a * x
		}
	}
}

func bandReflect(e []float64, u, y, p *Vector, tau float64) {
	for j := 1; j < Width; j++ {
		col := (*Vector)(e[j*BandStride:])
		var dot float64
		for i := range col {
			col[i] -= y[i] * u[j]
			dot += p[i] * col[i]
		}
		dot *= tau
		for i := range col {
			col[i] -= dot * p[i]
		}
	}
}

func bandSymMulVec(a []float64, v, y *Vector) {
	clear(y[:])
	for j := range Width {
		col := (*Vector)(a[j*BandStride:])
		dot := col[j] * v[j]
		for i := j + 1; i < Width; i++ {
			y[i] += col[i] * v[j]
			dot += col[i] * v[i]
		}
		y[j] += dot
	}
}

func bandRankTwo(a []float64, v, w *Vector) {
	for j := range Width {
		col := (*Vector)(a[j*BandStride:])
		for i := j; i < Width; i++ {
			col[i] -= v[i]*w[j] + w[i]*v[j]
		}
	}
}

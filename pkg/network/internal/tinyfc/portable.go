package tinyfc

import "math"

// portable is plain loops in float64.
type portable struct {
	data        *Data
	xhat, h, dy []float64 // rows × Hidden
	image       [Inputs]float64
}

// NewPortable returns the engine that computes in float64 on any processor.
func NewPortable(d *Data) Engine { return &portable{data: d} }

func (*portable) String() string { return "portable, float64" }

func (e *portable) GradTo(dst, x []float64, idx []int, frozen bool, m *Moments) float64 {
	w1, b1, gamma, beta, w2, b2 := x[:atB1], x[atB1:atGamma], x[atGamma:atBeta], x[atBeta:atW2], x[atW2:atB2], x[atB2:Dim]
	clear(dst)
	dw1, db1, dgamma, dbeta, dw2, db2 := dst[:atB1], dst[atB1:atGamma], dst[atGamma:atBeta], dst[atBeta:atW2], dst[atW2:atB2], dst[atB2:Dim]
	if idx == nil {
		idx = e.data.all()
	}
	rows := len(idx)
	if len(e.h) < rows*Hidden {
		e.xhat, e.h, e.dy = make([]float64, rows*Hidden), make([]float64, rows*Hidden), make([]float64, rows*Hidden)
	}

	for n, k := range idx {
		z := e.xhat[n*Hidden:][:Hidden]
		e.load(k)
		for j := range z {
			z[j] = b1[j] + dot(w1[j*Inputs:][:Inputs], e.image[:])
		}
	}
	if !frozen {
		e.moments(m, rows)
	}
	var inverse [Hidden]float64 // of the standard deviation
	for j, v := range m.Variance {
		inverse[j] = 1 / math.Sqrt(v+e.data.epsilon)
	}

	var loss float64
	scale := 1 / float64(rows)
	for n, k := range idx {
		xhat, h, dy := e.xhat[n*Hidden:][:Hidden], e.h[n*Hidden:][:Hidden], e.dy[n*Hidden:][:Hidden]
		for j := range xhat {
			xhat[j] = (xhat[j] - m.Mean[j]) * inverse[j]
			h[j] = max(gamma[j]*xhat[j]+beta[j], 0)
			dy[j] = 0
		}
		var p [Classes]float64
		for c := range p {
			p[c] = b2[c] + dot(w2[c*Hidden:][:Hidden], h)
		}
		label := e.data.labels[k]
		loss += softmax(&p, label)
		p[label]--
		for c, v := range p {
			v *= scale
			db2[c] += v
			w, dw := w2[c*Hidden:][:Hidden], dw2[c*Hidden:][:Hidden]
			for j := range w {
				dw[j] += v * h[j]
				dy[j] += v * w[j]
			}
		}
		for j := range dy {
			if h[j] <= 0 {
				dy[j] = 0
			}
			dbeta[j] += dy[j]
			dgamma[j] += dy[j] * xhat[j]
		}
	}

	for n, k := range idx {
		xhat, dy := e.xhat[n*Hidden:][:Hidden], e.dy[n*Hidden:][:Hidden]
		e.load(k)
		for j := range dy {
			dz := dy[j]
			if !frozen { // the mean and the variance depend on every sample
				dz -= (dbeta[j] + xhat[j]*dgamma[j]) * scale
			}
			dz *= gamma[j] * inverse[j]
			if frozen { // otherwise the sum is 0: the batch mean takes the bias away
				db1[j] += dz
			}
			dw := dw1[j*Inputs:][:Inputs]
			for i, v := range e.image {
				dw[i] += dz * v
			}
		}
	}
	return loss * scale
}

// load converts image k.
func (e *portable) load(k int) {
	for i, v := range e.data.images[k] {
		e.image[i] = float64(v)
	}
	e.image[body] = float64(e.data.last[k])
}

// moments stores those of the first rows of e.xhat in m.
func (e *portable) moments(m *Moments, rows int) {
	*m = Moments{}
	scale := 1 / float64(rows)
	for i, z := range e.xhat[:rows*Hidden] {
		m.Mean[i%Hidden] += z * scale
	}
	for i, z := range e.xhat[:rows*Hidden] {
		c := z - m.Mean[i%Hidden]
		m.Variance[i%Hidden] += c * c * scale
	}
}

// softmax turns logits into probabilities and returns −log of that of the label.
func softmax(p *[Classes]float64, label uint8) float64 {
	largest := math.Inf(-1)
	for _, v := range p {
		largest = max(largest, v)
	}
	var sum float64
	at := p[label] - largest
	for c, v := range p {
		p[c] = math.Exp(v - largest)
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
	return math.Log(sum) - at
}

// dot has four sums, so that additions overlap.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

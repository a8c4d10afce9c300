package ledger

import "math"

// normUnit is the smallest network with batch normalisation: u = w·x, z = (u−m)/√(v+ε),
// loss mean (z−y)² over six fixed samples with two inputs each. With frozen statistics m
// and v are those of all samples at normWeights, otherwise those of the batch.
type normUnit struct {
	frozen bool
}

const normEpsilon = 1e-5

var (
	normWeights = []float64{1, 0.5}
	normInputs  = [6][2]float64{{0.4, -1.1}, {1.3, 0.2}, {-0.7, 0.9}, {0.1, 1.6}, {-1.2, -0.3}, {0.8, 0.5}}
	normTargets = [6]float64{0.5, -0.2, 1.1, 0.3, -0.9, 0.7}
	normAll     = []int{0, 1, 2, 3, 4, 5}
)

// statistics returns the mean and the variance, divided by n, of u over the batch.
func (normUnit) statistics(w []float64, batch []int) (mean, variance float64) {
	n := float64(len(batch))
	for _, k := range batch {
		mean += (w[0]*normInputs[k][0] + w[1]*normInputs[k][1]) / n
	}
	for _, k := range batch {
		u := w[0]*normInputs[k][0] + w[1]*normInputs[k][1]
		variance += (u - mean) * (u - mean) / n
	}
	return mean, variance
}

// normalised returns z of every sample of the batch and the scale 1/√(v+ε).
func (l normUnit) normalised(w []float64, batch []int) (z []float64, scale float64) {
	m, v := l.statistics(normWeights, normAll)
	if !l.frozen {
		m, v = l.statistics(w, batch)
	}
	scale = 1 / math.Sqrt(v+normEpsilon)
	z = make([]float64, len(batch))
	for i, k := range batch {
		z[i] = (w[0]*normInputs[k][0] + w[1]*normInputs[k][1] - m) * scale
	}
	return z, scale
}

func (l normUnit) loss(w []float64, batch []int) float64 {
	z, _ := l.normalised(w, batch)
	var sum float64
	for i, k := range batch {
		sum += (z[i] - normTargets[k]) * (z[i] - normTargets[k]) / float64(len(batch))
	}
	return sum
}

// gradient returns ∂loss/∂w. In training mode it includes that m and v depend on w.
func (l normUnit) gradient(w []float64, batch []int) []float64 {
	z, scale := l.normalised(w, batch)
	n := float64(len(batch))
	dz := make([]float64, len(batch))
	var sum, product float64
	for i, k := range batch {
		dz[i] = 2 * (z[i] - normTargets[k]) / n
		sum += dz[i]
		product += z[i] * dz[i]
	}
	g := make([]float64, 2)
	for i, k := range batch {
		du := dz[i]
		if !l.frozen {
			du -= sum/n + z[i]*product/n
		}
		g[0] += scale * du * normInputs[k][0]
		g[1] += scale * du * normInputs[k][1]
	}
	return g
}

// meanError returns the largest difference between the full gradient and the mean of the
// mini-batch gradients over all batches of three samples.
func (l normUnit) meanError() float64 {
	var mean moments
	subsets(len(normAll), 3, func(batch []int) { mean.add(l.gradient(normWeights, batch)) })
	return maxDiff(vector(mean.mean()), vector(l.gradient(normWeights, normAll)))
}

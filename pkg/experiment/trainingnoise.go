package experiment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/sgd"
)

// TrainingNoiseSettings are the choices of [TrainingNoise]; start from [Remark15].
type TrainingNoiseSettings struct {
	Samples  int          `json:"samples"`  // N
	Dropout  float64      `json:"dropout"`  // of the hidden units, in the third line
	Training sgd.Settings `json:"training"` // up to the weights at which the noise is measured; its batch size is that of the measurement
	Batches  int          `json:"batches"`  // gradients drawn in each mode, an even number

	Workers  int      `json:"-"` // 0 means GOMAXPROCS
	Progress Progress `json:"-"`
}

// Remark15 is the full setting of [TrainingNoise].
func Remark15() TrainingNoiseSettings {
	s := Remark14().Training
	s.Seed = 1
	return TrainingNoiseSettings{Samples: 8000, Dropout: 0.1, Training: s, Batches: 20_000}
}

// Quick returns s with a tenth of the batches and a quarter of the samples: seconds.
func (s TrainingNoiseSettings) Quick() TrainingNoiseSettings {
	s.Samples, s.Batches = s.Samples/4, s.Batches/10
	return s
}

// ModeNoise compares the covariance C of mini-batch gradients drawn in one mode, over
// independent batches of size b with replacement, with D(x)/b of evaluation mode at the same
// weights.
type ModeNoise struct {
	Mode       string   `json:"mode"`
	TraceRatio Estimate `json:"trace_ratio"` // b tr C / tr D; 1 if D is all there is
	Cosine     float64  `json:"cosine"`      // ⟨C,D⟩/(‖C‖‖D‖), Frobenius; 1 if C is a multiple of D. Unbiased for ⟨C,D⟩ and ‖C‖²
	Shift      Estimate `json:"shift"`       // ‖mean of the gradients − ∇f‖/‖∇f‖, the error from the spread of the mean; 0 if eq. (1) holds
}

// TrainingNoiseResult is what [TrainingNoise] returns.
type TrainingNoiseResult = Record[TrainingNoiseSettings, []ModeNoise]

// TrainingNoise measures what D(x), which is of evaluation mode, leaves out of the noise that
// training sees: the batch's own statistics in batch norm, and dropout. Tiny-fc on the
// digits 0–4. The first line, batches in evaluation mode, is the control: there C is D/b.
// [chaudhari2018] Remark 15 and App. E, erratum E21.
func TrainingNoise(ctx context.Context, s TrainingNoiseSettings) (*TrainingNoiseResult, error) {
	b := s.Training.BatchSize
	if s.Batches < 4 || s.Batches%2 != 0 || s.Samples < b {
		return nil, fmt.Errorf("experiment: %d batches of %d from %d samples: set an even number of at least 4 batches, and no fewer samples than a batch has", s.Batches, b, s.Samples)
	}
	record := newRecord[TrainingNoiseSettings, []ModeNoise]("remark15", s, "")
	ns := &network.Settings{Workers: s.Workers}
	data, _, err := fiveDigits(s.Samples)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	arch := network.TinyFC()
	x, stats, err := trained(ctx, arch, data, s.Training, s.Training.Seed, ns)
	if err != nil {
		return nil, err
	}
	record.stage("training", start)

	start = time.Now()
	net, err := network.New(arch, data, stats, ns)
	if err != nil {
		return nil, err
	}
	cov, err := noise.NewCovariance(ctx, net, x, &noise.Settings{Workers: s.Workers})
	if err != nil {
		return nil, err
	}
	var d mat.SymDense
	if err := cov.DenseTo(ctx, &d); err != nil {
		return nil, err
	}
	record.stage("D", start)

	dropped := network.TinyFC()
	dropped.Name = "tiny-fc with dropout"
	dropped.Layers = append(dropped.Layers[:len(dropped.Layers)-1:len(dropped.Layers)-1], network.Dropout{P: s.Dropout}, dropped.Layers[len(dropped.Layers)-1])
	for _, mode := range []struct {
		name string
		arch *network.Architecture // nil: evaluation mode
	}{
		{"evaluation", nil},
		{"training", &arch},
		{fmt.Sprintf("training with dropout %g", s.Dropout), &dropped},
	} {
		start := time.Now()
		var sum batchGradient = net
		if mode.arch != nil {
			if sum, err = network.NewTraining(*mode.arch, data, stats, s.Training.Seed, ns); err != nil {
				return nil, err
			}
		}
		m := ModeNoise{Mode: mode.name}
		draw := batchDraws{sum: sum, x: x, samples: data.N, batch: b, seed: s.Training.Seed, progress: s.Progress.of(mode.name)}
		if err := draw.compare(ctx, &m, &d, cov.MeanTo(nil), s.Batches); err != nil {
			return nil, err
		}
		record.Numbers = append(record.Numbers, m)
		record.stage(mode.name, start)
	}
	return record, nil
}

// batchGradient is a network in evaluation or in training mode.
type batchGradient interface {
	BatchGradTo(dst, x []float64, idx []int) (loss float64, err error)
}

// batchDraws draws gradients of independent batches at x.
type batchDraws struct {
	sum            batchGradient
	x              []float64
	samples, batch int
	seed           uint64
	progress       func(done, total int)
}

// compare fills m from count batches. Two halves give two independent covariances, whose
// product is free of the bias that the noise of either adds to its own norm.
func (b batchDraws) compare(ctx context.Context, m *ModeNoise, d *mat.SymDense, full []float64, count int) error {
	sampler := noise.NewSampler(noise.WithReplacement, b.samples, b.batch, rand.NewPCG(b.seed, 7))
	dim := len(b.x)
	halves := [2]*mat.SymDense{new(mat.SymDense), new(mat.SymDense)}
	mean := make([]float64, dim)
	var squares []float64
	for h := range halves {
		n := count / 2
		rows := mat.NewDense(n, dim, nil)
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			row := rows.RawRowView(i)
			if _, err := b.sum.BatchGradTo(row, b.x, sampler.Next(nil)); err != nil {
				return err
			}
			floats.AddScaled(mean, 1/float64(count), row)
			if b.progress != nil {
				b.progress(h*n+i+1, count)
			}
		}
		noise.DiffusionTo(halves[h], rows)
		halves[h].ScaleSym(float64(n)/float64(n-1), halves[h])
		center := make([]float64, dim)
		for i := range n {
			floats.AddScaled(center, 1/float64(n), rows.RawRowView(i))
		}
		for i := range n {
			squares = append(squares, math.Pow(floats.Distance(rows.RawRowView(i), center, 2), 2)*float64(n)/float64(n-1))
		}
	}
	scale := float64(b.batch) / mat.Trace(d)
	trace := estimate(squares)
	m.TraceRatio = Estimate{trace.Value * scale, trace.Error * scale}
	var both mat.SymDense
	both.AddSym(halves[0], halves[1])
	m.Cosine = inner(&both, d) / 2 / (math.Sqrt(inner(halves[0], halves[1])) * mat.Norm(d, 2))
	norm := floats.Norm(full, 2)
	m.Shift = Estimate{floats.Distance(mean, full, 2) / norm, math.Sqrt(trace.Value/float64(count)) / norm}
	return nil
}

// inner returns ⟨A,B⟩ = tr(AB).
func inner(a, b *mat.SymDense) float64 {
	n := a.SymmetricDim()
	var sum float64
	for i := range n {
		sum += a.At(i, i) * b.At(i, i)
		for j := range i {
			sum += 2 * a.At(i, j) * b.At(i, j)
		}
	}
	return sum
}

package experiment

import (
	"context"
	"fmt"
	"time"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/spectrum"
)

// Overlap compares D(x) at two points of one training: equal spectra are not equal matrices
// (erratum E20).
type Overlap struct {
	From   float64   `json:"from"` // fractions of the training
	To     float64   `json:"to"`
	Cosine float64   `json:"cosine"` // tr(D₁D₂)/(‖D₁‖‖D₂‖), 1 for multiples of each other
	Chance float64   `json:"chance"` // the same if the eigenvectors had nothing to do with each other
	Angles []float64 `json:"angles"` // principal angles between the k leading eigenvectors of both (k), radians, ascending
}

// overlaps compares the checkpoints with each other, or reads the comparison if it is there.
func (g *gradientNoise) overlaps(ctx context.Context) (*Record[GradientNoiseSettings, []Overlap], error) {
	record := newRecord[GradientNoiseSettings, []Overlap](g.settings.name(), g.settings, "")
	path := g.path(len(g.epochs)-1, "overlaps.json")
	before, err := resumed(path, record)
	if before != nil || err != nil {
		return before, err
	}
	start := time.Now()
	var points []*noise.Covariance
	var leading []*mat.Dense
	var norms []float64
	for i := range g.epochs {
		run, err := g.trainTo(ctx, i)
		if err != nil {
			return nil, err
		}
		net, err := network.New(g.arch, g.train, g.training.Stats(), &g.network)
		if err != nil {
			return nil, err
		}
		cov, err := noise.NewCovariance(ctx, net, run.X, &noise.Settings{
			Workers: g.settings.Workers, Progress: g.settings.Progress.of("gradients to compare"),
		})
		if err != nil {
			return nil, err
		}
		_, vectors, err := spectrum.TopVectors(ctx, cov, g.settings.Leading, &spectrum.Settings{Workers: g.settings.Workers})
		if err != nil {
			return nil, fmt.Errorf("experiment: leading eigenvectors at epoch %d: %w", g.epochs[i], err)
		}
		norm, err := cov.FrobeniusNorm(ctx)
		if err != nil {
			return nil, err
		}
		points, leading, norms = append(points, cov), append(leading, vectors), append(norms, norm)
	}
	for j := range points {
		for i := range j {
			a, b := points[i], points[j]
			cosine, err := noise.Cosine(ctx, a, b)
			if err != nil {
				return nil, err
			}
			record.Numbers = append(record.Numbers, Overlap{
				From: g.settings.Fractions[i], To: g.settings.Fractions[j],
				Cosine: round(cosine, 5),
				Chance: round(a.Trace()*b.Trace()/(float64(a.Dim())*norms[i]*norms[j]), 5),
				Angles: roundAll(spectrum.PrincipalAngles(leading[i], leading[j]), 4),
			})
		}
	}
	record.stage("overlaps", start)
	return record, record.Save(path)
}

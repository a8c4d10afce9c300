package experiment

import (
	"context"
	"time"

	"sgdlab/pkg/experiment/plane"
)

// CirculationResult is what [Circulation] returns.
type CirculationResult = Record[plane.CirculationSettings, plane.CirculationNumbers]

// Circulation runs [plane.Circulation], the bias of Euler–Maruyama in how fast Example 19
// turns, and records it.
func Circulation(ctx context.Context, s plane.CirculationSettings) (*CirculationResult, error) {
	start := time.Now()
	n, err := plane.Circulation(ctx, s)
	if err != nil {
		return nil, err
	}
	record := newRecord[plane.CirculationSettings, plane.CirculationNumbers]("circulation", s, "")
	record.Numbers = *n
	record.stage("walkers", start)
	return record, nil
}

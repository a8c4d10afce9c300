package plane

import (
	"context"
	"fmt"
	"math"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
)

// CirculationSettings are the choices of [Circulation].
//
//	s := plane.CirculationSettings{Strength: 1.5, Steps: []float64{0.02, 0.01}, Time: 50, BurnIn: 5, Walkers: 1000, Seed: 19}
type CirculationSettings struct {
	Strength float64   `json:"strength"` // λ of Example 19
	Steps    []float64 `json:"steps"`    // Δ of Euler–Maruyama (k), two or more
	Time     float64   `json:"time"`     // recorded of each walker
	BurnIn   float64   `json:"burn_in"`  // time before that
	Walkers  int       `json:"walkers"`
	Seed     uint64    `json:"seed"`

	Workers  int                   `json:"-"` // goroutines; 0 means GOMAXPROCS; no effect on any result
	Progress func(done, total int) `json:"-"` // of the steps Δ; nil: none
}

// CirculationFull is the setting of the committed result: six million units of time at each
// step, which know the flux to 0.1 %, in some minutes.
//
//	n, err := plane.Circulation(ctx, plane.CirculationFull()) // some minutes
func CirculationFull() CirculationSettings {
	return CirculationSettings{Strength: 1.5, Steps: []float64{.02, .01, .005}, Time: 100, BurnIn: 5, Walkers: 60_000, Seed: 78}
}

// CirculationQuick takes a second.
func CirculationQuick() CirculationSettings {
	s := CirculationFull()
	s.Steps, s.Time, s.Walkers = []float64{.02, .01}, 40, 500
	return s
}

// CirculationNumbers are moments and rates of turning of Example 19 against the step.
//
//	var n *plane.CirculationNumbers
//	n, err := plane.Circulation(ctx, plane.CirculationQuick())
type CirculationNumbers struct {
	Steps      []float64  `json:"steps"` // Δ (k)
	Quantities []Quantity `json:"quantities"`
}

// Quantity is one average against the step Δ, and the line through it, value + slope·Δ, by
// weighted least squares.
type Quantity struct {
	Name     string    `json:"name"`
	Exact    float64   `json:"exact"`   // closed form
	Mean     []float64 `json:"mean"`    // one for each step Δ
	StdErr   []float64 `json:"std_err"` // of these, one for each
	Limit    float64   `json:"limit"`   // of the line, at Δ = 0
	LimitErr float64   `json:"limit_err"`
	Slope    float64   `json:"slope"`
	SlopeErr float64   `json:"slope_err"`
}

// Circulation measures the second moments of Example 19, the rate of the area that its paths
// sweep and the flux through the positive x₁-axis, at several steps: what is a bias of the
// step falls with it, what is chance does not.
//
//	n, err := plane.Circulation(ctx, plane.CirculationQuick())
func Circulation(ctx context.Context, set CirculationSettings) (*CirculationNumbers, error) {
	if len(set.Steps) < 2 {
		return nil, fmt.Errorf("plane: a bias shows in two or more steps: got %v", set.Steps)
	}
	p := problem.EX19(set.Strength)
	xx, yy := p.SecondMoments()
	out := &CirculationNumbers{Steps: set.Steps, Quantities: []Quantity{
		{Name: "𝔼x₁²", Exact: xx}, {Name: "𝔼x₂²", Exact: yy}, {Name: "area rate", Exact: p.AreaRate()}, {Name: "ray flux", Exact: p.RayFlux(0)},
	}}
	for i, dt := range set.Steps {
		r, err := sde.Simulate(ctx, sde.Plane(p.System()), []float64{0, 0}, &sde.Settings{
			Step: dt, Steps: int(math.Round(set.Time / dt)), BurnIn: int(math.Round(set.BurnIn / dt)), Walkers: set.Walkers, Seed: set.Seed, Workers: set.Workers,
			Observables: []sde.Observable{sde.Moment(2, 0), sde.Moment(0, 2), sde.AreaRate(0, 1), sde.RayFlux(0)},
		})
		if err != nil {
			return nil, err
		}
		if r.Status != sde.Completed {
			return nil, fmt.Errorf("plane: %s with Δ = %v: %v", p.System().Name, dt, r.BlowUp)
		}
		for k, e := range r.Estimates {
			q := &out.Quantities[k]
			q.Mean, q.StdErr = append(q.Mean, e.Mean), append(q.StdErr, e.StdErr)
		}
		if set.Progress != nil {
			set.Progress(i+1, len(set.Steps))
		}
	}
	for k := range out.Quantities {
		out.Quantities[k].fit(set.Steps)
	}
	return out, nil
}

// fit puts the line through the means, with weights 1/StdErr².
func (q *Quantity) fit(steps []float64) {
	var w, x, y, xx, xy float64
	for i, dt := range steps {
		c := 1 / (q.StdErr[i] * q.StdErr[i])
		w, x, y, xx, xy = w+c, x+c*dt, y+c*q.Mean[i], xx+c*dt*dt, xy+c*dt*q.Mean[i]
	}
	det := w*xx - x*x
	q.Slope, q.SlopeErr = (w*xy-x*y)/det, math.Sqrt(w/det)
	q.Limit, q.LimitErr = (xx*y-x*xy)/det, math.Sqrt(xx/det)
}

// Off returns the distance of the limit Δ → 0 from the closed form in standard errors.
//
//	n, err := plane.Circulation(ctx, plane.CirculationQuick())
//	off := n.Quantities[0].Off()
func (q Quantity) Off() float64 { return (q.Limit - q.Exact) / q.LimitErr }

// Figure returns the deviations from the closed forms in per cent against the step, with two
// standard errors, for [figure.Curves].
func (n *CirculationNumbers) Figure() figure.CurvesFigure {
	r := figure.CurvesFigure{
		Title: "Euler–Maruyama on Example 19: deviation from the closed form", XLabel: "step Δ", YLabel: "deviation  (%)",
		Remark: "Bars are two standard errors; at one step all four quantities come from the same paths.",
	}
	for _, q := range n.Quantities {
		c := figure.Curve{Label: q.Name, Marked: true}
		for i := len(n.Steps) - 1; i >= 0; i-- { // abscissas ascend
			c.X = append(c.X, n.Steps[i])
			c.Y = append(c.Y, 100*(q.Mean[i]-q.Exact)/q.Exact)
			c.Error = append(c.Error, 200*q.StdErr[i]/q.Exact)
		}
		r.Curves = append(r.Curves, c)
	}
	return r
}

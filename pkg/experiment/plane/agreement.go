package plane

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
	"sgdlab/pkg/variational"
)

// AgreementSettings are the choices of [Agree]. The zero value of a field is its default.
//
//	a, err := plane.Agree(ctx, problem.XD(), plane.AgreementSettings{Bins: 36, Seed: 11})
type AgreementSettings struct {
	Bins    int     // along each side of the box of the system; 0 means 24
	Refine  int     // cells of the finite volumes along the side of a bin, even; 0 means 4
	Walkers int     // independent walkers, of which the state at Time is kept; 0 means 20,000
	Time    float64 // 0 means 10
	Step    float64 // of the scheme of weak order 2; 0 means 0.02
	Seed    uint64
	Workers int // goroutines; 0 means GOMAXPROCS; no effect on any result
}

// Agreement is one stationary density found on three roads: a simulation, finite volumes,
// and its closed form, or finite volumes on cells half as wide where there is none.
type Agreement struct {
	System    string
	Settings  AgreementSettings
	Grid      fokkerplanck.Grid // of the bins
	Reference string            // "closed form", or "finite volumes, 192×192"

	Simulated, Solved, Exact []float64 // masses of the bins (NX·NY)

	Walkers, Volumes Distance // of the first two from the third
	Moments          []Moment
}

// Distance is how far masses are from those of the reference, and how far they should be:
// by chance for independent walkers, by the width of the cells for finite volumes. The
// spread is the standard deviation of what chance does, 0 for finite volumes.
type Distance struct {
	KL, KLExpected, KLSpread float64 // in nats
	TV, TVExpected, TVSpread float64
}

// Moment is a moment of the density on the three roads.
type Moment struct {
	Name            string
	Reference       float64
	Walkers         float64 // error of the simulation
	WalkersExpected float64 // its standard error
	Volumes         float64 // error of the finite volumes
	VolumesExpected float64 // of second order: from the error on cells twice as wide
}

var moments = []struct {
	name string
	of   func(x, y float64) float64
}{
	{"𝔼x₁", func(x, _ float64) float64 { return x }},
	{"𝔼x₂", func(_, y float64) float64 { return y }},
	{"𝔼x₁²", func(x, _ float64) float64 { return x * x }},
	{"𝔼x₁x₂", func(x, y float64) float64 { return x * y }},
	{"𝔼x₂²", func(_, y float64) float64 { return y * y }},
}

// Agree finds the stationary density of s on three roads and measures their distances in
// equal bins. Walkers start at the origin. It fails as [sde.Simulate] and
// [fokkerplanck.Blind] do, and if a walker blows up.
//
//	a, err := plane.Agree(ctx, problem.XD(), plane.AgreementSettings{Bins: 36, Seed: 11})
func Agree(ctx context.Context, s *problem.System, set AgreementSettings) (*Agreement, error) {
	set = set.withDefaults()
	if set.Bins < 2 || set.Refine < 2 || set.Refine%2 != 0 || set.Walkers < 2 {
		return nil, fmt.Errorf("plane: agreement needs at least 2 bins a side and 2 walkers, and an even Refine: got %d, %d, %d", set.Bins, set.Walkers, set.Refine)
	}
	g := fokkerplanck.Grid{Box: s.Box, NX: set.Bins, NY: set.Bins}
	a := &Agreement{System: s.Name, Settings: set, Grid: g}

	sim, err := sde.Simulate(ctx, sde.Plane(s), []float64{0, 0}, &sde.Settings{
		Scheme: sde.WeakTwo, Step: set.Step, BurnIn: int(math.Round(set.Time / set.Step)), Steps: 1,
		Walkers: set.Walkers, Seed: set.Seed, Workers: set.Workers, Grid: &sde.Grid{Box: g.Box, NX: g.NX, NY: g.NY},
	})
	if err != nil {
		return nil, err
	}
	if sim.Status != sde.Completed {
		return nil, fmt.Errorf("plane: %s: %v", s.Name, sim.BlowUp)
	}
	a.Simulated = sim.Histogram.Mass()

	solve := func(refine int) (*Solution, error) {
		return SolveOn(s, fokkerplanck.Grid{Box: s.Box, NX: refine * set.Bins, NY: refine * set.Bins})
	}
	wide, err := solve(set.Refine / 2)
	if err != nil {
		return nil, err
	}
	volumes, err := solve(set.Refine)
	if err != nil {
		return nil, err
	}
	// Cells twice as wide have four times the error. Where the reference has a quarter of
	// it, as on cells half as wide, they differ from it by (4 − ¼)/(1 − ¼) = 5 times as much.
	reference, ratio := volumes.fine(2), 4.0
	a.Reference = "closed form"
	if s.Potential == nil {
		fine, err := solve(2 * set.Refine)
		if err != nil {
			return nil, err
		}
		reference, ratio = weighted{fine.Grid, positive(fine.P)}, 5
		a.Reference = fmt.Sprintf("finite volumes, %d×%d", fine.Grid.NX, fine.Grid.NY)
	}
	a.Exact, a.Solved = reference.pooled(set.Bins), volumes.weighted().pooled(set.Bins)
	coarse := wide.weighted().pooled(set.Bins)
	a.Walkers = byChance(a.Exact, set.Walkers)
	a.Walkers.KL, a.Walkers.TV = variational.KL(a.Simulated, a.Exact), variational.TotalVariation(a.Simulated, a.Exact)
	a.Volumes = Distance{
		KL: variational.KL(a.Solved, a.Exact), KLExpected: variational.KL(coarse, a.Exact) / (ratio * ratio),
		TV: variational.TotalVariation(a.Solved, a.Exact), TVExpected: variational.TotalVariation(coarse, a.Exact) / ratio,
	}
	for _, m := range moments {
		values := make([]float64, set.Walkers)
		for w := range values {
			values[w] = m.of(sim.Final[2*w], sim.Final[2*w+1])
		}
		mean, std := stat.MeanStdDev(values, nil)
		exact := reference.mean(m.of)
		a.Moments = append(a.Moments, Moment{
			Name: m.name, Reference: exact,
			Walkers: mean - exact, WalkersExpected: std / math.Sqrt(float64(set.Walkers)),
			Volumes: volumes.Mean(m.of) - exact, VolumesExpected: math.Abs(wide.Mean(m.of)-exact) / ratio,
		})
	}
	return a, nil
}

func (s AgreementSettings) withDefaults() AgreementSettings {
	if s.Bins == 0 {
		s.Bins = 24
	}
	if s.Refine == 0 {
		s.Refine = 4
	}
	if s.Walkers == 0 {
		s.Walkers = 20_000
	}
	if s.Time == 0 {
		s.Time = 10
	}
	if s.Step == 0 {
		s.Step = 0.02
	}
	return s
}

// weighted are masses on a grid.
type weighted struct {
	grid fokkerplanck.Grid
	p    []float64
}

func (v *Solution) weighted() weighted { return weighted{v.Grid, positive(v.P)} }

// fine returns the closed form e^(−βΦ) on a grid with cells narrower by a factor, whose sums
// are exact to round-off for a smooth density that vanishes at the sides.
func (v *Solution) fine(factor int) weighted {
	if v.System.Potential == nil {
		return weighted{}
	}
	g := v.Grid
	g.NX, g.NY = factor*g.NX, factor*g.NY
	return weighted{g, g.MassesTo(nil, func(x []float64) float64 { return math.Exp(-v.Beta * v.System.Potential(x)) })}
}

// pooled returns the masses in n×n cells, of which each holds a whole number of those of w.
func (w weighted) pooled(n int) []float64 {
	out := make([]float64, n*n)
	for k, p := range w.p {
		i, j := k%w.grid.NX*n/w.grid.NX, k/w.grid.NX*n/w.grid.NY
		out[j*n+i] += p
	}
	return out
}

func (w weighted) mean(f func(x, y float64) float64) (m float64) {
	for k, p := range w.p {
		x, y := w.grid.Centre(k%w.grid.NX, k/w.grid.NX)
		m += p * f(x, y)
	}
	return m
}

// byChance returns what n independent draws of p are expected to be off by. The number K in
// a bin is nearly Poisson with mean μ = np: KL·n is the sum of K log(K/μ) − (K − μ), about
// ½ a bin, TV·2n that of |K − μ|; that all numbers add up to n takes one degree of freedom,
// ½ in the first.
func byChance(p []float64, n int) (d Distance) {
	var kl, klVar, tv, tvVar float64
	for _, v := range p {
		mu := v * float64(n)
		if mu <= 0 {
			continue
		}
		lgamma, _ := math.Lgamma(math.Floor(mu) + 1)
		deviation := 2 * math.Exp(-mu+(math.Floor(mu)+1)*math.Log(mu)-lgamma)
		tv, tvVar = tv+deviation, tvVar+mu-deviation*deviation
		mean, variance := 0.5+1/(12*mu), 0.5 // the limit, of which μ = 50 is 3e-5 short
		if mu < 50 {
			mean, variance = moments2(mu)
		}
		kl, klVar = kl+mean, klVar+variance
	}
	m := float64(n)
	return Distance{
		KLExpected: (kl - 0.5) / m, KLSpread: math.Sqrt(klVar) / m,
		TVExpected: tv / (2 * m), TVSpread: math.Sqrt(tvVar) / (2 * m),
	}
}

// moments2 returns mean and variance of K log(K/μ) − (K − μ) for K Poisson with mean μ.
func moments2(mu float64) (mean, variance float64) {
	probability, square := math.Exp(-mu), 0.0
	for k := 0.0; k < mu+12*math.Sqrt(mu)+30; k++ {
		g := mu
		if k > 0 {
			probability *= mu / k
			g = k*math.Log(k/mu) - (k - mu)
		}
		mean, square = mean+probability*g, square+probability*g*g
	}
	return mean, square - mean*mean
}

// Figure returns the three densities side by side, for [figure.DensityMap]: the part of the
// box in which some bin of a row and of a column reaches a thousandth of the largest.
func (a *Agreement) Figure() figure.DensityFigure {
	n := a.Settings.Refine * a.Settings.Bins
	beside := func(title string, p []float64, d Distance) figure.Density {
		return figure.Density{Title: title, Cells: a.visible(p), KL: d.KL, TV: d.TV, Reference: a.Reference}
	}
	return figure.DensityFigure{System: a.System, Maps: []figure.Density{
		beside(count(a.Settings.Walkers)+" walkers", a.Simulated, a.Walkers),
		beside(fmt.Sprintf("finite volumes, %d×%d", n, n), a.Solved, a.Volumes),
		{Title: a.Reference, Cells: a.visible(a.Exact)},
	}}
}

// visible returns the density of the masses p of the bins in that part of the box.
func (a *Agreement) visible(p []float64) figure.Cells {
	n, top := a.Grid.NX, slices.Max(a.Exact)
	left, right, low, high := n, 0, n, 0
	for k, v := range a.Exact {
		if v > 1e-3*top {
			left, right, low, high = min(left, k%n), max(right, k%n+1), min(low, k/n), max(high, k/n+1)
		}
	}
	g, all := a.Grid, Masses(a.Grid, p)
	out := figure.Cells{NX: right - left, NY: high - low}
	out.Box.XMin, out.Box.YMin = g.Corner(left, low)
	out.Box.XMax, out.Box.YMax = g.Corner(right, high)
	for j := low; j < high; j++ {
		out.Values = append(out.Values, all.Values[j*n+left:j*n+right]...)
	}
	return out
}

// count formats a number below a million with a comma.
func count(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// DistanceRow is a line of the table of distances.
type DistanceRow struct {
	System     string
	Road       string  `show:"from the reference to"`
	KL         float64 `show:"KL" unit:"nats"`
	KLExpected string  `show:"expected"`
	TV         float64 `show:"TV"`
	TVExpected string  `show:"expected TV"`
}

// Distances returns the distances beside their expected sizes, two rows.
//
//	a, err := plane.Agree(ctx, problem.XD(), plane.AgreementSettings{Bins: 36, Seed: 11})
//	rows := a.Distances()
func (a *Agreement) Distances() []DistanceRow {
	row := func(road string, d Distance) DistanceRow {
		return DistanceRow{a.System, road, d.KL, sized(d.KLExpected, d.KLSpread), d.TV, sized(d.TVExpected, d.TVSpread)}
	}
	return []DistanceRow{row("walkers", a.Walkers), row("finite volumes", a.Volumes)}
}

// sized formats an expected size with its spread.
func sized(v, spread float64) string {
	if spread == 0 {
		return fmt.Sprintf("%.2g", v)
	}
	return fmt.Sprintf("%.2g ± %.1g", v, spread)
}

// MomentRow is a line of the table of moments.
type MomentRow struct {
	System          string
	Moment          string
	Reference       float64
	Walkers         float64 `show:"error of the walkers"`
	WalkersExpected float64 `show:"standard error"`
	Volumes         string  `show:"error of the cells"`
	VolumesExpected string  `show:"expected"`
}

// MomentRows returns the errors of the moments beside their expected sizes.
//
//	a, err := plane.Agree(ctx, problem.XD(), plane.AgreementSettings{Bins: 36, Seed: 11})
//	rows := a.MomentRows()
func (a *Agreement) MomentRows() (rows []MomentRow) {
	for _, m := range a.Moments {
		reference := m.Reference
		if math.Abs(reference) < 1e-12 { // by symmetry
			reference = 0
		}
		rows = append(rows, MomentRow{a.System, m.Name, reference, m.Walkers, m.WalkersExpected, small(m.Volumes), small(m.VolumesExpected)})
	}
	return rows
}

// small formats an error; below 1e-9 it is what the solver leaves.
func small(v float64) string {
	if math.Abs(v) < 1e-9 {
		return "0"
	}
	return fmt.Sprintf("%.1e", v)
}

package experiment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/figure"
	"sgdlab/pkg/network"
	"sgdlab/pkg/sgd"
	"sgdlab/pkg/sgd/snapshot"
	"sgdlab/pkg/trajectory"
)

// Fig3Settings are the choices of [Fig3]; start from [Fig3Full] or [Fig3Quick].
type Fig3Settings struct {
	Chains     []ChainSettings `json:"chains"`
	Modes      int             `json:"modes"`      // k, directions that are tested: the steepest that remember from one epoch to the next
	Flips      int             `json:"flips"`      // random sign vectors of the test of reversibility
	Surrogates int             `json:"surrogates"` // simulated runs of the linear chain
	Lags       []int           `json:"lags"`       // in epochs, of any number, at which lag covariances are compared, one per comparison
	Seed       uint64          `json:"seed"`       // of signs and surrogates

	// Folder is that of [Trajectories]: chains that have not ended there are run. It must
	// exist; empty means a temporary one.
	Folder string `json:"-"`
	// Recorded takes the trajectories in Folder as they are, however long; chains without one are left
	// out.
	Recorded bool     `json:"-"`
	Workers  int      `json:"-"` // 0 means GOMAXPROCS
	Progress Progress `json:"-"`
}

// Fig3Full is the full setting: all of [Fig3Chains].
//
//	s := experiment.Fig3Full()
//	fmt.Println(len(s.Chains), "chains")
func Fig3Full() Fig3Settings {
	return Fig3Settings{Chains: Fig3Chains().Chains, Modes: 10, Flips: 9999, Surrogates: 200, Lags: []int{1, 3, 10}, Seed: 1}
}

// Fig3Core is the part of [Fig3Full] that takes minutes: 4,096 epochs on all 30,596 images of
// the settings of the paper; of what its theory is about, with three seeds, and with heavy
// ball; and of the learning rate 0.1 without momentum, with batch norm frozen and in
// training mode.
func Fig3Core() Fig3Settings {
	s := Fig3Full()
	paper, theory := s.Chains[0], s.Chains[1]
	s.Chains = nil
	add := func(c ChainSettings) {
		c.Training.Epochs = 1 << 12
		s.Chains = append(s.Chains, c)
	}
	add(paper)
	for seed := range uint64(3) {
		c := theory
		c.Training.Seed = 1 + seed
		add(c)
	}
	ball := theory
	ball.Training.Momentum = paper.Training.Momentum
	add(ball)
	hot := theory
	hot.Training.LearningRate = sgd.Constant(0.1)
	add(hot)
	hot.Frozen = false
	add(hot)
	return s
}

// Fig3Quick is two chains of 2¹³ epochs on 3,000 images: as the paper has it, and as its
// theory wants it.
//
//	result, err := experiment.Fig3(ctx, experiment.Fig3Quick())
func Fig3Quick() Fig3Settings {
	s := Fig3Full()
	paper := s.Chains[0]
	theory := s.Chains[1]
	theory.Training.LearningRate = sgd.Constant(0.1)
	s.Chains = []ChainSettings{paper, theory}
	for i := range s.Chains {
		s.Chains[i].Training.Epochs, s.Chains[i].Samples = 1<<13, 3000
	}
	s.Flips = 999
	return s
}

// Fig3Numbers are what trajectories of a network say.
//
//	var n experiment.Fig3Numbers = result.Numbers.Longest()
//	p, err := figure.Survey(n.SurveyFigure())
type Fig3Numbers struct {
	Dim  int            `json:"dim"` // d
	Runs []Fig3Analysis `json:"runs"`
}

// Fig3Analysis is what one trajectory says. Lags and frequencies are in epochs and cycles per
// epoch; tests and averages are over the second half of the run.
//
//	var a experiment.Fig3Analysis = result.Numbers.Runs[0]
//	p, err := figure.IncrementSpectrum(a.IncrementFigure(true))
type Fig3Analysis struct {
	Chain  ChainSettings `json:"chain"`
	Epochs int           `json:"epochs"` // recorded
	Loss   float64       `json:"loss"`   // of all samples, mean over the second half

	Spectrum    *trajectory.Spectrum           `json:"spectrum"`    // Fig. 3a, of the whole run
	Correlation *trajectory.CorrelationSummary `json:"correlation"` // Fig. 3b
	RandomWalk  []float64                      `json:"random_walk"` // mean correlation of random walks as long as the run, one per lag
	Epoch       []float64                      `json:"epoch"`       // Fig. 3c: the geometric middles of bins of epochs, ascending, one per bin,
	Gradient    []float64                      `json:"gradient"`    // and the root mean square of ‖∇f‖/√d in it, one per bin

	Gradients  Fig3Gradients  `json:"gradients"`
	Stationary Fig3Stationary `json:"stationary"`
	Rotation   Fig3Rotation   `json:"rotation"`
	Answers    Fig3Answers    `json:"answers"`
}

// Fig3Answers say which observations of the paper a run shows, and whether a null model has them
// too.
type Fig3Answers struct {
	Stationary     figure.Answer `json:"stationary"`      // Yes: every check is passed
	LowFrequencies figure.Answer `json:"low_frequencies"` // the increments have more of them than white noise, Remark 17
	LongMemory     figure.Answer `json:"long_memory"`     // the weights are correlated for longer than a random walk or a relaxation
	LargeGradient  figure.Answer `json:"large_gradient"`  // the gradient does not vanish, Remark 18
	Irreversible   figure.Answer `json:"irreversible"`    // probability circulates, Lemma 7
	BeyondLinear   figure.Answer `json:"beyond_linear"`   // lag covariances are not those of the linear chain
}

// Fig3Gradients compares the gradient with what a stationary law without force has, erratum E23.
type Fig3Gradients struct {
	Squared  trajectory.Estimate `json:"squared"`   // ⟨‖∇f‖²⟩
	Plateau  float64             `json:"plateau"`   // β⁻¹tr(D∇²f), ∇²f at the mean weights
	Chain    float64             `json:"chain"`     // of the linear chain, with its momentum and sampling: Σ l²·var
	LeftOut  int                 `json:"left_out"`  // modes that are flat, negative or too slow, not in Chain
	AtCentre float64             `json:"at_centre"` // ‖∇f‖² at the mean weights; in training mode of the mean loss of batches
}

// Fig3Stationary holds the checks that a run must pass before its averages mean anything.
type Fig3Stationary struct {
	Loss    trajectory.Halves `json:"loss"`    // of all samples
	Modes   float64           `json:"modes"`   // smallest p of equal means and variances of the halves over the tested modes, corrected for their number
	Balance float64           `json:"balance"` // ⟨x·∇f⟩ over (η/2)⟨‖∇f_b‖²⟩, about the mean weights: 1 for SGD with independent batches
	PBal    float64           `json:"p_bal"`   // of a balance of 1
	Scale   float64           `json:"scale"`   // ‖W₁‖ at the end of the run over that at its beginning
	Moved   float64           `json:"moved"`   // ‖x̄₂−x̄₁‖ of the two halves over the standard deviation ‖x−x̄‖ of the second
	Passed  bool              `json:"passed"`  // no test rejects at 1 %
	Slowest float64           `json:"slowest"` // longest correlation time of the tested modes
	Block   int               `json:"block"`   // length of the blocks of all tests
}

// Fig3Rotation says whether the run is reversible along its steepest directions, and whether linear
// theory explains what it is. statements.md §6.4.
type Fig3Rotation struct {
	TooFast    int                     `json:"too_fast"`   // steeper modes, which forget within an epoch and are not tested
	Curvature  []float64               `json:"curvature"`  // l of the tested modes (k), descending
	Variance   []float64               `json:"variance"`   // of the run along them (k), about a straight line
	Predicted  []float64               `json:"predicted"`  // of the linear chain (k)
	Oscillates int                     `json:"oscillates"` // modes that momentum alone makes oscillate
	P          float64                 `json:"p"`          // of reversibility, all pairs together
	Pairs      []Fig3Pair              `json:"pairs"`
	Slope      trajectory.Estimate     `json:"slope"`   // of the measured areas over those of the linear chain: 0 if reversible, 1 if linear
	PSlope     float64                 `json:"p_slope"` // of 0
	Linear     []trajectory.Comparison `json:"linear"`  // lag covariances beside the linear chain; empty if it has no law
	NoLaw      string                  `json:"no_law,omitempty"`
}

// Fig3Pair is the rotation in the plane of two modes. Areas are per epoch, in units of the
// product of the standard deviations of the run along them.
type Fig3Pair struct {
	I      int                 `json:"i"`
	J      int                 `json:"j"`
	Area   trajectory.Estimate `json:"area"`
	Linear float64             `json:"linear"` // of the linear chain
	P      float64             `json:"p"`      // adjusted by Benjamini and Hochberg
}

// Fig3Result is what [Fig3] returns.
//
//	var result *experiment.Fig3Result
//	result, err := experiment.LoadFig3("../data/results/fig3.json")
type Fig3Result = Record[Fig3Settings, Fig3Numbers]

// Fig3 runs the chains of the settings where they have not ended, and analyses their trajectories:
// Fig. 3 of [chaudhari2018] with the null models that it lacks, and the tests of statements.md §6.4.
//
// The Hessian is that at the mean weights of the second half, D its mean over eight snapshots of
// it. It returns an error if a trajectory is damaged or shorter than its blocks need, or if ctx
// ends.
//
//	result, err := experiment.Fig3(ctx, experiment.Fig3Quick()) // a minute
func Fig3(ctx context.Context, s Fig3Settings) (*Fig3Result, error) {
	if s.Modes < 2 || s.Flips < 1 || s.Surrogates < 1 || len(s.Lags) == 0 || len(s.Chains) == 0 {
		return nil, fmt.Errorf("experiment: %d modes, %d flips, %d surrogates, %d lags, %d chains: start from Fig3Full or Fig3Quick", s.Modes, s.Flips, s.Surrogates, len(s.Lags), len(s.Chains))
	}
	if s.Folder == "" {
		folder, err := os.MkdirTemp("", "sgdlab-")
		if err != nil {
			return nil, fmt.Errorf("experiment: no folder for the run: %w", err)
		}
		defer os.RemoveAll(folder)
		s.Folder = folder
	}
	record := newRecord[Fig3Settings, Fig3Numbers]("fig3", s, "")
	if s.Recorded {
		s.Chains = slices.DeleteFunc(slices.Clone(s.Chains), func(c ChainSettings) bool {
			_, err := os.Stat(c.Path(s.Folder))
			return err != nil
		})
		if len(s.Chains) == 0 {
			return nil, fmt.Errorf("experiment: no trajectory of these chains in %q: record them first", s.Folder)
		}
		record.Settings.Chains = s.Chains
	} else {
		runs, err := Trajectories(ctx, TrajectoriesSettings{Chains: s.Chains, Folder: s.Folder, Workers: s.Workers, Progress: s.Progress})
		if err != nil {
			return nil, err
		}
		record.Seconds = append(record.Seconds, runs.Seconds...)
	}
	train, _, err := dataset.MNIST7()
	if err != nil {
		return nil, err
	}
	digits := train.Digits(0, 1, 2, 3, 4)
	record.Numbers.Dim = network.TinyFC().Dim()
	for _, c := range s.Chains {
		part, err := s.analysed(ctx, c, digits)
		if err != nil {
			return nil, err
		}
		part.Numbers.Answers = part.Numbers.answers()
		record.Numbers.Runs = append(record.Numbers.Runs, part.Numbers)
		record.Seconds = append(record.Seconds, part.Seconds...)
	}
	return record, nil
}

type fig3Part = Record[Fig3Settings, Fig3Analysis]

// analysed returns the analysis of one chain, from the file of an earlier one if the trajectory
// has not grown since.
func (s Fig3Settings) analysed(ctx context.Context, c ChainSettings, digits *dataset.Images) (*fig3Part, error) {
	s.Chains = []ChainSettings{c}
	part := newRecord[Fig3Settings, Fig3Analysis]("fig3-"+c.Name(), s, "")
	path := filepath.Join(s.Folder, c.Name()+".fig3.json")
	r, err := snapshot.Open(c.Path(s.Folder))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	before, err := resumed(path, part)
	if err != nil {
		return nil, err
	}
	if before != nil && before.Numbers.Epochs == r.Epochs() {
		return before, nil
	}
	start := time.Now()
	part.Numbers = Fig3Analysis{Chain: c, Epochs: r.Epochs()}
	if err := s.analyse(ctx, &part.Numbers, r, digits); err != nil {
		return nil, fmt.Errorf("experiment: the trajectory %s: %w", c.Name(), err)
	}
	part.stage(c.Name()+", analysis", start)
	return part, part.Save(path)
}

// fig3Lags is the number of lags of Fig. 3b.
const fig3Lags = 100

func (s Fig3Settings) analyse(ctx context.Context, a *Fig3Analysis, r *snapshot.Reader, digits *dataset.Images) error {
	data := digits
	if n := a.Chain.Samples; n != 0 && n < digits.N {
		data = first(digits, n)
	}
	law := chainLaw{
		LearningRate: a.Chain.Training.LearningRate.At(0), Momentum: a.Chain.Training.Momentum,
		BatchSize: a.Chain.Training.BatchSize, Samples: data.N, Sampling: a.Chain.Training.Sampling,
	}
	steps := a.Chain.Training.StepsPerEpoch(data.N)
	settings := &trajectory.Settings{Workers: s.Workers}

	file := snapshotRows{reader: r}
	t, err := trajectory.Read(ctx, &file)
	if err != nil {
		return err
	}
	if a.Spectrum, err = trajectory.IncrementSpectrum(ctx, t, settings); err != nil {
		return err
	}
	a.Correlation, err = trajectory.Correlations(ctx, t, trajectory.LogLags(t.Len()-1, fig3Lags), settings)
	if err != nil {
		return err
	}
	a.RandomWalk = roundAll(trajectory.RandomWalkCorrelation(t.Len(), a.Correlation.Lags, 50, rand.NewPCG(s.Seed, 1)), 4)
	for _, values := range []*[]float64{
		&a.Spectrum.Frequency, &a.Spectrum.Amplitude, &a.Spectrum.SD, &a.Spectrum.Power, &a.Spectrum.AR1,
		&a.Correlation.Mean, &a.Correlation.Low, &a.Correlation.High, &a.Correlation.AR1,
	} {
		*values = roundAll(*values, 4)
	}
	a.Epoch, a.Gradient = gradientBins(file.squared, t.Dim())

	// The second half, about its mean.
	half := t.Len() / 2
	second := t.Window(t.Len()-half, t.Len())
	centre := second.Mean()
	var stats []float64
	if a.Chain.Frozen {
		stats = r.Header().Stats
	}
	q, err := newQuadratic(ctx, data, stats, centre, snapshots(second, 8), law.BatchSize, s.Progress.of(a.Chain.Name()+", Hessian"))
	if err != nil {
		return err
	}
	tested, fast := q.tested(law, s.Modes, half*steps)
	if len(tested) < 2 {
		return fmt.Errorf("all directions but %d forget within an epoch: there is nothing to test, lower the learning rate", len(tested))
	}
	a.Rotation.TooFast = fast
	modes := trajectory.Modes{Centre: centre, Directions: q.directions(tested)}
	series := modes.Project(second)
	block, slowest, err := blockLength(series)
	if err != nil {
		return err
	}

	a.Stationary.Block, a.Stationary.Slowest = block, slowest
	if err := s.stationarity(a, t, &file, centre, series); err != nil {
		return err
	}
	if err := s.gradients(a, q, law, file.squared[t.Len()-half:], half*steps); err != nil {
		return err
	}
	return s.rotation(ctx, a, q, law, tested, series, settings)
}

// snapshots returns count of the snapshots of t at equal distances.
func snapshots(t *trajectory.Trajectory, count int) [][]float64 {
	points := make([][]float64, count)
	column := make([]float64, t.Len())
	for i := range points {
		points[i] = make([]float64, t.Dim())
	}
	for w := range t.Dim() {
		t.ColumnTo(column, w)
		for i := range points {
			points[i][w] = column[(2*i+1)*t.Len()/(2*count)]
		}
	}
	return points
}

// snapshotRows are the weights of a snapshot file as a trajectory, and what is read on the way.
type snapshotRows struct {
	reader  *snapshot.Reader
	squared []float64 // ‖∇f‖² of every epoch
}

// Len returns the number of epochs.
func (r *snapshotRows) Len() int { return r.reader.Epochs() }

// Dim returns d.
func (r *snapshotRows) Dim() int { return r.reader.Dim() }

// Each delivers the weights after every epoch.
func (r *snapshotRows) Each(ctx context.Context, visit func(k int, x []float32) error) error {
	r.squared = make([]float64, r.Len())
	return r.reader.Each(0, r.Len(), func(e snapshot.Epoch) error {
		k := e.Epoch - 1
		if k%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for _, g := range e.Gradient {
			r.squared[k] += float64(g) * float64(g)
		}
		return visit(k, e.Weights)
	})
}

// gradientBins returns the centres of about 200 bins of epochs, equally long on a logarithmic axis, and
// the root mean square of ‖∇f‖/√d in them.
func gradientBins(squared []float64, dim int) (epoch, norm []float64) {
	edges := trajectory.LogLags(len(squared)+1, 200)
	for i := range len(edges) - 1 {
		from, to := edges[i]-1, edges[i+1]-1 // epochs from+1…to
		epoch = append(epoch, round(math.Sqrt(float64(from+1)*float64(to)), 4))
		norm = append(norm, round(math.Sqrt(stat.Mean(squared[from:to], nil)/float64(dim)), 4))
	}
	return epoch, norm
}

// blockLength returns a length of five times the longest correlation time of the series,
// or as much of it as leaves sixty blocks, and that time.
func blockLength(series [][]float64) (block int, slowest float64, err error) {
	for _, x := range series {
		tau, err := trajectory.CorrelationTime(x)
		if err != nil {
			return 0, 0, err
		}
		slowest = max(slowest, tau)
	}
	n := len(series[0]) - 1
	return max(1, min(int(math.Ceil(5*slowest)), n/60)), round(slowest, 4), nil
}

// stationarity fills in a.Stationary.
func (s Fig3Settings) stationarity(a *Fig3Analysis, t *trajectory.Trajectory, file *snapshotRows, centre []float64, series [][]float64) error {
	st := &a.Stationary
	n := t.Len()
	half := n / 2
	loss, err := file.reader.NumberTo(nil, snapshot.FullLoss)
	if err != nil {
		return err
	}
	loss = loss[n-half:]
	a.Loss = round(stat.Mean(loss, nil), 6)
	if st.Loss, err = trajectory.SplitHalves(loss, st.Block); err != nil {
		return err
	}
	var p []float64
	for _, x := range series {
		h, err := trajectory.SplitHalves(x, st.Block)
		if err != nil {
			return err
		}
		p = append(p, h.PMean, h.PVariance)
	}
	st.Modes = slices.Min(trajectory.Bonferroni(p))

	// ⟨(x−x̄)·∇f⟩ = (η/2)⟨‖∇f_b‖²⟩, x and ∇f at the ends of the epochs.
	batch, err := file.reader.NumberTo(nil, snapshot.BatchGradientSquared)
	if err != nil {
		return err
	}
	eta := a.Chain.Training.LearningRate.At(0)
	difference, push := make([]float64, half), 0.0
	err = file.reader.Each(n-half, n, func(e snapshot.Epoch) error {
		k := e.Epoch - 1
		var inner float64
		for i, g := range e.Gradient {
			inner += (float64(e.Weights[i]) - centre[i]) * float64(g)
		}
		push += eta / 2 * batch[k]
		difference[k-(n-half)] = inner - eta/2*batch[k]
		return nil
	})
	if err != nil {
		return err
	}
	d, pBalance, err := trajectory.ZeroMean(difference, st.Block)
	if err != nil {
		return err
	}
	st.Balance, st.PBal = round(1+d.Value/(push/float64(half)), 4), round(pBalance, 4)

	begin, end, squares := t.Window(0, 2).Mean(), t.Window(n-2, n).Mean(), 0.0
	inputs := network.TinyFC().Views()[0].Size()
	st.Scale = round(floats.Norm(end[:inputs], 2)/floats.Norm(begin[:inputs], 2), 6)
	firstMean := t.Window(0, half).Mean()
	x := make([]float64, half)
	second := t.Window(n-half, n)
	for i := range centre {
		squares += stat.PopVariance(second.ColumnTo(x, i), nil)
	}
	st.Moved = round(floats.Distance(firstMean, centre, 2)/math.Sqrt(squares), 4)
	tests := []float64{st.Loss.PMean, st.Loss.PVariance, st.Modes}
	if a.Chain.Training.Momentum.Kind == sgd.None {
		tests = append(tests, st.PBal)
	}
	st.Passed = slices.Min(tests) > 0.01
	return nil
}

// gradients fills in a.Gradients.
func (s Fig3Settings) gradients(a *Fig3Analysis, q *quadratic, law chainLaw, squared []float64, steps int) error {
	g := &a.Gradients
	var err error
	if g.Squared, err = trajectory.MeanOf(squared, a.Stationary.Block); err != nil {
		return err
	}
	g.Plateau = round(q.plateau(law), 4)
	g.Chain, g.LeftOut = q.gradientSquared(law, steps)
	g.Chain = round(g.Chain, 4)
	g.AtCentre = round(q.steepness*q.steepness, 4)
	return nil
}

// rotation fills in a.Rotation.
func (s Fig3Settings) rotation(ctx context.Context, a *Fig3Analysis, q *quadratic, law chainLaw, modes []int, series [][]float64, settings *trajectory.Settings) error {
	r := &a.Rotation
	var sd []float64
	for i, x := range series {
		r.Curvature = append(r.Curvature, round(q.curvature[modes[i]], 4))
		v := stat.PopVariance(trajectory.Detrended(x), nil)
		r.Variance = append(r.Variance, round(v, 4))
		sd = append(sd, math.Sqrt(v))
		if trajectory.Oscillates(law.Momentum, law.LearningRate, q.curvature[modes[i]]) {
			r.Oscillates++
		}
	}
	test, err := trajectory.Rotation(series, a.Stationary.Block, s.Flips, rand.NewPCG(s.Seed, 2))
	if err != nil {
		return err
	}
	r.P, r.PSlope = test.P, 1
	p := make([]float64, len(test.Pairs))
	for i, pair := range test.Pairs {
		p[i] = pair.P
	}
	p = trajectory.BenjaminiHochberg(p)
	for i, pair := range test.Pairs {
		unit := sd[pair.I] * sd[pair.J]
		r.Pairs = append(r.Pairs, Fig3Pair{
			I: pair.I, J: pair.J, P: round(p[i], 4),
			Area: trajectory.Estimate{Value: round(pair.Area.Value/unit, 4), Error: round(pair.Area.Error/unit, 3)},
		})
	}
	chain, err := trajectory.NewLinearChain(q.settings(law, modes...))
	if err != nil {
		r.NoLaw = err.Error()
		return nil
	}
	area, cov := chain.AreaRate(), chain.Covariance()
	for i := range modes {
		r.Predicted = append(r.Predicted, round(cov.At(i, i), 4))
	}
	// In units of the standard deviations all areas have about the same error.
	whitened := make([][]float64, len(series))
	for i, x := range series {
		whitened[i] = trajectory.Detrended(x)
		floats.Scale(1/sd[i], whitened[i])
	}
	area.Apply(func(i, j int, v float64) float64 { return v / (sd[i] * sd[j]) }, area)
	var squares float64
	for i, pair := range r.Pairs {
		linear := area.At(pair.I, pair.J)
		r.Pairs[i].Linear = round(linear, 4)
		squares += linear * linear
	}
	along, p0, err := trajectory.AreaAlong(whitened, area, a.Stationary.Block)
	if err != nil {
		return err
	}
	r.Slope = trajectory.Estimate{Value: round(along.Value/squares, 4), Error: round(along.Error/squares, 3)}
	r.PSlope = round(p0, 4)
	r.Linear, err = trajectory.Compare(ctx, series, chain, s.Lags, s.Surrogates, s.Seed+100, settings)
	return err
}

package ledger

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"sgdlab/data/results"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/trajectory"
)

// longRun is what the checks of this file read of a recorded trajectory.
type longRun struct {
	Chain struct {
		Training struct {
			LearningRate struct{ Pieces []struct{ Rate float64 } } `json:"learning_rate"`
			Momentum     struct{ Kind string }
			Sampling     string
			Seed         uint64
		}
		Frozen bool
	}
	Epochs    int
	Gradient  []float64
	Gradients struct {
		Squared estimate
		Chain   float64
	}
	Stationary struct{ Passed bool }
	Rotation   struct {
		Slope estimate // of the measured areas over those of linear theory
	}
	Answers struct {
		LowFrequencies string `json:"low_frequencies"`
		LongMemory     string `json:"long_memory"`
	}
}

func longRuns() ([]longRun, error) {
	var r struct{ Numbers struct{ Runs []longRun } }
	err := results.Read("fig3", &r)
	return r.Numbers.Runs, err
}

// asTheory reports whether the run is one that the theory is about: no momentum, independent
// batches, frozen batch norm, at the learning rate of the paper.
func (r longRun) asTheory() bool {
	t := r.Chain.Training
	return r.Chain.Frozen && t.Momentum.Kind == "none" && t.Sampling == "with replacement" && t.LearningRate.Pieces[0].Rate == 1e-3
}

// asPaper reports whether the run has the settings of the paper.
func (r longRun) asPaper() bool {
	t := r.Chain.Training
	return !r.Chain.Frozen && t.Momentum.Kind == "heavy ball" && t.Sampling == "index walk" && t.LearningRate.Pieces[0].Rate == 1e-3
}

// share returns how many of the runs satisfy both, and how many the first.
func share(runs []longRun, of, also func(longRun) bool) (both, all int) {
	for _, r := range runs {
		if of(r) {
			all++
			if also(r) {
				both++
			}
		}
	}
	return both, all
}

const fig3Reason = "numbers are read from the recorded trajectories, whose file names the command that makes it again; tests are at 5 % after correction for their number"

func publishedTrajectory() Entry {
	return Entry{
		ID: "Fig. 3", Item: "Figure 3", Chapter: "09_trajectories_of_networks",
		Claim:   "After training the increments of the weights have low-frequency components, the weights are correlated for long, and the gradient stays large.",
		Decides: []string{"Fig. 3"},
		Check: func(context.Context) (Finding, error) {
			runs, err := longRuns()
			if err != nil {
				return Finding{}, err
			}
			f := Finding{Verdict: Undecided, Text: "No run at the settings of the paper is recorded.", Numbers: []Number{{Name: "recorded runs at the settings of the paper", Want: 1}}}
			best := longRun{}
			for _, r := range runs {
				if r.asPaper() && r.Epochs > best.Epochs {
					best = r
				}
			}
			if best.Epochs == 0 {
				return f, nil
			}
			seen := func(answer string) float64 {
				if answer == "no" {
					return 0
				}
				return 1
			}
			f.Numbers = []Number{
				measured("more low frequencies than white noise (1: yes)", seen(best.Answers.LowFrequencies), 1, 0),
				measured("memory longer than white noise (1: yes)", seen(best.Answers.LongMemory), 1, 0),
				measured("gradient at the beginning of the record over that at its end: what exceeds the paper's \"about 3\"", max(0, best.Gradient[0]/best.Gradient[len(best.Gradient)-1]-3), 0, 0.5),
			}
			const length = 99_000 // epochs, of the paper's record after the burn-in
			switch {
			case best.Epochs < length:
				f.Text = fmt.Sprintf("The longest record at the settings of the paper has %d epochs, the paper's %d: with this one it could not be decided.", best.Epochs, length)
			case allOK(f.Numbers...):
				f.Verdict, f.Text = Holds, fmt.Sprintf("All three are seen, over %d epochs. What they mean is another question: Remarks 17 and 18.", best.Epochs)
			default:
				f.Verdict, f.Text = Fails, fmt.Sprintf("Over %d epochs at the settings of the paper not all three are seen.", best.Epochs)
			}
			return f, nil
		},
		Tolerance: 0.5, Reason: "\"about 3\" is good to half of its digit; " + fig3Reason,
	}
}

func trajectoryNulls() Entry {
	return Entry{
		ID: "E22", Item: "Figure 3, captions", Chapter: "09_trajectories_of_networks",
		Claim:   "The autocorrelation of Brownian motion decays quickly into the band of white noise, and a slight increase of the Fourier spectrum with the frequency shows coloured noise.",
		Decides: []string{"E22"},
		Check: func(context.Context) (Finding, error) {
			const n, walks = 4000, 200
			lags := make([]int, n/10)
			for i := range lags {
				lags[i] = i + 1
			}
			r := trajectory.RandomWalkCorrelation(n, lags, walks, rand.NewPCG(22, 0))
			outside := 0
			for _, v := range r {
				if v > 2.576/math.Sqrt(n) {
					outside++
				}
			}
			ou := trajectory.AR1{A: 0.9, Innovation: 1}
			x := ou.Simulate(n, rand.NewPCG(22, 1))
			lowest := func(x []float64) (float64, error) {
				v := make([]float64, len(x)-1)
				for k := range v {
					v[k] = x[k+1] - x[k]
				}
				_, p, err := trajectory.Periodogram(v)
				if err != nil {
					return 0, err
				}
				return p[0], nil
			}
			before, err := lowest(x)
			if err != nil {
				return Finding{}, err
			}
			after, err := lowest(trajectory.AddDrift(x, 30, 400))
			if err != nil {
				return Finding{}, err
			}
			numbers := []Number{
				measured("random walks of 4,000 steps: share of the lags up to 400 whose mean autocorrelation is outside the band", float64(outside)/float64(len(lags)), 0, 0.01),
				measured("mean autocorrelation at lag 400", r[n/10-1], 0, 2.576/math.Sqrt(n)),
				measured("plain relaxation: spectrum of the increments at the lowest over that at the highest frequency", ou.IncrementSpectrum(1./n)/ou.IncrementSpectrum(0.5), 1, 0.1),
				measured("relaxation with a slow drift: lowest frequency over that without", after/before, 1, 10),
			}
			f := Finding{Numbers: numbers, Verdict: Fails, Text: "A random walk stays correlated over a large part of any record; what is white are its increments. The increments of a plain relaxation rise with the frequency, so that a rise is no sign of anything else; " +
				"and what is left of training raises the lowest frequencies alone. The right null model near a minimum is relaxation with noise."}
			if allOK(numbers...) {
				f.Verdict, f.Text = Holds, "The null models are right."
			}
			return f, nil
		},
		Tolerance: 0.01, Reason: "1 % of white noise is outside a 99 % band; the other effects are of order one",
	}
}

func lowFrequencies() Entry {
	return Entry{
		ID: "Remark 17", Item: "Remark 17", Chapter: "09_trajectories_of_networks",
		Claim:   "Peaks at low frequency in the trajectory of a network are signs of the periodic motion of Lemma 7.",
		Decides: []string{"Remark 17"},
		Check: func(context.Context) (Finding, error) {
			runs, err := longRuns()
			if err != nil {
				return Finding{}, err
			}
			bump := func(r longRun) bool { return r.Answers.LowFrequencies != "no" }
			moving, all := share(runs, bump, func(r longRun) bool { return !r.Stationary.Passed })
			still, steady := share(runs, func(r longRun) bool { return r.Stationary.Passed }, bump)
			numbers := []Number{
				measured("runs with more low frequencies than white noise, of all recorded", float64(all), float64(len(runs)), float64(len(runs))),
				measured("of these, not stationary by their own checks", float64(moving), 0, 0),
				measured("stationary runs with such a peak, of those that pass as stationary", float64(still), float64(steady), 0),
			}
			f := Finding{Verdict: Undecided, Numbers: numbers, Text: "Some runs that pass as stationary have more low frequencies than white noise; their origin could not be decided."}
			switch {
			case all == 0:
				f.Text = "No recorded run has more low frequencies than white noise."
			case still == 0:
				f.Verdict = Fails
				f.Text = fmt.Sprintf("%d of %d runs have them, and none of these is stationary: weights still move in one direction, which by itself raises the lowest frequencies (E22). None of the %d runs that pass as stationary has any.", all, len(runs), steady)
				if steady == 0 {
					f.Text = fmt.Sprintf("%d of %d runs have them, and none of these is stationary: weights still move in one direction, which by itself raises the lowest frequencies (E22). No run passed as stationary, so that there is nothing left for periodic motion to explain, nor a run to rule it out.", all, len(runs))
				}
			}
			return f, nil
		},
		Reason: fig3Reason,
	}
}

func largeGradient() Entry {
	return Entry{
		ID: "Remark 18", Item: "Remark 18", Chapter: "09_trajectories_of_networks",
		Claim:   "The gradient stays large because the force j keeps SGD away from critical points.",
		Decides: []string{"Remark 18", "E23"},
		Check: func(context.Context) (Finding, error) {
			runs, err := longRuns()
			if err != nil {
				return Finding{}, err
			}
			// REF, and the same without rotation: 𝔼‖∇f‖² = tr(FΣF) = β⁻¹tr(DF).
			squared := func(p *problem.OrnsteinUhlenbeck) float64 {
				var fs, fsf mat.Dense
				fs.Mul(p.Relaxation(), p.Covariance())
				fsf.Mul(&fs, p.Relaxation().T())
				return mat.Trace(&fsf)
			}
			still := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, 3}), mat.NewDiagDense(2, []float64{1, 1}), 1)
			numbers := []Number{
				measured("REF, β = 1: 𝔼‖∇f‖²", squared(problem.REF()), 4, 1e-12),
				measured("the same without force: share of it that is left", squared(still)/squared(problem.REF()), 0, 0.5),
			}
			f := Finding{Verdict: Fails, Text: "A stationary gradient is as large without force: 𝔼‖∇f‖² = β⁻¹𝔼tr(D∇²f), whatever Q is."}
			for _, r := range runs {
				if r.asTheory() && r.Gradients.Chain > 0 {
					numbers = append(numbers, measured(fmt.Sprintf("tiny-fc, %d epochs, seed %d: ⟨‖∇f‖²⟩ over that of a quadratic loss with its noise", r.Epochs, r.Chain.Training.Seed), r.Gradients.Squared.Value/r.Gradients.Chain, 1, 0.25))
				}
			}
			f.Numbers = numbers
			if len(numbers) > 2 && allOK(numbers[2:]...) {
				f.Text += " A network without momentum, with independent batches and frozen batch norm has the value of this formula within a quarter."
			} else if len(numbers) > 2 {
				f.Text += " On the network the formula explains the gradient only in part: its weights still move."
			}
			return f, nil
		},
		Tolerance: 0.25, Reason: "closed forms to round-off; on a network the Hessian and D are taken at one point, the mean weights; " + fig3Reason,
	}
}

func networkRotation() Entry {
	return Entry{
		ID: "Lemma 7, nets", Item: "Lemma 7 on a network", Chapter: "09_trajectories_of_networks",
		Claim:   "SGD of a network is out of equilibrium: its weights circulate.",
		Decides: []string{"Lemma 7, nets"},
		Check: func(context.Context) (Finding, error) {
			runs, err := longRuns()
			if err != nil {
				return Finding{}, err
			}
			// The mean of the slopes, each with the weight of its error. The directions and
			// the statistic were chosen on the run with seed 1, which therefore does not count.
			var slope, weight float64
			epochs, seeds := 0, 0
			for _, r := range runs {
				if e := r.Rotation.Slope; r.asTheory() && r.Chain.Training.Seed != 1 && e.Error > 0 {
					slope += e.Value / (e.Error * e.Error)
					weight += 1 / (e.Error * e.Error)
					epochs += r.Epochs
					seeds++
				}
			}
			f := Finding{Verdict: Undecided, Text: "No run without momentum, with independent batches and frozen batch norm is recorded.", Numbers: []Number{{Name: "recorded runs as the theory wants them, but for the seed on which the statistic was chosen", Value: float64(seeds), Want: 2, Tolerance: 2}}}
			if seeds == 0 {
				return f, nil
			}
			slope /= weight
			sd := 1 / math.Sqrt(weight)
			f.Numbers = []Number{
				measured(fmt.Sprintf("areas swept by %d runs of %d epochs together over those of linear theory: what exceeds 1, or falls below 0, in standard errors", seeds, epochs), max(0, slope-1, -slope)/sd, 0, 3),
				measured("the same: 0, in standard errors", slope/sd, 0, 3),
			}
			linear, none := f.Numbers[0].OK(), f.Numbers[1].OK()
			found := fmt.Sprintf("Over the planes of the steepest directions the weights sweep %.2f ± %.2f times the area that linear theory gives them.", slope, sd)
			switch {
			case none:
				f.Text = found + " With this length of runs that cannot be told from none: the claim could not be decided."
			case slope < 0:
				f.Verdict = Holds
				f.Text = found + " Probability circulates, against the sense of linear theory."
			case linear:
				f.Verdict = NeedsAssumption
				f.Text = found + " Probability circulates, and no more than in a quadratic loss with the same Hessian and noise: Lemma 20 on a network. It is no periodic motion and no limit cycle."
				if slope < 1-3*sd {
					f.Text += " That it is less may be due to weights that still move, while Hessian and noise are those of one place."
				}
			default:
				f.Verdict = Holds
				f.Text = found + " Probability circulates, and more than linear theory has it."
			}
			return f, nil
		},
		Tolerance: 3, Reason: "three standard errors are exceeded by chance in at most three of a thousand cases; " + fig3Reason,
	}
}

package ledger

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gonum.org/v1/gonum/mat"

	"sgdlab/data/results"
	"sgdlab/pkg/noise"
)

// recorded is what the checks of this file read of a recorded comparison.
type recorded struct {
	Name    string
	Numbers []struct {
		Case               string
		Dim                int
		Mean, Std          estimate
		ParticipationRatio estimate `json:"participation_ratio"`
		TestAccuracy       estimate `json:"test_accuracy"`
		Mode               string
		TraceRatio         estimate `json:"trace_ratio"`
		Cosine             float64
		Shift              estimate
	}
}

type estimate struct{ Value, Error float64 }

// apart returns by how many of their joint standard errors a exceeds b.
func (a estimate) apart(b estimate) float64 {
	return (a.Value - b.Value) / math.Hypot(a.Error, b.Error)
}

// fourErrors is the tolerance of comparisons in standard errors: with the few seeds behind
// an error it is exceeded by chance in about one of a hundred comparisons.
const fourErrors = 4

const recordedReason = "numbers are read from the recorded result, which names the command that makes it again; four joint standard errors tell two of them apart"

// spectra is what the checks read of a recorded panel of Figs. 1 and 2.
type spectra struct {
	Numbers struct {
		Network     string
		Dim         int
		Checkpoints []struct {
			Fraction float64
			Spectrum struct {
				Mean, Std float64
				RankF32   struct{ Lower int } `json:"rank_f32"`
			}
		}
		Paper struct {
			Figure      string
			RankPercent float64 `json:"rank_percent"`
		}
	}
}

func figure1() Entry {
	return Entry{
		ID: "Fig. 1", Item: "Figure 1", Chapter: "08_gradient_noise_of_networks",
		Claim:   "On MNIST D has a rank of 1.8 % of d (small-lenet) and 0.6 % (small-fc), and its spectrum hardly changes during training.",
		Decides: []string{"Fig. 1"},
		Check: func(context.Context) (Finding, error) {
			var numbers []Number
			var text []string
			for _, panel := range []string{"fig1a", "fig1b"} {
				var r spectra
				if err := results.Read(panel, &r); err != nil {
					return Finding{}, err
				}
				n := r.Numbers
				first, last := n.Checkpoints[0].Spectrum, n.Checkpoints[len(n.Checkpoints)-1].Spectrum
				rank := 100 * float64(last.RankF32.Lower) / float64(n.Dim)
				numbers = append(numbers,
					measured("rank at the end of training, float32 rule, % of d, "+n.Network, rank, n.Paper.RankPercent, 0.1),
					measured("mean eigenvalue after 20 % of training over that at the end, "+n.Network, first.Mean/last.Mean, 1, 0.25),
					measured("standard deviation over mean at the end, at least 10: what is missing, "+n.Network, max(0, 10-last.Std/last.Mean), 0, 0),
				)
				text = append(text, fmt.Sprintf("%s has a rank of %.2g %% (the paper: %.2g %%) and a mean eigenvalue that falls to %.2g of what it was", n.Network, rank, n.Paper.RankPercent, last.Mean/first.Mean))
			}
			f := Finding{Verdict: Holds, Numbers: numbers, Text: "Ranks and spectra are those of the paper."}
			if !allOK(numbers...) {
				f.Verdict = Undecided
				f.Text = "Spectra over many decades, far from isotropic, are reproduced; the numbers cannot be decided, because the paper gives neither length nor annealing of its training: " + strings.Join(text, "; ") + "."
			}
			return f, nil
		},
		Tolerance: 0.1,
		Reason:    "the printed ranks have two digits; one training each, with a schedule of our own; a quarter is what may pass as hardly changed",
	}
}

func figure2() Entry {
	const half = 0.005 // of the last printed digit of a rank in every panel of Fig. 2
	return Entry{
		ID: "Fig. 2", Item: "Figure 2", Chapter: "08_gradient_noise_of_networks",
		Claim:   "On CIFAR the eigenvalues of D are larger than on MNIST, with ranks of 0.32 % to 0.47 % of d.",
		Decides: []string{"Fig. 2"},
		Check: func(context.Context) (Finding, error) {
			var mnist spectra
			if err := results.Read("fig1a", &mnist); err != nil {
				return Finding{}, err
			}
			end := func(s spectra) (mean, rank float64) {
				last := s.Numbers.Checkpoints[len(s.Numbers.Checkpoints)-1].Spectrum
				return last.Mean, 100 * float64(last.RankF32.Lower) / float64(s.Numbers.Dim)
			}
			small, _ := end(mnist)
			var larger, ranks []Number
			var text []string
			for _, panel := range []string{"fig2a", "fig2c"} {
				var r spectra
				if err := results.Read(panel, &r); err != nil {
					return Finding{}, err
				}
				mean, rank := end(r)
				paper := r.Numbers.Paper
				larger = append(larger, measured("mean eigenvalue over that of small-lenet, at least 1: what is missing, Fig. "+paper.Figure, max(0, 1-mean/small), 0, 0))
				ranks = append(ranks, measured("rank at the end of training, float32 rule, % of d, Fig. "+paper.Figure, rank, paper.RankPercent, half))
				text = append(text, fmt.Sprintf("Fig. %s has a rank of %.2g %% (the paper: %.2g %%) and a mean eigenvalue %.3g times that of small-lenet", paper.Figure, rank, paper.RankPercent, mean/small))
			}
			f := Finding{Verdict: Undecided, Numbers: append(larger, ranks...)}
			switch said := strings.Join(text, "; ") + "."; {
			case !allOK(larger...):
				f.Verdict, f.Text = Fails, "The eigenvalues are not larger: "+said
			case !allOK(ranks...):
				f.Text = "The eigenvalues are larger, as claimed; the ranks are not the printed ones to the last digit and cannot be decided, because the paper gives no annealing, and CIFAR-100 is not recorded: " + said
			default:
				f.Text = "Two panels agree; CIFAR-100 is not recorded: " + said
			}
			return f, nil
		},
		Tolerance: half,
		Reason:    "half of the last printed digit of a rank; one training each, with a schedule of our own",
	}
}

func diverseData() Entry {
	return Entry{
		ID: "Remark 14", Item: "Remark 14", Chapter: "08_gradient_noise_of_networks",
		Claim:   "The more diverse the data, the less isotropic is D.",
		Decides: []string{"Remark 14", "E36"},
		Check: func(context.Context) (Finding, error) {
			var r recorded
			if err := results.Read("remark14", &r); err != nil {
				return Finding{}, err
			}
			two, ten, fifty, repeated, fresh := r.Numbers[0], r.Numbers[1], r.Numbers[2], r.Numbers[3], r.Numbers[4]
			// Isotropy is PR/d, which is 1 for D = cI. The claim wants it to fall.
			numbers := []Number{
				{Name: "rise of the participation ratio from 2 to 10 classes, in standard errors, beyond four", Value: max(0, ten.ParticipationRatio.apart(two.ParticipationRatio)-fourErrors)},
				{Name: "rise from 10 to 50 classes", Value: max(0, fifty.ParticipationRatio.apart(ten.ParticipationRatio)-fourErrors)},
				{Name: "rise from four copies of each sample to four with fresh noise", Value: max(0, fresh.ParticipationRatio.apart(repeated.ParticipationRatio)-fourErrors)},
			}
			f := Finding{Verdict: Undecided, Numbers: numbers, Text: "The differences are within their errors."}
			d := float64(two.Dim)
			if !numbers[0].OK() && !numbers[1].OK() {
				f.Verdict = Fails
				f.Text = fmt.Sprintf("With network, training and number of samples equal, D is the more isotropic the more classes there are: its participation ratio is %.2g, %.2g and %.2g %% of d for 2, 10 and 50. "+
					"The paper compares CIFAR-10 with CIFAR-100 and MNIST, where network, loss and accuracy change as well (E36).",
					100*two.ParticipationRatio.Value/d, 100*ten.ParticipationRatio.Value/d, 100*fifty.ParticipationRatio.Value/d)
			}
			return f, nil
		},
		Tolerance: 0,
		Reason:    recordedReason,
	}
}

func evaluationMode() Entry {
	return Entry{
		ID: "Remark 15", Item: "Remark 15, Appendix E", Chapter: "08_gradient_noise_of_networks",
		Claim:   "Dropout and other sources of noise in training are implicit in D.",
		Decides: []string{"Remark 15", "E21"},
		Check: func(context.Context) (Finding, error) {
			var r recorded
			if err := results.Read("remark15", &r); err != nil {
				return Finding{}, err
			}
			control, training, dropout := r.Numbers[0], r.Numbers[1], r.Numbers[2]
			ratio := func(name string, e estimate) Number {
				return measured("b·tr C/tr D, batches in "+name, e.Value, 1, fourErrors*e.Error)
			}
			numbers := []Number{
				ratio("evaluation mode, the control", control.TraceRatio),
				ratio("training mode", training.TraceRatio),
				ratio("training mode with dropout", dropout.TraceRatio),
				measured("cosine of C and D, training mode", training.Cosine, 1, 0.05),
				measured("cosine of C and D, training mode with dropout", dropout.Cosine, 1, 0.05),
			}
			f := Finding{Verdict: Holds, Numbers: numbers, Text: "D is the covariance of the gradients that training sees."}
			switch {
			case !numbers[0].OK():
				f.Verdict, f.Text = Undecided, "The control fails: batches in evaluation mode do not have the covariance D/b."
			case !allOK(numbers...):
				f.Verdict = Fails
				f.Text = fmt.Sprintf("D is computed in evaluation mode, where dropout is off and batch norm frozen. In training mode tiny-fc has a noise of %.2g times its trace and with dropout %.2g times, with cosines of %.2g and %.2g to D: another matrix.",
					training.TraceRatio.Value, dropout.TraceRatio.Value, training.Cosine, dropout.Cosine)
			}
			return f, nil
		},
		Tolerance: 0.05,
		Reason:    recordedReason + "; the cosines come from 20,000 gradients and err by less than 0.05",
	}
}

func architectureScore() Entry {
	return Entry{
		ID: "Remark 16", Item: "Remark 16", Chapter: "08_gradient_noise_of_networks",
		Claim:   "The standard deviation of the eigenvalues of D informs the search for architectures.",
		Decides: []string{"Remark 16"},
		Check: func(context.Context) (Finding, error) {
			var r recorded
			if err := results.Read("remark16", &r); err != nil {
				return Finding{}, err
			}
			// Kendall's pairs: do standard deviation and accuracy order the networks alike?
			agree, pairs := 0, 0
			for i, a := range r.Numbers {
				for _, b := range r.Numbers[:i] {
					pairs++
					if (a.Std.Value-b.Std.Value)*(a.TestAccuracy.Value-b.TestAccuracy.Value) > 0 {
						agree++
					}
				}
			}
			return Finding{
				Verdict: Undecided,
				Numbers: []Number{measured("pairs of networks that both order alike", float64(agree), float64(pairs)/2, float64(pairs)/2)},
				Text: fmt.Sprintf("No law is stated that could be tested: the paper's two pairs of examples go in opposite directions. Of our five networks, standard deviation and test accuracy order %d of %d pairs alike.",
					agree, pairs),
			}, nil
		},
		Tolerance: 0,
		Reason:    "a count; no number of agreeing pairs would decide a claim without a law",
	}
}

// gauge is a network of two weights, f_k = ½(w₂ max(0, w₁xₖ) − yₖ)² on six samples. Its loss
// does not change under w₁ → κw₁, w₂ → w₂/κ.
type gauge struct{ w1, w2 float64 }

var (
	gaugeInputs  = [6]float64{0.4, 1.3, -0.7, 2.1, 0.9, 1.6}
	gaugeTargets = [6]float64{0.9, 0.8, 0.3, 2.9, 0.2, 2.2}
)

// gradients returns the per-sample gradients (6×2) and the mean loss.
func (g gauge) gradients() (rows *mat.Dense, loss float64) {
	rows = mat.NewDense(6, 2, nil)
	for k, x := range gaugeInputs {
		h := max(0, g.w1*x)
		r := g.w2*h - gaugeTargets[k]
		loss += r * r / 2 / 6
		if h > 0 {
			rows.SetRow(k, []float64{r * g.w2 * x, r * h})
		}
	}
	return rows, loss
}

func scaleWithTrace() Entry {
	return Entry{
		ID: "eq. (14)", Item: "Equation (14), Remark 15", Chapter: "08_gradient_noise_of_networks",
		Claim:   "η/(2b) times the mean eigenvalue of D should be constant.",
		Decides: []string{"eq. (14)"},
		Check: func(context.Context) (Finding, error) {
			mean := func(g gauge) (lambda, loss float64) {
				rows, loss := g.gradients()
				var d mat.SymDense
				noise.DiffusionTo(&d, rows)
				return mat.Trace(&d) / 2, loss
			}
			const kappa = 3
			lambda, loss := mean(gauge{1.1, 0.8})
			scaled, sameLoss := mean(gauge{1.1 * kappa, 0.8 / kappa})
			numbers := []Number{
				measured("loss after w₁ → 3w₁, w₂ → w₂/3, minus before", sameLoss-loss, 0, roundOff),
				measured("mean eigenvalue of D after, over before", scaled/lambda, 1, roundOff),
			}
			f := Finding{Verdict: Holds, Numbers: numbers, Text: "The mean eigenvalue is a property of the network."}
			if numbers[0].OK() && !numbers[1].OK() {
				f.Verdict = NeedsAssumption
				f.Text = fmt.Sprintf("η/(2b) tr D is half the noise power per unit of time, in the coordinates chosen. The same function with its weights scaled through a ReLU has a mean eigenvalue %.3g times as large: "+
					"the rule needs a fixed parametrisation, and compares no two networks.", scaled/lambda)
			}
			return f, nil
		},
		Tolerance: roundOff,
		Reason:    roundOffReason,
	}
}

func weightCounts() Entry {
	return Entry{
		ID: "E35", Item: "Appendix E", Chapter: "08_gradient_noise_of_networks",
		Claim:   "The networks of Appendix E have about 20,000 weights, fully connected ones included.",
		Decides: []string{"E35"},
		Check: func(context.Context) (Finding, error) {
			dense := func(in, out int) int { return in*out + out }
			conv := func(in, out, kernel int) int { return in*out*kernel*kernel + out }
			norm := func(channels int) int { return 2 * channels }
			one := dense(49, 64) + norm(64) + dense(64, 10)
			two := dense(49, 64) + norm(64) + dense(64, 64) + norm(64) + dense(64, 10)
			lenet := conv(1, 8, 5) + norm(8) + conv(8, 16, 5) + norm(16) + dense(64, 128) + norm(128) + dense(128, 10)
			allcnn := func(classes int) int {
				n := 0
				for _, c := range [][3]int{{3, 12, 3}, {12, 12, 3}, {12, 12, 3}, {12, 24, 3}, {24, 24, 3}, {24, 24, 3}, {24, 24, 3}, {24, 24, 3}, {24, classes, 1}} {
					n += conv(c[0], c[1], c[2]) + norm(c[1])
				}
				return n
			}
			numbers := []Number{
				measured("small-fc with one hidden layer, as in the authors' code", float64(one), 3978, 0),
				measured("small-fc with two, as the text can be read", float64(two), 8266, 0),
				measured("small-lenet", float64(lenet), 13_338, 0),
				measured("small-allcnn, 10 classes", float64(allcnn(10)), 26_982, 0),
				measured("small-allcnn, 100 classes", float64(allcnn(100)), 29_412, 0),
			}
			f := Finding{Verdict: Fails, Numbers: numbers,
				Text: "Counted layer by layer, small-fc has 3,978 weights with the one hidden layer of the authors' code and 8,266 with two; neither is near 20,000. CIFAR-100 needs 29,412 in small-allcnn."}
			if !allOK(numbers...) {
				f.Verdict, f.Text = Undecided, "The counts are not those of the errata."
			}
			return f, nil
		},
		Tolerance: 0,
		Reason:    "counts",
	}
}

func constantNoise() Entry {
	return Entry{
		ID: "Remark 13", Item: "Remark 13", Chapter: "08_gradient_noise_of_networks",
		Claim:   "The noise of SGD is largely independent of the weights, because the spectra of D at three times of training look the same.",
		Decides: []string{"Remark 13", "E20"},
		Check: func(context.Context) (Finding, error) {
			cosine, expected, spectra := rotatedCovariance()
			counterexample := []Number{
				measured("largest difference of the eigenvalues of D and RDRᵀ, over the largest", spectra, 0, 1e-12),
				measured("cosine of D and RDRᵀ for a random rotation R, minus PR/d", cosine-expected, 0, rotationTolerance),
			}
			argument := measured("cosine of D and RDRᵀ", cosine, 1, rotationTolerance)
			numbers := append(counterexample, argument)
			lowest := 1.0
			for _, panel := range []string{"fig1a", "fig1b"} {
				var r struct {
					Numbers struct {
						Network  string
						Overlaps []struct{ From, To, Cosine float64 }
					}
				}
				if err := results.Read(panel, &r); err != nil {
					return Finding{}, err
				}
				for _, o := range r.Numbers.Overlaps {
					lowest = min(lowest, o.Cosine)
					numbers = append(numbers, measured(fmt.Sprintf("cosine of D at %.0f %% and %.0f %% of training, %s", 100*o.From, 100*o.To, r.Numbers.Network), o.Cosine, 1, rotationTolerance))
				}
			}
			f := Finding{Verdict: Undecided, Numbers: numbers, Text: "The rotated matrix is not the one that was to be made."}
			if allOK(counterexample...) && !argument.OK() {
				f.Verdict = Fails
				f.Text = fmt.Sprintf("Equal spectra do not make equal matrices: a random rotation of D keeps every eigenvalue and has a cosine of %.2g to it. "+
					"Measured as matrices, D at different points of one training have cosines down to %.2g: what is constant is a question about eigenvectors, and the paper's spectra do not answer it.", cosine, lowest)
			}
			return f, nil
		},
		Tolerance: rotationTolerance,
		Reason:    "the cosine of a matrix and its random rotation scatters by about a hundredth here; five hundredths are also what may pass as the same matrix",
	}
}

const rotationTolerance = 0.05

// rotatedCovariance returns the cosine of D and RDRᵀ for the covariance D of 300 gradients
// in 200 dimensions with a decaying spectrum and a random rotation R, its mean over R, and
// the largest relative difference of their eigenvalues.
func rotatedCovariance() (cosine, expected, spectra float64) {
	const n, d = 300, 200
	rng := rand.New(rand.NewPCG(1, 0))
	g := mat.NewDense(n, d, nil)
	g.Apply(func(_, j int, _ float64) float64 { return rng.NormFloat64() * math.Exp(-float64(j)/15) }, g)
	square := mat.NewDense(d, d, nil)
	square.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() }, square)
	var qr mat.QR
	qr.Factorize(square)
	var rotation, turned mat.Dense
	qr.QTo(&rotation)
	turned.Mul(g, rotation.T())
	var a, b mat.SymDense
	noise.DiffusionTo(&a, g)
	noise.DiffusionTo(&b, &turned)
	var ab mat.Dense
	ab.Mul(&a, &b)
	norm := mat.Norm(&a, 2)
	cosine = mat.Trace(&ab) / (norm * mat.Norm(&b, 2))
	expected = mat.Trace(&a) * mat.Trace(&a) / (d * norm * norm)
	var ea, eb mat.EigenSym
	ea.Factorize(&a, false)
	eb.Factorize(&b, false)
	va, vb := ea.Values(nil), eb.Values(nil)
	for i := range va {
		spectra = max(spectra, math.Abs(va[i]-vb[i])/va[d-1])
	}
	return cosine, expected, spectra
}

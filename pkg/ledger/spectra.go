package ledger

import (
	"context"
	"math"
)

// publishedRow is one row of the numbers printed with Figs. 1 and 2, and half a unit of
// the last printed digit of each.
type publishedRow struct {
	name              string
	dim               float64
	mean, std         float64
	meanHalf, stdHalf float64
	rank, rankHalf    float64 // per cent
}

func publishedRows() []publishedRow {
	return []publishedRow{
		{name: "small-lenet, MNIST", dim: 13338, mean: 0.3e-3, std: 2.11e-3, meanHalf: 0.05e-3, stdHalf: 0.005e-3, rank: 1.8, rankHalf: 0.05},
		{name: "small-fc, MNIST", dim: 3978, mean: 0.9e-3, std: 18.5e-3, meanHalf: 0.05e-3, stdHalf: 0.05e-3, rank: 0.6, rankHalf: 0.05},
		{name: "small-allcnn, CIFAR-10", dim: 26982, mean: 0.27, std: 0.84, meanHalf: 0.005, stdHalf: 0.005, rank: 0.34, rankHalf: 0.005},
		{name: "small-allcnn, CIFAR-100", dim: 29412, mean: 0.98, std: 2.16, meanHalf: 0.005, stdHalf: 0.005, rank: 0.47, rankHalf: 0.005},
		{name: "small-allcnn, CIFAR-10 augmented", dim: 26982, mean: 0.43, std: 1.32, meanHalf: 0.005, stdHalf: 0.005, rank: 0.32, rankHalf: 0.005},
	}
}

func publishedSpectra() Entry {
	return Entry{
		ID:   "E19",
		Item: "Figures 1 and 2, the numbers below the panels",
		Claim: "Mean, standard deviation and rank printed for the five spectra belong to the same eigenvalues: all d of them, or those above the cut-off, " +
			"in every row alike.",
		Chapter: "08_gradient_noise_of_networks",
		Decides: []string{"E19"},
		Check: func(context.Context) (Finding, error) {
			// Over n eigenvalues the participation ratio n·mean²/(mean²+std²) is at least 1
			// and at most the number of those that are not zero. If n = d that number is the
			// rank; if n is the rank, the ratio must still reach 1.
			var overAll, overKept []Number
			for _, r := range publishedRows() {
				mean, std := r.mean-r.meanHalf, r.std+r.stdHalf // the reading most favourable to the claim
				share := 100 * mean * mean / (mean*mean + std*std)
				overAll = append(overAll, Number{
					Name:  "over all d: per cent of d that PR ≤ rank requires beyond the printed rank, " + r.name,
					Value: max(0, share-(r.rank+r.rankHalf)),
				})
				mean, std = r.mean+r.meanHalf, r.std-r.stdHalf
				kept := math.Ceil(r.dim * (r.rank + r.rankHalf) / 100)
				ratio := kept * mean * mean / (mean*mean + std*std)
				overKept = append(overKept, Number{
					Name:  "over kept: 1 − PR where it must not be positive, " + r.name,
					Value: max(0, 1-ratio),
				})
			}
			f := Finding{Numbers: append(overAll, overKept...)}
			f.Verdict, f.Text = Holds, "One convention fits every row."
			if !allOK(overAll...) && !allOK(overKept...) {
				f.Verdict = Fails
				f.Text = "Over all d eigenvalues the three CIFAR rows would need a rank of 9 to 17 %; over the kept ones small-fc would have a participation ratio below one. " +
					"No single convention fits all rows: the numbers are indications, not targets."
			}
			return f, nil
		},
		Tolerance: 0,
		Reason:    "the printed digits are taken at the edge of their rounding that favours the claim",
	}
}

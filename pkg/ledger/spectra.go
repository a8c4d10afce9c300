package ledger

import (
	"context"
	"math"

	"sgdlab/pkg/ledger/claim"
)

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
			for _, r := range claim.PrintedSpectra() {
				mean, std := r.Mean-r.MeanHalf, r.Std+r.StdHalf // the reading most favourable to the claim
				share := 100 * mean * mean / (mean*mean + std*std)
				overAll = append(overAll, Number{
					Name:  "over all d: per cent of d that PR ≤ rank requires beyond the printed rank, " + r.Name,
					Value: max(0, share-(r.Rank+r.RankHalf)),
				})
				mean, std = r.Mean+r.MeanHalf, r.Std-r.StdHalf
				kept := math.Ceil(float64(r.Dim) * (r.Rank + r.RankHalf) / 100)
				ratio := kept * mean * mean / (mean*mean + std*std)
				overKept = append(overKept, Number{
					Name:  "over kept: 1 − PR where it must not be positive, " + r.Name,
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

package experiment

import (
	"fmt"

	"sgdlab/pkg/ledger/claim"
)

// PaperSpectrum is what the paper prints in a panel of Figs. 1 and 2; zero if it has no
// such panel. The rows of that table do not fit one convention (erratum E19).
type PaperSpectrum struct {
	Figure      string  `json:"figure"`
	Mean        float64 `json:"mean"`
	Std         float64 `json:"std"`
	RankPercent float64 `json:"rank_percent"` // of d
}

// paperSpectrum returns what the paper prints in the panel, zero for none.
func paperSpectrum(panel string) (PaperSpectrum, error) {
	if panel == "" {
		return PaperSpectrum{}, nil
	}
	for _, p := range claim.PrintedSpectra() {
		if p.Figure == panel {
			return PaperSpectrum{p.Figure, p.Mean, p.Std, p.Rank}, nil
		}
	}
	return PaperSpectrum{}, fmt.Errorf("experiment: no figure %q of a spectrum in the paper: they are 1a, 1b, 2a, 2b and 2c", panel)
}

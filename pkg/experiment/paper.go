package experiment

import "fmt"

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
	switch panel {
	case "":
		return PaperSpectrum{}, nil
	case "1a":
		return PaperSpectrum{panel, 0.3e-3, 2.11e-3, 1.8}, nil
	case "1b":
		return PaperSpectrum{panel, 0.9e-3, 18.5e-3, 0.6}, nil
	case "2a":
		return PaperSpectrum{panel, 0.27, 0.84, 0.34}, nil
	case "2b":
		return PaperSpectrum{panel, 0.98, 2.16, 0.47}, nil
	case "2c":
		return PaperSpectrum{panel, 0.43, 1.32, 0.32}, nil
	}
	return PaperSpectrum{}, fmt.Errorf("experiment: no figure %q of a spectrum in the paper: they are 1a, 1b, 2a, 2b and 2c", panel)
}

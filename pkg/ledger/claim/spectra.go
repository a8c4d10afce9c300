package claim

// PrintedSpectrum is what the paper prints in a panel of Figs. 1 and 2 about the eigenvalues
// of D(x) at the end of training, with half a unit of the last printed digit of each number.
// The five do not fit one convention (erratum E19).
type PrintedSpectrum struct {
	Figure    string  // "1a" … "2c"
	Name      string  // of network and data
	Dim       int     // d
	Mean, Std float64 // loss²/weight²
	Rank      float64 // % of d
	MeanHalf  float64
	StdHalf   float64
	RankHalf  float64
}

// PrintedSpectra returns the five panels in the order of the paper.
func PrintedSpectra() []PrintedSpectrum {
	return []PrintedSpectrum{
		{"1a", "small-lenet, MNIST", 13_338, 0.3e-3, 2.11e-3, 1.8, 0.05e-3, 0.005e-3, 0.05},
		{"1b", "small-fc, MNIST", 3978, 0.9e-3, 18.5e-3, 0.6, 0.05e-3, 0.05e-3, 0.05},
		{"2a", "small-allcnn, CIFAR-10", 26_982, 0.27, 0.84, 0.34, 0.005, 0.005, 0.005},
		{"2b", "small-allcnn, CIFAR-100", 29_412, 0.98, 2.16, 0.47, 0.005, 0.005, 0.005},
		{"2c", "small-allcnn, CIFAR-10 augmented", 26_982, 0.43, 1.32, 0.32, 0.005, 0.005, 0.005},
	}
}

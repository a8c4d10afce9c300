package experiment

import (
	"context"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
)

// Architectures measures the standard deviation of the eigenvalues of D(x), which Remark 16
// offers as a score of architectures, beside the test accuracy of five small networks on the
// digits 0–4 of MNIST 7×7. [chaudhari2018] Remark 16, erratum E36.
func Architectures(ctx context.Context, s ComparisonSettings) (*ComparisonResult, error) {
	digits := func(uint64) (train, test *dataset.Images, err error) { return fiveDigits(s.Samples) }
	var cases []noiseCase
	for _, c := range []struct {
		name   string
		layers []network.Layer
	}{
		{"tiny-fc", network.TinyFC().Layers},
		{"without batch norm", []network.Layer{network.Flatten{}, network.Dense{Out: 16}, network.ReLU{}, network.Dense{Out: 5}}},
		{"tanh for ReLU", []network.Layer{network.Flatten{}, network.Dense{Out: 16}, network.BatchNorm{}, network.Tanh{}, network.Dense{Out: 5}}},
		{"two hidden layers", []network.Layer{
			network.Flatten{}, network.Dense{Out: 16}, network.BatchNorm{}, network.ReLU{},
			network.Dense{Out: 16}, network.BatchNorm{}, network.ReLU{}, network.Dense{Out: 5},
		}},
		{"64 hidden units", []network.Layer{network.Flatten{}, network.Dense{Out: 64}, network.BatchNorm{}, network.ReLU{}, network.Dense{Out: 5}}},
	} {
		arch := network.TinyFC()
		arch.Name, arch.Layers = c.name, c.layers
		cases = append(cases, noiseCase{c.name, arch, digits})
	}
	return compare(ctx, "remark16", s, cases)
}

// fiveDigits returns MNIST 7×7 of the digits 0–4, the first n images of its training set.
func fiveDigits(n int) (train, test *dataset.Images, err error) {
	if train, test, err = dataset.MNIST7(); err != nil {
		return nil, nil, err
	}
	train, test = train.Digits(0, 1, 2, 3, 4), test.Digits(0, 1, 2, 3, 4)
	first := make([]int, min(n, train.N))
	for i := range first {
		first[i] = i
	}
	return train.Subset(first), test, nil
}

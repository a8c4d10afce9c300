package experiment_test

import (
	"archive/zip"
	"context"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/spectrum"
)

var peers = flag.String("peers", "", "folder of the peers' scripts, with trained weights in reference and data in ../data, for benchmarks")

// BenchmarkDiffusion forms D with its gradients, of a trained network on its first 6000
// images, as p2_dense.py of the peers does.
func BenchmarkDiffusion(b *testing.B) {
	for _, a := range []network.Architecture{network.SmallFC(), network.SmallLeNet(0)} {
		b.Run(a.Name, func(b *testing.B) {
			n, x := trained(b, a, 6000)
			for b.Loop() {
				c := covariance(b, n, x)
				if err := c.DenseTo(context.Background(), new(mat.SymDense)); err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
		})
	}
}

// BenchmarkTop100 finds the 100 largest eigenvalues of the D of small-lenet with its
// gradients, as p2_topk.py of the peers does.
func BenchmarkTop100(b *testing.B) {
	n, x := trained(b, network.SmallLeNet(0), 6000)
	for b.Loop() {
		c := covariance(b, n, x)
		found, err := spectrum.Of(context.Background(), c, &spectrum.Settings{Method: spectrum.Lanczos, Top: 100})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(found.Products), "products")
		c.Close()
	}
}

// BenchmarkSpectrum takes the spectrum of D of trained networks on all 60,000 images, gradients
// included, in float32: all eigenvalues, the hundred largest, and these with a certified rank.
func BenchmarkSpectrum(b *testing.B) {
	for _, c := range []struct {
		name     string
		arch     network.Architecture
		settings spectrum.Settings
	}{
		{"small-fc/all", network.SmallFC(), spectrum.Settings{Method: spectrum.Dense}},
		{"small-lenet/all", network.SmallLeNet(0), spectrum.Settings{Method: spectrum.Dense}},
		{"small-lenet/top", network.SmallLeNet(0), spectrum.Settings{Method: spectrum.Lanczos, Top: 100}},
		{"small-lenet/rank", network.SmallLeNet(0), spectrum.Settings{Method: spectrum.Lanczos, Top: 100, Rank: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			n, x := trained(b, c.arch, 60_000)
			for b.Loop() {
				cov, err := noise.NewCovariance(context.Background(), n, x, &noise.Settings{MaxBytes: 4 << 30}) // all gradients
				if err != nil {
					b.Fatal(err)
				}
				found, err := spectrum.Of(context.Background(), cov, &c.settings)
				if err != nil {
					b.Fatal(err)
				}
				b.Log(found)
				cov.Close()
			}
		})
	}
}

func covariance(b *testing.B, n *network.Network, x []float64) *noise.Covariance {
	c, err := noise.NewCovariance(context.Background(), n, x, nil)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// trained returns a on the peers' first images, with the peers' trained weights. Both sides
// have them in the same order: layer after layer, weights before biases.
func trained(b *testing.B, a network.Architecture, images int) (*network.Network, []float64) {
	if *peers == "" {
		b.Skip("needs the peers' trained weights: name the folder of their scripts with -peers")
	}
	data, _, err := dataset.MNIST(filepath.Join(*peers, "..", "data"))
	if err != nil {
		b.Fatal(err)
	}
	if a.Height == 7 {
		data = data.MeanPool(4)
	}
	idx := make([]int, images)
	for i := range idx {
		idx[i] = i
	}
	archive, err := zip.OpenReader(filepath.Join(*peers, "reference", a.Name+"_trained.npz"))
	if err != nil {
		b.Fatal(err)
	}
	defer archive.Close()
	var x, stats []float64
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			b.Fatal(err)
		}
		var v []float32
		if err := npyio.Read(r, &v); err != nil {
			b.Fatal(f.Name, err)
		}
		to := &x
		if strings.HasPrefix(f.Name, "bn.") {
			to = &stats
		}
		for _, w := range v {
			*to = append(*to, float64(w))
		}
	}
	n, err := network.New(a, data.Subset(idx), stats, nil)
	if err != nil {
		b.Fatal(err)
	}
	return n, x
}

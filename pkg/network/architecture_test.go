package network_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"sgdlab/pkg/network"
)

// Weight counts of the paper's networks, from the authors' published code.
func TestWeightCounts(t *testing.T) {
	for _, c := range []struct {
		a            network.Architecture
		dim, classes int
	}{
		{network.TinyFC(), 917, 5},
		{network.SmallFC(), 3978, 10},
		{network.SmallLeNet(0.1), 13338, 10},
		{network.SmallAllCNN(10, 0), 26982, 10},
		{network.SmallAllCNN(100, 0), 29412, 100},
	} {
		if got := c.a.Dim(); got != c.dim {
			t.Errorf("%s: Dim() = %d, want %d", c.a.Name, got, c.dim)
		}
		if got := c.a.Classes(); got != c.classes {
			t.Errorf("%s: Classes() = %d, want %d", c.a.Name, got, c.classes)
		}
	}
}

func TestViewsCoverTheWeights(t *testing.T) {
	for _, a := range paperNetworks {
		at := 0
		names := map[string]bool{}
		for _, v := range a.Views() {
			if v.Offset != at || names[v.Name] {
				t.Errorf("%s: view %q at %d, want a new name at %d", a.Name, v.Name, v.Offset, at)
			}
			names[v.Name] = true
			at += v.Size()
		}
		if at != a.Dim() {
			t.Errorf("%s: the views hold %d weights, want %d", a.Name, at, a.Dim())
		}
	}
}

func TestInit(t *testing.T) {
	a := network.SmallFC()
	x, stats := a.Init(rand.NewPCG(1, 2))
	again, _ := a.Init(rand.NewPCG(1, 2))
	for i := range x {
		if x[i] != again[i] {
			t.Fatalf("weight %d differs between two calls with one seed: %v, %v", i, x[i], again[i])
		}
	}
	for _, v := range a.Views() {
		w := v.Of(x)
		fanIn := 49.0
		if strings.HasPrefix(v.Name, "5") {
			fanIn = 64
		}
		switch {
		case strings.HasSuffix(v.Name, "scale"), strings.HasSuffix(v.Name, "shift"):
			for _, s := range w {
				if want := map[bool]float64{true: 1}[strings.HasSuffix(v.Name, "scale")]; s != want {
					t.Errorf("%s: %v, want %v", v.Name, s, want)
				}
			}
		default: // uniform in ±1/√fan-in: variance 1/(3·fan-in), standard error of the mean square below
			bound, square := 1/math.Sqrt(fanIn), 0.0
			for _, s := range w {
				if math.Abs(s) > bound {
					t.Errorf("%s: |%v| > %v", v.Name, s, bound)
				}
				square += s * s / float64(len(w))
			}
			want := bound * bound / 3
			// sd of u² for u uniform in ±1 is √(4/45); 4.9 standard errors: false alarm 1e-6 per view.
			if tol := 4.9 * bound * bound * math.Sqrt(4.0/45/float64(len(w))); math.Abs(square-want) > tol {
				t.Errorf("%s: mean square %v, want %v ± %v", v.Name, square, want, tol)
			}
		}
	}
	for i, s := range stats {
		if want := float64(i / 64); s != want {
			t.Errorf("statistic %d is %v, want %v", i, s, want)
		}
	}
}

func TestValidateNamesTheLayer(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers []network.Layer
		want   string
	}{
		{"dense on an image", []network.Layer{network.Dense{Out: 3}}, "layer 1 (dense 3): its input is 1×6×6; put Flatten before it"},
		{"conv after flatten", []network.Layer{network.Flatten{}, network.Conv2D{Out: 1, Kernel: 3}}, "layer 2 (conv 3×3 to 1): its input is flat"},
		{"large kernel", []network.Layer{network.Conv2D{Out: 1, Kernel: 9}}, "smaller than the kernel"},
		{"pool does not divide", []network.Layer{network.MaxPool{Size: 4}}, "not a multiple of the window 4"},
		{"dropout 1", []network.Layer{network.Dropout{P: 1}}, "layer 1 (dropout 1): its probability is 1"},
		{"image at the end", []network.Layer{network.Conv2D{Out: 1, Kernel: 3}}, "the last layer leaves 1×4×4"},
		{"nothing to train", []network.Layer{network.Flatten{}}, "no layer has weights"},
		{"no outputs", []network.Layer{network.Flatten{}, network.Dense{}}, "0 outputs"},
		{"nil", []network.Layer{nil}, "layer 1 is nil"},
	} {
		a := network.Architecture{Name: "mine", Channels: 1, Height: 6, Width: 6, Layers: c.layers}
		if err := a.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
	}
}

package network_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/network"
)

// A training that augments has the gradient of one on images augmented beforehand, with
// draws that its state brings back.
func TestTrainingAugments(t *testing.T) {
	a := network.Architecture{Name: "toy", Channels: 2, Height: 5, Width: 5, Layers: []network.Layer{network.Flatten{}, network.Dense{Out: 3}}}
	data := images(a, 6, false)
	change := dataset.Augmentation{Flip: true, Pad: 2}
	idx := []int{4, 1, 1, 5}
	tr, x := newTraining(t, a, data, network.Float64)
	tr.Augment(change)
	gradient := func() []float64 {
		g := make([]float64, tr.Dim())
		if _, err := tr.BatchGradTo(g, x, idx); err != nil {
			t.Fatal(err)
		}
		return g
	}
	start := tr.State()
	got := [2][]float64{gradient(), gradient()}
	if slices.Equal(got[0], got[1]) {
		t.Error("two batches saw the same changes")
	}
	for batch, got := range got {
		seen := data.Subset(idx)
		change.To(seen.Pixels, data, idx, rand.New(rand.NewPCG(11, 1<<63|uint64(batch))))
		plain, _ := newTraining(t, a, seen, network.Float64)
		want := make([]float64, tr.Dim())
		if _, err := plain.BatchGradTo(want, x, []int{0, 1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("batch %d: got %v, want %v", batch, got, want)
		}
	}
	if err := tr.SetState(start); err != nil {
		t.Fatal(err)
	}
	if again := gradient(); !slices.Equal(again, got[0]) {
		t.Error("the state does not bring back the draws")
	}
	defer func() {
		if r, _ := recover().(string); !strings.Contains(r, "Pad") && !strings.Contains(r, "pad") {
			t.Errorf("pad 5 of 5 pixels: got %q", r)
		}
	}()
	tr.Augment(dataset.Augmentation{Pad: 5})
}

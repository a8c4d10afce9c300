package snapshot_test

import (
	"fmt"
	"os"
	"path/filepath"

	"sgdlab/pkg/sgd/snapshot"
)

func Example() {
	dir, err := os.MkdirTemp("", "snapshot")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "run.snap")

	w, err := snapshot.Create(path, snapshot.Header{
		Run:     [][2]string{{"seed", "1"}},
		Weights: 2,
		Numbers: []string{snapshot.FullLoss},
	})
	if err != nil {
		panic(err)
	}
	for epoch := 1; epoch <= 3; epoch++ {
		x := []float64{1 / float64(epoch), 0}
		if err := w.Append(epoch, x, x, []float64{x[0] * x[0] / 2}); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}

	r, err := snapshot.Open(path)
	if err != nil {
		panic(err)
	}
	defer r.Close()
	fmt.Println(r.Epochs(), "epochs,", "damage:", r.Damage())
	first, err := r.WeightColumnsTo(nil, 0, 1)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.4f\n", first)
	// Output:
	// 3 epochs, damage: <nil>
	// [1.0000 0.5000 0.3333]
}

package dataset_test

import (
	"fmt"

	"sgdlab/pkg/dataset"
)

func ExampleMNIST7() {
	train, test, err := dataset.MNIST7()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train.N, test.N, train.Height, train.Width, train.Classes)
	fmt.Println("digits 0–4:", train.Digits(0, 1, 2, 3, 4).N)
	// The first image and its label.
	for y := range 7 {
		for _, v := range train.Image(0)[7*y : 7*y+7] {
			fmt.Printf(" %.1f", v)
		}
		fmt.Println()
	}
	fmt.Println("is a", train.Labels[0])
	// Output:
	// 60000 10000 7 7 10
	// digits 0–4: 30596
	//  0.0 0.0 0.0 0.0 0.0 0.0 0.0
	//  0.0 0.0 0.3 0.5 0.5 0.4 0.0
	//  0.0 0.0 0.5 0.5 0.2 0.0 0.0
	//  0.0 0.0 0.0 0.5 0.3 0.0 0.0
	//  0.0 0.0 0.0 0.2 0.8 0.0 0.0
	//  0.0 0.2 0.7 0.6 0.2 0.0 0.0
	//  0.0 0.2 0.1 0.0 0.0 0.0 0.0
	// is a 5
}

func ExampleImages_MeanPool() {
	im := &dataset.Images{Name: "one", N: 1, Channels: 1, Height: 2, Width: 4, Classes: 1,
		Pixels: []float32{
			0, 1, 0.5, 0.5,
			1, 0, 0.5, 0.25,
		},
		Labels: []uint8{0}}
	pooled := im.MeanPool(2)
	fmt.Println(pooled.Name, pooled.Pixels)
	// Output: one, 1×2 [0.5 0.4375]
}

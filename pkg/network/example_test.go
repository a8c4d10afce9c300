package network_test

import (
	"fmt"

	"sgdlab/pkg/network"
)

func ExampleArchitecture() {
	a := network.TinyFC()
	fmt.Println(a)
	for _, v := range a.Views() {
		fmt.Println(v.Name, v.Dims)
	}
	// Output:
	// tiny-fc: 1×7×7 → flatten → dense 16 → batch norm → ReLU → dense 5 (917 weights)
	// 2 dense 16 weight [16 49]
	// 2 dense 16 bias [16]
	// 3 batch norm scale [16]
	// 3 batch norm shift [16]
	// 5 dense 5 weight [5 16]
	// 5 dense 5 bias [5]
}

package kernelspec_test

import (
	"fmt"

	"sgdlab/kernelext/kernelspec"
)

func ExampleLab() {
	lab := kernelspec.Lab{Root: "/home/ada/sgdlab"}
	fmt.Println(lab.Tool("gonb"))
	fmt.Println(kernelspec.Folder(lab.DataDir(), kernelspec.Name))

	// The variables of the pure-Go kernel; without the XLA plug-in the other one has the
	// same.
	env := lab.Env(kernelspec.PureGo, &kernelspec.GoTool{Exe: "/usr/local/go/bin/go"})
	for _, v := range kernelspec.Environ(nil, env) {
		fmt.Println(v)
	}
	// Output:
	// /home/ada/sgdlab/.lab/bin/gonb
	// /home/ada/sgdlab/.lab/share/jupyter/kernels/sgdlab
	// CGO_ENABLED=0
	// GOEXPERIMENT=simd
	// GOFLAGS=-ldflags=-s -tags=noxla
	// GOPROXY=off
	// SGDLAB_GO=/usr/local/go/bin/go
	// SGDLAB_ROOT=/home/ada/sgdlab
}

//go:build !goexperiment.simd

package backend

import (
	"fmt"
	"os"
	"sync"
)

var warnWithoutSIMD = sync.OnceFunc(func() {
	fmt.Fprintln(os.Stderr, "sgdlab: built without GOEXPERIMENT=simd: matrix products on the Go backend are 3 to 6 times slower.")
})

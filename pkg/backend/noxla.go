//go:build !cgo || noxla

package backend

import (
	"errors"

	"github.com/gomlx/compute"
)

func findXLA() xlaPlugin { return xlaPlugin{false, "this build leaves XLA out"} }

func openXLA(string) (compute.Backend, error) {
	return nil, errors.New("backend: this build leaves XLA out; build with cgo and without the tag noxla, or use the backend \"go\"")
}

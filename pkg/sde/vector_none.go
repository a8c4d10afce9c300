//go:build !(goexperiment.simd && amd64)

package sde

import "sgdlab/pkg/problem"

const haveVector = false

func clearUpper() {}

func (st *stepper) stepLanes(next, b *problem.Batch, z *[2]lanes, bound float64) uint {
	panic("sde: no vectors")
}

//go:build !(goexperiment.simd && amd64)

package sde

import "sgdlab/pkg/problem"

const haveVector = false

func clearUpper() {}

func (g *group) stepLanes(next, b *problem.Batch, z *[2]lanes) uint {
	panic("sde: no vectors")
}

//go:build !(goexperiment.simd && amd64)

package problem

// Without vectors the functions of one point are as fast.
var tensorWellBatch, xdBatch, cvBatch func(b *Batch)

func example19Batch(lambda float64) func(b *Batch) { return nil }
func repairedBatch(lambda float64) func(b *Batch)  { return nil }

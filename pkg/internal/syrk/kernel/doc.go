// Package kernel holds the innermost loops of the dense linear algebra of this
// module, each written several ways: products of 48-wide panels and tiles for
// rank-k updates ([sgdlab/pkg/internal/syrk]) and the reduction of a symmetric
// matrix to a band, and the loops of bulge chasing on that band.
//
// # Layout
//
// A panel is k rows of 48 numbers, contiguous, row-major. A tile is a panel of 48
// rows. 48 numbers are 3 or 6 registers of 512 bits, 6 or 12 of 256 bits, so that no
// kernel has an edge: callers pad with zeros.
package kernel

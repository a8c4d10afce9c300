// Package data embeds what the library reads from this folder: the list of data
// sets and MNIST pooled to 7×7. Use it through package dataset.
//
// Each variable is a string of its own, so that a program carries only those it
// reaches.
package data

import _ "embed" // for the directives below

// Manifest is MANIFEST.json: for each data set the addresses, sizes and checksums
// of its files.
//
//go:embed MANIFEST.json
var Manifest string

// MNIST7Train and MNIST7Test hold the 60,000 and the 10,000 images of MNIST
// pooled to 7×7 with their labels. Derived data under CC BY-SA 3.0: see
// mnist7/README.md.
var (
	//go:embed mnist7/train.bin
	MNIST7Train string
	//go:embed mnist7/test.bin
	MNIST7Test string
)

// Package fetch downloads the data sets that package dataset reads.
//
//	err := fetch.Dataset(ctx, "mnist", dataset.Dir(""), nil)
//
// Where they are published, and which sizes and checksums they have, says
// data/MANIFEST.json; [Sources] returns its entries, and a [Source] of one's own
// works as well, for example with other mirrors. Transfers go on where they broke,
// and a file takes its place only when its SHA-256 is right.
//
// It is a package of its own so that programs which only read data, such as the
// cells of a notebook, do not carry an HTTP client.
//
// # Not here
//
// Reading the files (package dataset), and locking: two fetches into one directory
// at the same time disturb each other, which the checksum notices.
package fetch

// Package backend chooses the one GoMLX backend of a process, offline.
//
// The order is: the environment variable GOMLX_BACKEND if it is set; XLA on the
// CPU if its PJRT plug-in is found; else GoMLX's pure-Go backend, which is always
// there. [Default] makes the choice once, [Describe] says in a line what it was
// and why, and [Open] opens a backend by name, for tests that want both.
//
// Three facts about the platform are settled here, so that nobody else has to know
// them. The Go backend is always opened as "go:ops_sequential", because plain "go"
// can deadlock when many matrix products are ready at once. XLA never tries to
// download a plug-in. And the build needs GOEXPERIMENT=simd to be fast on the Go
// backend: one without it prints one line to standard error when the first backend
// is opened.
//
// The XLA half needs cgo and is left out by the build tag noxla.
//
// # Environment
//
// GOMLX_BACKEND names a backend ("go", "xla:cpu"). PJRT_PLUGIN_LIBRARY_PATH lists
// directories with plug-ins; without it the places that go-xla documents are
// searched. This is the only package under pkg that reads the environment.
//
// # Not here
//
// Graphs (package network) and the installation of the plug-in (kernelext/setup).
package backend

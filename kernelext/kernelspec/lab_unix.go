//go:build unix && !linux

package kernelspec

import "golang.org/x/sys/unix"

// userData is Jupyter's data folder below the home directory, as on macOS.
const userData = "Library/Jupyter"

func duplicate(from, to int) error { return unix.Dup2(from, to) }

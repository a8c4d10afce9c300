//go:build !unix

package noise

import (
	"errors"
	"os"
)

func mapFile(*os.File, int) ([]byte, error) {
	return nil, errors.New("not supported by this operating system")
}

func unmapFile([]byte) error { return nil }

package numtest

import (
	"os"
	"testing"
)

// Data returns the folder of the real data, the value of SGDLAB_DATA, or skips
// the test when the variable is not set.
func Data(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SGDLAB_DATA")
	if dir == "" {
		t.Skip("SGDLAB_DATA is not set: no real data")
	}
	return dir
}

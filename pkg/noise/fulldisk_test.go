//go:build unix

package noise_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sgdlab/pkg/noise"
)

// folderOfFullDisk tells a copy of this program that its files may not exceed 64 KiB.
const folderOfFullDisk = "SGDLAB_TEST_FULL_DISK"

func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(folderOfFullDisk); dir != "" {
		fullDisk(dir)
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
	cmd.Env = append(os.Environ(), folderOfFullDisk+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	message, _, _ := strings.Cut(string(out), "\n")
	want := fmt.Sprintf("noise: writing gradients to %s failed after 65536 of 160000 bytes: file too large: make room, or choose another Settings.Dir, or Recompute", dir)
	if message != want {
		t.Errorf("got %q, want %q", message, want)
	}
	wantEmpty(t, "full disk", dir)
}

// fullDisk prints the error of a covariance that does not fit.
func fullDisk(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: 1 << 16, Max: 1 << 16}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return
	}
	c, err := noise.NewCovariance(context.Background(), &noisy{n: 400, d: 100}, make([]float64, 100), &noise.Settings{Store: noise.InFile, Dir: dir})
	fmt.Println(err)
	if c != nil || !errors.Is(err, syscall.EFBIG) {
		os.Exit(1)
	}
}

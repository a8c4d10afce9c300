package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// TestKilled: a run that is killed has no time to end its kernel, which ends by itself.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a kernel")
	}
	t.Parallel()
	lab := kerneltest.Lab(t)
	nb := &notebook.Notebook{
		Cells:    []*notebook.Cell{{Type: notebook.Code, Source: "%%\ntime.Sleep(10 * time.Minute)", Metadata: map[string]any{}}},
		Metadata: map[string]any{"kernelspec": map[string]any{"name": kernelspec.PureGo}},
	}
	path := filepath.Join(t.TempDir(), "sleeps.ipynb")
	if err := nb.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(lab.Tool("sgdlab"), "run", path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var kernel int
	for end := time.Now().Add(time.Minute); kernel == 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		kernel = gonbBelow(cmd.Process.Pid)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if kernel == 0 {
		t.Fatal("no kernel has started")
	}
	for end := time.Now().Add(time.Minute); !ended(kernel); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			_ = syscall.Kill(kernel, syscall.SIGTERM)
			t.Fatal("the kernel goes on")
		}
	}
}

// ended reports whether the process is gone, or waits to be reaped, which some containers never
// do.
func ended(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, after, ok := strings.Cut(string(text), ") ")
	return err != nil || ok && strings.HasPrefix(after, "Z")
}

// gonbBelow returns the process that pid has started if it is GoNB already, else 0.
func gonbBelow(pid int) int {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		name, after, ok := strings.Cut(string(text), ") ")
		fields := strings.Fields(after)
		if err != nil || !ok || len(fields) < 2 || fields[1] != strconv.Itoa(pid) || !strings.HasSuffix(name, "(gonb") {
			continue // or it has ended
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil {
			return child
		}
	}
	return 0
}

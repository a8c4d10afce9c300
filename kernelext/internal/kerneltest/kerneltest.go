// Package kerneltest runs cells in the kernels of this clone: tests only.
package kerneltest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// Lab returns the clone that holds the test. It skips the test if the kernels are not set
// up.
func Lab(t testing.TB) kernelspec.Lab {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	lab, ok := kernelspec.FindLab(dir)
	if !ok {
		t.Fatalf("%s is not in a clone of sgdlab", dir)
	}
	for _, path := range []string{lab.Tool("sgdlab"), lab.Tool("gonb"), kernelspec.Folder(lab.DataDir(), kernelspec.Name)} {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("the kernel is not set up (%v); ./scripts/test sets it up", err)
		}
	}
	return lab
}

// Start starts the kernel called name; it ends with the test.
func Start(t testing.TB, name string, s notebook.KernelSettings) *notebook.Kernel {
	t.Helper()
	spec, err := notebook.FindSpec(name, Lab(t).DataDir())
	if err != nil {
		t.Fatal(err)
	}
	k, err := notebook.Start(t.Context(), spec, &s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// Execute runs a cell, which may fail by itself, in two minutes at most.
func Execute(t testing.TB, k *notebook.Kernel, code string) *notebook.Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	reply, err := k.Execute(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// Run is Execute for a cell that must not fail.
func Run(t testing.TB, k *notebook.Kernel, code string) *notebook.Reply {
	t.Helper()
	reply := Execute(t, k, code)
	if reply.Status != "ok" {
		t.Fatalf("the cell failed: %s\n%s", notebook.Words(reply), code)
	}
	return reply
}

// Text returns what a cell has printed and the plain forms of what it has shown.
func Text(r *notebook.Reply) string {
	var b strings.Builder
	for _, o := range r.Outputs {
		b.WriteString(o.Text)
		if s, ok := o.Data["text/plain"].(string); ok {
			b.WriteString(s + "\n")
		}
	}
	return b.String()
}

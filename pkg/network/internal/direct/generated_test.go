package direct

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var long = flag.Bool("long", false, "run the tests that take more than some seconds")

// TestGenerated checks that the assembly is what the generator writes.
func TestGenerated(t *testing.T) {
	if !*long {
		t.Skip("skipped: compiling the generator takes half a minute; use -long")
	}
	dir := t.TempDir()
	files := []string{"kernels_amd64.s", "stubs_amd64.go"}
	cmd := exec.Command("go", "run", ".", "-out", filepath.Join(dir, files[0]), "-stubs", filepath.Join(dir, files[1]), "-pkg", "direct")
	cmd.Dir = "gen"
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		if bytes.Contains(out, []byte("module lookup disabled")) || bytes.Contains(out, []byte("no required module")) {
			t.Skip("skipped: avo is not in the module cache; go -C gen mod download fetches it")
		}
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// The first line names the command with its paths.
		_, got, _ = bytes.Cut(got, []byte("\n"))
		_, want, _ = bytes.Cut(want, []byte("\n"))
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes; run go generate", name)
		}
	}
}

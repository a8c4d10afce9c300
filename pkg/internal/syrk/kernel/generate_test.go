package kernel

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The assembly in the repository is what the generator writes, but for the first line,
// which names the output files.
func TestAssemblyIsGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("the generator is not run with -short")
	}
	download := exec.Command("go", "-C", filepath.Join("..", "gen"), "mod", "download")
	if out, err := download.CombinedOutput(); err != nil {
		t.Skipf("the generator's modules are not here and cannot be downloaded: %v\n%s", err, out)
	}
	for pkg, folder := range map[string]string{"kernel": ".", "tall": filepath.Join("..", "..", "tall")} {
		dir := t.TempDir()
		assembly, stubs := filepath.Join(dir, "assembly_amd64.s"), filepath.Join(dir, "stubs_amd64.go")
		run := exec.Command("go", "-C", filepath.Join("..", "gen"), "run", ".", "-out", assembly, "-stubs", stubs, "-pkg", pkg)
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("running the generator: %v\n%s", err, out)
		}
		for _, path := range []string{assembly, stubs} {
			name := filepath.Base(path)
			got, want := withoutFirstLine(t, filepath.Join(folder, name)), withoutFirstLine(t, path)
			if !bytes.Equal(got, want) {
				t.Errorf("%s of package %s is not what the generator writes: run go generate there", name, pkg)
			}
		}
	}
}

func withoutFirstLine(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	return rest
}

// AVX2 has 16 vector registers of 256 bits. The generator would take more, and the
// processor fail, if a kernel needed them.
func TestAVX2Registers(t *testing.T) {
	text, err := os.ReadFile("assembly_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	tooMany := regexp.MustCompile(`\b([XY](1[6-9]|2[0-9]|3[01])|Z[0-9]+|K[0-7])\b`)
	functions := 0
	for _, function := range strings.Split(string(text), "\nTEXT ")[1:] {
		name, body, _ := strings.Cut(function, "(SB)")
		if !strings.HasSuffix(name, "AVX2") {
			continue
		}
		functions++
		if r := tooMany.FindString(body); r != "" {
			t.Errorf("%s uses %s", name, r)
		}
	}
	if functions != 8 {
		t.Errorf("got %d functions for AVX2, want 8", functions)
	}
}

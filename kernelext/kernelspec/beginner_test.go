package kernelspec_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// TestBeginnersPage runs the cells of notebooks/GO_CELLS.md: a cell followed by words must
// fail with them, the others must not fail.
func TestBeginnersPage(t *testing.T) {
	t.Parallel()
	lab := kerneltest.Lab(t)
	page, err := os.ReadFile(filepath.Join(lab.Root, "notebooks", "GO_CELLS.md"))
	if err != nil {
		t.Fatal(err)
	}
	k := kerneltest.Start(t, kernelspec.PureGo, notebook.KernelSettings{})
	mistakes := 0
	for _, m := range regexp.MustCompile("(?s)```go\n(.*?)\n```\n(?:```text\n(.*?)\n```\n)?").FindAllSubmatch(page, -1) {
		code, want := string(m[1]), string(m[2])
		if want == "" {
			kerneltest.Run(t, k, code)
			continue
		}
		mistakes++
		if got := notebook.Words(kerneltest.Execute(t, k, code)); got != want {
			t.Errorf("the kernel says\n%s\nnot\n%s\nto\n%s", got, want, code)
		}
	}
	if mistakes != 5 {
		t.Errorf("the page shows %d mistakes, want 5", mistakes)
	}
}

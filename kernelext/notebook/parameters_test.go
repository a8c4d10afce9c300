package notebook_test

import (
	"strings"
	"testing"

	"sgdlab/kernelext/notebook"
)

// parametrised returns a notebook whose second cell declares parameters.
func parametrised(source string) *notebook.Notebook {
	nb := chapter("print a", "#parameters\n"+source, "print b")
	for i, c := range nb.Cells {
		c.ID = string(rune('p' + i))
	}
	return nb
}

func TestWithParameters(t *testing.T) {
	nb := parametrised("const (\n\tepochs = 20\n\tname   = \"small-fc\"\n\trate float64 = 0.1\n)\n\nvar sizes = []int{1, 2}")
	with, err := notebook.WithParameters(nb, map[string]string{"epochs": "3", "name": "tiny-fc", "rate": "1e-3", "sizes": "[]int{7}"})
	if err != nil {
		t.Fatal(err)
	}
	want := "const epochs = 3\nconst name = \"tiny-fc\"\nconst rate float64 = 1e-3\nvar sizes = []int{7}"
	if len(nb.Cells) != 3 || len(with.Cells) != 4 || with.Cells[2].Source != want || !with.Cells[2].HasTag("injected-parameters") || with.Cells[2].ID == "" {
		t.Fatalf("got %q in %d cells, want %q in the third of 4", with.Cells[2].Source, len(with.Cells), want)
	}
	again, err := notebook.WithParameters(with, map[string]string{"name": `"quoted already"`})
	if err != nil || len(again.Cells) != 4 || again.Cells[2].Source != `const name = "quoted already"` {
		t.Errorf("a second time: got %v, %q in %d cells", err, again.Cells[2].Source, len(again.Cells))
	}
}

func TestWithParametersErrors(t *testing.T) {
	good := "const n = 1"
	for _, tt := range []struct {
		source, name, value string
		want                string
	}{
		{good, "m", "2", `there is no parameter "m"; there are n`},
		{good, "n", "2 +", `the value "2 +" of the parameter n is no Go expression`},
		{"const (\n\ta = iota\n\tn\n)", "n", "2", "n has no value of its own"},
		{"%%\nn := 1", "n", "2", "cell 2, with the parameters: it must hold Go declarations"},
		{"var a, n = 1, 2", "n", "2", "a has no value of its own"},
	} {
		_, err := notebook.WithParameters(parametrised(tt.source), map[string]string{tt.name: tt.value})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want one with %q", tt.source, err, tt.want)
		}
	}
	if _, err := notebook.WithParameters(chapter("print a"), map[string]string{"n": "1"}); err == nil || !strings.Contains(err.Error(), "no cell has the tag") {
		t.Errorf("without such a cell: got error %v", err)
	}
}

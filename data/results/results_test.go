package results_test

import (
	"strings"
	"testing"

	"sgdlab/data/results"
)

func TestRead(t *testing.T) {
	var r struct{ Numbers struct{ Dim int } }
	if err := results.Read("fig1b", &r); err != nil || r.Numbers.Dim != 3978 {
		t.Errorf("got d = %d, %v, want 3978", r.Numbers.Dim, err)
	}
	if err := results.Read("fig0", &r); err == nil || !strings.Contains(err.Error(), "fig0") {
		t.Errorf("a result that is not there: got %v", err)
	}
	if err := results.Read("fig1b", new(int)); err == nil {
		t.Error("a result read into a number")
	}
}

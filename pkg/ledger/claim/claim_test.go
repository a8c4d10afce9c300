package claim_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"sgdlab/pkg/ledger/claim"
)

func TestVerdictText(t *testing.T) {
	f := claim.Finding{Verdict: claim.NeedsAssumption, Numbers: []claim.Number{{Name: "a", Value: 1, Want: 1}}}
	data, err := json.Marshal(f)
	if err != nil || !strings.Contains(string(data), `"verdict":"needs an assumption"`) {
		t.Fatalf("got %s, %v", data, err)
	}
	var back claim.Finding
	if err := json.Unmarshal(data, &back); err != nil || fmt.Sprint(back) != fmt.Sprint(f) {
		t.Errorf("got %v, %v, want %v", back, err, f)
	}
	if err := json.Unmarshal([]byte(`{"verdict":"maybe"}`), &back); err == nil {
		t.Error("an unknown verdict was read")
	}
	for _, tt := range []struct {
		n    claim.Number
		want bool
	}{
		{claim.Number{Value: 1, Want: 1.5, Tolerance: 0.5}, true},
		{claim.Number{Value: 1, Want: 1.5, Tolerance: 0.4}, false},
		{claim.Number{Value: math.NaN(), Tolerance: 1}, false},
		{claim.Number{Value: 2, Want: 2}, true},
	} {
		if tt.n.OK() != tt.want {
			t.Errorf("%+v: got %v", tt.n, tt.n.OK())
		}
	}
}

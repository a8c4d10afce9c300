package ledger_test

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/ledger"
)

// Every quick check runs here. The verdicts are those of the errata ledger, statements.md
// §12, and the numbers its oracles.
func TestChecks(t *testing.T) {
	want := map[string]ledger.Verdict{
		"eq. (1)":       ledger.NeedsAssumption,
		"Definition 1":  ledger.Holds,
		"A.2":           ledger.Fails,
		"E18":           ledger.Fails,
		"E19":           ledger.Fails,
		"Fig. 1":        ledger.Undecided,
		"Fig. 2":        ledger.Undecided,
		"Remark 13":     ledger.Fails,
		"Remark 14":     ledger.Fails,
		"eq. (14)":      ledger.NeedsAssumption,
		"Remark 15":     ledger.Fails,
		"Remark 16":     ledger.Undecided,
		"E35":           ledger.Fails,
		"Lemma 2":       ledger.NeedsAssumption,
		"(FP)":          ledger.Holds,
		"Assumption 3":  ledger.NeedsAssumption,
		"eq. (7)":       ledger.Holds,
		"App. C":        ledger.NeedsAssumption,
		"Assumption 4":  ledger.NeedsAssumption,
		"App. B":        ledger.Fails,
		"Theorem 5":     ledger.NeedsAssumption,
		"Lemma 6":       ledger.Fails,
		"Lemma 7":       ledger.Fails,
		"E22":           ledger.Fails,
		"Remark 17":     ledger.Fails,
		"Remark 18":     ledger.Fails,
		"Fig. 3":        ledger.Holds,
		"Lemma 7, nets": ledger.NeedsAssumption,
		"Example 19":    ledger.NeedsAssumption,
		"Fig. 4":        ledger.Fails,
		"E9":            ledger.Fails,
		"E10":           ledger.Fails,
		"E11":           ledger.Fails,
		"E13":           ledger.Fails,
	}
	for _, e := range ledger.All() {
		t.Run(e.ID, func(t *testing.T) {
			f, err := e.Check(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if f.Verdict != want[e.ID] {
				t.Errorf("verdict: got %v, want %v", f.Verdict, want[e.ID])
			}
			if f.Text == "" || len(f.Numbers) == 0 {
				t.Errorf("a finding needs a text and numbers: got %q and %d", f.Text, len(f.Numbers))
			}
			for _, n := range f.Numbers {
				if n.Name == "" || math.IsNaN(n.Value) || math.IsInf(n.Value, 0) || n.Tolerance < 0 {
					t.Errorf("number %+v", n)
				}
				t.Logf("%-80s %.6g (want %g ± %g) %v", n.Name, n.Value, n.Want, n.Tolerance, n.OK())
			}
			if f.Verdict == ledger.Holds && slices.ContainsFunc(f.Numbers, func(n ledger.Number) bool { return !n.OK() }) {
				t.Error("holds although a number is out of tolerance")
			}
			again, err := e.Check(context.Background())
			if err != nil || fmt.Sprint(again) != fmt.Sprint(f) {
				t.Errorf("a second run differs (err %v)", err)
			}
		})
	}
}

// Numbers of the specification that the checks must reproduce.
func TestOracles(t *testing.T) {
	number := func(id, part string) ledger.Number {
		e, ok := ledger.Find(id)
		if !ok {
			t.Fatalf("no entry %q", id)
		}
		f, err := e.Check(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range f.Numbers {
			if strings.Contains(n.Name, part) {
				return n
			}
		}
		t.Fatalf("%s has no number %q", id, part)
		return ledger.Number{}
	}
	// statements.md §1.3: 2/(N−1) = 0.4 for N = 6, all gradients equal.
	numtest.Close(t, "printed bracket", number("A.2", "equal to (1, 1, 1)").Value, 0.4, 1e-14)
	// §5.2: implied lower bounds 9.36 %, 17.1 %, 9.59 % of d; here at the favourable edge
	// of rounding and minus the printed rank, for example .265²/(.265²+.845²) − .345 % = 8.61 %.
	numtest.Close(t, "CIFAR-10", number("E19", "over all d: per cent of d that PR ≤ rank requires beyond the printed rank, small-allcnn, CIFAR-10").Value, 8.609, 1e-3)
	numtest.Close(t, "CIFAR-100", number("E19", "CIFAR-100").Value, 16.386, 1e-3)
	numtest.Close(t, "small-lenet is possible", number("E19", "small-lenet").Value, 0, 0)
	// §5.2: small-fc over the kept eigenvalues has PR = 24·.00236 = .06 < 1; at the
	// favourable edge 26 eigenvalues and .00264.
	numtest.Close(t, "small-fc kept", number("E19", "where it must not be positive, small-fc").Value, 1-26*0.002645, 1e-3)
	// A definite effect, not round-off.
	if v := number("eq. (1)", "training mode").Value; v < 0.01 {
		t.Errorf("batch norm in training mode: difference %v, want a visible one", v)
	}
}

func TestItemsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	chapter := regexp.MustCompile(`^[01]\d_[a-z_]+$`)
	for _, it := range ledger.Items() {
		if seen[it.ID] {
			t.Errorf("item %q appears twice", it.ID)
		}
		seen[it.ID] = true
		if !strings.HasSuffix(it.Claim, ".") && !strings.HasSuffix(it.Claim, "…") || !chapter.MatchString(it.Chapter) {
			t.Errorf("item %+v", it)
		}
	}
	var want []string
	for i := 1; i <= 36; i++ {
		want = append(want, fmt.Sprintf("E%d", i))
	}
	kinds := map[string][]int{ // the numbered items of the paper
		"Definition %d": {1}, "Lemma %d": {2, 6, 7, 20}, "Assumption %d": {3, 4}, "Theorem %d": {5, 22}, "Corollary %d": {8},
		"Remark %d": {9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 23, 24, 25, 26}, "Example %d": {19}, "Fig. %d": {1, 2, 3, 4},
		"eq. (%d)": {1, 3, 4, 5, 6, 7, 8, 11, 14, 15, 18, 19}, "A.%d": {1, 2}, "F.%d": {1, 2, 3, 4},
	}
	for format, numbers := range kinds {
		for _, n := range numbers {
			want = append(want, fmt.Sprintf(format, n))
		}
	}
	for _, id := range append(want, "(FP)", "(ELBO)", "App. B", "App. C", "App. D", "App. E", "Sec. 5.3") {
		if !seen[id] {
			t.Errorf("item %q is missing", id)
		}
	}
}

func TestEntries(t *testing.T) {
	items := map[string]ledger.Item{}
	for _, it := range ledger.Items() {
		items[it.ID] = it
	}
	decided := map[string]string{}
	for _, e := range ledger.All() {
		if e.Item == "" || e.Claim == "" || e.Reason == "" || e.Check == nil || e.Tolerance < 0 {
			t.Errorf("entry %q is incomplete", e.ID)
		}
		if got, ok := ledger.Find(e.ID); !ok || got.ID != e.ID {
			t.Errorf("Find(%q) does not find it", e.ID)
		}
		if !slices.Contains(e.Decides, e.ID) {
			t.Errorf("entry %q decides %q, not itself", e.ID, e.Decides)
		}
		for _, id := range e.Decides {
			it, ok := items[id]
			if !ok || it.Chapter != e.Chapter {
				t.Errorf("entry %q in chapter %s decides %q of chapter %q", e.ID, e.Chapter, id, it.Chapter)
			}
			if other := decided[id]; other != "" {
				t.Errorf("both %q and %q decide %q", other, e.ID, id)
			}
			decided[id] = e.ID
			if got, ok := ledger.Deciding(id); !ok || got.ID != e.ID {
				t.Errorf("Deciding(%q): got %q, %v", id, got.ID, ok)
			}
		}
	}
	if _, ok := ledger.Find("E99"); ok {
		t.Error("Find found an entry that does not exist")
	}
	if got := ledger.Of("E4", "Lemma 2", "Theorem 5"); len(got) != 2 || got[0].ID != "Theorem 5" || got[1].ID != "Lemma 2" {
		t.Errorf("Of: got %v", got)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Of found an entry for an item that does not exist")
			}
		}()
		ledger.Of("Lemma 99")
	}()
	if _, ok := ledger.Deciding("Lemma 99"); ok {
		t.Error("Deciding found an entry for an item that does not exist")
	}
	verdicts, err := ledger.Decide(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != len(decided) || verdicts["E17"] != ledger.Fails || verdicts["A.1"] != ledger.Holds {
		t.Errorf("Decide: got %v", verdicts)
	}
}

func Example() {
	e, _ := ledger.Find("A.2")
	finding, err := e.Check(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %v.\n", e.Item, finding.Verdict)
	fmt.Printf("%s: %.2g instead of %g\n", finding.Numbers[1].Name, finding.Numbers[1].Value, finding.Numbers[1].Want)
	// Output:
	// Appendix A.2, equation (A2) fails.
	// printed: bracket for six gradients equal to (1, 1, 1): 0.4 instead of 0
}

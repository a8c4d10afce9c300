// Package claim holds the types of package ledger and the list of the paper's items, apart
// from the checks, so that what shows a verdict does not link what computes it.
//
// Use them under their names in package ledger: ledger.Entry, ledger.Items, …
package claim

import (
	"context"
	"fmt"
	"math"
)

// Verdict says what became of a claim.
type Verdict int

const (
	Undecided       Verdict = iota // not looked at, or the numbers do not say
	Holds                          // as printed
	NeedsAssumption                // true with an assumption that the paper does not state
	Fails                          // refuted by a counterexample
)

// String returns the verdict in words.
func (v Verdict) String() string {
	switch v {
	case Undecided:
		return "undecided"
	case Holds:
		return "holds"
	case NeedsAssumption:
		return "needs an assumption"
	case Fails:
		return "fails"
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}

// MarshalText returns the verdict in words.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	for w := Undecided; w <= Fails; w++ {
		if w.String() == string(text) {
			*v = w
			return nil
		}
	}
	return fmt.Errorf("claim: %q is no verdict: it is one of undecided, holds, needs an assumption, fails", text)
}

// Number is one measured quantity of a check.
type Number struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Want      float64 `json:"want"`      // what the claim requires
	Tolerance float64 `json:"tolerance"` // absolute
}

// OK reports whether |Value − Want| ≤ Tolerance.
func (n Number) OK() bool { return math.Abs(n.Value-n.Want) <= n.Tolerance }

// Finding is the outcome of a check.
type Finding struct {
	Verdict Verdict  `json:"verdict"`
	Numbers []Number `json:"numbers"`
	Text    string   `json:"text"` // one or two sentences: what was found, and what is true instead
}

// Entry decides one or more items of the paper.
type Entry struct {
	ID      string   // the item it is about, as in "A.2"
	Item    string   // its place in the paper, as in "Appendix A.2"
	Claim   string   // in one sentence, as the paper has it
	Chapter string   // file name of the chapter that shows it, without extension
	Decides []string // IDs of the items that have its verdict, ID among them

	// Check computes the numbers. It returns an error only if it could not do so, for
	// example because ctx ended; a claim that fails is a Finding.
	Check func(ctx context.Context) (Finding, error)

	Tolerance float64 // absolute, of numbers that should agree
	Reason    string  // why it is that large
}

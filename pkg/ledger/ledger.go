package ledger

import (
	"context"
	"fmt"
	"slices"

	"sgdlab/pkg/ledger/claim"
)

// The types of this package live in package claim, which imports no numerics.
type (
	Verdict = claim.Verdict
	Number  = claim.Number
	Finding = claim.Finding
	Entry   = claim.Entry
	Item    = claim.Item
)

// The verdicts.
const (
	Undecided       = claim.Undecided
	Holds           = claim.Holds           // as printed
	NeedsAssumption = claim.NeedsAssumption // true with an assumption that the paper does not state
	Fails           = claim.Fails           // refuted by a counterexample
)

// Items returns everything that the paper says and the errata found in it, chapter by
// chapter, decided or not.
//
//	for _, item := range ledger.Items() {
//		fmt.Println(item.ID, item.Chapter)
//	}
func Items() []Item { return claim.Items() }

// All returns the entries in the order of the paper.
//
//	for _, e := range ledger.All() {
//		fmt.Println(e.ID, e.Claim)
//	}
func All() []Entry {
	return []Entry{
		batchGradient(), diffusionMatrix(), withoutReplacement(), reshuffling(),
		continuousTime(), densityEquation(), uniqueSteadyState(),
		reversiblePart(), forceIdentities(), noDivergence(), entropyProduction(),
		freeEnergyDecreases(),
		isotropicNoise(),
		closedTrajectories(),
		publishedSpectra(), figure1(), figure2(), constantNoise(), diverseData(), scaleWithTrace(), evaluationMode(), architectureScore(), weightCounts(),
		publishedTrajectory(), lowFrequencies(), largeGradient(), trajectoryNulls(), networkRotation(),
		doubleWell(), figure4(),
		criticalPoints(), temperature(), pathIndependence(), manyEquations(),
	}
}

// Find returns the entry with the given ID.
func Find(id string) (Entry, bool) {
	for _, e := range All() {
		if e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}

// Deciding returns the entry that decides the item with the given ID, if there is one.
//
//	e, ok := ledger.Deciding("E19")
func Deciding(item string) (Entry, bool) {
	for _, e := range All() {
		if slices.Contains(e.Decides, item) {
			return e, true
		}
	}
	return Entry{}, false
}

// Of returns the entries that decide the items with the given IDs, each once, in the order
// of the IDs. It panics if an item is not decided.
//
//	for _, e := range ledger.Of("Lemma 2", "E9") {
//		f, err := e.Check(ctx)
//	}
func Of(items ...string) []Entry {
	var entries []Entry
	for _, item := range items {
		e, ok := Deciding(item)
		if !ok {
			panic(fmt.Sprintf("ledger: no entry decides %q", item))
		}
		if !slices.ContainsFunc(entries, func(o Entry) bool { return o.ID == e.ID }) {
			entries = append(entries, e)
		}
	}
	return entries
}

// Decide runs every check and returns the verdict of each item that is decided, by ID.
//
//	verdicts, err := ledger.Decide(ctx)
//	fmt.Println(verdicts["E19"])
func Decide(ctx context.Context) (map[string]Verdict, error) {
	verdicts := make(map[string]Verdict)
	for _, e := range All() {
		finding, err := e.Check(ctx)
		if err != nil {
			return nil, fmt.Errorf("ledger: checking %s: %w", e.ID, err)
		}
		for _, item := range e.Decides {
			verdicts[item] = finding.Verdict
		}
	}
	return verdicts, nil
}

// allOK reports whether every number is within its tolerance.
func allOK(numbers ...Number) bool {
	return !slices.ContainsFunc(numbers, func(n Number) bool { return !n.OK() })
}

// measured returns a number of a check.
func measured(name string, value, want, tolerance float64) Number {
	return Number{Name: name, Value: value, Want: want, Tolerance: tolerance}
}

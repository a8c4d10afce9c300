// Package ledger holds the claims of [chaudhari2018] and what became of them.
//
// An [Item] is something the paper says, or an erratum found in it: one sentence and the
// chapter that treats it. [Items] lists all of them, so that what is open is as visible as
// what is decided. An [Entry] decides one or more items: its Check computes numbers,
// compares them with what the claim requires, and returns a [Finding] with a [Verdict].
// [All] lists the entries there are; [Decide] runs every check.
//
// A verdict is never stored. It follows from the numbers of the check, each with its
// tolerance; the entry says why the tolerance is what it is. Checks are quick (well below
// a second), deterministic, and by another road than the code they judge: batches are
// enumerated one by one where the library has a formula.
//
// Example:
//
//	e, _ := ledger.Find("A.2")
//	finding, err := e.Check(ctx)
//	if err != nil {
//		return err
//	}
//	fmt.Println(finding.Verdict, finding.Text) // fails ...
//
// # Not here
//
// Claims that need a network or a long run: they are decided from committed results by
// the packages that compute them.
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
package ledger

package ledger_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sgdlab/pkg/ledger"
	"sgdlab/pkg/ledger/claim"
)

var regen = flag.Bool("regen", false, "write notebooks/ITEMS.md anew")

// The list of the items beside the chapters, to which verdicts link, is what the checks say.
func TestItemsPage(t *testing.T) {
	verdicts, err := ledger.Decide(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	const notebooks = "../../notebooks"
	path := filepath.Join(notebooks, claim.Page)
	want := itemsPage(verdicts, notebooks)
	if *regen {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is out of date (%v): run `go test ./pkg/ledger -run ItemsPage -regen`", claim.Page, err)
	}
	for _, e := range ledger.All() {
		for _, id := range e.Decides {
			_, place, _ := strings.Cut(claim.Address(id), "#")
			if !strings.Contains(want, "\n### "+strings.ReplaceAll(place, "-", " ")+"\n") {
				t.Errorf("%s has no place %s", claim.Page, place)
			}
		}
	}
}

// erratum is the ID of one.
var erratum = regexp.MustCompile(`^E[0-9]+$`)

// heading is the first of a chapter, without its number.
var heading = regexp.MustCompile(`"# [0-9]+\. ([^"\\]*)`)

// itemsPage lists the items in Markdown, each under a heading of its own. Chapters that are
// not in the folder have no link.
func itemsPage(verdicts map[string]ledger.Verdict, folder string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The items of the paper\n\nEverything that the paper says, and the errata found in it (E1–E36; an erratum carries the verdict of the claim it corrects), "+
		"with what this version decides: %d of %d. Each verdict is computed where the chapter shows it; this list is made by the same checks.\n", len(verdicts), len(ledger.Items()))
	chapter := ""
	for _, it := range ledger.Items() {
		if it.Chapter != chapter {
			chapter = it.Chapter
			number, slug, _ := strings.Cut(chapter, "_")
			link := strings.ReplaceAll(slug, "_", " ") + " (not written yet)"
			if file, err := os.ReadFile(filepath.Join(folder, chapter+".ipynb")); err == nil {
				link = fmt.Sprintf("[%s](%s.ipynb)", heading.FindSubmatch(file)[1], chapter)
			}
			fmt.Fprintf(&b, "\n## Chapter %s\n\n%s\n", strings.TrimPrefix(number, "0"), link)
		}
		verdict := "open"
		if v, ok := verdicts[it.ID]; ok {
			verdict = v.String()
			if erratum.MatchString(it.ID) {
				verdict = "the claim " + verdict
			}
			if e, _ := ledger.Deciding(it.ID); e.ID != it.ID {
				verdict += ", by " + e.Item
			}
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n**%s**\n", it.ID, it.Claim, verdict)
	}
	return b.String()
}

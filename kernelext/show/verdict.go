package show

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"

	"sgdlab/pkg/ledger/claim"
)

// Verdict shows what became of a claim of the paper: its place, the claim, the verdict,
// the numbers beside what the claim requires, what was found, and links to the items that
// it decides in the list of all, [claim.Page]. See package ledger.
//
//	e, _ := ledger.Find("E19")
//	show.Verdict(e, show.Must(e.Check(show.Context())))
func Verdict(e claim.Entry, f claim.Finding) {
	current().show(bundle{html: verdictHTML(e, f), plain: verdictPlain(e, f)})
}

// verdictColour is Okabe and Ito's.
func verdictColour(v claim.Verdict) string {
	switch v {
	case claim.Holds:
		return "#009E73"
	case claim.NeedsAssumption:
		return "#B07800"
	case claim.Fails:
		return "#D55E00"
	}
	return "#767676"
}

func verdictPlain(e claim.Entry, f claim.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(f.Verdict.String()), e.Item)
	fmt.Fprintf(&b, "  claim:   %s\n", e.Claim)
	if f.Text != "" {
		fmt.Fprintf(&b, "  finding: %s\n", f.Text)
	}
	for _, n := range f.Numbers {
		mark := "ok"
		if !n.OK() {
			mark = "!!"
		}
		fmt.Fprintf(&b, "  %s %-64s %s, wanted %s ± %s\n", mark, n.Name, scientific(n.Value), scientific(n.Want), scientific(n.Tolerance))
	}
	if len(e.Decides) > 0 {
		fmt.Fprintf(&b, "  decides: %s (notebooks/%s)\n", strings.Join(e.Decides, "; "), claim.Address(e.ID))
	}
	return b.String()
}

func verdictHTML(e claim.Entry, f claim.Finding) string {
	colour := verdictColour(f.Verdict)
	esc := html.EscapeString
	var b strings.Builder
	fmt.Fprintf(&b, `<div style="border-left:4px solid %s;background:%s14;padding:.6em 1em;max-width:60em">`, colour, colour)
	fmt.Fprintf(&b, `<span style="background:%s;color:#fff;border-radius:.3em;padding:.1em .6em;font-weight:bold">%s</span> <b>%s</b>`, colour, esc(f.Verdict.String()), esc(e.Item))
	fmt.Fprintf(&b, `<p style="margin:.5em 0"><i>%s</i></p>`, esc(e.Claim))
	if f.Text != "" {
		fmt.Fprintf(&b, `<p style="margin:.5em 0">%s</p>`, esc(f.Text))
	}
	if len(f.Numbers) > 0 {
		b.WriteString(`<table style="font-size:92%;border-collapse:collapse"><thead><tr><th style="text-align:left">quantity</th><th style="text-align:right">value</th><th style="text-align:right">wanted</th><th style="text-align:right">tolerance</th><th></th></tr></thead><tbody>`)
		for _, n := range f.Numbers {
			mark := `<span style="color:#009E73" title="within tolerance">✓</span>`
			if !n.OK() {
				mark = `<span style="color:#D55E00;font-weight:bold" title="out of tolerance">✗</span>`
			}
			const cell = `<td style="text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap">%s</td>`
			fmt.Fprintf(&b, `<tr><td style="text-align:left">%s</td>`+cell+cell+cell+`<td>%s</td></tr>`,
				esc(n.Name), powers(scientific(n.Value)), powers(scientific(n.Want)), powers(scientific(n.Tolerance)), mark)
		}
		b.WriteString(`</tbody></table>`)
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, `<p style="margin:.5em 0;font-size:88%%;opacity:.8">Tolerance: %s.</p>`, esc(e.Reason))
	}
	if len(e.Decides) > 0 {
		links := make([]string, len(e.Decides))
		for i, id := range e.Decides {
			links[i] = fmt.Sprintf(`<a href="%s">%s</a>`, esc(claim.Address(id)), esc(id))
		}
		fmt.Fprintf(&b, `<p style="margin:.5em 0 0;font-size:88%%">Decides %s</p>`, strings.Join(links, " · "))
	}
	b.WriteString(`</div>`)
	return b.String()
}

// scientific formats v with four digits, 1.234e-05.
func scientific(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "∞"
	case math.IsInf(v, -1):
		return "-∞"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// powers turns a formatted number into HTML: a true minus sign, ·10 and an exponent. Other
// texts stay as they are.
func powers(s string) string {
	if _, err := strconv.ParseFloat(s, 64); err != nil && s != "-∞" {
		return html.EscapeString(s)
	}
	minus := func(s string) string { return strings.ReplaceAll(s, "-", "−") }
	mantissa, exponent, _ := strings.Cut(s, "e")
	if e, err := strconv.Atoi(exponent); err == nil {
		return minus(mantissa) + "·10<sup>" + minus(strconv.Itoa(e)) + "</sup>"
	}
	return minus(html.EscapeString(s))
}

package notebook

import (
	"html"
	"regexp"
	"strings"
)

// wordLines bounds the number of lines of [Words].
const wordLines = 12

// Words returns what a failed cell says about its failure, as plain text of a few lines.
// GoNB's own error is no more than "exit status 1"; the words are in what it displays
// (compiler errors) or in what the program has written to standard error (a panic, the
// error of show.Must).
func Words(r *Reply) string {
	var text, line string
	for _, o := range r.Outputs {
		if !isGonbBox(o) {
			continue
		}
		// It holds errors of the compiler, or the places of a panic.
		page := o.Data["text/html"].(string)
		text = compilerErrors(page)
		if m := errorBlock.FindStringSubmatch(page); m != nil {
			line = m[1]
		}
	}
	if said := programErrors(r, line); said != "" {
		text = said
	}
	switch {
	case text != "":
	case strings.HasPrefix(r.Evalue, "exit status") || strings.HasPrefix(r.Evalue, "signal: "):
		text = "the program ended with " + r.Evalue + " and gave no reason"
	case r.Evalue != "":
		text = strings.TrimPrefix(r.Ename+": "+r.Evalue, "ERROR: ")
	default:
		text = "it failed and gave no reason"
	}
	lines := strings.Split(text, "\n")
	if more := len(lines) - wordLines; more > 0 {
		lines = append(lines[:wordLines-1], "…")
	}
	return strings.Join(lines, "\n")
}

// errorBlock is a message in GoNB's box: the cell's line, the place in the program, the
// message up to the source lines around it.
var errorBlock = regexp.MustCompile(`(?s)<span class="gonb-cell-line-info">Cell\[\d+\]: Line (\d+)</span> <span class="gonb-err-location">[^<]*</span></span>(.*?)<div class="gonb-err-context">`)

// plainBlock is a message in GoNB's box about code outside of the cell.
var plainBlock = regexp.MustCompile(`(?s)<div style="white-space: pre-wrap;">([^<]*)</div>`)

// compilerErrors returns the messages in GoNB's box: those about the cell with its lines or,
// if there are none, those about the packages that it imports.
func compilerErrors(page string) string {
	var messages []string
	for _, m := range errorBlock.FindAllStringSubmatch(page, -1) {
		messages = append(messages, "line "+m[1]+": "+strings.TrimSpace(html.UnescapeString(m[2])))
	}
	if messages != nil {
		return strings.Join(messages, "\n")
	}
	for _, m := range plainBlock.FindAllStringSubmatch(page, -1) {
		if said := strings.TrimSpace(html.UnescapeString(m[1])); said != "" && !strings.HasPrefix(said, "# ") {
			messages = append(messages, said)
		}
	}
	return strings.Join(messages, "\n")
}

// exitLine is the last line of standard error of a program that has failed.
var exitLine = regexp.MustCompile(`(?m)^(exit status \d+|signal: [a-z]+( \(core dumped\))?|\^C)$\n?`)

// programErrors returns what a program has written to standard error; of a panic the
// message and the line of the cell, not the stack.
func programErrors(r *Reply, line string) string {
	var text strings.Builder
	for _, o := range r.Outputs {
		if o.Type == "stream" && o.Name == "stderr" {
			text.WriteString(o.Text)
		}
	}
	said := exitLine.ReplaceAllString(stripANSI(text.String()), "")
	said, _, panicked := strings.Cut(said, "\ngoroutine ")
	said = strings.TrimSpace(said)
	if panicked && line != "" {
		said += " (line " + line + ")"
	}
	// The end is what matters of a long log.
	if lines := strings.Split(said, "\n"); !panicked && len(lines) > wordLines {
		said = strings.Join(lines[len(lines)-wordLines+1:], "\n")
	}
	return said
}

// ansi is a control sequence of a terminal.
var ansi = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\^_])")

func stripANSI(s string) string { return ansi.ReplaceAllString(s, "") }

// placesOnly reports whether GoNB's box holds places in a stack trace, not messages: it
// marks those of a panic in the same way.
func placesOnly(page string) bool {
	for line := range strings.Lines(compilerErrors(page)) {
		_, message, _ := strings.Cut(line, ": ")
		if message = strings.TrimSpace(message); message != "" && !strings.HasPrefix(message, "+0x") {
			return false
		}
	}
	return true
}

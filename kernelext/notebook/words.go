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
	var text string
	for _, o := range r.Outputs {
		if page, ok := o.Data["text/html"].(string); ok && strings.Contains(page, "gonb-err-location") {
			text = compilerErrors(page)
		}
	}
	if said := programErrors(r); said != "" {
		text = said // GoNB displays places of a panic too
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

// compilerErrors returns the messages in GoNB's box with the lines of the cell.
func compilerErrors(page string) string {
	var messages []string
	for _, m := range errorBlock.FindAllStringSubmatch(page, -1) {
		messages = append(messages, "line "+m[1]+": "+strings.TrimSpace(html.UnescapeString(m[2])))
	}
	return strings.Join(messages, "\n")
}

// cellLine is how GoNB marks a line of the cell in a stack trace.
var cellLine = regexp.MustCompile(`\[\[ Cell \[\d+\] Line (\d+) \]\]`)

// exitLine is the last line of standard error of a program that has failed.
var exitLine = regexp.MustCompile(`(?m)^(exit status \d+|signal: [a-z]+( \(core dumped\))?|\^C)$\n?`)

// programErrors returns what a program has written to standard error; of a panic the
// message and the line, not the stack.
func programErrors(r *Reply) string {
	var text strings.Builder
	for _, o := range r.Outputs {
		if o.Type == "stream" && o.Name == "stderr" {
			text.WriteString(o.Text)
		}
	}
	said := exitLine.ReplaceAllString(stripANSI(text.String()), "")
	said, stack, panicked := strings.Cut(said, "\ngoroutine ")
	said = strings.TrimSpace(said)
	if line := cellLine.FindStringSubmatch(stack); panicked && line != nil {
		said += " (line " + line[1] + ")"
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

package notebook

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sgdlab/kernelext/notebook/texmath"
)

// formula is a formula in Markdown.
type formula struct {
	source  string // as written, with the dollar signs
	tex     string
	display bool
}

// Marks of a formula that has been taken out of a text, with its number in between. They
// are letters to Markdown.
const (
	markBegin = "\uE000"
	markEnd   = "\uE001"
)

// takeFormulas replaces the formulas in Markdown by marks, so that nothing in them is
// taken for Markdown, as Jupyter does. Formulas stand between $…$, $$…$$, or \begin{…}
// and \end{…} of an environment for lines of mathematics. Code and escaped dollar signs
// are left alone, and so is a $ with a space after it or a digit behind the closing one:
// it is money.
func takeFormulas(md string) (text string, taken []formula) {
	var out strings.Builder
	md = strings.NewReplacer(markBegin, "", markEnd, "").Replace(md)
	for i := 0; i < len(md); {
		rest := md[i:]
		n := 1
		switch {
		case startsLine(md, i) && fence.MatchString(rest):
			n = fenced(rest)
		case rest[0] == '`':
			n = codeSpan(rest)
		case rest[0] == '\\' && len(rest) > 1 && rest[1] != 'b':
			_, size := utf8.DecodeRuneInString(rest[1:])
			n = 1 + size
		default:
			if f, size := formulaAt(rest); size > 0 {
				out.WriteString(markBegin + strconv.Itoa(len(taken)) + markEnd)
				taken = append(taken, f)
				i += size
				continue
			}
		}
		out.WriteString(rest[:n])
		i += n
	}
	return out.String(), taken
}

// fence is the first line of a block of code.
var fence = regexp.MustCompile("^ {0,3}(```+|~~~+)[^\n]*(\n|$)")

func startsLine(s string, i int) bool { return i == 0 || s[i-1] == '\n' }

// fenced returns the length of the block of code that s begins with.
func fenced(s string) int {
	m := fence.FindStringSubmatch(s)
	n := len(m[0])
	for line := range strings.Lines(s[n:]) {
		n += len(line)
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, m[1]) && strings.Trim(text, m[1][:1]) == "" {
			return n
		}
	}
	return len(s)
}

// codeSpan returns the length of the code span that s begins with, or of the backticks if
// they begin none.
func codeSpan(s string) int {
	ticks := len(s) - len(strings.TrimLeft(s, "`"))
	for i := ticks; i < len(s); {
		j := strings.IndexByte(s[i:], '`')
		if j < 0 {
			break
		}
		i += j
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		i += run
		if run == ticks {
			return i
		}
	}
	return ticks
}

// mathEnvironment begins an environment that is a formula by itself.
var mathEnvironment = regexp.MustCompile(`^\\begin\{((?:equation|align|gather|multline|eqnarray|alignat|flalign)\*?)\}`)

// formulaAt returns the formula that s begins with and its length, which is 0 if there is
// none.
func formulaAt(s string) (formula, int) {
	if m := mathEnvironment.FindStringSubmatch(s); m != nil {
		end := `\end{` + m[1] + "}"
		if i := strings.Index(s, end); i >= 0 {
			n := i + len(end)
			return formula{s[:n], s[:n], true}, n
		}
		return formula{}, 0
	}
	if strings.HasPrefix(s, "$$") {
		if i := closing(s[2:], "$$"); i > 0 {
			n := i + 4
			return formula{s[:n], s[2 : 2+i], true}, n
		}
		return formula{}, 0
	}
	if s[0] != '$' || len(s) < 3 {
		return formula{}, 0
	}
	if first, _ := utf8.DecodeRuneInString(s[1:]); unicode.IsSpace(first) {
		return formula{}, 0
	}
	i := closing(s[1:], "$")
	if i <= 0 {
		return formula{}, 0
	}
	last, _ := utf8.DecodeLastRuneInString(s[:1+i])
	next, _ := utf8.DecodeRuneInString(s[2+i:])
	if unicode.IsSpace(last) || unicode.IsDigit(next) {
		return formula{}, 0
	}
	n := i + 2
	return formula{s[:n], s[1 : 1+i], false}, n
}

// closing returns where the closing dollar signs are in s, or -1. A formula ends before
// an empty line; \$ and what is in braces, such as \text{for $x$}, does not close it.
func closing(s, mark string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '{':
			depth++
		case s[i] == '}':
			depth--
		case s[i] == '\n' && strings.HasPrefix(strings.TrimLeft(s[i+1:], " \t\r"), "\n"):
			return -1
		case depth <= 0 && strings.HasPrefix(s[i:], mark):
			return i
		}
	}
	return -1
}

// mathML returns the element for a formula, or its source as code if it cannot be shown.
func (f formula) mathML() string {
	m, err := texmath.MathML(f.tex, f.display)
	if err != nil {
		return `<code class="tex">` + html.EscapeString(f.source) + "</code>"
	}
	if f.display {
		return `<span class="display">` + m + "</span>"
	}
	return m
}

// mark finds a mark in a page.
var mark = regexp.MustCompile(markBegin + `([0-9]+)` + markEnd)

// putFormulas replaces the marks in a page by the formulas; those in attributes of tags
// by their source.
func putFormulas(page string, taken []formula) string {
	if len(taken) == 0 {
		return page
	}
	get := func(m string) formula {
		i, err := strconv.Atoi(mark.FindStringSubmatch(m)[1])
		if err != nil || i >= len(taken) {
			return formula{}
		}
		return taken[i]
	}
	var out strings.Builder
	for part := range htmlParts(page) {
		if strings.HasPrefix(part, "<") {
			out.WriteString(mark.ReplaceAllStringFunc(part, func(m string) string { return html.EscapeString(get(m).source) }))
		} else {
			out.WriteString(mark.ReplaceAllStringFunc(part, func(m string) string { return get(m).mathML() }))
		}
	}
	return out.String()
}

// htmlParts yields the tags and the texts between them of a page.
func htmlParts(page string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for page != "" {
			n := strings.IndexByte(page, '<')
			switch {
			case n < 0:
				n = len(page)
			case n == 0:
				if n = strings.IndexByte(page, '>') + 1; n == 0 {
					n = len(page)
				}
			}
			if !yield(page[:n]) {
				return
			}
			page = page[n:]
		}
	}
}

// verbatim are the elements in which a dollar sign is one.
var verbatim = map[string]bool{"code": true, "pre": true, "script": true, "style": true, "svg": true, "math": true, "textarea": true}

// tagName finds the name of an element in a tag.
var tagName = regexp.MustCompile(`^</?([a-zA-Z][a-zA-Z0-9]*)`)

// formulasInHTML turns formulas between dollar signs in the text of a page into MathML.
// What cannot be shown stays as it is.
func formulasInHTML(page string) string {
	if !strings.Contains(page, "$") {
		return page
	}
	var out strings.Builder
	depth := 0 // in elements that are left alone
	for part := range htmlParts(page) {
		if strings.HasPrefix(part, "<") {
			if m := tagName.FindStringSubmatch(part); m != nil && verbatim[strings.ToLower(m[1])] {
				if strings.HasPrefix(part, "</") {
					depth--
				} else if !strings.HasSuffix(part, "/>") {
					depth++
				}
			}
			out.WriteString(part)
			continue
		}
		for depth <= 0 && part != "" {
			i := strings.IndexByte(part, '$')
			if i < 0 {
				break
			}
			out.WriteString(part[:i])
			part = part[i:]
			f, n := formulaAt(part)
			if n == 0 {
				out.WriteByte('$')
				part = part[1:]
				continue
			}
			m, err := texmath.MathML(html.UnescapeString(f.tex), f.display)
			if err != nil {
				m = part[:n]
			}
			out.WriteString(m)
			part = part[n:]
		}
		out.WriteString(part)
	}
	return out.String()
}

package notebook

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
)

// RenderSettings are the settings of [Render]; nil or zero fields mean the defaults.
type RenderSettings struct {
	Title  string          // of the page; default: that of the notebook, see Notebook.Title
	Dir    string          // the folder of the notebook, where relative addresses of pictures begin; default: such pictures become links
	Pages  map[string]bool // names of notebooks and texts (x.ipynb, x.md) that have a page x.html beside this one: links to them lead there
	Top    string          // HTML at the top of the page, such as links to other pages
	Bottom string          // HTML at its end
}

//go:embed style.css
var style string

// policy forbids a page to load anything or to run scripts.
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

// Render returns nb as one HTML page with everything in it: texts, formulas, code, and
// outputs as the richest form that a page can show. The page asks for nothing outside of
// it. It is light or dark as the reader's system, and can be printed.
//
// HTML in texts and outputs is taken as it is, but what would run or load is left out.
func Render(nb *Notebook, settings *RenderSettings) ([]byte, error) {
	s := RenderSettings{}
	if settings != nil {
		s = *settings
	}
	if s.Title == "" {
		s.Title = nb.Title()
	}
	w := newWriter(s.Dir, s.Pages)
	var body bytes.Buffer
	for i, c := range nb.Cells {
		if err := w.cell(&body, c); err != nil {
			return nil, fmt.Errorf("%w (cell %d)", err, i+1)
		}
	}
	var page bytes.Buffer
	begin(&page, s.Title)
	page.WriteString(s.Top)
	page.WriteString("<main>\n")
	before, after, found := bytes.Cut(body.Bytes(), []byte("</h1>\n"))
	if found {
		page.Write(before)
		page.WriteString("</h1>\n")
	} else {
		after = before
	}
	w.contents(&page)
	page.Write(after)
	page.WriteString("</main>\n" + s.Bottom + "</body>\n</html>\n")
	return page.Bytes(), nil
}

// begin writes the head of a page.
func begin(b *bytes.Buffer, title string) {
	fmt.Fprintf(b, `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
%s</style>
</head>
<body>
`, html.EscapeString(policy), html.EscapeString(title), style)
}

// contents writes links to the sections of a page that has several.
func (w *writer) contents(b *bytes.Buffer) {
	if len(w.headings) < 3 {
		return
	}
	b.WriteString("<details class=\"contents\">\n<summary>Contents</summary>\n<ul>\n")
	for _, h := range w.headings {
		fmt.Fprintf(b, "<li><a href=\"#%s\">%s</a></li>\n", h.id, h.html)
	}
	b.WriteString("</ul>\n</details>\n")
}

func (w *writer) cell(b *bytes.Buffer, c *Cell) error {
	switch c.Type {
	case Markdown:
		w.attachments = c.Attachments
		text, err := w.html(c.Source)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "<section class=\"text\">\n%s</section>\n", text)
	case Code:
		if strings.TrimSpace(c.Source) == "" && len(c.Outputs) == 0 {
			return nil
		}
		b.WriteString("<section class=\"code\">\n")
		if source := strings.TrimRight(c.Source, "\n"); source != "" {
			label := ""
			if c.ExecutionCount > 0 {
				label = strconv.Itoa(c.ExecutionCount)
			}
			code := fmt.Sprintf("<pre class=\"source\" data-count=\"%s\"><code>%s</code></pre>\n", label, goCode(source))
			if c.hidden("source_hidden") || c.HasTag("hide-input") {
				code = "<details><summary>Code</summary>\n" + code + "</details>\n"
			}
			b.WriteString(code)
		}
		if len(c.Outputs) > 0 && !c.hidden("outputs_hidden") {
			b.WriteString("<div class=\"outputs\">\n")
			for _, o := range c.Outputs {
				if err := w.output(b, o, c); err != nil {
					return err
				}
			}
			b.WriteString("</div>\n")
		}
		b.WriteString("</section>\n")
	}
	return nil // raw cells are for other formats
}

// hidden reports whether JupyterLab hides a part of a cell.
func (c *Cell) hidden(part string) bool {
	jupyter, _ := c.Metadata["jupyter"].(map[string]any)
	hidden, _ := jupyter[part].(bool)
	return hidden
}

// foldAfter is the number of lines of text that are shown without asking.
const foldAfter = 60

// output writes one output of a cell.
func (w *writer) output(b *bytes.Buffer, o *Output, cell *Cell) error {
	switch o.Type {
	case "stream":
		class := "stdout"
		text := overwrite(stripANSI(o.Text))
		if o.Name == "stderr" {
			class, text = "stderr", once(text, cell)
		}
		preformatted(b, class, text)
	case "error":
		compiler := strings.HasPrefix(o.Evalue, "failed to run") || strings.HasPrefix(o.Evalue, "parsing go files")
		if compiler && slices.ContainsFunc(cell.Outputs, isGonbBox) {
			return nil
		}
		text := strings.Join(o.Traceback, "\n")
		if text == "" || text == o.Evalue {
			text = strings.TrimPrefix(o.Ename+": "+o.Evalue, "ERROR: ")
		}
		preformatted(b, "error", stripANSI(text))
	case "display_data", "execute_result":
		return w.data(b, o)
	}
	return nil
}

// once takes out of the standard error of a cell what its other outputs say too: the
// error in a box of show.Must, the exit status that GoNB repeats.
func once(text string, cell *Cell) string {
	for _, o := range cell.Outputs {
		if plain, _ := o.Data["text/plain"].(string); plain != "" {
			text = strings.Replace(text, plain+"\n", "", 1)
		}
		if o.Type == "error" {
			text = strings.TrimSuffix("\n"+text, "\n"+o.Evalue+"\n")
			text = strings.TrimPrefix(text, "\n")
		}
	}
	return text
}

// isGonbBox reports whether o is GoNB's display of errors.
func isGonbBox(o *Output) bool {
	page, _ := o.Data["text/html"].(string)
	return strings.Contains(page, "gonb-err-location")
}

// preformatted writes lines of text; many lines are folded.
func preformatted(b *bytes.Buffer, class, text string) {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return
	}
	first, rest := text, ""
	if lines := strings.SplitAfter(text, "\n"); len(lines) > foldAfter {
		first, rest = strings.Join(lines[:foldAfter/2], ""), strings.Join(lines[foldAfter/2:], "")
	}
	fmt.Fprintf(b, "<pre class=\"%s\">%s</pre>\n", class, html.EscapeString(strings.TrimSuffix(first, "\n")))
	if rest != "" {
		fmt.Fprintf(b, "<details><summary>%d more lines</summary>\n<pre class=\"%s\">%s</pre>\n</details>\n", strings.Count(rest, "\n")+1, class, html.EscapeString(rest))
	}
}

// overwrite does what a carriage return does in a terminal: the line begins again.
func overwrite(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		lines[i] = line[strings.LastIndexByte(line, '\r')+1:]
	}
	return strings.Join(lines, "\n")
}

// data writes a display in the first of its forms that a page can show.
func (w *writer) data(b *bytes.Buffer, o *Output) error {
	text := func(kind string) string {
		s, _ := o.Data[kind].(string)
		return s
	}
	if page := text("text/html"); page != "" {
		if isGonbBox(o) {
			if !placesOnly(page) {
				preformatted(b, "error", compilerErrors(page))
			}
			return nil
		}
		fmt.Fprintf(b, "<div class=\"html\">%s</div>\n", formulasInHTML(w.linksInHTML(tame(page))))
		return nil
	}
	md := text("text/markdown")
	if tex := text("text/latex"); md == "" && tex != "" {
		md = tex
	}
	if md != "" {
		w.attachments = nil
		page, err := w.html(md)
		if err != nil {
			return err
		}
		label := ""
		if plain := text("text/plain"); md == text("text/latex") && plain != "" {
			label = fmt.Sprintf(" role=\"math\" aria-label=\"%s\"", html.EscapeString(plain)) // a formula, and what it says
		}
		fmt.Fprintf(b, "<div class=\"text\"%s>\n%s</div>\n", label, page)
		return nil
	}
	// Pixels first: an SVG looks as it should only where its font is installed.
	for _, kind := range []string{"image/png", "image/jpeg", "image/svg+xml", "image/gif", "image/webp"} {
		if data := text(kind); data != "" {
			b.WriteString(o.picture(kind, data))
			return nil
		}
	}
	if plain := text("text/plain"); plain != "" {
		preformatted(b, "result", stripANSI(plain))
		return nil
	}
	if v, ok := o.Data["application/json"]; ok {
		if s, err := json.MarshalIndent(v, "", "  "); err == nil {
			preformatted(b, "result", string(s))
		}
	}
	return nil
}

// picture returns an image with the size and the alternative text of its metadata, which
// stand with one of the forms of the picture.
func (o *Output) picture(kind, data string) string {
	attributes := ""
	alt, _, _ := strings.Cut(fmt.Sprint(o.Data["text/plain"]), "\n")
	if o.Data["text/plain"] == nil {
		alt = ""
	}
	for _, form := range []string{kind, "image/png"} {
		m, ok := o.Metadata[form].(map[string]any)
		if !ok {
			continue
		}
		if s, ok := m["alt"].(string); ok && s != "" {
			alt = s
		}
		for _, side := range []string{"width", "height"} {
			if n, err := strconv.Atoi(fmt.Sprint(m[side])); err == nil && n > 0 {
				attributes += fmt.Sprintf(` %s="%d"`, side, n)
			}
		}
		break
	}
	return fmt.Sprintf("<img class=\"picture\" alt=\"%s\"%s src=\"%s\">\n", html.EscapeString(alt), attributes, dataURL(kind, data))
}

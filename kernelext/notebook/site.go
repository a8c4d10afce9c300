package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/png"
	"maps"
	"math"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Chapter is a notebook of a [Site].
type Chapter struct {
	Name     string    // file name without .ipynb; the page is Name.html
	Dir      string    // folder of the notebook, see RenderSettings
	Notebook *Notebook // with its outputs
	Seconds  float64   // that the run took; 0: unknown
	Full     bool      // run with the long settings
	Err      error     // why the run did not reach the end
}

// Text is a file in Markdown beside the chapters of a [Site] to which they link.
type Text struct {
	Name     string // file name without .md; the page is Name.html
	Markdown string
}

// Site writes a page for each chapter and each text into the folder dir and a page
// index.html that lists the chapters: a picture, the title, what it covers, the first
// sentences, how long it ran; then the texts by their titles. Figures in the folder figures
// of dir, and in one for each chapter in there, are listed with their formats. Links between
// chapters and texts lead to their pages. Files appear complete or not at all.
func Site(dir, title string, chapters []Chapter, texts []Text) error {
	names := map[string]bool{}
	for _, c := range chapters {
		if names[c.Name+".ipynb"] || c.Name == "index" || !filepath.IsLocal(c.Name) {
			return fmt.Errorf("notebook: the chapter %q cannot have a page of that name: rename the notebook", c.Name)
		}
		names[c.Name+".ipynb"] = true
	}
	for _, t := range texts {
		if names[t.Name+".ipynb"] || names[t.Name+".md"] || t.Name == "index" || !filepath.IsLocal(t.Name) {
			return fmt.Errorf("notebook: the text %q cannot have a page of that name: rename it", t.Name)
		}
		names[t.Name+".md"] = true
	}
	titles := make([]string, len(chapters)) // in HTML
	for i, c := range chapters {
		var err error
		if titles[i], err = newWriter("", nil).line(c.Notebook.Title()); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	link := func(at int, class, rel string) string {
		if at < 0 || at >= len(chapters) {
			return ""
		}
		return fmt.Sprintf(`<a class="%s" rel="%s" href="%s.html">%s</a>`, class, rel, html.EscapeString(chapters[at].Name), titles[at])
	}
	home := `<a href="index.html">` + html.EscapeString(title) + "</a>"
	var list bytes.Buffer
	for i, c := range chapters {
		around := home + link(i-1, "previous", "prev") + link(i+1, "next", "next")
		page, err := Render(c.Notebook, &RenderSettings{
			Dir: c.Dir, Pages: names,
			Top:    `<header class="site">` + around + "</header>\n",
			Bottom: `<footer class="site">` + around + "</footer>\n",
		})
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if err := replaceFile(filepath.Join(dir, c.Name+".html"), page); err != nil {
			return err
		}
		if err := c.entry(&list, titles[i], names); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	var more bytes.Buffer
	for _, t := range texts {
		nb := &Notebook{Cells: []*Cell{{Type: Markdown, Source: t.Markdown}}}
		around := `<header class="site">` + home + "</header>\n"
		page, err := Render(nb, &RenderSettings{Pages: names, Top: around})
		if err == nil {
			err = replaceFile(filepath.Join(dir, t.Name+".html"), page)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		heading, err := newWriter("", nil).line(nb.Title())
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		fmt.Fprintf(&more, "<li><a href=\"%s.html\">%s</a></li>\n", html.EscapeString(t.Name), heading)
	}
	var page bytes.Buffer
	begin(&page, title)
	fmt.Fprintf(&page, "<main>\n<h1>%s</h1>\n<ul class=\"chapters\">\n%s</ul>\n", html.EscapeString(title), list.String())
	if more.Len() > 0 {
		fmt.Fprintf(&page, "<ul>\n%s</ul>\n", more.String())
	}
	figures(&page, dir, chapters, titles)
	page.WriteString("</main>\n</body>\n</html>\n")
	return replaceFile(filepath.Join(dir, "index.html"), page.Bytes())
}

// entry writes a chapter's place in the list; the title is HTML.
func (c *Chapter) entry(b *bytes.Buffer, title string, names map[string]bool) error {
	w := newWriter(c.Dir, names)
	first, err := w.html(c.Notebook.firstParagraph())
	if err != nil {
		return err
	}
	covers, err := w.html(c.Notebook.covers())
	if err != nil {
		return err
	}
	if covers != "" {
		covers = "<div class=\"covers\">" + covers + "</div>\n"
	}
	var notes []string
	if c.Seconds > 0 {
		kind := "quick run"
		if c.Full {
			kind = "full run"
		}
		notes = append(notes, fmt.Sprintf("%s, %s", kind, duration(c.Seconds)))
	}
	page := html.EscapeString(c.Name) + ".html"
	fmt.Fprintf(b, "<li><a href=\"%s\">%s</a><div>\n<h2><a href=\"%s\">%s</a></h2>\n%s%s", page, c.Notebook.cover(), page, title, covers, first)
	for _, n := range notes {
		fmt.Fprintf(b, "<p class=\"note\">%s</p>\n", n)
	}
	if c.Err != nil {
		fmt.Fprintf(b, "<p class=\"note trouble\">stopped: %s</p>\n", html.EscapeString(c.Err.Error()))
	}
	b.WriteString("</div></li>\n")
	return nil
}

// line returns a line of Markdown as HTML.
func (w *writer) line(markdown string) (string, error) {
	h, err := w.html("# " + markdown)
	if err != nil {
		return "", err
	}
	_, h, _ = strings.Cut(h, ">")
	return strings.TrimSuffix(strings.TrimSpace(h), "</h1>"), nil
}

// duration formats seconds for people.
func duration(s float64) string {
	switch {
	case s < 60:
		return fmt.Sprintf("%.1f s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", int(s)/60, int(s)%60)
	}
	return fmt.Sprintf("%d h %d min", int(s)/3600, int(s)/60%60)
}

// figures writes links to the pictures in dir/figures: those that belong to no chapter, then
// those of each chapter.
func figures(b *bytes.Buffer, dir string, chapters []Chapter, titles []string) {
	var list bytes.Buffer
	figureList(&list, dir, "figures")
	for i, c := range chapters {
		var own bytes.Buffer
		if figureList(&own, dir, "figures/"+c.Name); own.Len() > 0 {
			fmt.Fprintf(&list, "<h3>%s</h3>\n%s", titles[i], own.String())
		}
	}
	if list.Len() > 0 {
		fmt.Fprintf(b, "<h2>Figures</h2>\n%s", list.String())
	}
}

// figureList writes links to the pictures in the folder sub of dir.
func figureList(b *bytes.Buffer, dir, sub string) {
	byName := map[string][]string{}
	for _, format := range []string{"svg", "pdf", "png"} {
		files, _ := filepath.Glob(filepath.Join(dir, filepath.FromSlash(sub), "*."+format)) // the pattern is right
		for _, f := range files {
			name := strings.TrimSuffix(filepath.Base(f), "."+format)
			byName[name] = append(byName[name], format)
		}
	}
	if len(byName) == 0 {
		return
	}
	b.WriteString("<ul class=\"figures\">\n")
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		b.WriteString("<li>" + html.EscapeString(name))
		for _, format := range byName[name] {
			fmt.Fprintf(b, " <a href=\"%s/%s.%s\">%s</a>", html.EscapeString(sub), html.EscapeString(url.PathEscape(name)), format, format)
		}
		b.WriteString("</li>\n")
	}
	b.WriteString("</ul>\n")
}

// texts yields the Markdown of a notebook from the top: cells and displays.
func (nb *Notebook) texts(yield func(string) bool) {
	for _, c := range nb.Cells {
		if c.Type == Markdown && !yield(c.Source) {
			return
		}
		for _, o := range c.Outputs {
			if s, ok := o.Data["text/markdown"].(string); ok && !yield(s) {
				return
			}
		}
	}
}

// Title returns the first heading of the first level, in Markdown, or "Notebook".
func (nb *Notebook) Title() string {
	for text := range nb.texts {
		for line := range strings.Lines(text) {
			if title, ok := strings.CutPrefix(strings.TrimSpace(line), "# "); ok {
				return strings.TrimSpace(title)
			}
		}
	}
	return "Notebook"
}

// noText matches a block that is a list, a table, a quotation, code, HTML or a formula, or
// that is emphasised as a whole, like a list of what a chapter covers.
var noText = regexp.MustCompile("(?s)^(?:[-*+] |[|>!<]|[0-9]+[.)] |```|~~~|\\$\\$|\\*[^*]*\\*$|_[^_]*_$)")

// firstParagraph returns the first paragraph that is text, in Markdown.
func (nb *Notebook) firstParagraph() string {
	for text := range nb.texts {
		for block := range strings.SplitSeq(text, "\n\n") {
			block = strings.TrimSpace(block)
			for heading := true; heading && strings.HasPrefix(block, "#"); {
				_, block, heading = strings.Cut(block, "\n")
				block = strings.TrimSpace(block)
			}
			if block == "" || noText.MatchString(block) {
				continue
			}
			// A formula or a list follows.
			if cut := strings.TrimRight(block, ",:;"); cut != block {
				block = cut + " …"
			}
			return block
		}
	}
	return ""
}

// covers returns the first paragraph that is emphasised as a whole, if it comes before the
// first that is text: what the chapter covers. In Markdown.
func (nb *Notebook) covers() string {
	for text := range nb.texts {
		for block := range strings.SplitSeq(text, "\n\n") {
			block = strings.TrimSpace(block)
			switch {
			case emphasised.MatchString(block):
				return block
			case block == "" || strings.HasPrefix(block, "#") || noText.MatchString(block):
			default:
				return ""
			}
		}
	}
	return ""
}

// emphasised matches a paragraph that is one emphasis.
var emphasised = regexp.MustCompile(`^(?:\*[^*]+\*|_[^_]+_)$`)

// cover returns the first picture of a cell with the tag cover, or else of any cell, in
// small.
func (nb *Notebook) cover() string {
	first := ""
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			if first != "" && !c.HasTag("cover") {
				break
			}
			for _, kind := range []string{"image/png", "image/jpeg", "image/svg+xml"} {
				data, ok := o.Data[kind].(string)
				if !ok || data == "" {
					continue
				}
				if small, ok := thumbnail(data); ok {
					kind, data = "image/png", small
				}
				first = (&Output{Data: o.Data}).picture(kind, data)
				if c.HasTag("cover") {
					return first
				}
				break
			}
		}
	}
	return first
}

// thumbnailWidth is the width of a cover in pixels: twice that on the page, for sharp
// screens.
const thumbnailWidth = 416

// thumbnail returns a picture in base64 as a small PNG in base64. It is not ok if the
// picture is small, or not made of pixels.
func thumbnail(data string) (small string, ok bool) {
	m, err := decodePicture(data)
	if err != nil || m.Bounds().Dx() <= thumbnailWidth {
		return "", false
	}
	reduced := resized(m, thumbnailWidth)
	var b bytes.Buffer
	if err := png.Encode(&b, reduced); err != nil {
		return "", false
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), true
}

// resized returns m on white paper with another width, smaller than its own, and a height in
// proportion.
func resized(m image.Image, width int) image.Image {
	size := m.Bounds().Size()
	height := max(1, size.Y*width/size.X)
	small := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i, v := range coarse(m, width, height) {
		// Four bytes a pixel, three of them a colour.
		small.Pix[i/3*4+i%3] = uint8(math.Round(255 * v))
		small.Pix[i/3*4+3] = 255
	}
	return small
}

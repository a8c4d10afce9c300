package notebook

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	markhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// writer turns the Markdown of one page into HTML. Headings get identifiers that are
// unique in the page.
type writer struct {
	markdown goldmark.Markdown
	used     map[string]bool // identifiers
	headings []heading       // of the second level
	dir      string          // where relative addresses of pictures begin; empty: they are not read
	pages    map[string]bool // names of the notebooks and texts that have a page beside this one

	attachments map[string]any // of the cell at hand
}

type heading struct {
	id, html string
}

func newWriter(dir string, pages map[string]bool) *writer {
	w := &writer{used: map[string]bool{}, dir: dir, pages: pages}
	w.markdown = goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.TaskList, extension.DefinitionList),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(w, 500))),
		goldmark.WithRendererOptions(markhtml.WithUnsafe()), // what the cells say is shown as in Jupyter; see policy
	)
	return w
}

// html returns Markdown as HTML.
func (w *writer) html(md string) (string, error) {
	marked, formulas := takeFormulas(md)
	var b bytes.Buffer
	if err := w.markdown.Convert([]byte(marked), &b, parser.WithContext(parser.NewContext(parser.WithIDs(w)))); err != nil {
		return "", fmt.Errorf("notebook: a text: %w", err)
	}
	for _, m := range secondLevel.FindAllStringSubmatch(b.String(), -1) {
		w.headings = append(w.headings, heading{m[1], putFormulas(m[2], formulas)})
	}
	return tame(putFormulas(b.String(), formulas)), nil
}

// secondLevel is a heading of the second level.
var secondLevel = regexp.MustCompile(`(?s)<h2 id="([^"]*)">(.*?)</h2>`)

// Generate returns the identifier of a heading, which is Jupyter's: links in a notebook
// hold in its page.
func (w *writer) Generate(value []byte, _ ast.NodeKind) []byte {
	id := mark.ReplaceAllString(string(value), "")
	id = strings.ReplaceAll(strings.Trim(id, " *_`"), " ", "-")
	id = strings.NewReplacer(`"`, "", "<", "", ">", "", "`", "", "*", "").Replace(id)
	if id == "" {
		id = "section"
	}
	unique := id
	for n := 2; w.used[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", id, n)
	}
	w.Put([]byte(unique))
	return []byte(unique)
}

// Put notes that an identifier is in use.
func (w *writer) Put(value []byte) { w.used[string(value)] = true }

// Transform makes links to notebooks links to their pages, and pictures part of the page.
func (w *writer) Transform(node *ast.Document, reader text.Reader, _ parser.Context) {
	var remote []*ast.Image
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the walker returns no error
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			n.Destination = []byte(w.link(string(n.Destination)))
		case *ast.Image:
			if data := w.picture(string(n.Destination)); data != "" {
				n.Destination = []byte(data)
			} else {
				remote = append(remote, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range remote { // no page asks anybody for a picture
		link := ast.NewLink()
		link.Destination = n.Destination
		for c := n.FirstChild(); c != nil; c = n.FirstChild() {
			link.AppendChild(link, c)
		}
		if link.ChildCount() == 0 {
			link.AppendChild(link, ast.NewString([]byte("picture")))
		}
		n.Parent().ReplaceChild(n.Parent(), n, link)
	}
}

// link returns the address for a link in a page.
func (w *writer) link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || path.Dir(u.Path) != "." {
		return address
	}
	if w.pages[u.Path] {
		u.Path = strings.TrimSuffix(u.Path, path.Ext(u.Path)) + ".html"
		return u.String()
	}
	return address
}

// href finds the address of a link in HTML.
var href = regexp.MustCompile(`(?i)(<a\s[^>]*?href=")([^"]*)`)

// linksInHTML makes the links of a piece of HTML those of the page, see link.
func (w *writer) linksInHTML(page string) string {
	return href.ReplaceAllStringFunc(page, func(tag string) string {
		m := href.FindStringSubmatch(tag)
		address := html.UnescapeString(m[2])
		if to := w.link(address); to != address {
			return m[1] + html.EscapeString(to)
		}
		return tag
	})
}

// picture returns the address of a picture with the picture in it, or nothing.
func (w *writer) picture(address string) string {
	if strings.HasPrefix(address, "data:image/") {
		return address
	}
	if name, ok := strings.CutPrefix(address, "attachment:"); ok {
		if unescaped, err := url.PathUnescape(name); err == nil {
			name = unescaped
		}
		data, _ := w.attachments[name].(map[string]any)
		for kind, v := range data {
			if s, ok := v.(string); ok && strings.HasPrefix(kind, "image/") {
				return dataURL(kind, s)
			}
		}
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || w.dir == "" || !filepath.IsLocal(u.Path) {
		return ""
	}
	b, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(u.Path)))
	kind := mime.TypeByExtension(path.Ext(u.Path))
	if errors.Is(err, fs.ErrNotExist) || err != nil || !strings.HasPrefix(kind, "image/") {
		return ""
	}
	return dataURL(kind, base64.StdEncoding.EncodeToString(b))
}

// dataURL returns the address that holds data, which is base64 but for SVG, of which both
// are allowed.
func dataURL(kind, data string) string {
	if kind == "image/svg+xml" && strings.Contains(data, "<") {
		data = base64.StdEncoding.EncodeToString([]byte(data))
	}
	return "data:" + kind + ";base64," + strings.Join(strings.Fields(data), "")
}

// What a page does without: what runs, what loads, and what changes the page as a whole.
var (
	scripts   = regexp.MustCompile(`(?is)<script\b.*?</script\s*>`)
	loadTags  = regexp.MustCompile(`(?i)</?(script|link|meta|base|iframe|object|embed|applet|frame|frameset)\b[^>]*>`)
	addresses = regexp.MustCompile(`(?i)(<[a-z][^>]*?\s)(src|srcset|poster|background|data)(\s*=\s*["']?\s*(?:[a-z][a-z0-9+.-]*:)?//)`)
)

// tame takes out of HTML what would run or ask the network. The page's policy forbids
// both; this keeps browsers from complaining, and other readers of the page safe.
func tame(page string) string {
	page = loadTags.ReplaceAllString(scripts.ReplaceAllString(page, ""), "")
	return addresses.ReplaceAllString(page, "${1}data-${2}${3}")
}

// plainText returns the text of HTML without tags.
func plainText(page string) string {
	var b strings.Builder
	for part := range htmlParts(page) {
		if !strings.HasPrefix(part, "<") {
			b.WriteString(part)
		}
	}
	return html.UnescapeString(b.String())
}

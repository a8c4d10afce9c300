package notebook_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sgdlab/kernelext/notebook"
)

var regen = flag.Bool("regen", false, "write golden pages anew")

func render(t *testing.T, nb *notebook.Notebook, s *notebook.RenderSettings) string {
	t.Helper()
	page, err := notebook.Render(nb, s)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// main returns what a page shows, without the elements around all of it.
func body(page string) string {
	_, page, _ = strings.Cut(page, "<main>\n")
	page, _, _ = strings.Cut(page, "</main>")
	return page
}

func text(source string) *notebook.Notebook {
	return &notebook.Notebook{Cells: []*notebook.Cell{{Type: notebook.Markdown, Source: source}}}
}

// The golden page shows a notebook with all kinds of cells and outputs, as it is written
// by a kernel. Run with -regen and look at it in a browser after a change.
func TestGolden(t *testing.T) {
	nb, err := notebook.ReadFile("testdata/chapter.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	got := render(t, nb, &notebook.RenderSettings{Dir: "testdata"})
	const path = "testdata/chapter.html"
	if *regen {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), see -regen:\n%s", path, diff)
	}
	balanced(t, got)
}

// balanced checks that the elements of a page are closed in order.
func balanced(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.AutoClose = []string{"meta", "img", "br", "hr", "input"}
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("the page is no tree: %v", err)
			return
		}
	}
}

func TestMarkdown(t *testing.T) {
	const a, b = `<math alttext="a"><mrow><mi>a</mi></mrow></math>`, `<math alttext="b"><mrow><mi>b</mi></mrow></math>`
	for _, tt := range []struct{ name, source, want string }{
		{"formula", "An $a$.", "<p>An " + a + ".</p>"},
		{"formulas in emphasis", "**$a$** _$b$_", "<p><strong>" + a + "</strong> <em>" + b + "</em></p>"},
		{"nothing in a formula is Markdown", `$a_1*b_2*c$`, "alttext=\"a_1*b_2*c\""},
		{"display", "$$a$$", `<p><span class="display"><math display="block" alttext="a">`},
		{"display over lines", "x\n$$\na\n$$\ny", `<math display="block" alttext="a">`},
		{"not over paragraphs", "$a\n\nb$", "<p>$a</p>\n<p>b$</p>"},
		{"environment", "\\begin{align}a&=b\\\\c&=d\\end{align}", "<mtable"},
		{"money", "between $5 and $10 or $ 7 $", "<p>between $5 and $10 or $ 7 $</p>"},
		{"escaped", `\$a$ and \\$b$`, "<p>$a$ and \\" + b + "</p>"},
		{"code span", "`$a$` ``$a`$`` $b$", "<p><code>$a$</code> <code>$a`$</code> " + b + "</p>"},
		{"one backtick", "` $a$", "<p>` " + a + "</p>"},
		{"block of code", "```\n$a$\n```\n$b$", "<pre><code>$a$\n</code></pre>\n<p>" + b},
		{"open block of code", "~~~\n$a$", "<pre><code>$a$\n</code></pre>"},
		{"table", "| x | y |\n|---|--:|\n| $a$ | $\\|b\\|$ |", "<td>" + a + "</td>"},
		{"bar in a table", "| x | y |\n|---|---|\n| $p(a|b)$ | 2 |", "alttext=\"p(a|b)\""},
		{"heading", "## The $a$ of *b*", `<h2 id="The--of-b">The ` + a + ` of <em>b</em></h2>`},
		{"same heading twice", "# x\n# x", `<h1 id="x-2">`},
		{"alternative text", "![$a$](data:image/png;base64,AA==)", `<img src="data:image/png;base64,AA==" alt="$a$">`},
		{"title of a link", `[x](y "$a$")`, `<a href="y" title="$a$">x</a>`},
		{"HTML", "<div>\n$a$\n</div>", a},
		{"attribute in HTML", `<b title="$a$">$b$</b>`, `<b title="$a$">` + b + `</b>`},
		{"unknown command", `$\foo$`, `<code class="tex">$\foo$</code>`},
		{"text in a formula", `$\text{if $a$}$ b`, "<mtext>if\u00a0</mtext><mi>a</mi>"},
		{"remote picture", "![seen](https://example.org/x.png)", `<a href="https://example.org/x.png">seen</a>`},
		{"remote picture without words", "![](//example.org/x.png)", `<a href="//example.org/x.png">picture</a>`},
		{"local picture without folder", "![seen](x.png)", `<a href="x.png">seen</a>`},
		{"task list", "- [x] done", `type="checkbox"`},
	} {
		page := body(render(t, text(tt.source), nil))
		if !strings.Contains(page, tt.want) {
			t.Errorf("%s: got\n%s\nwant …%s…", tt.name, page, tt.want)
		}
		if strings.ContainsAny(page, "\uE000\uE001") {
			t.Errorf("%s: a mark is left: %s", tt.name, page)
		}
	}
}

func TestPicturesInTexts(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x.png", "sub/ä b.svg", "x.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	data := func(kind, s string) string {
		return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString([]byte(s))
	}
	nb := text("")
	nb.Cells[0].Attachments = map[string]any{"a b.png": map[string]any{"image/png": "QUJD\n"}}
	for source, want := range map[string]string{
		"![s](x.png)":                `<img src="` + data("image/png", "x.png") + `"`,
		"![s](sub/%C3%A4%20b.svg)":   `<img src="` + data("image/svg+xml", "sub/ä b.svg") + `"`,
		"![s](missing.png)":          `<a href="missing.png">`,
		"![s](x.txt)":                `<a href="x.txt">`,
		"![s](../x.png)":             `<a href="../x.png">`,
		"![s](/etc/x.png)":           `<a href="/etc/x.png">`,
		"![s](attachment:a%20b.png)": `<img src="` + data("image/png", "ABC") + `"`,
		"![s](attachment:none.png)":  `<a href`,
	} {
		nb.Cells[0].Source = source
		if page := body(render(t, nb, &notebook.RenderSettings{Dir: dir})); !strings.Contains(page, want) {
			t.Errorf("%s: got %s, want …%s…", source, page, want)
		}
	}
}

func TestOutputsOfCells(t *testing.T) {
	stream := func(name, s string) *notebook.Output {
		return &notebook.Output{Type: "stream", Name: name, Text: s}
	}
	display := func(pairs ...string) *notebook.Output {
		o := &notebook.Output{Type: "display_data", Data: map[string]any{}}
		for i := 0; i < len(pairs); i += 2 {
			o.Data[pairs[i]] = pairs[i+1]
		}
		return o
	}
	failure := &notebook.Output{Type: "error", Ename: "ERROR", Evalue: "exit status 1", Traceback: []string{"exit status 1"}}
	compiler := &notebook.Output{Type: "error", Ename: "ERROR", Evalue: "failed to run go build: exit status 1", Traceback: []string{"x"}}
	sized := display("image/png", "AA==", "text/plain", "first line\nsecond")
	sized.Metadata = map[string]any{"image/png": map[string]any{"alt": `a "picture"`, "width": 605, "height": "x"}}
	for _, tt := range []struct {
		name    string
		outputs []*notebook.Output
		want    []string
		not     []string
	}{
		{"streams", []*notebook.Output{stream("stdout", "a<b\n\x1b[31mred\x1b[0m\n"), stream("stderr", "w")},
			[]string{`<pre class="stdout">a&lt;b` + "\nred</pre>", `<pre class="stderr">w</pre>`}, nil},
		{"carriage returns", []*notebook.Output{stream("stdout", "10%\r100%\r\nend\r")}, []string{">100%\nend</pre>"}, nil},
		{"many lines", []*notebook.Output{stream("stdout", strings.Repeat("x\n", 100))}, []string{"<summary>70 more lines</summary>"}, nil},
		{"HTML before picture", []*notebook.Output{display("text/html", "<i>h</i>", "image/png", "AA==")}, []string{"<i>h</i>"}, []string{"<img"}},
		{"pixels before vectors", []*notebook.Output{display("image/svg+xml", "<svg/>", "image/png", "AA==")}, []string{`src="data:image/png;base64,AA=="`}, []string{"svg"}},
		{"size and words of a picture", []*notebook.Output{sized}, []string{`alt="a &#34;picture&#34;" width="605" src="data:image/png;base64,AA=="`}, []string{"height"}},
		{"Markdown", []*notebook.Output{display("text/markdown", "*m* $x$", "text/plain", "p")}, []string{"<em>m</em> <math"}, []string{">p<"}},
		{"LaTeX", []*notebook.Output{display("text/latex", "$$x$$")}, []string{`<math display="block"`}, nil},
		{"LaTeX in words", []*notebook.Output{display("text/latex", "$$a<b$$", "text/plain", "a below \"b\"")}, []string{`role="math" aria-label="a below &#34;b&#34;"`, `<math display="block"`}, []string{"result"}},
		{"plain", []*notebook.Output{display("text/plain", "<p>")}, []string{`<pre class="result">&lt;p&gt;</pre>`}, nil},
		{"JSON", []*notebook.Output{{Type: "execute_result", Data: map[string]any{"application/json": map[string]any{"a": 1}}}}, []string{"&#34;a&#34;: 1"}, nil},
		{"unknown", []*notebook.Output{display("application/x", "secret")}, nil, []string{"secret"}},
		{"formulas in HTML", []*notebook.Output{display("text/html", `<b>$x&lt;y$</b> $5 <code>$z$</code> <svg><text>$z$</text></svg> $\foo$`)},
			[]string{`alttext="x&lt;y"`, "$5 <code>$z$</code>", "<text>$z$</text>", `$\foo$`}, nil},
		{"script", []*notebook.Output{display("text/html", `a<script src="x">alert(1)</script>b<SCRIPT>x`)}, []string{"ab"}, []string{"alert", "script"}},
		{"error", []*notebook.Output{{Type: "error", Ename: "NameError", Evalue: "no <x>"}}, []string{`<pre class="error">NameError: no &lt;x&gt;</pre>`}, nil},
		{"traceback", []*notebook.Output{{Type: "error", Ename: "E", Evalue: "v", Traceback: []string{"\x1b[1mone\x1b[0m", "two"}}}, []string{`<pre class="error">one` + "\ntwo</pre>"}, nil},
		{"exit status once", []*notebook.Output{stream("stderr", "panic: x\nexit status 1\n"), failure}, []string{`stderr">panic: x</pre>`, `error">exit status 1</pre>`}, nil},
		{"nothing but the exit status", []*notebook.Output{stream("stderr", "exit status 1\n"), failure}, []string{`error">exit status 1</pre>`}, []string{"stderr"}},
		{"show.Must once", []*notebook.Output{display("text/html", "<b>Stopped</b>", "text/plain", "Stopped: x"), stream("stderr", "Stopped: x\nexit status 1\n"), failure},
			[]string{"<b>Stopped</b>", "exit status 1"}, []string{`class="stderr"`}},
		{"errors of the compiler", []*notebook.Output{display("text/html", gonbBox), compiler}, []string{`<pre class="error">line 2: cannot use &#34;a&#34; (untyped) as &lt;-chan int` + "\nline 7: undefined: y</pre>"}, []string{"failed to run", "gonb"}},
		{"places of a panic", []*notebook.Output{stream("stderr", "panic: x\n"), display("text/html", strings.NewReplacer(`cannot use &#34;a&#34; (untyped) as <-chan int`, " +0x67", "undefined: y", "").Replace(gonbBox)), failure},
			[]string{"panic: x", "exit status 1"}, []string{"line 2", "gonb"}},
	} {
		page := body(render(t, with(tt.outputs...), nil))
		for _, want := range tt.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: got\n%s\nwant …%s…", tt.name, page, want)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(strings.ToLower(page), not) {
				t.Errorf("%s: got\n%s\nwant no %s", tt.name, page, not)
			}
		}
	}
}

func TestCode(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"func f(x int) string { return \"a<b\" } // c", `<span class="k">func</span> f(x int) string { <span class="k">return</span> <span class="s">&#34;a&lt;b&#34;</span> } <span class="c">// c</span>`},
		{"%%\nx := 0x1p-2 + 'r'", `<span class="m">%%</span>` + "\nx := " + `<span class="n">0x1p-2</span> + <span class="s">&#39;r&#39;</span>`},
		{"!ls <x>\r\nx", `<span class="m">!ls &lt;x&gt;</span>` + "\r\nx"},
		{"x := `raw\nlines`", "x := <span class=\"s\">`raw\nlines`</span>"},
		{"not Go at all: \"open", "not Go at all: "},
		{"/* open", "/* open"},
		{"a\x00b", "a\x00b"},
	} {
		nb := with()
		nb.Cells[0].Source = tt.source
		page := body(render(t, nb, nil))
		if !strings.Contains(page, tt.want) {
			t.Errorf("%q: got\n%s\nwant …%s…", tt.source, page, tt.want)
		}
		// Whatever the marks, the code is complete.
		_, code, _ := strings.Cut(page, "<code>")
		code, _, _ = strings.Cut(code, "</code>")
		code = regexp.MustCompile(`</?span[^>]*>`).ReplaceAllString(code, "")
		code = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&").Replace(code)
		if code != tt.source {
			t.Errorf("got %q, want %q", code, tt.source)
		}
	}
}

func TestHiddenParts(t *testing.T) {
	nb := with(printed("out"))
	nb.Cells[0].Metadata = map[string]any{"jupyter": map[string]any{"source_hidden": true, "outputs_hidden": true}}
	if page := body(render(t, nb, nil)); !strings.Contains(page, "<details><summary>Code</summary>") || strings.Contains(page, "out<") {
		t.Errorf("got %s", page)
	}
}

func TestTitles(t *testing.T) {
	for _, tt := range []struct {
		nb   *notebook.Notebook
		want string
	}{
		{text("text\n\n# Noise of <b> & $x$\n\nmore"), "Noise of <b> & $x$"},
		{with(shown("text/markdown", "# From a cell")), "From a cell"},
		{text("## only a section"), "Notebook"},
	} {
		if got := tt.nb.Title(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if page := render(t, text("# </title><script>"), nil); !strings.Contains(page, "<title>&lt;/title&gt;&lt;script&gt;</title>") {
		t.Error("the title is not escaped")
	}
	if page := render(t, text("# a"), &notebook.RenderSettings{Title: "Mine & yours"}); !strings.Contains(page, "<title>Mine &amp; yours</title>") {
		t.Error("the title of the settings is not used")
	}
}

// asks finds what makes a browser load something.
var asks = regexp.MustCompile(`(?i)<(script|link|iframe|object|embed|base|frame)\b|\s(src|srcset|poster|background)\s*=\s*["']?(https?:|//|[a-z]*:?//)|<meta http-equiv="?refresh|@import`)

func TestPagesAskForNothing(t *testing.T) {
	const evil = `<img src="https://example.org/a.png"><img
 srcset = '//example.org/a.png 2x'><video poster=http://example.org/v></video><link rel="dns-prefetch" href="//example.org"><meta http-equiv="refresh" content="0;url=https://example.org">
<base href="https://example.org/"><iframe src="https://example.org"></iframe><object data="https://example.org/x"></object><script>fetch("https://example.org")</script><embed src="x">`
	nb := text("# T\n\n" + evil + "\n\n![x](https://example.org/y.png)")
	nb.Cells = append(nb.Cells, with(shown("text/html", evil), shown("text/markdown", evil), shown("image/svg+xml", `<svg><script>x</script></svg>`)).Cells...)
	page := render(t, nb, nil)
	if m := asks.FindString(page); m != "" {
		t.Errorf("the page asks for something: %s", m)
	}
	if !strings.Contains(page, `<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; img-src data:;`) {
		t.Error("the page has no policy against loading")
	}
}

func TestSite(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "figures", "00_tour"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fig & 1.svg", "fig & 1.png", "b.pdf", "x.txt", "00_tour/c.png"} {
		if err := os.WriteFile(filepath.Join(dir, "figures", name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tour := text("# 0. The *tour* & $D(x)$\n\n> a quotation\n\n*Equation (1);\nerrata*\n\nThe first paragraph, $x<y$:\n\nThe second.\n\n[next](01_noise.ipynb#A-part) [other](elsewhere.ipynb) [up](../01_noise.ipynb)")
	tour.Cells = append(tour.Cells, with(shown("text/html", `<a href="ITEMS.md#Lemma-7,-nets">an item</a> <a class="x" href="README.md">else</a>`)).Cells[0])
	tour.Cells = append(tour.Cells, with(shown("image/png", "AA==")).Cells[0], with(shown("image/png", "BB==")).Cells[0])
	tour.Cells[3].Metadata = map[string]any{"tags": []any{"cover"}}
	chapters := []notebook.Chapter{
		{Name: "00_tour", Notebook: tour, Seconds: 75, Full: true},
		{Name: "01_noise", Notebook: text("# 1. Noise"), Seconds: 2.25, Err: errors.New("cell 3: panic: <b>")},
	}
	texts := []notebook.Text{{Name: "ITEMS", Markdown: "# Items of $x$\n\n### Lemma 7, nets\n\n[Tour](00_tour.ipynb)"}}
	if err := notebook.Site(dir, "All & everything", chapters, texts); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		balanced(t, string(b))
		return string(b)
	}
	for name, wants := range map[string][]string{
		"index.html": {"<title>All &amp; everything</title>", `<h2><a href="00_tour.html">0. The <em>tour</em> &amp; <math`, `The first paragraph, <math alttext="x&lt;y">`, "</math> …</p>", "full run, 1 min 15 s", "quick run, 2.2 s",
			`src="data:image/png;base64,BB=="`, "stopped: cell 3: panic: &lt;b&gt;", `fig &amp; 1 <a href="figures/fig%20&amp;%201.svg">svg</a> <a href="figures/fig%20&amp;%201.png">png</a>`, `b <a href="figures/b.pdf">pdf</a>`,
			"<div class=\"covers\"><p><em>Equation (1);\nerrata</em></p>", `<h3>0. The <em>tour</em> &amp; <math`, `c <a href="figures/00_tour/c.png">png</a>`,
			`<li><a href="ITEMS.html">Items of <math`},
		"ITEMS.html": {"<title>Items of $x$</title>", `<a href="index.html">All &amp; everything</a></header>`, `<h3 id="Lemma-7,-nets">`, `<a href="00_tour.html">Tour</a>`},
		"00_tour.html": {`<a href="index.html">All &amp; everything</a><a class="next" rel="next" href="01_noise.html">1. Noise</a>`, `<a href="01_noise.html#A-part">next</a> <a href="elsewhere.ipynb">other</a> <a href="../01_noise.ipynb">up</a>`,
			`<a href="ITEMS.html#Lemma-7,-nets">an item</a> <a class="x" href="README.md">else</a>`},
		"01_noise.html": {`<a class="previous" rel="prev" href="00_tour.html">0. The <em>tour</em>`, `<footer class="site"><a href="index.html">`},
	} {
		page := read(name)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: want …%s… in\n%s", name, want, page)
			}
		}
		if strings.Contains(page, "The second") && name == "index.html" || asks.MatchString(page) {
			t.Errorf("%s has too much", name)
		}
	}
	for _, name := range []string{"index", "../x", "00_tour"} {
		if err := notebook.Site(t.TempDir(), "", []notebook.Chapter{{Name: "00_tour", Notebook: tour}, {Name: name, Notebook: tour}}, nil); err == nil {
			t.Errorf("a chapter called %s: no error", name)
		}
		if err := notebook.Site(t.TempDir(), "", []notebook.Chapter{{Name: "00_tour", Notebook: tour}}, []notebook.Text{{Name: name}}); err == nil {
			t.Errorf("a text called %s: no error", name)
		}
	}
}

// A page shows pixels where there are both: an SVG needs its font.
func TestRenderPixelsFirst(t *testing.T) {
	both := &notebook.Output{Type: "display_data", Data: map[string]any{"image/png": "AA==", "image/svg+xml": "<svg></svg>", "text/plain": "[a] A picture."}}
	page := body(render(t, with(both), nil))
	if !strings.Contains(page, `alt="[a] A picture." src="data:image/png;base64,AA=="`) || strings.Contains(page, "svg") {
		t.Errorf("got\n%s", page)
	}
}

func TestContents(t *testing.T) {
	if page := body(render(t, text("# T\n\n## a\n\n## b"), nil)); strings.Contains(page, "Contents") {
		t.Error("two sections have a list of contents")
	}
	page := body(render(t, text("# T\n\n## a $x$\n\n## b\n\n## b"), nil))
	if i, j := strings.Index(page, "</h1>"), strings.Index(page, "<summary>Contents"); i < 0 || j < i || !strings.Contains(page, `<li><a href="#b-2">b</a></li>`) || !strings.Contains(page, `<li><a href="#a">a <math`) {
		t.Errorf("got\n%s", page)
	}
}

// Whatever a text says, its page is a tree, and asks for nothing.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"$a$ `b` **c**", "# h\n| a | $b|c$ |\n|--|--|", "<b>$x$</b><script>", "![x](https://a.b/c)", "```\n$a", "\\begin{align}x\\end{align}", "\uE0000\uE001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		page, err := notebook.Render(text(s), nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(page), "<script") {
			t.Errorf("%q has a script", s)
		}
	})
}

func ExampleRender() {
	nb, err := notebook.Parse([]byte(`{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
		{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Noise"},
		{"cell_type": "code", "id": "b", "metadata": {}, "source": "%%\nfmt.Println(1)", "execution_count": 1,
		 "outputs": [{"output_type": "stream", "name": "stdout", "text": "1\n"}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := notebook.Render(nb, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, main, _ := bytes.Cut(page, []byte("<main>\n"))
	fmt.Printf("%s", main)
	// Output:
	// <section class="text">
	// <h1 id="Noise">Noise</h1>
	// </section>
	// <section class="code">
	// <pre class="source" data-count="1"><code><span class="m">%%</span>
	// fmt.Println(<span class="n">1</span>)</code></pre>
	// <div class="outputs">
	// <pre class="stdout">1</pre>
	// </div>
	// </section>
	// </main>
	// </body>
	// </html>
}

package texmath

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MathML returns the math element for a formula, the source between the dollar signs.
// Display style is that of formulas on a line of their own. It fails if the formula has a
// mistake or uses something that this package does not know, which the error names.
func MathML(tex string, display bool) (string, error) {
	for _, c := range tex {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c >= 0x7f && c < 0xa0 || c == utf8.RuneError || c&^1 == 0xfffe {
			return "", fmt.Errorf("texmath: the character %q cannot be shown", c)
		}
	}
	p := &parser{rest: tex}
	lines, err := p.table("")
	if err != nil {
		return "", fmt.Errorf("texmath: %w", err)
	}
	var body string
	if len(lines) == 1 && len(lines[0]) == 1 {
		body = lines[0][0].xml()
	} else {
		body = p.layout("aligned", "", lines).xml
	}
	attributes := ""
	if display {
		attributes = ` display="block"`
	}
	return fmt.Sprintf(`<math%s alttext="%s"><mrow>%s</mrow></math>`, attributes, escape(strings.Join(strings.Fields(tex), " ")), body), nil
}

// parser reads a formula from left to right.
type parser struct {
	rest  string
	font  font
	tight bool // in a script
	depth int
}

// maxDepth bounds how deep constructions are nested.
const maxDepth = 60

// token takes the next token: a command with its backslash, or a character. White space
// before it is skipped, and after a command of letters. It is empty at the end.
func (p *parser) token() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if strings.HasPrefix(p.rest, "%") { // a comment
		_, p.rest, _ = strings.Cut(p.rest, "\n")
		return p.token()
	}
	if p.rest == "" {
		return ""
	}
	if p.rest[0] != '\\' {
		_, n := utf8.DecodeRuneInString(p.rest)
		t := p.rest[:n]
		p.rest = p.rest[n:]
		return t
	}
	n := 1
	for n < len(p.rest) && isLetter(p.rest[n]) {
		n++
	}
	if n == 1 && len(p.rest) > 1 {
		_, size := utf8.DecodeRuneInString(p.rest[1:])
		n += size
	}
	t := p.rest[:n]
	p.rest = p.rest[n:]
	return t
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// peek returns the next token without taking it.
func (p *parser) peek() string {
	rest := p.rest
	t := p.token()
	p.rest = rest
	return t
}

// raw takes an argument in braces as it stands.
func (p *parser) raw() (string, error) {
	if t := p.token(); t != "{" {
		return "", fmt.Errorf("%s is followed by %q, want {", "a command", t)
	}
	depth := 1
	for i := 0; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				s := p.rest[:i]
				p.rest = p.rest[i+1:]
				return s, nil
			}
		}
	}
	return "", errors.New("a brace { is not closed")
}

// optional takes an argument in brackets, if there is one.
func (p *parser) optional() (string, bool) {
	if p.peek() != "[" {
		return "", false
	}
	rest := strings.TrimLeft(p.rest, " \t\r\n")
	depth := 0
	for i, c := range rest {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		case ']':
			if depth == 0 {
				p.rest = rest[i+1:]
				return rest[1:i], true
			}
		}
	}
	return "", false
}

// sub parses another text in the state of p.
func (p *parser) sub(tex string) (row, error) {
	q := &parser{rest: tex, font: p.font, tight: p.tight, depth: p.depth}
	r, _, err := q.row("")
	return r, err
}

// argument takes one argument: a group in braces or one token.
func (p *parser) argument() (row, error) {
	switch p.peek() {
	case "":
		return nil, errors.New("an argument is missing at the end")
	case "{":
		p.token()
		r, _, err := p.row("}")
		return r, err
	case "}", "&", `\\`, "^", "_":
		return nil, fmt.Errorf("an argument is missing before %s", p.peek())
	}
	if c := strings.TrimLeft(p.rest, " \t\r\n")[0]; '0' <= c && c <= '9' { // \frac12
		return row{{xml: number(p.token(), p.font)}}, nil
	}
	a, err := p.atom()
	if err != nil || a == nil {
		return nil, err
	}
	return row{a}, nil
}

// element takes one argument as an element.
func (p *parser) element() (string, error) {
	r, err := p.argument()
	if err != nil {
		return "", err
	}
	return group(r), nil
}

// elements takes n arguments.
func (p *parser) elements(n int) ([]string, error) {
	list := make([]string, n)
	for i := range list {
		var err error
		if list[i], err = p.element(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// row takes atoms up to the token end, or up to one of "&", `\\`, `\end`, `\right` and
// `\middle`, none of which it takes itself but end. It returns the token it met.
func (p *parser) row(end string) (r row, met string, err error) {
	if p.depth++; p.depth > maxDepth {
		return nil, "", errors.New("it is nested too deeply")
	}
	font := p.font
	defer func() { p.depth--; p.font = font }()
	for {
		t := p.peek()
		switch t {
		case end:
			p.token()
			return r, t, nil
		case "":
			return nil, "", fmt.Errorf("%s is missing at the end", end)
		case "&", `\\`, `\cr`, `\end`, `\right`, `\middle`:
			if end == "}" || end == "" && t != "&" && t != `\\` {
				return nil, "", fmt.Errorf("%s stands where it should not", t)
			}
			return r, t, nil
		case "}":
			return nil, "", errors.New("a brace } is too many")
		case `\over`, `\choose`, `\atop`:
			p.token()
			below, met, err := p.row(end)
			if err != nil {
				return nil, "", err
			}
			return row{stack(t, r, below)}, met, nil
		case `\displaystyle`, `\textstyle`, `\scriptstyle`, `\scriptscriptstyle`:
			p.token()
			rest, met, err := p.row(end)
			if err != nil {
				return nil, "", err
			}
			return append(r, &atom{xml: styled(t, rest.xml())}), met, nil
		case "^", "_", "'", "’", `\limits`, `\nolimits`:
			if len(r) == 0 || r[len(r)-1].space {
				r = append(r, &atom{})
			}
			if err := p.script(r[len(r)-1]); err != nil {
				return nil, "", err
			}
			continue
		}
		a, err := p.atom()
		if err != nil {
			return nil, "", err
		}
		if a != nil {
			r = append(r, a)
		}
	}
}

// stack returns what \over and its relatives make of a group.
func stack(command string, above, below row) *atom {
	switch fraction := group(above) + group(below); command {
	case `\choose`:
		return &atom{xml: binomial(fraction)}
	case `\atop`:
		return &atom{xml: `<mfrac linethickness="0">` + fraction + "</mfrac>"}
	default:
		return &atom{xml: "<mfrac>" + fraction + "</mfrac>"}
	}
}

func binomial(fraction string) string {
	return `<mrow><mo form="prefix" stretchy="true">(</mo><mfrac linethickness="0">` + fraction + `</mfrac><mo form="postfix" stretchy="true">)</mo></mrow>`
}

func styled(command, xml string) string {
	attributes := map[string]string{
		`\displaystyle`:      `displaystyle="true" scriptlevel="0"`,
		`\textstyle`:         `displaystyle="false" scriptlevel="0"`,
		`\scriptstyle`:       `displaystyle="false" scriptlevel="1"`,
		`\scriptscriptstyle`: `displaystyle="false" scriptlevel="2"`,
	}[command]
	return "<mstyle " + attributes + ">" + xml + "</mstyle>"
}

// script takes scripts, primes and limits after an atom.
func (p *parser) script(a *atom) error {
	old := p.tight
	defer func() { p.tight = old }()
	p.tight = true
	switch t := p.token(); t {
	case `\limits`:
		a.limits, a.fixed = true, true
	case `\nolimits`:
		a.limits = false
	case "'", "’":
		if a.hasSup {
			return errors.New("a prime follows a superscript: put the prime first")
		}
		a.primes++
	case "^":
		if a.hasSup {
			return errors.New("two superscripts follow each other: use braces")
		}
		e, err := p.element()
		if err != nil {
			return err
		}
		a.sup, a.hasSup = e, true
		if p.peek() == "'" {
			return errors.New("a prime follows a superscript: put the prime first")
		}
	case "_":
		if a.hasSub {
			return errors.New("two subscripts follow each other: use braces")
		}
		e, err := p.element()
		if err != nil {
			return err
		}
		a.sub, a.hasSub = e, true
	}
	return nil
}

// atom takes one atom without its scripts. It returns nil for commands that show nothing.
func (p *parser) atom() (*atom, error) {
	a, err := p.bare()
	if a != nil {
		a.tight = p.tight
	}
	return a, err
}

func (p *parser) bare() (*atom, error) {
	t := p.token()
	if command, ok := strings.CutPrefix(t, `\`); ok {
		return p.command(command)
	}
	c, _ := utf8.DecodeRuneInString(t)
	switch {
	case t == "{":
		r, _, err := p.row("}")
		if err != nil {
			return nil, err
		}
		return braced(r), nil
	case t == "~":
		return &atom{xml: `<mspace width="0.3333em"/>`, space: true}, nil
	case t == "$":
		return nil, errors.New("a dollar sign stands inside a formula")
	case '0' <= c && c <= '9':
		return p.digits(t), nil
	case c == '.' && p.rest != "" && '0' <= p.rest[0] && p.rest[0] <= '9':
		return p.digits(t), nil
	}
	if s, ok := characters[c]; ok {
		return &atom{class: s.class, text: s.text}, nil
	}
	if s, ok := byCharacter[t]; ok {
		return &atom{class: s.class, text: s.text}, nil
	}
	if unicode.IsLetter(c) && p.font == roman { // a word is one identifier
		for p.rest != "" {
			next, n := utf8.DecodeRuneInString(p.rest)
			if !unicode.IsLetter(next) {
				break
			}
			t += p.rest[:n]
			p.rest = p.rest[n:]
		}
		return &atom{xml: identifier(t, roman, false)}, nil
	}
	switch {
	case unicode.IsLetter(c):
		return &atom{xml: identifier(t, p.font, unicode.Is(unicode.Greek, c) && unicode.IsUpper(c))}, nil
	case c == '∇' || c == '∂' || c == '∞':
		return &atom{xml: identifier(t, p.font, true)}, nil
	}
	return &atom{text: t}, nil
}

// braced returns a group, which is an ordinary atom whatever is in it: the comma in
// 3{,}978 makes no space.
func braced(r row) *atom {
	if len(r) == 1 && r[0].text != "" && r[0].class != op {
		r[0].class = ord
	}
	return &atom{xml: group(r)}
}

// digits takes the rest of a number.
func (p *parser) digits(t string) *atom {
	n := 0
	for n < len(p.rest) && ('0' <= p.rest[n] && p.rest[n] <= '9' || p.rest[n] == '.' && n+1 < len(p.rest) && '0' <= p.rest[n+1] && p.rest[n+1] <= '9') {
		n++
	}
	t += p.rest[:n]
	p.rest = p.rest[n:]
	return &atom{xml: number(t, p.font)}
}

func number(text string, f font) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteRune(inFont(c, f))
	}
	attributes := ""
	if style := styles[f]; style != "" {
		attributes = ` style="` + style + `"`
	}
	return "<mn" + attributes + ">" + b.String() + "</mn>"
}

// command takes what a command needs and returns its atom.
func (p *parser) command(name string) (*atom, error) {
	if width, ok := spaces[name]; ok {
		return &atom{xml: fmt.Sprintf(`<mspace width="%sem"/>`, width), space: true}, nil
	}
	if c, ok := letters[name]; ok {
		return &atom{xml: identifier(c, p.font, p.font == roman)}, nil
	}
	if c, ok := upright[name]; ok {
		if strings.HasSuffix(name, "dots") || strings.HasPrefix(name, "dots") {
			return &atom{text: c}, nil
		}
		return &atom{xml: identifier(c, p.font, true)}, nil
	}
	if c, ok := binaries[name]; ok {
		return &atom{class: bin, text: c}, nil
	}
	if c, ok := relations[name]; ok {
		return &atom{class: rel, text: c}, nil
	}
	if d, ok := delimiters[`\`+name]; ok {
		return &atom{class: d.class, text: d.text}, nil
	}
	if c, ok := largeOperators[name]; ok {
		return &atom{class: op, text: c, limits: true}, nil
	}
	if c, ok := integrals[name]; ok {
		return &atom{class: op, text: c}, nil
	}
	if functionNames[name] {
		return &atom{class: op, xml: "<mi>" + name + "</mi>", function: true}, nil
	}
	if words, ok := limitFunctions[name]; ok {
		return limitFunction(words), nil
	}
	if f, ok := fonts[name]; ok {
		return p.inFont(name, f)
	}
	if style, ok := textFonts[name]; ok {
		return p.text(style)
	}
	if accent, ok := accents[name]; ok {
		return p.accent(name, accent, "mover")
	}
	if accent, ok := underAccents[name]; ok {
		return p.accent(name, accent, "munder")
	}
	if c, ok := arrows[name]; ok {
		return p.arrow(c)
	}
	base := strings.TrimRight(name, "lrm")
	if size, ok := sizes[base]; ok && len(name)-len(base) <= 1 {
		return p.sized(name[len(base):], size)
	}
	if f, ok := constructions[name]; ok {
		return f(p, name)
	}
	return nil, fmt.Errorf(`\%s is unknown`, name)
}

func limitFunction(words string) *atom {
	return &atom{class: op, xml: `<mo movablelimits="true" form="prefix" lspace="0" rspace="0">` + escape(strings.ReplaceAll(words, " ", "\u2009")) + "</mo>", function: true, limits: true}
}

// inFont takes the argument of a command like \mathbf; \rm and its like change what
// follows in the group.
func (p *parser) inFont(name string, f font) (*atom, error) {
	if name == "rm" || name == "bf" || name == "cal" {
		p.font = f
		return nil, nil
	}
	old := p.font
	defer func() { p.font = old }()
	p.font = f
	r, err := p.argument()
	if err != nil {
		return nil, err
	}
	return &atom{xml: group(r)}, nil
}

// text takes words, in which formulas may stand between dollar signs.
func (p *parser) text(style string) (*atom, error) {
	words, err := p.raw()
	if err != nil {
		return nil, err
	}
	if style != "" {
		style = ` style="` + style + `"`
	}
	var b strings.Builder
	for i, part := range strings.Split(words, "$") {
		if i%2 == 1 {
			r, err := p.sub(part)
			if err != nil {
				return nil, err
			}
			b.WriteString(group(r))
			continue
		}
		part = strings.NewReplacer(`\ `, " ", "~", " ", `\,`, "\u2009", `\%`, "%", `\_`, "_", `\&`, "&", `\#`, "#", `\{`, "{", `\}`, "}", "``", "“", "''", "”", "---", "—", "--", "–").Replace(part)
		if strings.Contains(part, `\`) {
			return nil, fmt.Errorf("the text %q has a command", part)
		}
		// Browsers drop ordinary spaces at the ends.
		part = strings.NewReplacer("{", "", "}", "", "\n", "\u00a0", " ", "\u00a0").Replace(part)
		if part != "" {
			b.WriteString("<mtext" + style + ">" + escape(part) + "</mtext>")
		}
	}
	return &atom{xml: "<mrow>" + b.String() + "</mrow>"}, nil
}

// accent takes the argument of an accent. Scripts of braces are labels.
func (p *parser) accent(name, accent, element string) (*atom, error) {
	base, err := p.element()
	if err != nil {
		return nil, err
	}
	attributes := ` stretchy="false"`
	if stretching[name] {
		attributes = ` stretchy="true"`
	}
	which := ` accent="true"`
	if element == "munder" {
		which = ` accentunder="true"`
	}
	a := &atom{xml: fmt.Sprintf(`<%s%s>%s<mo%s>%s</mo></%[1]s>`, element, which, base, attributes, escape(accent))}
	if name == "underbrace" || name == "overbrace" {
		a.limits = true
	}
	return a, nil
}

// arrow takes what stands over and under an arrow.
func (p *parser) arrow(c string) (*atom, error) {
	arrow := `<mo form="infix" stretchy="true" lspace="0.2778em" rspace="0.2778em">` + c + "</mo>"
	const space = `<mspace width="0.3em"/>`
	pad := func(e string) string { return "<mrow>" + space + e + space + "</mrow>" }
	under, hasUnder := p.optional()
	over, err := p.element()
	if err != nil {
		return nil, err
	}
	if !hasUnder {
		return &atom{class: rel, xml: "<mover>" + arrow + pad(over) + "</mover>"}, nil
	}
	r, err := p.sub(under)
	if err != nil {
		return nil, err
	}
	return &atom{class: rel, xml: "<munderover>" + arrow + pad(group(r)) + pad(over) + "</munderover>"}, nil
}

// delimiter takes the delimiter after \left, \big and the like.
func (p *parser) delimiter() (symbol, error) {
	t := p.token()
	d, ok := delimiters[t]
	if !ok {
		return d, fmt.Errorf("%q is no delimiter", t)
	}
	return d, nil
}

// sized takes a delimiter of a given size.
func (p *parser) sized(kind, size string) (*atom, error) {
	d, err := p.delimiter()
	if err != nil {
		return nil, err
	}
	switch kind {
	case "l":
		d.class = opening
	case "r":
		d.class = closing
	case "m":
		d.class = rel
	}
	if d.text == "" {
		return nil, nil
	}
	return &atom{class: d.class, text: d.text, attrs: fmt.Sprintf(` stretchy="true" symmetric="true" minsize="%s" maxsize="%[1]s"`, size)}, nil
}

// length is a TeX length.
var length = regexp.MustCompile(`^\s*(-?[0-9]*\.?[0-9]+)\s*(em|ex|pt|mu|px|cm|mm|in|bp|pc)\s*$`)

// width returns the width of a space in em.
func width(s string) (string, error) {
	m := length.FindStringSubmatch(s)
	if m == nil {
		return "", fmt.Errorf("%q is no length", s)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return "", err
	}
	em := map[string]float64{"em": 1, "ex": 0.43, "pt": 0.1, "mu": 1. / 18, "px": 0.075, "cm": 2.845, "mm": 0.2845, "in": 7.227, "bp": 0.1, "pc": 1.2}
	return strconv.FormatFloat(n*em[m[2]], 'g', 4, 64) + "em", nil
}

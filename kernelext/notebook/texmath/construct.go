package texmath

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// constructions are the commands that take arguments in a way of their own.
var constructions map[string]func(p *parser, name string) (*atom, error)

func init() { // they call each other through the table
	nothing := func(*parser, string) (*atom, error) { return nil, nil }
	constructions = map[string]func(p *parser, name string) (*atom, error){
		"frac": fraction, "dfrac": fraction, "tfrac": fraction, "cfrac": fraction,
		"binom": fraction, "dbinom": fraction, "tbinom": fraction,
		"sqrt": root, "left": fence, "begin": environment, "not": negation,
		"operatorname": named, "mathop": operator, "mathrel": classed, "mathbin": classed, "mathord": classed, "mathopen": classed,
		"mathclose": classed, "mathpunct": classed, "mathinner": classed,
		"overset": over, "stackrel": over, "underset": over, "substack": substack,
		"phantom": phantom, "hphantom": phantom, "vphantom": phantom, "smash": phantom, "boxed": box, "overline": line, "underline": line,
		"hspace": space, "mspace": space, "hskip": skip, "kern": skip, "mkern": skip, "mskip": skip,
		"pmod": modulo, "mod": modulo, "pod": modulo,
		"color": colour, "textcolor": colour, "tag": tag, "label": ignored, "eqref": reference, "ref": reference,
		" ": plainSpace, "\n": plainSpace, "colon": colon,
		"nonumber": nothing, "notag": nothing, "mathstrut": nothing, "strut": nothing, "hline": nothing, "allowbreak": nothing,
		"nobreak": nothing, "relax": nothing, "/": nothing, "-": nothing, "null": nothing, "hfill": nothing, "bigskip": nothing,
	}
}

func fraction(p *parser, name string) (*atom, error) {
	parts, err := p.elements(2)
	if err != nil {
		return nil, err
	}
	xml := "<mfrac>" + parts[0] + parts[1] + "</mfrac>"
	if strings.HasSuffix(name, "binom") {
		xml = binomial(parts[0] + parts[1])
	}
	switch name[0] {
	case 'd', 'c':
		xml = styled(`\displaystyle`, xml)
	case 't':
		xml = styled(`\textstyle`, xml)
	}
	return &atom{xml: xml}, nil
}

func root(p *parser, _ string) (*atom, error) {
	index, indexed := p.optional()
	r, err := p.argument()
	if err != nil {
		return nil, err
	}
	if !indexed {
		return &atom{xml: "<msqrt>" + r.xml() + "</msqrt>"}, nil
	}
	n, err := p.sub(index)
	if err != nil {
		return nil, err
	}
	return &atom{xml: "<mroot>" + group(r) + group(n) + "</mroot>"}, nil
}

// fence takes what stands between \left and \right.
func fence(p *parser, _ string) (*atom, error) {
	left, err := p.delimiter()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("<mrow>")
	if left.text != "" {
		b.WriteString(`<mo form="prefix" fence="true" stretchy="true">` + escape(left.text) + "</mo>")
	}
	for {
		r, met, err := p.row(`\right`)
		if err != nil {
			return nil, err
		}
		b.WriteString("<mrow>" + r.xml() + "</mrow>")
		if met != `\right` && met != `\middle` {
			return nil, fmt.Errorf(`%s stands between \left and \right`, met)
		}
		if met == `\middle` {
			p.token()
		}
		d, err := p.delimiter()
		if err != nil {
			return nil, err
		}
		if met == `\middle` {
			b.WriteString(`<mo form="infix" fence="true" stretchy="true" lspace="0.2em" rspace="0.2em">` + escape(d.text) + "</mo>")
			continue
		}
		if d.text != "" {
			b.WriteString(`<mo form="postfix" fence="true" stretchy="true">` + escape(d.text) + "</mo>")
		}
		b.WriteString("</mrow>")
		return &atom{xml: b.String()}, nil
	}
}

func negation(p *parser, _ string) (*atom, error) {
	a, err := p.atom()
	if err != nil {
		return nil, err
	}
	if a == nil || a.text == "" {
		return nil, errors.New(`\not stands before something that is no relation`)
	}
	if n, ok := negations[a.text]; ok {
		a.text = n
	} else {
		a.text += "\u0338"
	}
	return a, nil
}

// named takes the name of an operator, which is set upright.
func named(p *parser, _ string) (*atom, error) {
	star := p.peek() == "*"
	if star {
		p.token()
	}
	name, err := p.raw()
	if err != nil {
		return nil, err
	}
	words := strings.NewReplacer(`\,`, " ", `\;`, " ", `\ `, " ", "~", " ", "{", "", "}", "").Replace(name)
	if strings.ContainsAny(words, `\$^_&`) {
		r, err := (&parser{font: roman, depth: p.depth}).sub(name)
		if err != nil {
			return nil, err
		}
		return &atom{class: op, xml: group(r), function: true, limits: star, fixed: star}, nil
	}
	if star {
		return limitFunction(words), nil
	}
	return &atom{class: op, xml: "<mi>" + escape(strings.ReplaceAll(words, " ", "\u2009")) + "</mi>", function: true}, nil
}

// operator makes its argument a large operator.
func operator(p *parser, _ string) (*atom, error) {
	e, err := p.element()
	if err != nil {
		return nil, err
	}
	return &atom{class: op, xml: e, function: true, limits: true}, nil
}

// classed gives its argument the class in the name of the command.
func classed(p *parser, name string) (*atom, error) {
	r, err := p.argument()
	if err != nil {
		return nil, err
	}
	c := map[string]class{"mathrel": rel, "mathbin": bin, "mathord": ord, "mathopen": opening, "mathclose": closing, "mathpunct": punct, "mathinner": ord}[name]
	if len(r) == 1 && r[0].text != "" {
		r[0].class = c
		return r[0], nil
	}
	pad := map[class]string{rel: "0.2778em", bin: "0.2222em"}[c]
	if pad == "" {
		return &atom{class: c, xml: group(r)}, nil
	}
	space := `<mspace width="` + pad + `"/>`
	return &atom{class: c, xml: "<mrow>" + space + group(r) + space + "</mrow>"}, nil
}

// over puts its first argument over or under the second, whose class it keeps.
func over(p *parser, name string) (*atom, error) {
	script, err := p.element()
	if err != nil {
		return nil, err
	}
	r, err := p.argument()
	if err != nil {
		return nil, err
	}
	a := &atom{xml: group(r)}
	if len(r) == 1 {
		a = r[0]
		if a.hasSub || a.hasSup {
			a = &atom{class: a.class, xml: a.element()}
		}
	} else if name == "stackrel" {
		a.class = rel
	}
	a.limits, a.fixed = true, true
	if name == "underset" {
		a.sub, a.hasSub = script, true
	} else {
		a.sup, a.hasSup = script, true
	}
	return &atom{class: a.class, xml: a.element()}, nil
}

func phantom(p *parser, name string) (*atom, error) {
	e, err := p.element()
	if err != nil {
		return nil, err
	}
	switch name {
	case "hphantom":
		return &atom{xml: `<mpadded height="0" depth="0"><mphantom>` + e + "</mphantom></mpadded>"}, nil
	case "vphantom":
		return &atom{xml: `<mpadded width="0"><mphantom>` + e + "</mphantom></mpadded>"}, nil
	case "smash":
		return &atom{xml: `<mpadded height="0" depth="0">` + e + "</mpadded>"}, nil
	}
	return &atom{xml: "<mphantom>" + e + "</mphantom>"}, nil
}

func box(p *parser, _ string) (*atom, error) {
	e, err := p.element()
	if err != nil {
		return nil, err
	}
	return &atom{xml: `<mrow style="border:1px solid;padding:0.3em">` + e + "</mrow>"}, nil
}

// line draws a line over or under its argument; as accents such lines do not grow in
// most fonts.
func line(p *parser, name string) (*atom, error) {
	e, err := p.element()
	if err != nil {
		return nil, err
	}
	side := map[string]string{"overline": "top", "underline": "bottom"}[name]
	return &atom{xml: fmt.Sprintf(`<mrow style="border-%s:0.06em solid;padding-%[1]s:0.1em">%s</mrow>`, side, e)}, nil
}

func space(p *parser, _ string) (*atom, error) {
	if p.peek() == "*" {
		p.token()
	}
	s, err := p.raw()
	if err != nil {
		return nil, err
	}
	w, err := width(s)
	if err != nil {
		return nil, err
	}
	return &atom{xml: `<mspace width="` + w + `"/>`, space: true}, nil
}

// skipped is the length after \kern and \hskip.
var skipped = regexp.MustCompile(`^\s*-?[0-9]*\.?[0-9]+\s*(em|ex|pt|mu|px|cm|mm|in|bp|pc)`)

func skip(p *parser, name string) (*atom, error) {
	s := skipped.FindString(p.rest)
	if s == "" {
		return nil, fmt.Errorf(`\%s is followed by no length`, name)
	}
	p.rest = p.rest[len(s):]
	w, err := width(s)
	if err != nil {
		return nil, err
	}
	return &atom{xml: `<mspace width="` + w + `"/>`, space: true}, nil
}

func modulo(p *parser, name string) (*atom, error) {
	e, err := p.element()
	if err != nil {
		return nil, err
	}
	before, word, after := `<mspace width="1em"/>`, "<mi>mod</mi>"+`<mspace width="0.3333em"/>`, ""
	if name != "mod" {
		before, after = before+`<mo form="prefix" stretchy="false">(</mo>`, `<mo form="postfix" stretchy="false">)</mo>`
	}
	if name == "pod" {
		word = ""
	}
	return &atom{xml: "<mrow>" + before + word + e + after + "</mrow>"}, nil
}

// colourName is a name or hexadecimal number of a colour.
var colourName = regexp.MustCompile(`^([a-zA-Z]+|#[0-9a-fA-F]{3,8})$`)

func colour(p *parser, name string) (*atom, error) {
	c, err := p.raw()
	if err != nil {
		return nil, err
	}
	if !colourName.MatchString(c) {
		return nil, fmt.Errorf("%q is no colour", c)
	}
	e, err := p.element()
	if err != nil {
		return nil, err
	}
	return &atom{xml: `<mrow style="color:` + c + `">` + e + "</mrow>"}, nil
}

func tag(p *parser, _ string) (*atom, error) {
	if p.peek() == "*" {
		p.token()
	}
	a, err := p.text("")
	if err != nil {
		return nil, err
	}
	return &atom{xml: `<mrow><mspace width="2em"/><mtext>(</mtext>` + a.xml + "<mtext>)</mtext></mrow>", space: true}, nil
}

func ignored(p *parser, _ string) (*atom, error) {
	_, err := p.raw()
	return nil, err
}

func reference(p *parser, name string) (*atom, error) {
	s, err := p.raw()
	if err != nil {
		return nil, err
	}
	if name == "eqref" {
		s = "(" + s + ")"
	}
	return &atom{xml: "<mtext>" + escape(s) + "</mtext>"}, nil
}

func plainSpace(*parser, string) (*atom, error) {
	return &atom{xml: `<mspace width="0.3333em"/>`, space: true}, nil
}

func colon(*parser, string) (*atom, error) { return &atom{class: punct, text: ":"}, nil }

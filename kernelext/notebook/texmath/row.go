package texmath

import (
	"fmt"
	"strings"
)

// atom is one symbol or one construction, with its scripts.
type atom struct {
	class class
	text  string // an operator: its character; xml is empty
	xml   string // anything else: the element
	attrs string // of an operator, besides those of its spaces

	function bool // a named function: set off from what follows by a thin space
	limits   bool // scripts go above and below
	fixed    bool // also in text style, or even if TeX would put them beside
	space    bool // white space, no atom in TeX's sense
	tight    bool // in a script, where binary operators and relations have no spaces
	joined   bool // a relation with another relation to its left, as in ":="
	joins    bool // and to its right

	primes   int
	sub, sup string
	hasSub   bool
	hasSup   bool
}

// row is a sequence of atoms.
type row []*atom

// xml returns the elements of a row, without an element around them.
func (r row) xml() string {
	r.resolve()
	var b strings.Builder
	for i, a := range r {
		// Large operators have spaces of their own; of two functions the second one sets it.
		if a.function && (r.beside(i, -1, ord, closing) || r.beside(i, -1, op) && r[i-1].function) {
			b.WriteString(thinSpace)
		}
		b.WriteString(a.element())
		if a.function && r.beside(i, 1, ord) {
			b.WriteString(thinSpace)
		}
	}
	return b.String()
}

const thinSpace = `<mspace width="0.1667em"/>`

// beside reports whether the atom next to the i-th one, if any, is of one of the classes.
func (r row) beside(i, step int, classes ...class) bool {
	j := i + step
	if j < 0 || j >= len(r) || r[j].space {
		return false
	}
	for _, c := range classes {
		if r[j].class == c {
			return true
		}
	}
	return false
}

// resolve makes binary operators ordinary where they have nothing to join, as in TeX.
func (r row) resolve() {
	before := -1 // the last atom that is not a space
	for i, a := range r {
		if a.space {
			continue
		}
		if before < 0 {
			if a.class == bin {
				a.class = ord
			}
		} else {
			last := r[before]
			switch {
			case a.class == bin && (last.class == bin || last.class == op || last.class == rel || last.class == opening || last.class == punct):
				a.class = ord
			case a.class == rel && last.class == rel:
				last.joins, a.joined = true, true
			case last.class == bin && (a.class == rel || a.class == closing || a.class == punct):
				last.class = ord
			}
		}
		before = i
	}
	if before >= 0 && r[before].class == bin {
		r[before].class = ord
	}
}

// element returns the element of an atom with its scripts.
func (a *atom) element() string {
	base := a.xml
	if a.text != "" {
		base = a.operator()
	}
	switch {
	case a.primes > 0:
		// Few fonts have primes that can be raised; in all of them they are raised already.
		base = "<mrow>" + base + `<mo lspace="0" rspace="0">` + strings.Repeat("′", a.primes) + "</mo></mrow>"
	case a.attrs != "" && (a.hasSub || a.hasSup):
		base = "<mrow>" + base + "</mrow>" // Chromium lets no base of a script grow
	}
	if !a.hasSub && !a.hasSup {
		return base
	}
	if base == "" {
		base = "<mrow></mrow>"
	}
	names := [3]string{"msub", "msup", "msubsup"}
	if a.limits {
		names = [3]string{"munder", "mover", "munderover"}
	}
	switch {
	case !a.hasSup:
		return fmt.Sprintf("<%s>%s%s</%[1]s>", names[0], base, a.sub)
	case !a.hasSub:
		return fmt.Sprintf("<%s>%s%s</%[1]s>", names[1], base, a.sup)
	}
	return fmt.Sprintf("<%s>%s%s%s</%[1]s>", names[2], base, a.sub, a.sup)
}

// operator returns the mo element of an operator. Browsers know the spaces around an
// operator of its own class; where TeX gives it another one the spaces are given.
func (a *atom) operator() string {
	attributes := a.attrs
	if a.limits && a.fixed {
		attributes += ` movablelimits="false"`
	}
	class := a.class
	if a.tight && (class == bin || class == rel || class == punct) {
		class = ord
	}
	switch class {
	case ord:
		if signs[a.text] && a.class == ord {
			attributes += ` form="prefix"`
		}
		attributes += ` lspace="0" rspace="0"`
	case bin:
		attributes += ` form="infix"`
		if !knownBinary[a.text] {
			attributes += ` lspace="0.2222em" rspace="0.2222em"`
		}
	case rel:
		left, right := "0.2778em", "0.2778em"
		if a.joined {
			left = "0"
		}
		if a.joins {
			right = "0"
		}
		attributes += fmt.Sprintf(` form="infix" lspace="%s" rspace="%s"`, left, right)
	case opening:
		attributes += ` form="prefix"`
	case closing:
		attributes += ` form="postfix"`
	case punct:
		attributes += ` lspace="0" rspace="0.1667em"`
	}
	// Brackets and arrows would grow with their neighbours.
	if !strings.Contains(attributes, "stretchy") && a.class != op {
		attributes += ` stretchy="false"`
	}
	return "<mo" + attributes + ">" + escape(a.text) + "</mo>"
}

// signs may stand before a number.
var signs = map[string]bool{"+": true, "−": true, "±": true, "∓": true}

// knownBinary are binary operators whose spaces browsers know to be medium.
var knownBinary = map[string]bool{"+": true, "−": true, "±": true, "∓": true, "×": true, "⋅": true}

// group returns r as one element.
func group(r row) string {
	if len(r) == 1 && !r[0].space {
		r.resolve()
		if e := r[0].element(); e != "" {
			return e
		}
	}
	return "<mrow>" + r.xml() + "</mrow>"
}

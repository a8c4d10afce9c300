package texmath

import (
	"errors"
	"fmt"
	"strings"
)

// environments have a left and a right delimiter.
var environments = map[string][2]string{
	"matrix": {}, "smallmatrix": {}, "pmatrix": {"(", ")"}, "bmatrix": {"[", "]"}, "Bmatrix": {"{", "}"}, "vmatrix": {"|", "|"}, "Vmatrix": {"‖", "‖"},
	"array": {}, "cases": {"{", ""}, "dcases": {"{", ""}, "rcases": {"", "}"}, "aligned": {}, "align": {}, "alignat": {}, "alignedat": {}, "split": {}, "eqnarray": {},
	"gathered": {}, "gather": {}, "equation": {}, "multline": {}, "subarray": {}, "flalign": {},
}

// environment takes everything up to the matching \end.
func environment(p *parser, _ string) (*atom, error) {
	name, err := p.raw()
	if err != nil {
		return nil, err
	}
	plain := strings.TrimSuffix(name, "*")
	if _, ok := environments[plain]; !ok {
		return nil, fmt.Errorf("the environment %q is unknown", name)
	}
	columns := ""
	switch plain {
	case "array", "subarray", "alignat", "alignedat":
		if columns, err = p.raw(); err != nil {
			return nil, err
		}
	}
	lines, err := p.table(name)
	if err != nil {
		return nil, err
	}
	return p.layout(plain, columns, lines), nil
}

func substack(p *parser, _ string) (*atom, error) {
	s, err := p.raw()
	if err != nil {
		return nil, err
	}
	lines, err := (&parser{rest: s, font: p.font, tight: p.tight, depth: p.depth}).table("")
	if err != nil {
		return nil, err
	}
	return p.layout("substack", "", lines), nil
}

// table takes the cells of an environment with its \end, or for an empty name the rest
// of the formula.
func (p *parser) table(name string) ([][]row, error) {
	lines := [][]row{nil}
	end := ""
	if name != "" {
		end = `\end`
	}
	for {
		r, met, err := p.row(end)
		if err != nil {
			return nil, err
		}
		last := len(lines) - 1
		lines[last] = append(lines[last], r)
		switch met {
		case "":
			return lines, nil
		case `\end`:
			closed, err := p.raw()
			if err != nil {
				return nil, err
			}
			if closed != name {
				return nil, fmt.Errorf(`\begin{%s} is closed by \end{%s}`, name, closed)
			}
			if n := len(lines); n > 1 && len(lines[n-1]) == 1 && len(lines[n-1][0]) == 0 {
				lines = lines[:n-1] // after the last \\
			}
			return lines, nil
		case "&":
			p.token()
		case `\\`, `\cr`:
			p.token()
			if p.peek() == "*" {
				p.token()
			}
			if strings.HasPrefix(p.rest, "[") {
				p.optional()
			}
			lines = append(lines, nil)
		default:
			return nil, errors.New(met + " stands in a table")
		}
	}
}

// layout makes a table of the cells.
func (p *parser) layout(name, columns string, lines [][]row) *atom {
	var b strings.Builder
	attributes := ""
	switch name {
	case "aligned", "align", "alignat", "alignedat", "split", "eqnarray", "gathered", "gather", "equation", "multline", "flalign", "dcases":
		attributes = ` displaystyle="true"`
	case "smallmatrix", "substack", "subarray":
		attributes = ` scriptlevel="1"`
	}
	b.WriteString("<mtable" + attributes + ">")
	for _, line := range lines {
		b.WriteString("<mtr>")
		for j, cell := range line {
			style := cellStyle(name, columns, j)
			if style != "" {
				style = ` style="` + style + `"`
			}
			// In the right half of "a &= b" the relation has something to its left.
			if aligning(name) && j%2 == 1 {
				cell = append(row{{xml: "<mrow></mrow>"}}, cell...)
			}
			b.WriteString("<mtd" + style + ">" + cell.xml() + "</mtd>")
		}
		b.WriteString("</mtr>")
	}
	b.WriteString("</mtable>")
	d := environments[name]
	if d == ([2]string{}) {
		return &atom{xml: b.String()}
	}
	xml := "<mrow>"
	if d[0] != "" {
		xml += `<mo form="prefix" fence="true" stretchy="true">` + d[0] + "</mo>"
	}
	xml += b.String()
	if d[1] != "" {
		xml += `<mo form="postfix" fence="true" stretchy="true">` + d[1] + "</mo>"
	}
	return &atom{xml: xml + "</mrow>"}
}

func aligning(name string) bool {
	switch name {
	case "aligned", "align", "alignat", "alignedat", "split", "flalign":
		return true
	}
	return false
}

// Alignments; Chromium and WebKit align the blocks in a cell by the second one only.
const (
	left  = "text-align:left;text-align:-webkit-left"
	right = "text-align:right;text-align:-webkit-right"
)

// cellStyle returns the style of a cell in column j.
func cellStyle(name, columns string, j int) string {
	switch {
	case aligning(name):
		if j%2 == 0 {
			gap := "0"
			if j > 0 {
				gap = "2em" // between two pairs of columns
			}
			return right + ";padding-left:" + gap + ";padding-right:0"
		}
		return left + ";padding-left:0;padding-right:0"
	case name == "eqnarray":
		return [...]string{right, "", left}[min(j, 2)]
	case strings.HasSuffix(name, "cases"):
		if j == 0 {
			return left + ";padding-left:0"
		}
		return left + ";padding-left:1em"
	case name == "array" || name == "subarray":
		letters := strings.NewReplacer("|", "", " ", "").Replace(columns)
		if j < len(letters) {
			switch letters[j] {
			case 'l':
				return left
			case 'r':
				return right
			}
		}
	case name == "substack":
		return "padding:0"
	}
	return ""
}

package notebook

import (
	"go/scanner"
	"go/token"
	"html"
	"strings"
)

// goCode returns the source of a cell as HTML with its parts marked: k keyword, s string,
// n number, c comment, m a line for GoNB, which begins with % or !.
func goCode(source string) string {
	var out, chunk strings.Builder
	flush := func() {
		out.WriteString(goTokens(chunk.String()))
		chunk.Reset()
	}
	for line := range strings.Lines(source) {
		if strings.HasPrefix(line, "%") || strings.HasPrefix(line, "!") {
			flush()
			text := strings.TrimRight(line, "\r\n")
			out.WriteString(marked("m", text) + line[len(text):])
			continue
		}
		chunk.WriteString(line)
	}
	flush()
	return out.String()
}

func marked(class, text string) string {
	return `<span class="` + class + `">` + html.EscapeString(text) + "</span>"
}

// goTokens marks the parts of Go source. What the scanner does not understand is shown
// without marks.
func goTokens(source string) string {
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, []byte(source), func(token.Position, string) {}, scanner.ScanComments)
	var out strings.Builder
	done := 0
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		class := ""
		switch {
		case tok == token.COMMENT:
			class = "c"
		case tok == token.STRING || tok == token.CHAR:
			class = "s"
		case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
			class = "n"
		case tok.IsKeyword():
			class = "k"
		}
		begin := file.Offset(pos)
		end := begin + len(literal)
		// The scanner drops carriage returns from literals.
		if class == "" || begin < done || end > len(source) || source[begin:end] != literal {
			continue
		}
		out.WriteString(html.EscapeString(source[done:begin]) + marked(class, literal))
		done = end
	}
	return out.String() + html.EscapeString(source[done:])
}

package show

import (
	"strings"
	"unicode/utf8"
)

// Title shows the title of a chapter and, below it, lines of Markdown.
func Title(title string, below ...string) {
	text := "# " + title
	plain := title + "\n" + strings.Repeat("=", utf8.RuneCountInString(title))
	for _, line := range below {
		text += "\n\n" + line
		plain += "\n" + line
	}
	current().show(bundle{markdown: text, plain: plain})
}

// Markdown shows text. Formulas stand between dollar signs: $\lambda$ within a line,
// $$\int \rho\,dx = 1$$ on lines of their own.
//
//	show.Markdown(fmt.Sprintf("The largest eigenvalue is $\\lambda$ = %.3g.", lambda))
func Markdown(text string) {
	current().show(bundle{markdown: text, plain: text})
}

package texmath

import (
	"fmt"
	"strings"
)

// font is the alphabet in which letters are set.
type font int

const (
	italic     font = iota
	roman           // \mathrm, \mathnormal text
	bold            // \mathbf
	boldItalic      // \boldsymbol, \bm
	blackboard      // \mathbb
	script          // \mathcal, \mathscr
	fraktur         // \mathfrak
	sans            // \mathsf
	mono            // \mathtt
)

var fonts = map[string]font{
	"mathrm": roman, "rm": roman, "mathup": roman, "mathnormal": italic, "mathit": italic, "mathbf": bold, "bf": bold, "boldsymbol": boldItalic, "bm": boldItalic,
	"pmb": boldItalic, "mathbb": blackboard, "mathds": blackboard, "mathcal": script, "mathscr": script, "cal": script, "mathfrak": fraktur, "mathsf": sans, "mathtt": mono,
}

// textFonts are the commands for words.
var textFonts = map[string]string{
	"text": "", "textrm": "", "textnormal": "", "mbox": "", "hbox": "", "textup": "", "textbf": "font-weight:bold", "textit": "font-style:italic",
	"emph": "font-style:italic", "textsf": "font-family:sans-serif", "texttt": "font-family:monospace",
}

// styles of the fonts that have no characters of their own here.
var styles = map[font]string{bold: "font-weight:bold", boldItalic: "font-weight:bold", sans: "font-family:sans-serif", mono: "font-family:monospace"}

// exceptions are the letters that Unicode had before the rest of their alphabet.
var exceptions = map[font]map[rune]rune{
	blackboard: {'C': 'ℂ', 'H': 'ℍ', 'N': 'ℕ', 'P': 'ℙ', 'Q': 'ℚ', 'R': 'ℝ', 'Z': 'ℤ'},
	script:     {'B': 'ℬ', 'E': 'ℰ', 'F': 'ℱ', 'H': 'ℋ', 'I': 'ℐ', 'L': 'ℒ', 'M': 'ℳ', 'R': 'ℛ', 'e': 'ℯ', 'g': 'ℊ', 'o': 'ℴ'},
	fraktur:    {'C': 'ℭ', 'H': 'ℌ', 'I': 'ℑ', 'R': 'ℜ', 'Z': 'ℨ'},
}

// firstLetters are where the alphabets begin: A, a and the digit 0, or 0.
var firstLetters = map[font][3]rune{
	blackboard: {0x1D538, 0x1D552, 0x1D7D8},
	script:     {0x1D49C, 0x1D4B6, 0},
	fraktur:    {0x1D504, 0x1D51E, 0},
}

// inFont returns the character for c in an alphabet.
func inFont(c rune, f font) rune {
	if e, ok := exceptions[f][c]; ok {
		return e
	}
	first, ok := firstLetters[f]
	switch {
	case !ok:
	case 'A' <= c && c <= 'Z':
		return first[0] + c - 'A'
	case 'a' <= c && c <= 'z':
		return first[1] + c - 'a'
	case '0' <= c && c <= '9' && first[2] != 0:
		return first[2] + c - '0'
	}
	return c
}

// identifier returns the element for letters: one letter, or several that are a word.
func identifier(text string, f font, isUpright bool) string {
	var b strings.Builder
	n := 0
	for _, c := range text {
		b.WriteRune(inFont(c, f))
		n++
	}
	attributes := ""
	// A single letter is italic by itself; characters of other alphabets must be left alone.
	if n == 1 && (isUpright && f != boldItalic || f != italic && f != boldItalic) {
		attributes = ` mathvariant="normal"`
	}
	if style := styles[f]; style != "" {
		attributes += fmt.Sprintf(` style="%s"`, style)
	}
	return "<mi" + attributes + ">" + escape(b.String()) + "</mi>"
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(s string) string { return escaper.Replace(s) }

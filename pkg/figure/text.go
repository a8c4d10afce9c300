package figure

import (
	"math"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mathText is a text handler for short formulas in Unicode. Superscripts and subscripts
// (10⁻⁶, Dᵀ, x₁, f_b) are set as smaller raised or lowered text, ∇ as an inverted Δ, ‖ as
// two bars, 𝔼 as an E, whether or not the font has a glyph for them. An underscore lowers the one
// character after it. Lines break at "\n".
type mathText struct {
	fonts *font.Cache
}

var _ text.Handler = mathText{}

// run is a piece of a line in one size and at one height.
type run struct {
	str   string
	scale vg.Length // of the font size
	rise  vg.Length // of the baseline, in font sizes
	flip  bool      // turned upside down
}

const (
	scriptScale = 0.70
	superRise   = 0.36
	subRise     = -0.16
)

var superscripts = map[rune]string{
	'⁰': "0", '¹': "1", '²': "2", '³': "3", '⁴': "4", '⁵': "5", '⁶': "6", '⁷': "7", '⁸': "8", '⁹': "9",
	'⁻': "−", '⁺': "+", 'ᵀ': "T", 'ⁿ': "n", 'ᵏ': "k",
}

var subscripts = map[rune]string{
	'₀': "0", '₁': "1", '₂': "2", '₃': "3", '₄': "4", '₅': "5", '₆': "6", '₇': "7", '₈': "8", '₉': "9",
	'ᵢ': "i", 'ⱼ': "j", 'ₖ': "k", 'ₘ': "m", 'ₐ': "a", 'ₓ': "x",
}

// runs cuts one line into runs.
func runs(line string) []run {
	var out []run
	add := func(r run) {
		if n := len(out); n > 0 && !r.flip && out[n-1].scale == r.scale && out[n-1].rise == r.rise && !out[n-1].flip {
			out[n-1].str += r.str
			return
		}
		out = append(out, r)
	}
	lower := false // the last character was an underscore
	for _, c := range line {
		switch {
		case lower:
			add(run{str: string(c), scale: scriptScale, rise: subRise})
			lower = false
		case c == '_':
			lower = true
		case superscripts[c] != "":
			add(run{str: superscripts[c], scale: scriptScale, rise: superRise})
		case subscripts[c] != "":
			add(run{str: subscripts[c], scale: scriptScale, rise: subRise})
		case c == '∇':
			add(run{str: "Δ", scale: 1, flip: true})
		case c == '𝔼':
			add(run{str: "E", scale: 1})
		case c == '‖':
			add(run{str: "||", scale: 1})
		default:
			add(run{str: string(c), scale: 1})
		}
	}
	return out
}

// fillText draws txt on c with the point that sty's alignment names exactly at pt.
func fillText(c draw.Canvas, sty text.Style, pt vg.Point, txt string) {
	descent := sty.FontExtents().Descent
	sin, cos := math.Sincos(sty.Rotation)
	pt.X -= descent * vg.Length(sin)
	pt.Y += descent * vg.Length(cos)
	c.FillText(sty, pt, txt)
}

// Cache returns the fonts.
func (t mathText) Cache() *font.Cache { return t.fonts }

// Extents returns the extents of a font.
func (t mathText) Extents(f font.Font) font.Extents {
	face := t.fonts.Lookup(f, f.Size)
	return face.Extents()
}

// Lines splits txt at line breaks.
func (t mathText) Lines(txt string) []string {
	return strings.Split(strings.TrimRight(txt, "\n"), "\n")
}

// Box returns the width of a line and the ascent and descent of its font.
func (t mathText) Box(line string, f font.Font) (width, height, depth vg.Length) {
	for _, r := range runs(line) {
		face := t.fonts.Lookup(f, f.Size*r.scale)
		width += face.Width(r.str)
	}
	ext := t.Extents(f)
	return width, ext.Ascent, ext.Descent
}

// Draw draws txt as sty says, aligned to the point one font descent below pt. The
// offset is the convention of gonum/plot, whose axes and titles add a descent; use
// [fillText] for text of our own.
func (t mathText) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	if strings.TrimSpace(txt) == "" {
		return
	}
	c.SetColor(sty.Color)
	if sty.Rotation != 0 {
		c.Push()
		defer c.Pop()
		c.Rotate(sty.Rotation)
		sin, cos := math.Sincos(sty.Rotation)
		pt = vg.Point{
			X: pt.Y*vg.Length(sin) + pt.X*vg.Length(cos),
			Y: pt.Y*vg.Length(cos) - pt.X*vg.Length(sin),
		}
	}
	lines := t.Lines(txt)
	ext := t.Extents(sty.Font)
	pitch := ext.Ascent + ext.Descent
	y := pt.Y + vg.Length(len(lines))*pitch*(1+vg.Length(sty.YAlign)) - ext.Ascent - ext.Descent
	for _, line := range lines {
		width, _, _ := t.Box(line, sty.Font)
		x := pt.X + width*vg.Length(sty.XAlign)
		for _, r := range runs(line) {
			face := t.fonts.Lookup(sty.Font, sty.Font.Size*r.scale)
			w := face.Width(r.str)
			at := vg.Point{X: x, Y: y + sty.Font.Size*r.rise}
			if r.flip {
				// Half a turn about the middle of a capital letter.
				c.Push()
				c.Translate(vg.Point{X: at.X + w, Y: at.Y + 0.716*sty.Font.Size})
				c.Rotate(math.Pi)
				c.FillString(face, vg.Point{}, r.str)
				c.Pop()
			} else {
				c.FillString(face, at, r.str)
			}
			x += w
		}
		y -= pitch
	}
}

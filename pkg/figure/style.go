package figure

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Style is how a picture looks: one value, passed explicitly to everything that draws.
type Style struct {
	Typeface font.Font // family of all text; its size is ignored

	TitleSize vg.Length // the line above a picture
	LabelSize vg.Length // axis labels
	TextSize  vg.Length // tick labels and text inside the picture

	LineWidth vg.Length // curves
	HairWidth vg.Length // axes, ticks, guides

	Paper color.RGBA // background
	Ink   color.RGBA // axes and text
	Muted color.RGBA // secondary text and guides
	Faint color.RGBA // background structure, such as contours

	Palette  []color.RGBA // for things that differ in kind
	Sequence []color.RGBA // for things in an order, light to dark
}

// Default returns the style of the project: Liberation Sans, the palette of Okabe and
// Ito, blues from light to dark for sequences.
func Default() Style {
	return Style{
		Typeface:  font.Font{Typeface: "Liberation", Variant: "Sans"},
		TitleSize: vg.Points(11.5),
		LabelSize: vg.Points(10.5),
		TextSize:  vg.Points(9),
		LineWidth: vg.Points(1.6),
		HairWidth: vg.Points(0.6),
		Paper:     color.RGBA{R: 0xFF, G: 0xFF, B: 0xFF, A: 0xFF},
		Ink:       color.RGBA{R: 0x22, G: 0x22, B: 0x22, A: 0xFF},
		Muted:     color.RGBA{R: 0x66, G: 0x66, B: 0x66, A: 0xFF},
		Faint:     color.RGBA{R: 0xDA, G: 0xDA, B: 0xDA, A: 0xFF},
		Palette: []color.RGBA{
			{R: 0x00, G: 0x72, B: 0xB2, A: 0xFF}, // blue
			{R: 0xD5, G: 0x5E, B: 0x00, A: 0xFF}, // vermilion
			{R: 0x00, G: 0x9E, B: 0x73, A: 0xFF}, // bluish green
			{R: 0xCC, G: 0x79, B: 0xA7, A: 0xFF}, // reddish purple
			{R: 0xE6, G: 0x9F, B: 0x00, A: 0xFF}, // orange
			{R: 0x56, G: 0xB4, B: 0xE9, A: 0xFF}, // sky blue
		},
		Sequence: []color.RGBA{
			{R: 0xA6, G: 0xD0, B: 0xF0, A: 0xFF},
			{R: 0x2E, G: 0x86, B: 0xC1, A: 0xFF},
			{R: 0x0B, G: 0x2F, B: 0x5B, A: 0xFF},
		},
	}
}

// Positions in Style.Palette.
const (
	blue = iota
	vermilion
	green
	purple
	orange
	sky
)

// resolve returns s, or the default style for nil.
func resolve(s *Style) Style {
	if s == nil {
		return Default()
	}
	return *s
}

// New returns an empty plot in this style.
func (s Style) New() *plot.Plot {
	p := plot.New()
	handler := mathText{fonts: font.DefaultCache}
	p.TextHandler = handler
	p.BackgroundColor = s.Paper
	p.Title.TextStyle = s.text(s.TitleSize, s.Ink, draw.XCenter, draw.YTop)
	p.Title.Padding = vg.Points(6)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle = s.line(s.Ink, s.HairWidth)
		axis.Padding = vg.Points(4)
		axis.Label.Padding = vg.Points(3)
		axis.Label.TextStyle = s.text(s.LabelSize, s.Ink, draw.XCenter, draw.YBottom)
		axis.Tick.LineStyle = s.line(s.Ink, s.HairWidth)
		axis.Tick.Length = vg.Points(5)
		axis.Tick.Marker = linearTicks{}
	}
	p.X.Tick.Label = s.text(s.TextSize, s.Ink, draw.XCenter, draw.YTop)
	p.Y.Tick.Label = s.text(s.TextSize, s.Ink, draw.XRight, draw.YCenter)
	p.Legend.TextStyle = s.text(s.TextSize, s.Ink, draw.XLeft, draw.YCenter)
	return p
}

// text returns a text style in the font of s.
func (s Style) text(size vg.Length, c color.Color, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.From(s.Typeface, size),
		XAlign:  x,
		YAlign:  y,
		Handler: mathText{fonts: font.DefaultCache},
	}
}

// line returns a solid line style.
func (s Style) line(c color.Color, width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width}
}

// dashed returns a dashed line style.
func (s Style) dashed(c color.Color, width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width, Dashes: []vg.Length{vg.Points(4), vg.Points(3)}}
}

// sequence returns n colours of Style.Sequence, the last one dark. It repeats the
// lightest if there are too few.
func (s Style) sequence(n int) []color.RGBA {
	colors := make([]color.RGBA, n)
	for i := range colors {
		colors[i] = s.Sequence[max(0, len(s.Sequence)-n+i)]
	}
	return colors
}

// pale mixes c with the paper: strength 1 is c, 0 is paper. It stands in for
// transparency, which the formats render differently.
func (s Style) pale(c color.RGBA, strength float64) color.RGBA {
	mix := func(a, b uint8) uint8 { return uint8(strength*float64(a) + (1-strength)*float64(b) + 0.5) }
	return color.RGBA{R: mix(c.R, s.Paper.R), G: mix(c.G, s.Paper.G), B: mix(c.B, s.Paper.B), A: 0xFF}
}

// dark mixes c with black, for lines and text over marks in c.
func (s Style) dark(c color.RGBA) color.RGBA {
	mix := func(a uint8) uint8 { return uint8(0.72*float64(a) + 0.5) }
	return color.RGBA{R: mix(c.R), G: mix(c.G), B: mix(c.B), A: 0xFF}
}

package figure

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sgdlab/pkg/problem"
)

// labPins are colours in CIELAB that the density map passes near: from white through
// green and blue to a dark blue. Lightness falls all the way, so the map also reads in
// grey, and with any colour vision.
var labPins = [][3]float64{{100, 0, 0}, {84, -20, 12}, {64, -22, -12}, {42, -2, -36}, {26, 12, -40}, {12, 8, -24}}

// densityColors are the colours of a density from zero, which is white, to the largest.
var densityColors = uniformColors(labPins, 1024)

// densityColor returns the colour of v in [0, 1], clamped.
func densityColor(v float64) color.RGBA {
	last := float64(len(densityColors) - 1)
	return densityColors[int(min(max(v, 0), 1)*last+0.5)]
}

// uniformColors returns n colours along a curve that begins and ends with the pins, with
// rounded corners, equal distances in CIELAB apart.
func uniformColors(pins [][3]float64, n int) []color.RGBA {
	mix := func(a, b [3]float64, f float64) [3]float64 {
		return [3]float64{a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1]), a[2] + f*(b[2]-a[2])}
	}
	for range 4 { // cut the corners, Chaikin's way
		cut := [][3]float64{pins[0]}
		for i := 1; i < len(pins); i++ {
			cut = append(cut, mix(pins[i-1], pins[i], 0.25), mix(pins[i-1], pins[i], 0.75))
		}
		pins = append(cut, pins[len(pins)-1])
	}
	along := make([]float64, len(pins))
	for i := 1; i < len(pins); i++ {
		a, b := pins[i-1], pins[i]
		along[i] = along[i-1] + math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2])
	}
	colors := make([]color.RGBA, n)
	k := 1
	for i := range colors {
		at := along[len(along)-1] * float64(i) / float64(n-1)
		for k < len(along)-1 && along[k] < at {
			k++
		}
		c := mix(pins[k-1], pins[k], (at-along[k-1])/(along[k]-along[k-1]))
		colors[i] = labToRGB(c[0], c[1], c[2])
	}
	return colors
}

// labToRGB converts CIELAB (white point D65) to sRGB, clamped to its gamut.
func labToRGB(l, a, b float64) color.RGBA {
	inverse := func(t float64) float64 {
		if t > 6.0/29 {
			return t * t * t
		}
		return 3 * 36.0 / 841 * (t - 4.0/29)
	}
	fy := (l + 16) / 116
	x, y, z := 0.95047*inverse(fy+a/500), inverse(fy), 1.08883*inverse(fy-b/200)
	channel := func(c float64) uint8 {
		if c <= 0.0031308 {
			c *= 12.92
		} else {
			c = 1.055*math.Pow(c, 1/2.4) - 0.055
		}
		return uint8(255*min(max(c, 0), 1) + 0.5)
	}
	return color.RGBA{
		R: channel(3.2404542*x - 1.5371385*y - 0.4985314*z),
		G: channel(-0.9692660*x + 1.8760108*y + 0.0415560*z),
		B: channel(0.0556434*x - 0.2040259*y + 1.0572252*z),
		A: 0xFF,
	}
}

// raster fills a box with colours.
type raster struct {
	box    problem.Box
	pixels image.Image
}

// Plot draws the colours.
func (r raster) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	c.DrawImage(vg.Rectangle{
		Min: vg.Point{X: tx(r.box.XMin), Y: ty(r.box.YMin)},
		Max: vg.Point{X: tx(r.box.XMax), Y: ty(r.box.YMax)},
	}, r.pixels)
}

// rasterPixels is the number of pixels along the longer side of a raster: enough for the
// edges of cells and bands to stay sharp where a viewer smooths pictures.
const rasterPixels = 600

// newRaster colours each pixel with the colour at its middle; u and v are the distances
// from the left and from below in units of the sides of the box.
func newRaster(box problem.Box, at func(u, v float64) color.RGBA) raster {
	w, h := box.XMax-box.XMin, box.YMax-box.YMin
	nx, ny := max(1, int(rasterPixels*w/max(w, h))), max(1, int(rasterPixels*h/max(w, h)))
	m := image.NewRGBA(image.Rect(0, 0, nx, ny))
	for j := range ny {
		for i := range nx {
			m.SetRGBA(i, ny-1-j, at((float64(i)+0.5)/float64(nx), (float64(j)+0.5)/float64(ny)))
		}
	}
	return raster{box: box, pixels: m}
}

// colorBar explains the colours of a map, from 0 to max.
type colorBar struct {
	style Style
	max   float64
	label string
}

const barWidth = 0.35 * vg.Centimeter

func (b colorBar) ticks() []plot.Tick { return linearTicks{}.Ticks(0, b.max) }

// width returns what the bar takes up, with the gap on its left.
func (b colorBar) width() vg.Length {
	sty := b.style.text(b.style.TextSize, b.style.Ink, draw.XLeft, draw.YCenter)
	var labels vg.Length
	for _, t := range b.ticks() {
		labels = max(labels, sty.Width(t.Label))
	}
	return panelGap + barWidth + labels + vg.Points(6) + 1.5*b.style.LabelSize
}

// draw draws the bar in rect, its numbers and its name on the right of it.
func (b colorBar) draw(c draw.Canvas, rect vg.Rectangle) {
	const steps = 256
	m := image.NewRGBA(image.Rect(0, 0, 8, 2*steps))
	for j := range 2 * steps {
		for i := range 8 {
			m.SetRGBA(i, 2*steps-1-j, densityColor(float64(j)/(2*steps-1)))
		}
	}
	c.DrawImage(rect, m)
	frame := b.style.line(b.style.Ink, b.style.HairWidth)
	c.StrokeLines(frame, []vg.Point{
		rect.Min, {X: rect.Max.X, Y: rect.Min.Y}, rect.Max, {X: rect.Min.X, Y: rect.Max.Y}, rect.Min,
	})
	sty := b.style.text(b.style.TextSize, b.style.Ink, draw.XLeft, draw.YCenter)
	var labels vg.Length
	for _, t := range b.ticks() {
		y := rect.Min.Y + (rect.Max.Y-rect.Min.Y)*vg.Length(t.Value/b.max)
		c.StrokeLine2(frame, rect.Max.X, y, rect.Max.X+vg.Points(3), y)
		fillText(c, sty, vg.Point{X: rect.Max.X + vg.Points(5), Y: y}, t.Label)
		labels = max(labels, sty.Width(t.Label))
	}
	name := b.style.text(b.style.LabelSize, b.style.Ink, draw.XCenter, draw.YTop)
	name.Rotation = math.Pi / 2
	fillText(c, name, vg.Point{X: rect.Max.X + vg.Points(8) + labels, Y: (rect.Min.Y + rect.Max.Y) / 2}, b.label)
}

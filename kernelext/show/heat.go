package show

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"math"
	"reflect"
	"strings"
)

// HeatMap shows a matrix as a picture, one square per entry: white is zero, blue is
// positive, orange is negative; entries that are NaN or infinite are grey. m is a
// [][]float64, a []float64 (one row), or anything with Dims and At such as a mat.Matrix.
// Beyond 512 rows or columns each square is the entry of largest magnitude of a block.
//
// It panics if m is none of these or empty.
func HeatMap(m any, caption ...string) { showHeat(m, false, caption) }

// LogHeatMap is HeatMap in a logarithmic scale, for spectra: the entries of a row are the
// eigenvalues at one time. Zero and negative entries are white, as is everything below
// 10⁻¹² of the largest entry.
func LogHeatMap(m any, caption ...string) { showHeat(m, true, caption) }

const (
	heatSide   = 512   // squares per side at most
	heatFloor  = 1e-12 // of the largest entry: white in a logarithmic scale
	heatPixels = 440   // longer side on the page
	heatSquare = 24    // sides of a square at most, in pixels of the page
)

// Okabe and Ito's blue and vermillion, and the grey of entries that are no numbers.
var heatUp, heatDown, heatNone = color.NRGBA{0, 0x5A, 0x9C, 0xFF}, color.NRGBA{0xD5, 0x5E, 0, 0xFF}, color.NRGBA{0x99, 0x99, 0x99, 0xFF}

func showHeat(m any, log bool, caption []string) {
	grid := newGrid(m, "heat map")
	h := newHeat(grid, log)
	h.caption = strings.Join(caption, " ")
	current().show(bundle{html: h.html(), plain: h.plain()})
}

// grid is a matrix by entries.
type grid struct {
	rows, columns int
	at            func(i, j int) float64
}

// newGrid panics, naming what was to be made of m, if m is no matrix or an empty one.
func newGrid(m any, what string) grid {
	var g grid
	switch m := m.(type) {
	case []float64:
		g = grid{1, len(m), func(_, j int) float64 { return m[j] }}
	case [][]float64:
		for i, row := range m {
			if len(row) != len(m[0]) {
				panic(fmt.Sprintf("show: row %d of the %s has %d entries, row 0 has %d", i, what, len(row), len(m[0])))
			}
			g = grid{len(m), len(row), func(i, j int) float64 { return m[i][j] }}
		}
	default:
		if !isMatrix(reflect.ValueOf(m)) {
			panic(fmt.Sprintf("show: cannot make a %s of %T: give [][]float64, []float64 or a matrix", what, m))
		}
		v := m.(matrix)
		rows, columns := v.Dims()
		g = grid{rows, columns, v.At}
	}
	if g.rows == 0 || g.columns == 0 {
		panic(fmt.Sprintf("show: cannot make a %s of %d×%d entries", what, g.rows, g.columns))
	}
	return g
}

// heat is a grid of colours.
type heat struct {
	caption             string
	rows, columns       int // of the matrix
	log                 bool
	smallest, largest   float64 // finite entries; the smallest one shown, if log
	picture             *image.NRGBA
	bad                 int // entries that are no finite numbers
	columnsPer, rowsPer int // entries per square
}

func newHeat(g grid, log bool) *heat {
	h := &heat{rows: g.rows, columns: g.columns, log: log, smallest: math.Inf(1), largest: math.Inf(-1)}
	for i := range g.rows {
		for j := range g.columns {
			if v := g.at(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				h.bad++
			} else {
				h.smallest, h.largest = min(h.smallest, v), max(h.largest, v)
			}
		}
	}
	if h.bad == g.rows*g.columns {
		h.smallest, h.largest = 0, 0
	}
	if log {
		h.smallest = h.largest // of those above the floor
		for i := range g.rows {
			for j := range g.columns {
				if v := g.at(i, j); v > heatFloor*h.largest && v < h.smallest {
					h.smallest = v
				}
			}
		}
	}
	h.rowsPer, h.columnsPer = (g.rows+heatSide-1)/heatSide, (g.columns+heatSide-1)/heatSide
	h.picture = image.NewNRGBA(image.Rect(0, 0, (g.columns+h.columnsPer-1)/h.columnsPer, (g.rows+h.rowsPer-1)/h.rowsPer))
	size := h.picture.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			h.picture.SetNRGBA(x, y, h.colour(strongest(g, y*h.rowsPer, x*h.columnsPer, h.rowsPer, h.columnsPer)))
		}
	}
	return h
}

// strongest returns the entry of largest magnitude of a block; NaN counts most.
func strongest(g grid, i0, j0, rows, columns int) float64 {
	v := g.at(i0, j0)
	for i := i0; i < min(i0+rows, g.rows); i++ {
		for j := j0; j < min(j0+columns, g.columns); j++ {
			if w := g.at(i, j); math.IsNaN(w) || math.Abs(w) > math.Abs(v) {
				v = w
			}
		}
	}
	return v
}

// colour returns the colour of an entry.
func (h *heat) colour(v float64) color.NRGBA {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return heatNone
	case h.log:
		if v < h.smallest || v <= 0 {
			return blend(heatUp, 0)
		}
		if h.largest == h.smallest {
			return blend(heatUp, 1)
		}
		// The smallest entry still differs from white.
		return blend(heatUp, 0.1+0.9*math.Log(v/h.smallest)/math.Log(h.largest/h.smallest))
	}
	scale := max(math.Abs(h.smallest), math.Abs(h.largest))
	if v < 0 {
		return blend(heatDown, -v/scale)
	}
	if v == 0 {
		return blend(heatUp, 0)
	}
	return blend(heatUp, v/scale)
}

// blend returns the colour at the part t of the way from white to c.
func blend(c color.NRGBA, t float64) color.NRGBA {
	mix := func(b uint8) uint8 { return uint8(math.Round(255 + t*(float64(b)-255))) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 0xFF}
}

// text says what is seen.
func (h *heat) text() string {
	scale := "entries"
	if h.log {
		scale = "entries above zero, logarithmic,"
	}
	s := fmt.Sprintf("heat map of a %d×%d matrix, %s from %s to %s", h.rows, h.columns, scale, scientific(h.smallest), scientific(h.largest))
	if h.rowsPer > 1 || h.columnsPer > 1 {
		s += fmt.Sprintf(", the strongest of each %d×%d block", h.rowsPer, h.columnsPer)
	}
	if h.bad > 0 {
		s += fmt.Sprintf(", %d not finite (grey)", h.bad)
	}
	return s
}

func (h *heat) plain() string {
	if h.caption != "" {
		return h.caption + "\n[" + h.text() + "]"
	}
	return "[" + h.text() + "]"
}

func (h *heat) html() string {
	var pixels bytes.Buffer
	if err := png.Encode(&pixels, h.picture); err != nil {
		panic(err) // into memory
	}
	size := h.picture.Bounds().Size()
	zoom := min(heatSquare, float64(heatPixels)/float64(max(size.X, size.Y)))
	width, height := max(1, int(float64(size.X)*zoom)), max(8, int(float64(size.Y)*zoom))

	// The bar runs from the smallest to the largest entry, with zero where it lies.
	css := func(v float64) string { c := h.colour(v); return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
	stops := css(h.smallest)
	if !h.log && h.smallest < 0 && h.largest > 0 {
		stops += fmt.Sprintf(",#fff %.1f%%", 100*-h.smallest/(h.largest-h.smallest))
	}
	stops += "," + css(h.largest)

	var b strings.Builder
	if h.caption != "" {
		fmt.Fprintf(&b, `<div style="font-weight:bold;margin:.4em 0">%s</div>`, html.EscapeString(h.caption))
	}
	fmt.Fprintf(&b, `<img alt="%s" style="width:%dpx;height:%dpx;image-rendering:pixelated;border:1px solid #8888;display:block" src="data:image/png;base64,%s">`,
		html.EscapeString(h.text()), width, height, base64.StdEncoding.EncodeToString(pixels.Bytes()))
	fmt.Fprintf(&b, `<div style="display:flex;align-items:center;gap:.6em;font-size:88%%;margin:.4em 0;font-variant-numeric:tabular-nums">`+
		`<span>%s</span><span style="width:12em;height:.8em;border:1px solid #8888;background:linear-gradient(to right,%s)"></span><span>%s</span><span style="opacity:.7">%s</span></div>`,
		powers(scientific(h.smallest)), stops, powers(scientific(h.largest)), html.EscapeString(h.remark()))
	return b.String()
}

// remark says in the picture what its colours do not.
func (h *heat) remark() string {
	parts := []string{fmt.Sprintf("%d×%d", h.rows, h.columns)}
	if h.log {
		parts = append(parts, "logarithmic")
	}
	if h.rowsPer > 1 || h.columnsPer > 1 {
		parts = append(parts, fmt.Sprintf("strongest of %d×%d", h.rowsPer, h.columnsPer))
	}
	if h.bad > 0 {
		parts = append(parts, fmt.Sprintf("%d not finite", h.bad))
	}
	return strings.Join(parts, ", ")
}

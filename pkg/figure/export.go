package figure

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"sgdlab/internal/atomicfile"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// pixelsPerInch of PNG files: sharp on a page, and below 200 kB for the pictures here.
const pixelsPerInch = 160

// Encode returns the picture in its own size in the format "svg", "pdf" or "png".
func (p *Picture) Encode(format string) ([]byte, error) {
	w, h := p.Size()
	return encode(p, w, h, format)
}

// SVG returns d as an SVG document of width w and height h.
func SVG(d Drawer, w, h vg.Length) ([]byte, error) { return encode(d, w, h, "svg") }

// PDF returns d as a PDF document of one page of width w and height h.
func PDF(d Drawer, w, h vg.Length) ([]byte, error) { return encode(d, w, h, "pdf") }

// PNG returns d as a PNG image of width w and height h at 160 pixels per inch.
func PNG(d Drawer, w, h vg.Length) ([]byte, error) { return encode(d, w, h, "png") }

// Save writes d with width w and height h to path, in the format of its extension:
// .svg, .pdf or .png. With w = h = 0 a Picture is written in its own size. The file
// appears complete or not at all.
func Save(d Drawer, w, h vg.Length, path string) error {
	data, err := encode(d, w, h, strings.TrimPrefix(strings.ToLower(filepath.Ext(path)), "."))
	if err != nil {
		return err
	}
	if err := atomicfile.Replace(path, data); err != nil {
		return fmt.Errorf("figure: cannot write %s: %w", path, err)
	}
	return nil
}

// encode draws d. The format is "svg", "pdf" or "png".
func encode(d Drawer, w, h vg.Length, format string) ([]byte, error) {
	if w == 0 && h == 0 {
		w, h = defaultWidth, defaultHeight
		if p, ok := d.(*Picture); ok {
			w, h = p.Size()
		}
	}
	if w <= 0 || h <= 0 {
		return nil, fmt.Errorf("figure: a picture of %v×%v points cannot be drawn: give two positive lengths, or 0, 0", w.Points(), h.Points())
	}
	var out io.WriterTo
	switch format {
	case "svg":
		c := vgsvg.NewWith(vgsvg.UseWH(w, h))
		d.Draw(draw.NewCanvas(c, w, h))
		out = c
	case "pdf":
		c := vgpdf.New(w, h)
		d.Draw(draw.NewCanvas(outlineCanvas{c}, w, h))
		out = c
	case "png":
		c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(pixelsPerInch), vgimg.UseBackgroundColor(color.White))
		d.Draw(draw.NewCanvas(c, w, h))
		out = vgimg.PngCanvas{Canvas: c}
	default:
		return nil, fmt.Errorf("figure: no format %q: choose svg, pdf or png", format)
	}
	var buf bytes.Buffer
	if _, err := out.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("figure: writing %s: %w", format, err)
	}
	switch format {
	case "svg":
		return finishSVG(buf.Bytes(), d), nil
	case "pdf":
		// A date of the same length, so that equal pictures are equal files.
		return pdfDate.ReplaceAll(buf.Bytes(), []byte("Date (D:20180101000000)")), nil
	}
	return buf.Bytes(), nil
}

var pdfDate = regexp.MustCompile(`Date \(D:\d{14}\)`)

// finishSVG names fonts of the same widths for machines without Liberation Sans, keeps
// the spaces of texts, names the type of images, and gives the drawing of a Picture its
// alternative text.
func finishSVG(data []byte, d Drawer) []byte {
	s := strings.ReplaceAll(string(data), "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")
	// Not on the root: browsers heed it on texts only.
	s = strings.ReplaceAll(s, "<text ", `<text xml:space="preserve" `)
	// vgsvg calls its PNG images JPEG.
	s = strings.ReplaceAll(s, "data:image/jpg;base64,iVBOR", "data:image/png;base64,iVBOR")
	if p, ok := d.(*Picture); ok && p.AltText != "" {
		end := strings.Index(s, "<svg")
		end += strings.IndexByte(s[end:], '>') + 1
		s = s[:end] + "\n<title>" + html.EscapeString(p.AltText) + "</title>" + s[end:]
	}
	return []byte(s)
}

// outlineCanvas is a PDF canvas that fills the outlines of the letters outside of ASCII,
// because vgpdf's fonts hold Western European letters only: no λ, no ∇.
type outlineCanvas struct {
	*vgpdf.Canvas
}

// FillString fills s at pt, in pieces of ASCII and single outlined letters.
func (c outlineCanvas) FillString(face font.Face, pt vg.Point, s string) {
	for len(s) > 0 {
		n := strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 })
		if n < 0 {
			n = len(s)
		}
		if n > 0 {
			c.Canvas.FillString(face, pt, s[:n])
			pt.X += face.Width(s[:n])
			s = s[n:]
			continue
		}
		letter := string([]rune(s)[:1])
		c.Canvas.Fill(outline(face, pt, []rune(letter)[0]))
		pt.X += face.Width(letter)
		s = s[len(letter):]
	}
}

// outline returns the contour of one glyph with its origin at pt.
func outline(face font.Face, pt vg.Point, r rune) vg.Path {
	var buf sfnt.Buffer
	index, err := face.Face.GlyphIndex(&buf, r)
	if err != nil {
		return nil
	}
	em := fixed.I(int(face.Face.UnitsPerEm()))
	segments, err := face.Face.LoadGlyph(&buf, index, em, nil)
	if err != nil {
		return nil
	}
	scale := face.Font.Size / vg.Length(em)
	at := func(p fixed.Point26_6) vg.Point {
		return vg.Point{X: pt.X + vg.Length(p.X)*scale, Y: pt.Y - vg.Length(p.Y)*scale}
	}
	var path vg.Path
	for i, seg := range segments {
		switch seg.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				path.Close()
			}
			path.Move(at(seg.Args[0]))
		case sfnt.SegmentOpLineTo:
			path.Line(at(seg.Args[0]))
		case sfnt.SegmentOpQuadTo:
			path.QuadTo(at(seg.Args[0]), at(seg.Args[1]))
		case sfnt.SegmentOpCubeTo:
			path.CubeTo(at(seg.Args[0]), at(seg.Args[1]), at(seg.Args[2]))
		}
	}
	if len(path) > 0 {
		path.Close()
	}
	return path
}

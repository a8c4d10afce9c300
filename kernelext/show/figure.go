package show

import (
	"bytes"
	"fmt"
	"html"
	"image/png"
	"os"
	"path/filepath"

	"sgdlab/internal/atomicfile"
)

// Picture is what [Figure] shows; a *figure.Picture is one.
//
//	var p show.Picture = show.Must(figure.Ellipses(figure.NewEllipsesFigure(problem.REF())))
type Picture interface {
	Name() string                         // stem of file names
	Caption() string                      // formulas between dollar signs
	Alt() string                          // what is seen, for those who do not see it
	Encode(format string) ([]byte, error) // "svg", "pdf" or "png"
}

// svgLimit is the size up to which the SVG goes into the notebook beside the PNG.
const svgLimit = 200_000

// Figure shows p with its caption. Further texts replace the caption and the alternative
// text, in this order. Where SGDLAB_FIGURES names a folder, Figure also writes p there as
// SVG, PDF and PNG under its name.
//
// A picture that cannot be drawn or written stops the cell as [Must] does.
//
//	p := show.Must(figure.Ellipses(figure.NewEllipsesFigure(problem.REF())))
//	show.Figure(p, "REF: the noise turns the stationary law out of the axes of the loss.")
func Figure(p Picture, text ...string) {
	caption, alt := p.Caption(), p.Alt()
	if len(text) > 0 {
		caption = text[0]
	}
	if len(text) > 1 {
		alt = text[1]
	}
	b, err := encoded(p, alt)
	Check(err)
	Check(export(p, b))
	current().show(b)
	below(caption)
}

// encoded returns p as PNG and, unless it is large, as SVG.
func encoded(p Picture, alt string) (bundle, error) {
	pixels, err := p.Encode("png")
	if err != nil {
		return bundle{}, err
	}
	vectors, err := p.Encode("svg")
	if err != nil {
		return bundle{}, err
	}
	b := raster(p, pixels, alt)
	if len(vectors) < svgLimit {
		b.svg = string(vectors)
	}
	return b, nil
}

// raster returns p as the PNG pixels.
func raster(p Picture, pixels []byte, alt string) bundle {
	b := bundle{png: pixels, alt: alt, plain: fmt.Sprintf("[%s] %s", p.Name(), alt)}
	if size, err := png.DecodeConfig(bytes.NewReader(pixels)); err == nil {
		// The pictures have more than the 96 pixels per inch of a page.
		b.width, b.height = pageWidth, size.Height*pageWidth/max(1, size.Width)
	}
	return b
}

// below shows a caption.
func below(caption string) {
	if caption == "" {
		return
	}
	current().show(bundle{
		html:  `<div style="max-width:46em;font-size:92%;opacity:.85;margin:0 0 1em 0">` + html.EscapeString(caption) + `</div>`,
		plain: caption,
	})
}

// export writes p, which is drawn in b, to the folder SGDLAB_FIGURES if there is one.
func export(p Picture, b bundle) error {
	dir := os.Getenv("SGDLAB_FIGURES")
	if dir == "" {
		return nil
	}
	for _, format := range []string{"png", "svg", "pdf"} {
		data := b.png
		if format != "png" {
			var err error
			if data, err = p.Encode(format); err != nil {
				return err
			}
		}
		if err := write(filepath.Join(dir, p.Name()+"."+format), data); err != nil {
			return err
		}
	}
	return nil
}

// pageWidth is the width of a shown picture in pixels of the page.
const pageWidth = 605

// write writes a figure that appears complete or not at all.
func write(path string, data []byte) error {
	if err := atomicfile.Replace(path, data); err != nil {
		return fmt.Errorf("show: cannot write the figure %s: %w", path, err)
	}
	return nil
}

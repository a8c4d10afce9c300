package figure

import (
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sgdlab/pkg/ledger/claim"
)

// MapFigure is what [PaperMap] draws: the items of the paper, chapter by chapter.
type MapFigure struct {
	Rows  []MapRow
	Style *Style // nil means Default()
}

// MapRow is one chapter.
type MapRow struct {
	Label string // of the chapter
	Cells []MapCell
}

// MapCell is one item of the paper.
type MapCell struct {
	Label   string // as in "Lemma 7"; short
	Verdict claim.Verdict
}

// NewMapFigure returns the map of the items, of which those in verdicts (by ID) are
// decided; see ledger.Items and ledger.Decide.
//
//	verdicts, err := ledger.Decide(ctx)
//	p, err := figure.PaperMap(figure.NewMapFigure(ledger.Items(), verdicts))
func NewMapFigure(items []claim.Item, verdicts map[string]claim.Verdict) MapFigure {
	var r MapFigure
	for _, it := range items {
		label := strings.ReplaceAll(it.Chapter, "_", " ")
		if n := len(r.Rows); n == 0 || r.Rows[n-1].Label != label {
			r.Rows = append(r.Rows, MapRow{Label: label})
		}
		row := &r.Rows[len(r.Rows)-1]
		row.Cells = append(row.Cells, MapCell{Label: it.ID, Verdict: verdicts[it.ID]})
	}
	return r
}

// verdictName names a verdict on the map.
func verdictName(v claim.Verdict) string {
	if v == claim.Undecided {
		return "not yet decided"
	}
	return v.String()
}

// mapOrder is the order of the verdicts in the key and in the caption.
var mapOrder = []claim.Verdict{claim.Holds, claim.NeedsAssumption, claim.Fails, claim.Undecided}

// PaperMap draws every item of the paper as a box in the row of its chapter, coloured by
// its verdict. Colour is not the only sign: what fails is framed, what is open is empty.
// Long rows are broken. It returns an error for an empty map or an unknown verdict.
//
//	verdicts, err := ledger.Decide(ctx)
//	p, err := figure.PaperMap(figure.NewMapFigure(ledger.Items(), verdicts))
func PaperMap(r MapFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.HideAxes()
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(nil), plot.ConstantTicks(nil)
	grid := mapGrid{rows: r.Rows, style: s, width: 17 * vg.Centimeter}
	p.Add(grid)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	return &Picture{
		Plot: p, Stem: "map-of-the-paper", Width: grid.width + 0.3*vg.Centimeter, Height: grid.height() + 0.3*vg.Centimeter,
		Text: r.Caption(), AltText: r.Alt(),
	}, nil
}

// Caption returns how many items have each verdict.
func (r MapFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	return "The items of the paper by chapter. " + r.tally() + "."
}

// Alt returns a description of the map for those who do not see it.
func (r MapFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	return fmt.Sprintf("A map of the paper: one row of boxes for each of %d chapters, one box for each item. %s.", len(r.Rows), r.tally())
}

func (r MapFigure) tally() string {
	var counts [claim.Fails + 1]int
	total := 0
	for _, row := range r.Rows {
		for _, cell := range row.Cells {
			counts[cell.Verdict]++
			total++
		}
	}
	var parts []string
	for _, m := range mapOrder {
		parts = append(parts, fmt.Sprintf("%s: %d", verdictName(m), counts[m]))
	}
	return fmt.Sprintf("Of %d items, %s", total, strings.Join(parts, ", "))
}

func (r MapFigure) check() error {
	n := 0
	for i, row := range r.Rows {
		if row.Label == "" {
			return fmt.Errorf("figure: MapFigure.Rows[%d].Label is empty: name the chapter", i)
		}
		for k, cell := range row.Cells {
			n++
			if cell.Label == "" {
				return fmt.Errorf("figure: MapFigure.Rows[%d].Cells[%d].Label is empty: name the item", i, k)
			}
			if cell.Verdict < claim.Undecided || cell.Verdict > claim.Fails {
				return fmt.Errorf("figure: MapFigure.Rows[%d].Cells[%d].Verdict is %d: there is no such verdict", i, k, int(cell.Verdict))
			}
		}
	}
	if n == 0 {
		return fmt.Errorf("figure: MapFigure.Rows has no cells: there is nothing to draw")
	}
	return nil
}

// mapGrid draws the map in absolute lengths from the upper left corner.
type mapGrid struct {
	rows  []MapRow
	style Style
	width vg.Length
}

const (
	mapCell   = 0.56 * vg.Centimeter
	mapGap    = 0.12 * vg.Centimeter
	mapRowGap = 0.22 * vg.Centimeter
)

// column returns the width of the column of the chapters.
func (g mapGrid) column() vg.Length {
	text := g.style.text(g.style.TextSize, g.style.Ink, draw.XLeft, draw.YCenter)
	var width vg.Length
	for _, row := range g.rows {
		width = max(width, text.Width(row.Label))
	}
	return width + 1.2*g.style.TextSize
}

// layout calls box for every cell with its upper left corner, relative to the upper left
// corner of the map, and its width; it returns the height below the last row. Either
// function may be nil.
func (g mapGrid) layout(label func(row MapRow, y vg.Length), box func(cell MapCell, x, y, w vg.Length)) vg.Length {
	text := g.style.text(g.style.TextSize, g.style.Ink, draw.XCenter, draw.YCenter)
	column := g.column()
	y := mapCell + mapRowGap // below the key
	for _, row := range g.rows {
		if label != nil {
			label(row, y)
		}
		x := column
		for _, cell := range row.Cells {
			w := text.Width(cell.Label) + 0.9*g.style.TextSize
			if x+w > g.width && x > column {
				x = column
				y += mapCell + mapGap
			}
			if box != nil {
				box(cell, x, y, w)
			}
			x += w + mapGap
		}
		y += mapCell + mapRowGap
	}
	return y
}

func (g mapGrid) height() vg.Length { return g.layout(nil, nil) }

// Plot draws the map.
func (g mapGrid) Plot(c draw.Canvas, _ *plot.Plot) {
	s := g.style
	text := s.text(s.TextSize, s.Ink, draw.XCenter, draw.YCenter)
	left, top := c.Min.X, c.Max.Y
	drawCell := func(cell MapCell, x, y, w vg.Length) {
		box := vg.Rectangle{Min: vg.Point{X: left + x, Y: top - y - mapCell}, Max: vg.Point{X: left + x + w, Y: top - y}}
		fill, frame := g.colors(cell.Verdict)
		c.SetColor(fill)
		c.Fill(box.Path())
		c.SetLineStyle(frame)
		c.Stroke(box.Path())
		sty := text
		if cell.Verdict == claim.Undecided {
			sty.Color = s.Muted
		}
		fillText(c, sty, vg.Point{X: left + x + w/2, Y: top - y - mapCell/2}, cell.Label)
	}
	label := text
	label.XAlign = draw.XLeft
	g.layout(func(row MapRow, y vg.Length) {
		fillText(c, label, vg.Point{X: left, Y: top - y - mapCell/2}, row.Label)
	}, drawCell)

	x := g.column()
	for _, m := range mapOrder {
		w := text.Width(verdictName(m)) + 0.9*s.TextSize
		drawCell(MapCell{Label: verdictName(m), Verdict: m}, x, 0, w)
		x += w + mapGap
	}
	fillText(c, label, vg.Point{X: left, Y: top - mapCell/2}, "Key")
}

// colors returns the fill and the frame of a cell.
func (g mapGrid) colors(v claim.Verdict) (fill color.Color, frame draw.LineStyle) {
	s := g.style
	switch v {
	case claim.Holds:
		return s.pale(s.Palette[green], 0.38), s.line(s.pale(s.Palette[green], 0.38), s.HairWidth)
	case claim.NeedsAssumption:
		return s.pale(s.Palette[orange], 0.45), s.line(s.pale(s.Palette[orange], 0.45), s.HairWidth)
	case claim.Fails:
		return s.pale(s.Palette[vermilion], 0.42), s.line(s.Palette[vermilion], s.HairWidth*2.2)
	}
	return s.Paper, s.line(s.Faint, s.HairWidth*1.4)
}

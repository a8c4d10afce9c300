package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PanelsFigure is what [Panels] draws: pictures in rows and columns on one page.
type PanelsFigure struct {
	Title    string     // above all of them; may be empty
	Stem     string     // of file names
	Pictures []*Picture // row by row
	Columns  int        // zero means one row
	Caption  string     // of the whole; empty: the captions of the pictures, one after the other
	Alt      string     // likewise
	Width    vg.Length  // zero means 17 cm
	Height   vg.Length  // zero means what the panels need
	Style    *Style     // nil means Default()
}

// Panels draws pictures in rows and columns. Their data areas are of one size and stand
// in line. Where all pictures have the same ranges and axis labels, only the outer axes
// are labelled. It returns an error that names the field for data that cannot be drawn.
func Panels(r PanelsFigure) (*Picture, error) {
	if len(r.Pictures) == 0 {
		return nil, fmt.Errorf("figure: PanelsFigure.Pictures is empty: there is nothing to draw")
	}
	if r.Stem == "" {
		return nil, fmt.Errorf("figure: PanelsFigure.Stem is empty: name the files, as in %q", "ex19-panels")
	}
	if r.Columns < 0 || r.Width < 0 || r.Height < 0 {
		return nil, fmt.Errorf("figure: PanelsFigure.Columns %d, Width %v and Height %v must not be negative", r.Columns, r.Width, r.Height)
	}
	caption, alt := r.Caption, r.Alt
	for i, p := range r.Pictures {
		if p == nil || p.Plot == nil {
			return nil, fmt.Errorf("figure: PanelsFigure.Pictures[%d] is nil: every panel needs a picture", i)
		}
		if r.Caption == "" {
			caption = joined(caption, p.Text)
		}
		if r.Alt == "" {
			alt = joined(alt, p.AltText)
		}
	}
	p := panels{pictures: r.Pictures, columns: r.Columns}.picture(resolve(r.Style), r.Title, r.Width, r.Height)
	p.Stem, p.Text, p.AltText = r.Stem, caption, alt
	return p, nil
}

// joined returns a and b with a space between them.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// panels draws pictures in rows and columns, over a strip that explains their marks and
// left of a colour bar.
type panels struct {
	pictures []*Picture
	columns  int // zero means one row
	strip    *strip
	bar      *colorBar
}

const (
	panelGap   = 0.35 * vg.Centimeter
	panelWidth = 17 * vg.Centimeter
)

// picture returns the panels as a picture of the given size; zero means 17 cm wide and
// as high as they need.
func (g panels) picture(s Style, title string, width, height vg.Length) *Picture {
	p := s.New()
	p.HideAxes()
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Title.Text = title
	p.Add(g)
	if width == 0 {
		width = panelWidth
	}
	out := &Picture{Plot: p, Width: width}
	out.Height = height
	if height > 0 {
		return out
	}
	columns := g.columns
	if columns == 0 {
		columns = len(g.pictures)
	}
	rows := vg.Length((len(g.pictures) + columns - 1) / columns)
	if !slices.ContainsFunc(g.pictures, func(q *Picture) bool { return q.EqualAxes }) {
		out.Height = rows * 0.8 * width / vg.Length(columns)
		return out
	}
	// Margins do not depend on the height, so any canvas that is high enough tells what
	// the panels take up. Tall ones get narrower.
	for limit := rows * 15 * vg.Centimeter; ; out.Width *= 0.95 {
		tall := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: out.Width, Y: 100 * out.Width}}}
		inner := out.inside(tall)
		out.Height = tall.Max.Y - (inner.Max.Y - inner.Min.Y) + g.layout(inner).height
		if out.Height <= limit || out.Width < width/2 {
			return out
		}
	}
}

// panelLayout is where the panels stand.
type panelLayout struct {
	pictures []*Picture     // with the ranges and labels they are drawn with
	cells    []vg.Rectangle // of the pictures
	areas    []vg.Rectangle // of their data
	height   vg.Length      // of everything
}

// bare are ticks without labels.
type bare struct{ plot.Ticker }

// Ticks returns the ticks in [lo, hi].
func (b bare) Ticks(lo, hi float64) []plot.Tick {
	ticks := b.Ticker.Ticks(lo, hi)
	out := make([]plot.Tick, len(ticks))
	for i, t := range ticks {
		out[i] = plot.Tick{Value: t.Value}
	}
	return out
}

// shared reports whether all pictures have the same axes.
func (g panels) shared() bool {
	a := g.pictures[0]
	for _, b := range g.pictures {
		if a.X.Min != b.X.Min || a.X.Max != b.X.Max || a.Y.Min != b.Y.Min || a.Y.Max != b.Y.Max ||
			a.X.Label.Text != b.X.Label.Text || a.Y.Label.Text != b.Y.Label.Text {
			return false
		}
	}
	return true
}

// layout places the panels on c.
func (g panels) layout(c draw.Canvas) panelLayout {
	n, columns := len(g.pictures), g.columns
	if columns == 0 {
		columns = len(g.pictures)
	}
	rows := (n + columns - 1) / columns
	l := panelLayout{cells: make([]vg.Rectangle, n), areas: make([]vg.Rectangle, n)}
	aspect := 0.0 // height over width of the data areas; zero: as it comes
	shared := g.shared()
	for i, p := range g.pictures {
		q := *p
		inner := *p.Plot
		q.Plot = &inner
		inner.BackgroundColor = nil
		if shared && i%columns > 0 {
			inner.Y.Label.Text, inner.Y.Tick.Marker = "", bare{inner.Y.Tick.Marker}
		}
		if shared && i+columns < n {
			inner.X.Label.Text, inner.X.Tick.Marker = "", bare{inner.X.Tick.Marker}
		}
		if p.EqualAxes {
			aspect = max(aspect, (p.Y.Max-p.Y.Min)/(p.X.Max-p.X.Min))
		}
		l.pictures = append(l.pictures, &q)
	}

	size := c.Size()
	if g.bar != nil {
		size.X -= g.bar.width()
	}
	if g.strip != nil {
		size.Y -= g.strip.height(c.Size().X)
	}
	type insets struct{ left, right, bottom, top vg.Length }
	own := make([]insets, n)
	area := vg.Point{X: size.X / vg.Length(columns), Y: size.Y / vg.Length(rows)}
	left, right := make([]vg.Length, columns), make([]vg.Length, columns)
	bottom, top := make([]vg.Length, rows), make([]vg.Length, rows)
	for range 4 { // ranges, ticks and margins depend on each other a little
		clear(left)
		clear(right)
		clear(bottom)
		clear(top)
		for i, q := range l.pictures {
			if q.EqualAxes {
				unit := math.Max((g.pictures[i].X.Max-g.pictures[i].X.Min)/float64(area.X), (g.pictures[i].Y.Max-g.pictures[i].Y.Min)/float64(area.Y))
				widen(&q.X, unit*float64(area.X))
				widen(&q.Y, unit*float64(area.Y))
			}
			cell := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{
				X: area.X + own[i].left + own[i].right, Y: area.Y + own[i].bottom + own[i].top,
			}}}
			plain := *q.Plot // titles and labels stand outside
			plain.Title.Text, plain.X.Label.Text, plain.Y.Label.Text = "", "", ""
			data := plain.DataCanvas(q.inside(cell))
			own[i] = insets{data.Min.X, cell.Max.X - data.Max.X, data.Min.Y, cell.Max.Y - data.Max.Y}
			col, row := i%columns, i/columns
			left[col], right[col] = max(left[col], own[i].left), max(right[col], own[i].right)
			bottom[row], top[row] = max(bottom[row], own[i].bottom), max(top[row], own[i].top)
		}
		area.X = (size.X - total(left) - total(right) - vg.Length(columns-1)*panelGap) / vg.Length(columns)
		area.Y = (size.Y - total(bottom) - total(top) - vg.Length(rows-1)*panelGap) / vg.Length(rows)
		if aspect > 0 {
			area.X = min(area.X, area.Y/vg.Length(aspect))
			area.Y = area.X * vg.Length(aspect)
		}
	}
	for i, q := range l.pictures { // titles of a row begin at one height
		if q.Title.Text != "" {
			q.Title.Padding += top[i/columns] - own[i].top
			own[i].top = top[i/columns]
		}
	}
	used := vg.Point{
		X: vg.Length(columns)*area.X + total(left) + total(right) + vg.Length(columns-1)*panelGap,
		Y: vg.Length(rows)*area.Y + total(bottom) + total(top) + vg.Length(rows-1)*panelGap,
	}
	l.height = used.Y + c.Size().Y - size.Y
	y := c.Max.Y - max(0, size.Y-used.Y)/2
	for i := range l.pictures {
		col, row := i%columns, i/columns
		x := c.Min.X + (size.X-used.X)/2 + vg.Length(col)*(area.X+panelGap)
		for k := range col + 1 {
			x += left[k]
			if k < col {
				x += right[k]
			}
		}
		if col == 0 {
			if row > 0 {
				y -= panelGap + bottom[row-1]
			}
			y -= top[row] + area.Y
		}
		l.areas[i] = vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + area.X, Y: y + area.Y}}
		l.cells[i] = vg.Rectangle{
			Min: l.areas[i].Min.Sub(vg.Point{X: own[i].left, Y: own[i].bottom}),
			Max: l.areas[i].Max.Add(vg.Point{X: own[i].right, Y: own[i].top}),
		}
	}
	return l
}

// Plot draws the panels.
func (g panels) Plot(c draw.Canvas, _ *plot.Plot) {
	l := g.layout(c)
	for i, p := range l.pictures {
		p.EqualAxes = false // done
		p.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: l.cells[i]})
	}
	first, last := l.areas[0], l.areas[len(l.areas)-1]
	right := first.Max.X
	for _, a := range l.areas {
		right = max(right, a.Max.X)
	}
	if g.bar != nil {
		g.bar.draw(c, vg.Rectangle{
			Min: vg.Point{X: right + panelGap, Y: last.Min.Y},
			Max: vg.Point{X: right + panelGap + barWidth, Y: first.Max.Y},
		})
	}
	if g.strip != nil {
		g.strip.draw(c, first.Min.X, right)
	}
}

func total(lengths []vg.Length) (sum vg.Length) {
	for _, l := range lengths {
		sum += l
	}
	return sum
}

// strip explains marks side by side at the foot of a picture, in as many lines as it
// needs.
type strip struct {
	style Style
	rows  []keyRow
}

// lines breaks the rows into lines no wider than width, as few and as even as possible.
func (s strip) lines(width vg.Length) (lines [][]keyRow, widths []vg.Length) {
	lines, widths = s.broken(width)
	for {
		width *= 0.95
		if l, w := s.broken(width); len(l) == len(lines) && slices.Max(w) <= width {
			lines, widths = l, w
			continue
		}
		return lines, widths
	}
}

// broken fills one line after the other up to width.
func (s strip) broken(width vg.Length) (lines [][]keyRow, widths []vg.Length) {
	sty := s.style.text(s.style.TextSize, s.style.Ink, draw.XLeft, draw.YCenter)
	for _, row := range s.rows {
		w := s.sample() + sty.Width(row.text)
		if k := len(lines) - 1; k >= 0 && widths[k]+s.gap()+w <= width {
			lines[k] = append(lines[k], row)
			widths[k] += s.gap() + w
			continue
		}
		lines, widths = append(lines, []keyRow{row}), append(widths, w)
	}
	return lines, widths
}

func (s strip) gap() vg.Length    { return 1.5 * s.style.TextSize }
func (s strip) sample() vg.Length { return 2.6 * s.style.TextSize }
func (s strip) pitch() vg.Length  { return 1.5 * s.style.TextSize }

func (s strip) height(width vg.Length) vg.Length {
	lines, _ := s.lines(width)
	return vg.Length(len(lines))*s.pitch() + 0.6*s.style.TextSize
}

// draw draws the strip at the foot of c, centred between left and right.
func (s strip) draw(c draw.Canvas, left, right vg.Length) {
	lines, widths := s.lines(c.Size().X)
	sty := s.style.text(s.style.TextSize, s.style.Ink, draw.XLeft, draw.YCenter)
	y := c.Min.Y + (vg.Length(len(lines))-0.5)*s.pitch()
	for i, line := range lines {
		x := (left + right - widths[i]) / 2
		x = max(c.Min.X, min(x, c.Max.X-widths[i]))
		for _, row := range line {
			width := s.sample() - 0.6*s.style.TextSize
			if row.glyph != nil {
				c.DrawGlyph(*row.glyph, vg.Point{X: x + width - 0.5*s.style.TextSize, Y: y})
			} else {
				c.StrokeLine2(row.line, x, y, x+width, y)
			}
			sty.Color = row.color
			fillText(c, sty, vg.Point{X: x + s.sample(), Y: y}, row.text)
			x += s.sample() + sty.Width(row.text) + s.gap()
		}
		y -= s.pitch()
	}
}

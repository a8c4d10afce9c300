package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Ribbon is a curve with a band, or either alone.
type Ribbon struct {
	Label     string    // stands right of it, in its colour
	X         []float64 // ascending (n)
	Y         []float64 // the curve (n); nil: only a band
	Low, High []float64 // the band (n); nil: only a curve
}

// RunFigure is what the figures of trajectories have in common.
type RunFigure struct {
	Run      string   // as in "tiny-fc, η = 0.001, 10⁵ epochs"
	Measured Ribbon   // what the run shows
	Nulls    []Ribbon // what it would show without any rotation, at most four; none: as the paper draws it
	Remark   string   // what the caption says besides
	Style    *Style   // nil means Default()
}

// IncrementSpectrum draws the spectrum of the increments of the weights against the
// frequency: Fig. 3a of [chaudhari2018], with null models if there are some. It returns
// an error that names the field for data that cannot be drawn.
//
//	p, err := figure.IncrementSpectrum(a.IncrementFigure(true)) // of an experiment.Fig3Analysis
func IncrementSpectrum(r RunFigure) (*Picture, error) {
	return r.draw(runChart{
		title: "Fourier spectrum of the increments", stem: "fig3a", logX: true,
		x: "frequency  (cycles per epoch)", y: "amplitude √P, white noise = √π/2",
		what: "Amplitude √P of the Fourier spectrum of the increments x(k+1) − x(k) of the weights, one snapshot per epoch, normalised by their variance, mean over the moving weights; shaded: one standard deviation over weights.",
	})
}

// WeightCorrelation draws the autocorrelation of the weights against the lag: Fig. 3b of
// [chaudhari2018], with null models if there are some. It returns an error that names the
// field for data that cannot be drawn.
//
//	p, err := figure.WeightCorrelation(a.CorrelationFigure(true)) // of an experiment.Fig3Analysis
func WeightCorrelation(r RunFigure) (*Picture, error) {
	return r.draw(runChart{
		title: "Autocorrelation of the weights", stem: "fig3b", logX: true, zero: true,
		x: "lag  (epochs)", y: "autocorrelation r",
		what: "Sample autocorrelation of the weights, mean over the moving weights; shaded: from 5 to 95 % of the weights.",
	})
}

// GradientNorm draws the norm of the full gradient against the epoch: Fig. 3c of
// [chaudhari2018], with the plateau of a stationary law if it is given. It returns an error
// that names the field for data that cannot be drawn.
//
//	p, err := figure.GradientNorm(a.GradientFigure(true, 917)) // of an experiment.Fig3Analysis
func GradientNorm(r RunFigure) (*Picture, error) {
	return r.draw(runChart{
		title: "Norm of the full gradient", stem: "fig3c", logX: true, logY: true,
		x: "epoch", y: "‖∇f‖ / √d",
		what: "Norm of the full gradient over √d against the epoch.",
	})
}

// runChart is what the figures of trajectories differ in.
type runChart struct {
	title, stem, x, y, what string
	logX, logY              bool
	zero                    bool // a thin line at y = 0
}

func (r RunFigure) draw(c runChart) (*Picture, error) {
	if err := r.check(c); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = c.title + "\n" + r.Run
	p.X.Label.Text, p.Y.Label.Text = c.x, c.y
	logAxes(p, c.logX, c.logY)
	ends := endLabels{style: s}
	var all plotter.XYs
	var lines []plot.Plotter
	if c.zero {
		lines = append(lines, level{y: 0, line: s.line(s.Faint, s.HairWidth*1.4)})
	}
	inks := []color.RGBA{s.Muted, s.Palette[vermilion], s.Palette[green], s.Palette[purple]}
	// The wide band of the weights first, the curve of the run last.
	if m := r.Measured; m.Low != nil {
		p.Add(shade{x: m.X, low: m.Low, high: m.High, fill: s.pale(s.Palette[sky], 0.25)})
	}
	for i, n := range append(slices.Clone(r.Nulls), r.Measured) {
		ink, line, measured := s.Palette[blue], s.line(s.Palette[blue], s.LineWidth), i == len(r.Nulls)
		if !measured {
			ink = inks[i]
			line = s.dashed(ink, s.LineWidth)
		}
		if n.Low != nil {
			all = append(all, xys(n.X, n.Low)...)
			all = append(all, xys(n.X, n.High)...)
			if !measured {
				p.Add(shade{x: n.X, low: n.Low, high: n.High, fill: s.pale(ink, 0.35)})
			}
		}
		at := n.Y
		if at != nil {
			all = append(all, xys(n.X, at)...)
			lines = append(lines, &plotter.Line{XYs: xys(n.X, at), LineStyle: line})
		} else {
			at = make([]float64, len(n.X))
			for k := range at {
				at[k] = (n.Low[k] + n.High[k]) / 2
			}
		}
		if n.Label != "" {
			ends.add(n.X[len(n.X)-1], at[len(at)-1], s.dark(ink), n.Label)
		}
	}
	p.Add(lines...)
	p.Add(&ends)
	xmin, xmax, ymin, ymax := plotter.XYRange(all)
	p.X.Min, p.X.Max = padded(xmin, xmax, 0.01, c.logX)
	p.Y.Min, p.Y.Max = padded(ymin, ymax, 0.05, c.logY)
	if !c.logY && ymin >= 0 {
		p.Y.Min = 0
	}
	stem := c.stem
	if len(r.Nulls) > 0 {
		stem += "_nulls"
	}
	return &Picture{
		Plot: p, Stem: stem, Width: 16 * vg.Centimeter, Height: 9.5 * vg.Centimeter,
		Text: r.caption(c), AltText: r.alt(c),
	}, nil
}

func (r RunFigure) caption(c runChart) string {
	s := fmt.Sprintf("%s. %s", r.Run, c.what)
	var names []string
	for _, n := range r.Nulls {
		if n.Label != "" {
			names = append(names, strings.ReplaceAll(n.Label, "\n", " "))
		}
	}
	if len(names) > 0 {
		s += " Dashed or shaded beside it, null models: " + strings.Join(names, "; ") + "."
	}
	if r.Remark != "" {
		s += " " + r.Remark
	}
	return s
}

func (r RunFigure) alt(c runChart) string {
	m := r.Measured
	n := len(m.X) - 1
	return fmt.Sprintf("Line chart of %s against %s: from (%s, %s) to (%s, %s), between %s and %s, with %d null models.", c.y, c.x,
		number(m.X[0], 3), number(m.Y[0], 3), number(m.X[n], 3), number(m.Y[n], 3), number(slices.Min(m.Y), 3), number(slices.Max(m.Y), 3), len(r.Nulls))
}

func (r RunFigure) check(c runChart) error {
	if r.Run == "" {
		return fmt.Errorf("figure: RunFigure.Run is empty: name the run, as in %q", "tiny-fc, η = 0.001")
	}
	if len(r.Nulls) > 4 {
		return fmt.Errorf("figure: RunFigure.Nulls has %d null models: at most four can be told apart", len(r.Nulls))
	}
	if r.Measured.Y == nil {
		return fmt.Errorf("figure: RunFigure.Measured.Y is empty: there is nothing to draw")
	}
	for i, n := range append([]Ribbon{r.Measured}, r.Nulls...) {
		name := "RunFigure.Measured"
		if i > 0 {
			name = fmt.Sprintf("RunFigure.Nulls[%d]", i-1)
		}
		if n.Y == nil && n.Low == nil {
			return fmt.Errorf("figure: %s has neither a curve nor a band", name)
		}
		if err := firstError(finite(name+".X", n.X...), onAxis(name+".X", c.logX, n.X)); err != nil {
			return err
		}
		if len(n.X) == 0 || !slices.IsSorted(n.X) {
			return fmt.Errorf("figure: %s.X must ascend and not be empty: got %d values", name, len(n.X))
		}
		for _, part := range []struct {
			name   string
			values []float64
			absent bool
		}{{".Y", n.Y, n.Y == nil}, {".Low", n.Low, n.Low == nil}, {".High", n.High, n.Low == nil}} {
			if part.absent {
				continue
			}
			if err := firstError(
				sameLength(name+".X", len(n.X), name+part.name, len(part.values)),
				finite(name+part.name, part.values...),
				onAxis(name+part.name, c.logY, part.values),
			); err != nil {
				return err
			}
		}
	}
	return nil
}

func xys(x, y []float64) plotter.XYs {
	points := make(plotter.XYs, len(x))
	for k := range points {
		points[k] = plotter.XY{X: x[k], Y: y[k]}
	}
	return points
}

// shade fills the area between two curves.
type shade struct {
	x, low, high []float64
	fill         color.Color
}

// Plot fills the area.
func (r shade) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var outline []vg.Point
	for k, x := range r.x {
		outline = append(outline, vg.Point{X: tx(x), Y: ty(r.low[k])})
	}
	for k, x := range slices.Backward(r.x) {
		outline = append(outline, vg.Point{X: tx(x), Y: ty(r.high[k])})
	}
	c.FillPolygon(r.fill, c.ClipPolygonXY(outline))
}

// AreaPair is the rotation of one pair of directions.
type AreaPair struct {
	Label       string  // as in "1, 3"
	Area, Error float64 // measured, with its standard error
	Theory      float64 // that of linear theory
	P           float64 // of the test of reversibility, corrected for the number of tests
}

// AreaFigure is what [AreaRates] draws: the rotation of a run in the planes of several
// directions, beside the linear theory.
type AreaFigure struct {
	Run    string // as in "tiny-fc, η = 0.1"
	Unit   string // of the areas; empty: "per epoch, in standard deviations²"
	Pairs  []AreaPair
	Level  float64 // p-values up to it are marked; zero means 0.05
	Remark string
	Style  *Style // nil means Default()
}

// AreaRates draws the measured area rate of every pair against that of linear theory, with bars of
// two standard errors: points on the diagonal are rotation that a quadratic loss with this
// noise has too. Filled dots are pairs that fail the test of reversibility. statements.md
// §6.4. It returns an error that names the field for data that cannot be drawn.
//
//	p, err := figure.AreaRates(a.AreaFigure()) // of an experiment.Fig3Analysis
func AreaRates(r AreaFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = "Rotation, measured and linear\n" + r.Run
	unit := cmp.Or(r.Unit, "per epoch, in standard deviations²")
	p.X.Label.Text, p.Y.Label.Text = "area rate of linear theory  ("+unit+")", "area rate, measured"
	var yes, no, all plotter.XYs
	var half []float64
	var limit [2]float64 // of the axes
	for _, q := range r.Pairs {
		limit[0], limit[1] = max(limit[0], 1.15*math.Abs(q.Theory)), max(limit[1], 1.08*(math.Abs(q.Area)+2*q.Error))
		point := plotter.XY{X: q.Theory, Y: q.Area}
		all, half = append(all, point), append(half, 2*q.Error)
		if q.P <= r.level() {
			yes = append(yes, point)
		} else {
			no = append(no, point)
		}
	}
	if limit[0] == 0 {
		limit[0] = limit[1]
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -limit[0], limit[0], -limit[1], limit[1]
	end := min(limit[0], limit[1])
	p.Add(level{y: 0, line: s.line(s.Faint, s.HairWidth*1.4)}, rule{x: 0, line: s.line(s.Faint, s.HairWidth*1.4)})
	p.Add(&plotter.Line{XYs: plotter.XYs{{X: -end, Y: -end}, {X: end, Y: end}}, LineStyle: s.dashed(s.Muted, s.HairWidth*1.6)})
	p.Add(errorBars{points: all, half: half, line: s.line(s.pale(s.Muted, 0.5), s.HairWidth)})
	open, filled := s.Palette[sky], s.Palette[vermilion]
	rows := []keyRow{
		{line: s.dashed(s.Muted, s.HairWidth*1.6), text: "measured = linear theory", color: s.Muted},
	}
	for _, g := range []struct {
		points plotter.XYs
		ink    color.RGBA
		text   string
	}{{no, open, "reversible as far as the test sees"}, {yes, filled, "not reversible"}} {
		glyph := draw.GlyphStyle{Color: g.ink, Radius: vg.Points(3), Shape: dotGlyph{edge: s.Paper}}
		if g.points != nil {
			p.Add(dots{points: g.points, glyph: glyph})
			rows = append(rows, keyRow{glyph: &glyph, text: g.text, color: s.dark(g.ink)})
		}
	}
	p.Add(key{x: 0.015, y: 0.985, left: true, style: s.text(s.TextSize, s.Ink, draw.XLeft, draw.YCenter), rows: rows})
	return &Picture{
		Plot: p, Stem: "area_rates", Width: 15 * vg.Centimeter, Height: 11 * vg.Centimeter,
		Text: r.Caption(), AltText: r.Alt(),
	}, nil
}

func (r AreaFigure) level() float64 { return cmp.Or(r.Level, 0.05) }

// rejected counts the pairs that fail the test.
func (r AreaFigure) rejected() (n int) {
	for _, q := range r.Pairs {
		if q.P <= r.level() {
			n++
		}
	}
	return n
}

// Caption returns what the figure shows, with the number of pairs that fail the test.
func (r AreaFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	s := fmt.Sprintf("%s. Area swept per epoch in the plane of every pair of directions, measured and by linear theory; bars: two standard errors. Of %d pairs %d are not reversible at a level of %s after correction for their number.",
		r.Run, len(r.Pairs), r.rejected(), number(r.level(), 2))
	if r.Remark != "" {
		s += " " + r.Remark
	}
	return s
}

// Alt returns a description of the figure for those who do not see it.
func (r AreaFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	largest := slices.MaxFunc(r.Pairs, func(a, b AreaPair) int { return cmp.Compare(math.Abs(a.Area), math.Abs(b.Area)) })
	return fmt.Sprintf("Scatter plot of %d measured area rates against linear theory. The largest, of pair %s, is %s where theory has %s.",
		len(r.Pairs), largest.Label, number(largest.Area, 3), number(largest.Theory, 3))
}

func (r AreaFigure) check() error {
	if r.Run == "" || len(r.Pairs) == 0 {
		return fmt.Errorf("figure: AreaFigure.Run %q and Pairs (%d of them) must not be empty", r.Run, len(r.Pairs))
	}
	for i, q := range r.Pairs {
		if err := finite(fmt.Sprintf("AreaFigure.Pairs[%d]", i), q.Area, q.Error, q.Theory, q.P); err != nil {
			return err
		}
		if q.Error < 0 {
			return fmt.Errorf("figure: AreaFigure.Pairs[%d].Error is %v: a standard error is not negative", i, q.Error)
		}
	}
	return nil
}

// Answer is whether an observation survives in one setting.
type Answer int

// The answers.
const (
	NotAsked  Answer = iota // left empty
	No                      // it is not seen
	Explained               // it is seen, and a null model has it too
	Yes                     // it is seen, and the null model does not have it
	Open                    // it could not be decided
)

// SurveyRow is one setting of a [SurveyFigure].
type SurveyRow struct {
	Label   string
	Answers []Answer // one for each column
}

// SurveyFigure is what [Survey] draws: which observations survive in which setting.
type SurveyFigure struct {
	Title   string
	Columns []string // names of the observations, up to three lines each
	Rows    []SurveyRow
	Remark  string
	Style   *Style // nil means Default()
}

// Survey draws a table of settings and observations, one coloured cell for each answer. It
// returns an error that names the field for data that cannot be drawn.
//
//	p, err := figure.Survey(result.Numbers.SurveyFigure()) // of an experiment.Fig3Result
func Survey(r SurveyFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = r.Title
	rows := make(plot.ConstantTicks, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = plot.Tick{Value: float64(len(r.Rows) - 1 - i), Label: row.Label}
	}
	columns := make(plot.ConstantTicks, len(r.Columns))
	for j, name := range r.Columns {
		columns[j] = plot.Tick{Value: float64(j), Label: name}
	}
	p.Y.Tick.Marker, p.X.Tick.Marker = rows, columns
	p.X.Tick.Length, p.Y.Tick.Length = 0, 0
	p.X.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(len(r.Columns))-0.5, -0.5, float64(len(r.Rows))-0.5
	p.X.Padding, p.Y.Padding = 0, vg.Points(2)
	p.Add(survey{r: r, style: s})
	return &Picture{
		Plot: p, Stem: slug(r.Title), Width: 17 * vg.Centimeter, Height: vg.Length(2.6+0.62*float64(len(r.Rows))) * vg.Centimeter,
		Text: r.Caption(), AltText: r.Alt(),
	}, nil
}

// String says in a word what a cell means.
func (a Answer) String() string {
	return [...]string{"", "no", "explained", "yes", "open"}[a]
}

// MarshalText returns the word of a, so that JSON is readable.
func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *Answer) UnmarshalText(text []byte) error {
	for b := NotAsked; b <= Open; b++ {
		if b.String() == string(text) {
			*a = b
			return nil
		}
	}
	return fmt.Errorf("figure: %q is no answer: it is one of no, explained, yes, open, or empty", text)
}

// survey fills the cells.
type survey struct {
	r     SurveyFigure
	style Style
}

// Plot fills the cells.
func (t survey) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	s := t.style
	fills := map[Answer]color.Color{
		No: s.pale(s.Muted, 0.18), Explained: s.pale(s.Palette[sky], 0.45), Yes: s.pale(s.Palette[vermilion], 0.55), Open: s.pale(s.Palette[orange], 0.3),
	}
	text := s.text(s.TextSize, s.Ink, draw.XCenter, draw.YCenter)
	for i, row := range t.r.Rows {
		y := float64(len(t.r.Rows) - 1 - i)
		for j, a := range row.Answers {
			if a == NotAsked {
				continue
			}
			box := vg.Rectangle{Min: vg.Point{X: tx(float64(j) - 0.48), Y: ty(y - 0.45)}, Max: vg.Point{X: tx(float64(j) + 0.48), Y: ty(y + 0.45)}}
			c.SetColor(fills[a])
			c.Fill(box.Path())
			fillText(c, text, vg.Point{X: tx(float64(j)), Y: ty(y)}, a.String())
		}
	}
}

// Caption returns what the words of the table mean.
func (r SurveyFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	s := r.Title + ". Yes: seen, and the null model does not have it. Explained: seen, and the null model has it too. No: not seen. Open: could not be decided."
	if r.Remark != "" {
		s += " " + r.Remark
	}
	return s
}

// Alt returns the table row by row.
func (r SurveyFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("Table.")
	for _, row := range r.Rows {
		fmt.Fprintf(&b, " %s:", row.Label)
		for j, a := range row.Answers {
			fmt.Fprintf(&b, " %s %s;", strings.ReplaceAll(r.Columns[j], "\n", " "), cmp.Or(a.String(), "–"))
		}
	}
	return b.String()
}

func (r SurveyFigure) check() error {
	if r.Title == "" || len(r.Columns) == 0 || len(r.Rows) == 0 {
		return fmt.Errorf("figure: SurveyFigure.Title %q, Columns (%d) and Rows (%d) must not be empty", r.Title, len(r.Columns), len(r.Rows))
	}
	for i, row := range r.Rows {
		name := fmt.Sprintf("SurveyFigure.Rows[%d]", i)
		if len(row.Answers) != len(r.Columns) {
			return fmt.Errorf("figure: %s has %d answers for %d columns", name, len(row.Answers), len(r.Columns))
		}
		for _, a := range row.Answers {
			if a < NotAsked || a > Open {
				return fmt.Errorf("figure: %s has the answer %d: it is one of NotAsked, No, Explained, Yes, Open", name, a)
			}
		}
	}
	return nil
}

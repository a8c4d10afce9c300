package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// SpectrumFigure is what [GradientNoiseSpectra] draws: the spectrum of D(x) at several
// points of one training run.
type SpectrumFigure struct {
	Network, DataSet string // as in "small-fc", "MNIST 7×7"
	Dim              int    // d, the number of weights
	Samples          int    // N, the number of per-sample gradients
	Checkpoints      []SpectrumCheckpoint
	Style            *Style // nil means Default()
}

// SpectrumCheckpoint is the spectrum of the d×d matrix D(x) at one point of training.
type SpectrumCheckpoint struct {
	Label    string    // as in "10 classes"; empty: from Fraction, as in "20 % of training"
	Fraction float64   // of the training, 0…1; the figure draws them in this order
	Values   []float64 // the d eigenvalues less the structural zeros, in any order
	Mean     float64   // over all d eigenvalues
	Std      float64   // population standard deviation over all d
	CutF32   float64   // λmax·d·2⁻²³, the threshold of the paper's rank in float32
	CutF64   float64   // λmax·d·2⁻⁵², in float64
	From     float64   // Values has all eigenvalues above From; the outline begins there
}

const (
	spectrumBins    = 60
	spectrumDecades = 6
)

// GradientNoiseSpectra draws the eigenvalues of D(x) as a log-log histogram: 60
// logarithmic bins from 10⁻⁶·λmax to λmax, the largest of all checkpoints; one outline
// per checkpoint, darker and thinner for later ones, so that they can be told apart
// where they coincide. Vertical lines mark mean and rank cut-offs of the last one.
// [chaudhari2018] Figs. 1 and 2.
//
// Eigenvalues below the range, structural zeros and negative round-off are not drawn;
// the caption counts them. It returns an error that names the field for data that
// cannot be drawn.
//
//	result, err := experiment.LoadGradientNoise("../data/results/fig1b.json")
//	p, err := figure.GradientNoiseSpectra(experiment.SpectrumFigure(result))
func GradientNoiseSpectra(r SpectrumFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	points := r.ordered()
	last := points[len(points)-1]
	hi := r.largest()
	lo := hi * math.Pow10(-spectrumDecades)

	p := s.New()
	p.Title.Text = fmt.Sprintf("Gradient noise of %s on %s", r.Network, r.DataSet)
	if utf8.RuneCountInString(p.Title.Text) > 75 { // wider than the picture
		p.Title.Text = fmt.Sprintf("Gradient noise of %s\non %s", r.Network, r.DataSet)
	}
	p.X.Label.Text = "eigenvalue λ of D(x)   (loss²/weight²)"
	p.Y.Label.Text = "eigenvalues per bin"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, logTicks{}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	p.X.Min, p.X.Max = lo, hi
	p.X.Padding, p.Y.Padding = 0, 0

	colors := s.sequence(len(points))
	rows := make([]keyRow, len(points))
	tallest := 1.0
	var outlines []plot.Plotter
	for i, point := range points {
		counts := histogram(point.Values, lo, hi)
		tallest = max(tallest, slices.Max(counts))
		line := s.line(colors[i], s.LineWidth*vg.Length(0.75+0.95*float64(len(points)-1-i)))
		outlines = append(outlines, steps{lo: lo, hi: hi, counts: counts, from: firstBin(point.From, lo, hi), line: line})
		rows[i] = keyRow{line: line, text: point.label(), color: s.Ink}
	}
	p.Y.Min, p.Y.Max = 0.7, tallest*3

	text := s.text(s.TextSize, s.Ink, draw.XLeft, draw.YCenter)
	cut, average := text, text
	cut.Color, average.Color = s.Palette[vermilion], s.Palette[green]
	names := []ruleName{
		{x: last.CutF32, style: cut, text: "rank cut-off, float32"},
		{x: last.CutF64, style: cut, text: "rank cut-off, float64"},
		{x: last.Mean, style: average, text: "mean of all d"},
	}
	names = slices.DeleteFunc(names, func(n ruleName) bool { return n.x < lo || n.x > hi })
	slices.SortFunc(names, func(a, b ruleName) int { return cmp.Compare(a.x, b.x) })
	for _, n := range names {
		p.Add(rule{x: n.x, line: s.dashed(n.style.Color, s.HairWidth*1.7)})
	}
	p.Add(outlines...)
	for i, n := range names {
		n.left = i == 0 && len(names) > 1 && n.x > lo*math.Pow10(spectrumDecades/3)
		n.paper = s.Paper
		if !n.left {
			n.row = len(names) - 1 - i
		}
		p.Add(n)
	}
	if last.CutF64 < lo {
		cut.YAlign = draw.YBottom
		p.Add(note{
			x: 0.012, y: 0.025, inArea: true, style: cut, paper: s.Paper,
			text: "← rank cut-off, float64,\n     off the axis: " + number(last.CutF64, 2),
		})
	}
	p.Add(key{x: 0.985, y: 0.88, style: text, rows: rows, paper: s.Paper})

	return &Picture{
		Plot:    p,
		Stem:    slug(r.Network + " " + r.DataSet + " spectrum"),
		Text:    r.Caption(),
		AltText: r.Alt(),
	}, nil
}

// Caption returns what the figure shows with the numbers of every checkpoint: mean ±
// standard deviation over all d, rank above the float32 cut-off, participation ratio
// (tr D)²/tr D², stable rank tr D/λmax; and what is not drawn.
func (r SpectrumFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Eigenvalues λ of the gradient covariance D(x) of %s (d = %s) on %s, N = %s samples, in %d logarithmic bins over %d decades. ",
		r.Network, count(r.Dim), r.DataSet, count(r.Samples), spectrumBins, spectrumDecades)
	b.WriteString("Mean ± standard deviation over all d eigenvalues, rank above the float32 cut-off (λmax·d·2⁻²³), participation ratio (PR) and stable rank: ")
	d := float64(r.Dim)
	lo := r.largest() * math.Pow10(-spectrumDecades)
	for i, c := range r.ordered() {
		if i > 0 {
			b.WriteString("; ")
		}
		rank := 0
		for _, v := range c.Values {
			if v > c.CutF32 {
				rank++
			}
		}
		pr := d * c.Mean * c.Mean / (c.Mean*c.Mean + c.Std*c.Std)
		fmt.Fprintf(&b, "%s %s, rank %s (%s %%), PR %s, stable rank %s", c.label(), plusMinus(c.Mean, c.Std),
			count(rank), number(100*float64(rank)/d, 3), number(pr, 3), number(d*c.Mean/slices.Max(c.Values), 3))
	}
	b.WriteString(". ")
	below := 0
	final := r.ordered()[len(r.Checkpoints)-1]
	for _, v := range final.Values {
		if v < lo {
			below++
		}
	}
	if below > 0 {
		fmt.Fprintf(&b, "%s eigenvalues (%s) lie below the axis. ", count(below), final.label())
	}
	if zeros := r.Dim - len(final.Values); zeros > 0 {
		fmt.Fprintf(&b, "%s eigenvalues are structural zeros (rank ≤ N − 1) and are not drawn. ", count(zeros))
	}
	if slices.ContainsFunc(r.Checkpoints, func(c SpectrumCheckpoint) bool { return c.From > lo }) {
		b.WriteString("An outline that begins late is of the largest eigenvalues; the others are below. ")
	}
	b.WriteString("Vertical lines belong to the last.")
	return b.String()
}

// Alt returns a description of the figure for those who do not see it.
func (r SpectrumFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	points := r.ordered()
	last := points[len(points)-1]
	labels := make([]string, len(points))
	for i, c := range points {
		labels[i] = c.label()
	}
	return fmt.Sprintf("Log-log histogram of the eigenvalues of the gradient covariance of %s on %s: %s. "+
		"For the last the largest is %s, the mean %s and the float32 rank cut-off %s.",
		r.Network, r.DataSet, strings.Join(labels, ", "), number(slices.Max(last.Values), 2), number(last.Mean, 2), number(last.CutF32, 2))
}

func (r SpectrumFigure) check() error {
	switch {
	case r.Network == "" || r.DataSet == "":
		return fmt.Errorf("figure: SpectrumFigure.Network and DataSet must be named: got %q on %q", r.Network, r.DataSet)
	case r.Dim < 1 || r.Samples < 1:
		return fmt.Errorf("figure: SpectrumFigure.Dim and Samples must be positive: got %d and %d", r.Dim, r.Samples)
	case len(r.Checkpoints) == 0:
		return fmt.Errorf("figure: SpectrumFigure.Checkpoints is empty: there is nothing to draw")
	}
	for i, c := range r.Checkpoints {
		field := fmt.Sprintf("SpectrumFigure.Checkpoints[%d]", i)
		err := firstError(
			finite(field+".Values", c.Values...),
			finite(field+".Mean", c.Mean),
			finite(field+".Std", c.Std),
			finite(field+".CutF32", c.CutF32),
			finite(field+".CutF64", c.CutF64),
			finite(field+".From", c.From),
		)
		switch {
		case err != nil:
			return err
		case len(c.Values) == 0:
			return fmt.Errorf("figure: %s.Values is empty: there is nothing to draw", field)
		case len(c.Values) > r.Dim:
			return fmt.Errorf("figure: %s.Values has %d eigenvalues, SpectrumFigure.Dim is %d: there cannot be more than d", field, len(c.Values), r.Dim)
		case !(slices.Max(c.Values) > 0):
			return fmt.Errorf("figure: %s.Values has no positive eigenvalue: a logarithmic axis needs one", field)
		case !(c.Mean > 0 && c.Std >= 0 && c.CutF32 > 0 && c.CutF64 > 0):
			return fmt.Errorf("figure: %s: Mean %v, Std %v, CutF32 %v, CutF64 %v: Mean and the cut-offs must be positive, Std not negative", field, c.Mean, c.Std, c.CutF32, c.CutF64)
		}
	}
	return nil
}

// ordered returns the checkpoints in the order of training.
func (r SpectrumFigure) ordered() []SpectrumCheckpoint {
	points := slices.Clone(r.Checkpoints)
	slices.SortStableFunc(points, func(a, b SpectrumCheckpoint) int {
		return cmp.Compare(a.Fraction, b.Fraction)
	})
	return points
}

// largest returns λmax over all checkpoints.
func (r SpectrumFigure) largest() float64 {
	hi := 0.0
	for _, c := range r.Checkpoints {
		hi = max(hi, slices.Max(c.Values))
	}
	return hi
}

func (c SpectrumCheckpoint) label() string {
	if c.Label != "" {
		return c.Label
	}
	return strconv.FormatFloat(100*c.Fraction, 'g', 3, 64) + " % of training"
}

// histogram counts the values in spectrumBins logarithmic bins of [lo, hi].
func histogram(values []float64, lo, hi float64) []float64 {
	counts := make([]float64, spectrumBins)
	for _, v := range values {
		if v < lo || v > hi {
			continue
		}
		bin := int(math.Log(v/lo) / math.Log(hi/lo) * spectrumBins)
		counts[min(bin, spectrumBins-1)]++
	}
	return counts
}

// firstBin returns the first of the bins of [lo, hi] whose eigenvalues are all above from.
func firstBin(from, lo, hi float64) int {
	if from <= lo {
		return 0
	}
	return min(int(math.Ceil(math.Log(from/lo)/math.Log(hi/lo)*spectrumBins)), spectrumBins-1)
}

// steps is the outline of a histogram with logarithmic bins over a logarithmic axis; an
// empty bin goes // down to the axis. It is open on the left, where the spectrum goes on.
type steps struct {
	lo, hi float64
	counts []float64
	from   int // first bin to draw
	line   draw.LineStyle
}

// Plot draws the outline.
func (s steps) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	level := func(n float64) vg.Length {
		if n < p.Y.Min {
			return c.Min.Y
		}
		return ty(n)
	}
	left := tx(s.lo)
	width := (tx(s.hi) - left) / vg.Length(len(s.counts))
	var points []vg.Point
	for i := s.from; i < len(s.counts); i++ {
		n := s.counts[i]
		x, y := left+vg.Length(i)*width, level(n)
		points = append(points, vg.Point{X: x, Y: y}, vg.Point{X: x + width, Y: y})
	}
	points = append(points, vg.Point{X: left + vg.Length(len(s.counts))*width, Y: c.Min.Y})
	c.StrokeLines(s.line, points)
}

// plusMinus formats mean ± spread with one exponent: (2.54 ± 27.1)·10⁻³.
func plusMinus(mean, spread float64) string {
	e := int(math.Floor(math.Log10(math.Abs(mean))))
	if mean == 0 {
		e = 0
	}
	if e >= -1 && e < 3 {
		return fmt.Sprintf("%s ± %s", number(mean, 3), number(spread, 3))
	}
	scale := math.Pow10(-e)
	return fmt.Sprintf("(%s ± %s)·10%s", number(mean*scale, 3), number(spread*scale, 3), superscript(e))
}

// slug turns a text into the stem of a file name: lower-case letters, digits and
// hyphens.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '×':
			b.WriteByte('x')
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

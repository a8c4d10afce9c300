package figure

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// BatchVarianceFigure is what [BatchVariance] draws: the variance of the mini-batch
// gradient as a share of the gradient noise, tr var(∇f_b)/tr D, against the batch size,
// by several formulas. Each slice has one value per batch size; a nil one is not drawn.
//
//	r := figure.BatchVarianceFigure{System: "three samples", Samples: 3, BatchSizes: []int{1, 2, 3},
//		WithReplacement: []float64{1, 1. / 2, 1. / 3}, Corrected: []float64{1, 1. / 4, 0}}
type BatchVarianceFigure struct {
	System     string // as in "six random samples in three dimensions"
	Samples    int    // N
	BatchSizes []int  // b (k), ascending, 1…N

	WithReplacement []float64 // one per batch size: 1/b, App. A.1
	Corrected       []float64 // one per batch size: (N−b)/(b(N−1)), App. A.2 as corrected by E17
	Printed         []float64 // one per batch size: App. A.2 as printed
	Remark12        []float64 // one per batch size: (1−b/N)/b, Remark 12 read with the D of eq. (2)
	Enumerated      []float64 // one per batch size: from all batches without replacement: the truth

	Style *Style // nil means Default()
}

// BatchVariance draws b·tr var(∇f_b)/tr D against the batch size b, so that sampling
// with replacement is a horizontal line at 1 and a correct formula for sampling without
// starts at 1 and ends at 0. [chaudhari2018] App. A, Remark 12, erratum E17. It returns
// an error that names the field for data that cannot be drawn.
//
//	p, err := figure.BatchVariance(figure.BatchVarianceFigure{System: "three samples", Samples: 3, BatchSizes: []int{1, 2, 3},
//		WithReplacement: []float64{1, 1. / 2, 1. / 3}, Corrected: []float64{1, 1. / 4, 0}})
func BatchVariance(r BatchVarianceFigure) (*Picture, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := resolve(r.Style)
	p := s.New()
	p.Title.Text = fmt.Sprintf("Variance of a mini-batch gradient, N = %s samples", count(r.Samples))
	p.X.Label.Text = "batch size b"
	p.Y.Label.Text = "b · tr var(∇f_b) / tr D"
	p.X.Padding, p.Y.Padding = vg.Points(8), 0

	text := s.text(s.TextSize, s.Ink, draw.XLeft, draw.YCenter)
	var rows []keyRow
	top := 1.0
	for _, curve := range r.curves() {
		if curve.values == nil {
			continue
		}
		points := r.points(curve.values)
		for _, q := range points {
			top = max(top, q.Y)
		}
		line := s.line(s.Palette[curve.color], s.LineWidth*1.15)
		if curve.dashed {
			line = s.dashed(s.Palette[curve.color], s.LineWidth*1.15)
		}
		p.Add(&plotter.Line{XYs: points, LineStyle: line})
		rows = append(rows, keyRow{line: line, text: curve.name, color: s.Ink})
	}
	if r.Enumerated != nil {
		glyph := draw.GlyphStyle{Color: s.Ink, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
		p.Add(&plotter.Scatter{XYs: r.points(r.Enumerated), GlyphStyle: glyph})
		rows = append(rows, keyRow{glyph: &glyph, text: "all batches without replacement, enumerated", color: s.Ink})
	}
	first, last := float64(r.BatchSizes[0]), float64(r.BatchSizes[len(r.BatchSizes)-1])
	p.X.Min, p.X.Max = first, max(last, first+1)
	p.Y.Min = 0
	// Room for the key above the curves.
	p.Y.Max = top * (1 + 0.11*float64(len(rows)))
	p.Add(key{x: 0.985, y: 0.985, style: text, rows: rows, paper: s.Paper})

	return &Picture{
		Plot: p, Stem: slug(r.System + " batch variance"), Width: 15 * vg.Centimeter, Height: 10.5 * vg.Centimeter,
		Text: r.Caption(), AltText: r.Alt(),
	}, nil
}

// Caption returns what the figure shows and how far each formula is from enumeration.
func (r BatchVarianceFigure) Caption() string {
	if r.check() != nil {
		return ""
	}
	s := fmt.Sprintf("Variance of the mini-batch gradient of %s (N = %s), times b and in units of tr D, against the batch size. ", r.System, count(r.Samples))
	if r.Enumerated == nil {
		return s + "A correct formula for batches without replacement starts at 1 and ends at 0."
	}
	s += "Largest distance from the enumeration of all batches without replacement: "
	n := 0
	for _, curve := range r.curves() {
		if curve.values == nil || curve.other {
			continue
		}
		if n++; n > 1 {
			s += "; "
		}
		worst := 0.0
		truth := r.points(r.Enumerated)
		for i, q := range r.points(curve.values) {
			worst = max(worst, abs(q.Y-truth[i].Y))
		}
		s += curve.short + " " + number(worst, 2)
	}
	return s + "."
}

// Alt returns a description of the figure for those who do not see it.
func (r BatchVarianceFigure) Alt() string {
	if r.check() != nil {
		return ""
	}
	return "Batch size against the scaled variance of the mini-batch gradient: constant at 1 with replacement, a straight line from 1 down to 0 without replacement, " +
		"on which the enumerated values lie; the formula printed in the paper starts above, that of Remark 12 below."
}

// varianceCurve is one formula of the figure.
type varianceCurve struct {
	name, short string
	field       string
	values      []float64
	color       int
	dashed      bool
	other       bool // a formula for another scheme: not compared with Enumerated
}

func (r BatchVarianceFigure) curves() []varianceCurve {
	return []varianceCurve{
		{name: "with replacement: 1/b", field: "WithReplacement", values: r.WithReplacement, color: sky, other: true},
		{name: "A.2 as printed", short: "A.2 as printed", field: "Printed", values: r.Printed, color: vermilion},
		{name: "A.2 corrected: (N − b)/(b(N − 1))", short: "corrected", field: "Corrected", values: r.Corrected, color: green},
		{name: "Remark 12 with D of eq. (2): (1 − b/N)/b", short: "Remark 12 with D of eq. (2)", field: "Remark12", values: r.Remark12, color: purple, dashed: true},
	}
}

// points returns b·value against b.
func (r BatchVarianceFigure) points(values []float64) plotter.XYs {
	points := make(plotter.XYs, len(values))
	for i, v := range values {
		b := float64(r.BatchSizes[i])
		points[i] = plotter.XY{X: b, Y: b * v}
	}
	return points
}

func (r BatchVarianceFigure) check() error {
	if r.System == "" {
		return fmt.Errorf("figure: BatchVarianceFigure.System is empty: name the system, as in %q", "T1")
	}
	if len(r.BatchSizes) == 0 {
		return fmt.Errorf("figure: BatchVarianceFigure.BatchSizes is empty: there is nothing to draw")
	}
	if !slices.IsSorted(r.BatchSizes) || r.BatchSizes[0] < 1 || r.BatchSizes[len(r.BatchSizes)-1] > r.Samples {
		return fmt.Errorf("figure: BatchVarianceFigure.BatchSizes must ascend within 1…%d: got %v", r.Samples, r.BatchSizes)
	}
	drawn := 0
	fields := append(r.curves(), varianceCurve{field: "Enumerated", values: r.Enumerated})
	for _, curve := range fields {
		if curve.values == nil {
			continue
		}
		drawn++
		field := "BatchVarianceFigure." + curve.field
		if err := firstError(
			sameLength(field, len(curve.values), "BatchVarianceFigure.BatchSizes", len(r.BatchSizes)),
			finite(field, curve.values...),
		); err != nil {
			return err
		}
		if slices.Min(curve.values) < -1e-12 {
			return fmt.Errorf("figure: %s has the value %v: a variance is not negative", field, slices.Min(curve.values))
		}
	}
	if drawn == 0 {
		return fmt.Errorf("figure: BatchVarianceFigure has no curve: fill in at least one of its slices")
	}
	return nil
}

func abs(x float64) float64 { return max(x, -x) }

package figure_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"sgdlab/pkg/figure"
)

func TestGoldenTrajectories(t *testing.T) {
	paper := incrementData()
	paper.Nulls = nil
	golden(t, []drawn{
		{"increments", func() (*figure.Picture, error) { return figure.IncrementSpectrum(paper) }},
		{"increments_nulls", func() (*figure.Picture, error) { return figure.IncrementSpectrum(incrementData()) }},
		{"correlation_nulls", func() (*figure.Picture, error) { return figure.WeightCorrelation(correlationData()) }},
		{"gradientnorm_nulls", func() (*figure.Picture, error) { return figure.GradientNorm(gradientNormData()) }},
		{"arearates", func() (*figure.Picture, error) { return figure.AreaRates(areaData()) }},
		{"survey", func() (*figure.Picture, error) { return figure.Survey(surveyData()) }},
	})
}

func ribbonOf(label string, x []float64, y func(x float64) float64, half func(x float64) float64) figure.Ribbon {
	r := figure.Ribbon{Label: label, X: x}
	for _, v := range x {
		if y != nil {
			r.Y = append(r.Y, y(v))
		}
		if half != nil {
			mid := 0.0
			if y != nil {
				mid = y(v)
			}
			r.Low, r.High = append(r.Low, mid-half(v)), append(r.High, mid+half(v))
		}
	}
	return r
}

// decades returns points from 10^a to 10^b, 20 a decade.
func decades(a, b float64) (x []float64) {
	for e := a; e <= b+1e-9; e += 0.05 {
		x = append(x, math.Pow(10, e))
	}
	return x
}

// incrementData is like relaxation with a slow drift.
func incrementData() figure.RunFigure {
	const white = 0.886227
	f := decades(-4.9, math.Log10(0.5))
	ar := func(f float64) float64 {
		c := math.Cos(2 * math.Pi * f)
		return white * math.Sqrt((2-2*c)/(1+0.81-1.8*c)*0.95)
	}
	r := rand.New(rand.NewPCG(1, 0))
	m := ribbonOf("tiny-fc", f, func(f float64) float64 {
		return 0.3 + 0.6*ar(f) + 1.2*math.Exp(-f*8000) + 0.03*r.NormFloat64()
	}, nil)
	for _, y := range m.Y {
		m.Low, m.High = append(m.Low, 0.5*y), append(m.High, 1.5*y)
	}
	flat := ribbonOf("white noise, 99 %", f, func(float64) float64 { return white }, func(f float64) float64 { return 0.002 / math.Sqrt(f) })
	for k := range flat.Low {
		flat.Low[k], flat.High[k] = max(flat.Low[k], 0), min(flat.High[k], 2)
	}
	return figure.RunFigure{
		Run: "tiny-fc, η = 0.001, 10⁵ epochs", Measured: m, Remark: "d_eff = 31 of 784 weights.",
		Nulls: []figure.Ribbon{flat, ribbonOf("relaxation fitted\nto each weight", f, ar, nil)},
	}
}

func correlationData() figure.RunFigure {
	lags := decades(0, 4.9)
	walk := func(t float64) float64 { return 1 - 1.3*math.Sqrt(t/1e5) }
	return figure.RunFigure{
		Run:      "tiny-fc, η = 0.001, 10⁵ epochs",
		Measured: ribbonOf("tiny-fc", lags, func(t float64) float64 { return 0.6*walk(t) + 0.4*math.Exp(-t/30) }, func(t float64) float64 { return 0.1 }),
		Nulls: []figure.Ribbon{
			ribbonOf("white noise, 99 %", lags, nil, func(float64) float64 { return 0.01 }),
			ribbonOf("random walk", lags, walk, nil),
			ribbonOf("relaxation", lags, func(t float64) float64 { return math.Exp(-t / 900) }, nil),
		},
	}
}

func gradientNormData() figure.RunFigure {
	epochs := decades(0, 5)
	return figure.RunFigure{
		Run:      "tiny-fc, η = 0.1, 10⁵ epochs",
		Measured: ribbonOf("measured", epochs, func(t float64) float64 { return 4e-3/math.Sqrt(t) + 2e-4 }, nil),
		Nulls:    []figure.Ribbon{ribbonOf("√(β⁻¹tr(D∇²f)/d)", []float64{1, 1e5}, func(float64) float64 { return 2.1e-4 }, nil)},
	}
}

func areaData() figure.AreaFigure {
	r := rand.New(rand.NewPCG(2, 0))
	f := figure.AreaFigure{Run: "tiny-fc, η = 0.1, frozen batch norm, i.i.d. batches"}
	for range 15 {
		theory, e := 0.05*r.NormFloat64(), 0.004+0.004*r.Float64()
		q := figure.AreaPair{Label: "1, 2", Theory: theory, Area: theory + e*r.NormFloat64(), Error: e, P: 0.5}
		if math.Abs(q.Area) > 3*e {
			q.P = 0.001
		}
		f.Pairs = append(f.Pairs, q)
	}
	return f
}

func surveyData() figure.SurveyFigure {
	a := func(v ...figure.Answer) []figure.Answer { return v }
	return figure.SurveyFigure{
		Title:   "What survives where",
		Columns: []string{"low-frequency\nbump", "long\nmemory", "large\ngradient", "irreversible", "beyond\nlinear theory"},
		Rows: []figure.SurveyRow{
			{Label: "η = 0.1, no momentum, i.i.d., frozen", Answers: a(figure.Explained, figure.Explained, figure.Explained, figure.Yes, figure.No)},
			{Label: "η = 0.1, Nesterov, reshuffled, training", Answers: a(figure.Yes, figure.Explained, figure.No, figure.Open, figure.NotAsked)},
			{Label: "η = 0.001, heavy ball, index walk, frozen", Answers: a(figure.No, figure.No, figure.No, figure.No, figure.No)},
		},
	}
}

func TestBadTrajectories(t *testing.T) {
	change := func(f func(r *figure.RunFigure)) error {
		r := incrementData()
		f(&r)
		_, err := figure.IncrementSpectrum(r)
		return err
	}
	for want, err := range map[string]error{
		"RunFigure.Run is empty":  change(func(r *figure.RunFigure) { r.Run = "" }),
		"Measured.Y is empty":     change(func(r *figure.RunFigure) { r.Measured.Y = nil }),
		"RunFigure.Measured.Y[3]": change(func(r *figure.RunFigure) { r.Measured.Y[3] = math.NaN() }),
		"Nulls[1].X must ascend":  change(func(r *figure.RunFigure) { r.Nulls[1] = figure.Ribbon{X: []float64{2, 1}, Y: []float64{1, 1}} }),
		"neither a curve":         change(func(r *figure.RunFigure) { r.Nulls[0] = figure.Ribbon{X: []float64{1, 2}} }),
		"has 5 null models":       change(func(r *figure.RunFigure) { r.Nulls = make([]figure.Ribbon, 5) }),
		"RunFigure.Measured.X[0]": change(func(r *figure.RunFigure) { r.Measured.X[0] = 0 }),
		"RunFigure.Nulls[0].High": change(func(r *figure.RunFigure) { r.Nulls[0].High = nil }),
		"AreaFigure.Run":          func() error { _, err := figure.AreaRates(figure.AreaFigure{}); return err }(),
		"Pairs[0].Error is -1": func() error {
			_, err := figure.AreaRates(figure.AreaFigure{Run: "a", Pairs: []figure.AreaPair{{Error: -1}}})
			return err
		}(),
		"SurveyFigure.Title": func() error { _, err := figure.Survey(figure.SurveyFigure{}); return err }(),
		"0 answers for 5 columns": func() error {
			r := surveyData()
			r.Rows[1] = figure.SurveyRow{}
			_, err := figure.Survey(r)
			return err
		}(),
		"Rows[0] has the answer 9": func() error { r := surveyData(); r.Rows[0].Answers[0] = 9; _, err := figure.Survey(r); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

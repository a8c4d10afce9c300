package figure

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

func TestEllipse(t *testing.T) {
	c := mat.NewSymDense(2, []float64{2, 0.9, 0.9, 1})
	var inverse mat.SymDense
	invert2(&inverse, c)
	for i, q := range ellipse([2]float64{3, -1}, c, 1.5) {
		dx, dy := q.X-3, q.Y+1
		got := dx*dx*inverse.At(0, 0) + 2*dx*dy*inverse.At(0, 1) + dy*dy*inverse.At(1, 1)
		// Condition number 4, so a few units of 2⁻⁵² each of size 2.25.
		numtest.Close(t, "Mahalanobis distance²", got, 2.25, 1e-13)
		if t.Failed() {
			t.Fatalf("at point %d", i)
		}
	}
	area := math.Abs(signedArea(ellipse([2]float64{}, c, 1)))
	// An inscribed polygon of 180 sides covers sin(2π/180)/(2π/180) = 1 − 2.0e-4 of it.
	numtest.Close(t, "area", area, math.Pi*math.Sqrt(2-0.81), 1e-3)
	for _, q := range ellipse([2]float64{1, 1}, mat.NewSymDense(2, []float64{1, 1, 1, 1}), 2) {
		numtest.Close(t, "singular ellipse off its line", q.X-q.Y, 0, 1e-7) // √ of round-off
	}
}

// The arrows turn as the exact area rate says, at T1 and at its mirror image.
func TestCurrentArrowsTurnTheRightWay(t *testing.T) {
	r := NewT1Figure(problem.T1(), 0.1, 1)
	numtest.Close(t, "area rate of T1", r.AreaRateExact, -0.00486486, 1e-8) // statements.md §14
	for _, sign := range []float64{1, -1} {
		r.AreaRateExact *= sign
		arcs := r.currentArrows([2]float64{})
		if len(arcs) == 0 {
			t.Fatal("no arrows")
		}
		for _, arc := range arcs {
			a, b := arc[0], arc[len(arc)-1]
			if turn := a.X*b.Y - a.Y*b.X; turn*r.AreaRateExact <= 0 {
				t.Errorf("arrow from %v to %v turns by %v, area rate %v", a, b, turn, r.AreaRateExact)
			}
		}
	}
	r.AreaRateExact = 0
	if arcs := r.currentArrows([2]float64{}); arcs != nil {
		t.Errorf("a reversible chain has %d arrows", len(arcs))
	}
}

func TestHistogramCountsEveryValueInRange(t *testing.T) {
	values := []float64{-1, 0, 1e-7, 1e-6, 1.0000001e-6, 0.5, 0.999999, 1, 1.1}
	var sum float64
	counts := histogram(values, 1e-6, 1)
	for _, n := range counts {
		sum += n
	}
	if sum != 5 || counts[0] != 2 || counts[spectrumBins-1] != 2 {
		t.Errorf("got %v values, %v in the first and %v in the last bin; want 5, 2, 2", sum, counts[0], counts[spectrumBins-1])
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{number(0, 3), "0"},
		{number(-0.00486486, 4), "−0.004865"},
		{number(12345.6, 3), "12346"},
		{number(123456, 3), "1.23·10⁵"},
		{number(9.999e-5, 2), "1.0·10⁻⁴"},
		{number(0.09996, 3), "0.100"},
		{number(-2.5e-17, 2), "−2.5·10⁻¹⁷"},
		{count(7), "7"},
		{count(1234567), "1,234,567"},
		{count(-1234), "-1,234"},
		{plusMinus(2.5e-3, 0.0305), "(2.50 ± 30.5)·10⁻³"},
		{plusMinus(0.27, 0.84), "0.270 ± 0.840"},
		{valueError(-0.0048591, 0.0000302), "−0.004859 ± 0.000030"},
		{valueError(2, 0), "2.000"},
		{subscript(12), "₁₂"},
		{powerOfTen(-6), "10⁻⁶"},
		{slug("small-fc MNIST 7×7 — spectrum!"), "small-fc-mnist-7x7-spectrum"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, r := range [][2]float64{{0, 1}, {-2.1, 2.1}, {0, 0.003}, {1, 6}, {-1e6, 3e6}, {5, 5.02}} {
		ticks := linearTicks{}.Ticks(r[0], r[1])
		if len(ticks) < 3 || len(ticks) > 10 {
			t.Errorf("[%v, %v]: %d ticks, want 3 to 10", r[0], r[1], len(ticks))
		}
		for _, tick := range ticks {
			if tick.Value < r[0]-1e-9*math.Abs(r[0]) || tick.Value > r[1]*(1+1e-9) || strings.Contains(tick.Label, "-") {
				t.Errorf("[%v, %v]: tick %v %q", r[0], r[1], tick.Value, tick.Label)
			}
		}
	}
	for _, r := range [][2]float64{{1e-6, 1}, {0.7, 90}, {1e-20, 1}, {0.9, 1.1}} {
		labelled := 0
		for _, tick := range (logTicks{}).Ticks(r[0], r[1]) {
			if tick.Label != "" {
				labelled++
			}
		}
		if labelled < 1 || labelled > 9 {
			t.Errorf("[%v, %v]: %d labelled ticks, want 1 to 9", r[0], r[1], labelled)
		}
	}
	if (linearTicks{}).Ticks(1, 1) != nil || (logTicks{}).Ticks(0, 1) != nil {
		t.Error("an impossible range has ticks")
	}
}

// Letters of a formula are drawn in order, at three heights, and scripts are smaller.
func TestMathText(t *testing.T) {
	s := Default()
	sty := s.text(10, s.Ink, draw.XLeft, draw.YBottom)
	var rec recorder.Canvas
	c := draw.NewCanvas(&rec, 100, 100)
	fillText(c, sty, vg.Point{X: 10, Y: 10}, "x₁²f_b∇")
	type piece struct {
		str  string
		size vg.Length
		y    vg.Length
	}
	var got []piece
	for _, a := range rec.Actions {
		if f, ok := a.(*recorder.FillString); ok {
			got = append(got, piece{f.String, f.Size, f.Point.Y})
		}
	}
	want := []string{"x", "1", "2", "f", "b", "Δ"}
	if len(got) != len(want) {
		t.Fatalf("got %v, want the pieces %q", got, want)
	}
	for i, p := range got {
		script := p.str == "1" || p.str == "2" || p.str == "b"
		if p.str != want[i] || script != (p.size < 10) {
			t.Errorf("piece %d: got %q of size %v, want %q", i, p.str, p.size, want[i])
		}
	}
	if !(got[1].y < got[0].y && got[0].y < got[2].y) {
		t.Errorf("heights of subscript, base and superscript: %v, %v, %v", got[1].y, got[0].y, got[2].y)
	}
	descent := sty.FontExtents().Descent
	numtest.Close(t, "baseline above the bottom", float64(got[0].y-10), float64(descent), 1e-9)
	if w := sty.Width("x₁²"); w >= sty.Width("x12") {
		t.Errorf("scripts are as wide as letters: %v", w)
	}
}

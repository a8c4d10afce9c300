package widget

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"sgdlab/kernelext/show"
)

// drawing is a picture that says when it was drawn.
type drawing string

func (d drawing) Name() string                  { return "drawing" }
func (d drawing) Caption() string               { return string(d) }
func (d drawing) Alt() string                   { return "for " + string(d) }
func (d drawing) Encode(string) ([]byte, error) { return []byte(d), nil }

// reader is a page whose reader does something once the controls are there.
type reader struct {
	moves func(heard func(string))
	heard func(string)

	mu    sync.Mutex
	shown []string // rich
	plain string
	told  []string
}

func (r *reader) listen(heard func(string)) (string, bool) {
	r.heard = heard
	return "/address", true
}

func (r *reader) show(rich, plain string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shown, r.plain = append(r.shown, rich), plain
	if len(r.shown) == 1 && r.moves != nil {
		go r.moves(r.heard)
	}
}

func (r *reader) tell(_, text string) { r.told = append(r.told, text) }

// quiet keeps what the test prints to itself.
func quiet(t *testing.T) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdout
	os.Stdout = null
	t.Cleanup(func() { os.Stdout = old; null.Close() })
}

// patient limits end no test.
var patient = limits{time.Minute, time.Minute}

func TestReaderMoves(t *testing.T) {
	quiet(t)
	lambda := Slider("λ", 0, 1.5, 0.5, 16)
	digits := Choice("threshold", "float64", "float32")
	seed := Button("another seed")
	var drawn []string
	step := make(chan struct{}, 1)
	picture := func() (show.Picture, error) {
		drawn = append(drawn, fmt.Sprintf("%.1f %s %d", lambda.Value(), digits.Value(), seed.Count()))
		step <- struct{}{}
		return drawing("x"), nil
	}
	r := &reader{moves: func(heard func(string)) {
		<-step
		for _, message := range []string{"1 here", "2 0 15", "3 1 1", "5 2 0", "4 2 0"} {
			heard(message)
			if !strings.HasSuffix(message, "here") {
				<-step
			}
		}
		heard("7 0 3")
		<-step
		heard("6 0 9") // overtaken by the seventh: nothing moves
		for _, nonsense := range []string{"", "x", "9", "9 0", "9 zero 1", "9 0 16", "9 0 -1", "9 3 0", "9 0 x", "8 here"} {
			heard(nonsense)
		}
		heard("8 done")
		heard("9 done")
	}}
	draw(t.Context(), picture, []Control{lambda, digits, seed}, r, patient)
	want := []string{"0.5 float64 0", "1.5 float64 0", "1.5 float32 0", "1.5 float32 1", "1.5 float32 2", "0.3 float32 2"}
	if strings.Join(drawn, ", ") != strings.Join(want, ", ") {
		t.Errorf("drawn %q, want %q", drawn, want)
	}
	if len(r.shown) != 2 || !strings.Contains(r.shown[0], "<script>") || strings.Contains(r.shown[1], "<script>") || r.plain != "λ = 0.3, threshold = float32, another seed: 2" {
		t.Errorf("shown %d times, at last %q (%s)", len(r.shown), r.plain, r.shown[len(r.shown)-1])
	}
	for _, part := range []string{`data-control="0"`, `data-control="1"`, `data-control="2"`, `max="15" value="5"`, `|0.3|`, "/address", ">float32</option>"} {
		if !strings.Contains(r.shown[0], part) {
			t.Errorf("the controls lack %s:\n%s", part, r.shown[0])
		}
	}
}

// Nobody answers, nobody touches, somebody goes away, the cell is interrupted: Draw ends.
func TestDrawEnds(t *testing.T) {
	quiet(t)
	stopped, stop := context.WithCancel(t.Context())
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		limit limits
		moves func(heard func(string))
	}{
		{"no answer", t.Context(), limits{20 * time.Millisecond, time.Minute}, nil},
		{"no touch", t.Context(), limits{time.Minute, 20 * time.Millisecond}, func(heard func(string)) { heard("1 here") }},
		{"no further touch", t.Context(), limits{time.Minute, 20 * time.Millisecond}, func(heard func(string)) { heard("1 here"); heard("2 0 1") }},
		{"interrupted", stopped, patient, func(heard func(string)) { heard("1 here"); stop() }},
	} {
		r := &reader{moves: tt.moves}
		draw(tt.ctx, func() (show.Picture, error) { return drawing("x"), nil }, []Control{Slider("β", 0, 1, 0, 2)}, r, tt.limit)
		if len(r.shown) != 2 || strings.Contains(r.shown[1], "<script>") {
			t.Errorf("%s: shown %q", tt.name, r.shown)
		}
	}
}

func TestErrorsOfLaterDrawings(t *testing.T) {
	quiet(t)
	beta := Choice("β", 1, 0, 4)
	step := make(chan struct{}, 1)
	picture := func() (show.Picture, error) {
		defer func() { step <- struct{}{} }()
		if beta.Value() == 0 {
			return nil, errors.New("problem: β is 0: it must be positive")
		}
		return drawing("x"), nil
	}
	play := func(positions string) *reader {
		beta.set(0)
		r := &reader{moves: func(heard func(string)) {
			<-step
			heard("1 here")
			for i, p := range positions {
				heard(fmt.Sprintf("%d 0 %c", i+2, p))
				<-step
			}
			heard("9 done")
		}}
		draw(t.Context(), picture, []Control{beta}, r, patient)
		return r
	}
	if r := play("12"); len(r.told) != 2 || !strings.Contains(r.told[0], "must be positive") || r.told[1] != "" || r.plain != "β = 4" {
		t.Errorf("told %q, at last %q; want the error, and its end", r.told, r.plain)
	}
	if r := play("1"); r.plain != "β = 0; not drawn: problem: β is 0: it must be positive" {
		t.Errorf("at last %q; want it said that the figure is not that of β = 0", r.plain)
	}
}

func TestSliders(t *testing.T) {
	for _, tt := range []struct {
		s    *Select[float64]
		want []float64
		at   float64
	}{
		{Slider("a", -1, 1, 0.4, 5), []float64{-1, -0.5, 0, 0.5, 1}, 0.5},
		{LogSlider("η", 1e-3, 10, 0.1, 5), []float64{1e-3, 1e-2, 0.1, 1, 10}, 0.1},
	} {
		for k, want := range tt.want {
			// A power and a product: a few ulp.
			if d := tt.s.values[k] - want; d > 1e-14*10 || d < -1e-14*10 {
				t.Errorf("%s: position %d is %g, want %g", tt.s.label, k, tt.s.values[k], want)
			}
		}
		if d := tt.s.Value() - tt.at; d > 1e-15*10 || d < -1e-15*10 {
			t.Errorf("%s: default %g, want %g", tt.s.label, tt.s.Value(), tt.at)
		}
	}
}

func TestMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"no options":      func() { Choice[int]("x") },
		"no controls":     func() { Draw(nil) },
		"low above high":  func() { Slider("x", 1, 0, 0.5, 3) },
		"value outside":   func() { Slider("x", 0, 1, 2, 3) },
		"one position":    func() { Slider("x", 0, 1, 1, 1) },
		"an endless":      func() { Slider("x", 0, inf(), 1, 3) },
		"zero, log":       func() { LogSlider("x", 0, 1, 1, 3) },
		"not a number":    func() { Slider("x", 0, 1, inf()-inf(), 3) },
		"nothing between": func() { Slider("x", 1, 1, 1, 3) },
	} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.HasPrefix(r, "widget: ") {
					t.Errorf("%s: got %q, want a panic of package widget", name, r)
				}
			}()
			f()
		}()
	}
}

func inf() float64 { x := 0.0; return 1 / x }

func Example() {
	lambda := Slider("λ", 0, 1.5, 0.5, 16)
	threshold := Choice("threshold", "float64", "float32")
	Draw(func() (show.Picture, error) {
		return drawing(fmt.Sprintf("the landscape at λ = %g, rank by %s", lambda.Value(), threshold.Value())), nil
	}, lambda, threshold)
	// Output:
	// λ = 0.5, threshold = float64
	// [drawing] for the landscape at λ = 0.5, rank by float64
	// the landscape at λ = 0.5, rank by float64
}

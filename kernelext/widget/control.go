package widget

import (
	"fmt"
	"html"
	"math"
	"strings"
	"sync/atomic"

	"github.com/janpfeifer/gonb/gonbui"
)

// Control is what [Draw] puts above a figure: a slider, a choice or a button.
type Control interface {
	html(i int) string // the i-th control as an element of the page
	text() string      // its label and value
	set(position int)  // as the reader has moved it
	positions() int
}

// Select is a control with a number of values to select from. Its Value may be read by
// several goroutines.
type Select[T any] struct {
	label    string
	values   []T
	format   func(T) string
	slider   bool
	position atomic.Int64
}

// Value returns the value that is selected, at first the default.
func (s *Select[T]) Value() T { return s.values[s.position.Load()] }

func (s *Select[T]) text() string { return s.label + " = " + s.format(s.Value()) }

func (s *Select[T]) set(position int) { s.position.Store(int64(position)) }

func (s *Select[T]) positions() int { return len(s.values) }

// Slider returns a slider with n positions in equal steps from low to high. The default
// is the position closest to value.
//
// It panics unless low < high, both finite, n ≥ 2, and value is between low and high.
//
//	lambda := widget.Slider("λ", 0, 1.5, 0.5, 16) // lambda.Value() is 0.5 until it is moved
func Slider(label string, low, high, value float64, n int) *Select[float64] {
	checkRange("Slider", label, low, high, value, n)
	return slider(label, low, high, value, n, func(t float64) float64 { return low + t*(high-low) })
}

// LogSlider is Slider with equal ratios between its positions, as for a learning rate; low
// must be positive.
func LogSlider(label string, low, high, value float64, n int) *Select[float64] {
	checkRange("LogSlider", label, low, high, value, n)
	if low <= 0 {
		panic(fmt.Sprintf("widget: LogSlider %q begins at %g: it needs a positive number", label, low))
	}
	return slider(label, low, high, value, n, func(t float64) float64 { return low * math.Pow(high/low, t) })
}

func checkRange(name, label string, low, high, value float64, n int) {
	if !(low < high) || math.IsInf(high-low, 0) || n < 2 || !(low <= value && value <= high) {
		panic(fmt.Sprintf("widget: %s %q from %g to %g at %g with %d positions: it needs low < high, a value between them and two positions", name, label, low, high, value, n))
	}
}

func slider(label string, low, high, value float64, n int, at func(t float64) float64) *Select[float64] {
	s := &Select[float64]{label: label, slider: true, format: number}
	best := 0
	for k := range n {
		v := at(float64(k) / float64(n-1))
		switch {
		case k == 0:
			v = low
		case k == n-1:
			v = high
		}
		s.values = append(s.values, v)
		if math.Abs(v-value) < math.Abs(s.values[best]-value) {
			best = k
		}
	}
	s.set(best)
	return s
}

// number formats a value of a slider: steps such as 0.30000000000000004 are not meant.
func number(v float64) string { return fmt.Sprintf("%.4g", v) }

// Choice returns a control that offers the options, the first one being the default. An
// option is labelled by what fmt.Sprint makes of it. It panics without options.
//
//	beta := widget.Choice("β", 1.0, 4) // beta.Value() is 1 until another is chosen
func Choice[T any](label string, options ...T) *Select[T] {
	if len(options) == 0 {
		panic(fmt.Sprintf("widget: Choice %q has no options", label))
	}
	return &Select[T]{label: label, values: options, format: func(v T) string { return fmt.Sprint(v) }}
}

func (s *Select[T]) html(i int) string {
	label := html.EscapeString(s.label)
	texts := make([]string, len(s.values))
	for k, v := range s.values {
		texts[k] = html.EscapeString(s.format(v))
	}
	if s.slider {
		return fmt.Sprintf(`<label>%s <input type="range" data-control="%d" data-texts="%s" min="0" max="%d" value="%d" style="vertical-align:middle;width:16em"> <output style="display:inline-block;min-width:4em;font-variant-numeric:tabular-nums">%s</output></label>`,
			label, i, strings.Join(texts, "|"), len(s.values)-1, s.position.Load(), texts[s.position.Load()])
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<label>%s <select data-control="%d">`, label, i)
	for k, t := range texts {
		selected := ""
		if int64(k) == s.position.Load() {
			selected = " selected"
		}
		fmt.Fprintf(&b, `<option value="%d"%s>%s</option>`, k, selected, t)
	}
	b.WriteString(`</select></label>`)
	return b.String()
}

// Press is a button.
type Press struct {
	label string
	n     atomic.Int64
}

// Button returns a button. The figure is drawn anew whenever it is pressed, for example
// with another seed.
func Button(label string) *Press { return &Press{label: label} }

// Count returns how often the button has been pressed, at first 0.
func (p *Press) Count() int { return int(p.n.Load()) }

func (p *Press) text() string { return fmt.Sprintf("%s: %d", p.label, p.Count()) }

func (p *Press) set(int) { p.n.Add(1) }

func (p *Press) positions() int { return 1 }

func (p *Press) html(i int) string {
	return fmt.Sprintf(`<button data-control="%d">%s</button>`, i, html.EscapeString(p.label))
}

// page returns the controls with the script that sends what happens to them to address.
func page(address string, controls []Control) (rich, plain string) {
	id := "sgdlab_" + gonbui.UniqueId()
	var b strings.Builder
	fmt.Fprintf(&b, `<div id="%s" class="sgdlab-controls" style="display:flex;flex-wrap:wrap;gap:.4em 1.4em;align-items:center;margin:.4em 0">`, id)
	for i, c := range controls {
		b.WriteString(c.html(i))
	}
	b.WriteString(`<button data-done>Done</button><span data-state style="color:#D55E00"></span></div>`)
	fmt.Fprintf(&b, "<script>%s</script>", strings.NewReplacer("{{id}}", id, "{{address}}", address).Replace(script))
	_, plain = line(controls, nil)
	return b.String(), plain
}

// line says in one line what the controls are set to, and why there is no figure of that.
func line(controls []Control, failed error) (rich, plain string) {
	texts := make([]string, len(controls))
	for i, c := range controls {
		texts[i] = c.text()
	}
	plain = strings.Join(texts, ", ")
	rich = `<div style="margin:.4em 0"><b>` + html.EscapeString(plain) + `</b> <span style="opacity:.7">(run the cell in JupyterLab to change it)</span>`
	if failed != nil {
		plain += "; not drawn: " + failed.Error()
		rich += `<br><span style="color:#D55E00">not drawn: ` + html.EscapeString(failed.Error()) + `</span>`
	}
	return rich + `</div>`, plain
}

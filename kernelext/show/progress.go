package show

import (
	"fmt"
	"html"
	"io"
	"os"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// Bar shows how far some work is. Its methods may be called by several goroutines.
type Bar struct {
	label string
	total int
	id    string
	begin time.Time
	tty   io.Writer // a terminal to redraw a line on, or nil
	clock func() time.Time

	mu       sync.Mutex
	done     int
	drawn    time.Time
	finished bool
}

// redrawEvery bounds the number of updates a second.
const redrawEvery = 100 * time.Millisecond

// Progress starts a bar for work of the given number of steps; with total ≤ 0 the number
// is unknown and only a count is shown. Call [Bar.Set] or [Bar.Add] as the work goes on,
// and [Bar.Done] at its end; Set(total) ends it too. The state at the end stays in the
// saved notebook. In a terminal one line is redrawn on standard error; elsewhere only the
// final line is printed.
//
//	bar := show.Progress("training", epochs)
//	defer bar.Done()
//	settings.Record = func(s sgd.Step) error { bar.Set(s.Epoch); return nil }
func Progress(label string, total int) *Bar {
	b := &Bar{label: label, total: total, id: "progress_" + gonbui.UniqueId(), begin: time.Now(), clock: time.Now}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		b.tty = os.Stderr
	}
	return b
}

// Set says that done steps are done.
func (b *Bar) Set(done int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(done)
}

// Add says that n more steps are done.
func (b *Bar) Add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(b.done + n)
}

// Done ends the bar where it stands. Further calls do nothing.
func (b *Bar) Done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finish()
}

func (b *Bar) set(done int) {
	if b.finished {
		return
	}
	b.done = done
	if b.total > 0 && done >= b.total {
		b.finish()
		return
	}
	now := b.clock()
	if now.Sub(b.drawn) < redrawEvery {
		return
	}
	b.drawn = now
	line := b.line(now)
	if _, ok := current().(terminal); !ok {
		current().update(b.id, bundle{html: b.html(line), plain: line})
	} else if b.tty != nil {
		fmt.Fprintf(b.tty, "\r\x1b[K%s", line)
	}
}

func (b *Bar) finish() {
	if b.finished {
		return
	}
	b.finished = true
	line := b.line(b.clock())
	if t, ok := current().(terminal); ok {
		if b.tty != nil {
			fmt.Fprint(b.tty, "\r\x1b[K")
		}
		t.show(bundle{plain: line})
		return
	}
	current().update(b.id, bundle{html: b.html(line), plain: line})
}

// line returns the state in words.
func (b *Bar) line(now time.Time) string {
	elapsed := now.Sub(b.begin)
	s := b.label + ": "
	if b.total > 0 {
		s += fmt.Sprintf("%d of %d", b.done, b.total)
	} else {
		s += fmt.Sprint(b.done)
	}
	if b.done > 0 && elapsed > 0 {
		rate := float64(b.done) / elapsed.Seconds()
		s += fmt.Sprintf(", %s per second", short(rate))
		if !b.finished && b.total > 0 {
			s += ", " + duration(time.Duration(float64(b.total-b.done)/rate*float64(time.Second))) + " left"
		}
	}
	if b.finished {
		s += ", " + duration(elapsed)
	}
	return s
}

func (b *Bar) html(line string) string {
	percent := 100.0
	if b.total > 0 {
		percent = min(100, 100*float64(b.done)/float64(b.total))
	}
	colour, hint := "#0072B2", `<span style="opacity:.7">, ■ stops</span>`
	if b.finished {
		colour, hint = "#009E73", ""
	}
	return fmt.Sprintf(`<div style="max-width:46em"><div style="height:.45em;background:#8884;border-radius:.2em"><div style="height:100%%;width:%.1f%%;background:%s;border-radius:.2em"></div></div><span style="font-size:92%%">%s%s</span></div>`,
		percent, colour, html.EscapeString(line), hint)
}

// short formats a rate with three digits.
func short(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// duration formats a time for people: 0.35 s, 12 s, 3 min 20 s, 2 h 5 min.
func duration(d time.Duration) string {
	switch s := d.Seconds(); {
	case s < 10:
		return fmt.Sprintf("%.2g s", s)
	case s < 60:
		return fmt.Sprintf("%.0f s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", int(s)/60, int(s)%60)
	default:
		return fmt.Sprintf("%d h %d min", int(s)/3600, int(s)/60%60)
	}
}

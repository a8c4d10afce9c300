package show

import (
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// Growing is a figure that is drawn again and again in its place. Its methods may be
// called by several goroutines.
type Growing struct {
	id    string
	clock func() time.Time

	mu       sync.Mutex
	draw     func() (Picture, error) // what has been asked for last and is not drawn yet
	last     Picture                 // what is drawn
	next     time.Time               // no drawing before
	finished bool
}

const (
	liveEvery = 250 * time.Millisecond
	// liveShare bounds the time for drawing: one part in so many of the run.
	liveShare = 10
)

// Live makes a place for a figure that grows during a run. Call [Growing.Draw] as often
// as there is something new, and [Growing.Done] at the end, whose state the saved notebook
// keeps.
//
//	live := show.Live()
//	defer live.Done()
//	settings.Record = func(s sgd.Step) error {
//		loss = append(loss, s.Loss)
//		live.Draw(func() (show.Picture, error) { return figure.Curves(lossCurve(loss)) })
//		return nil
//	}
//
// Outside a notebook only the final state is shown, as by [Figure].
func Live() *Growing {
	return &Growing{id: "live_" + gonbui.UniqueId(), clock: time.Now}
}

// Draw replaces the figure by what draw returns. It does so at once, before it returns, or
// not at all if the last time is too short ago: at most four times a second, and so seldom
// that drawing costs less than a tenth of the run. What was left out last is drawn by
// Done. An error of draw leaves the figure as it is: there may be nothing to draw yet.
func (g *Growing) Draw(draw func() (Picture, error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.finished {
		return
	}
	g.draw = draw
	if _, ok := current().(terminal); ok {
		return
	}
	if begin := g.clock(); !begin.Before(g.next) {
		_ = g.flush()
		end := g.clock()
		g.next = end.Add(max(liveEvery, (liveShare-1)*end.Sub(begin)))
	}
}

// Flush draws what Draw has left out, however short ago the last time is. If that fails
// it returns the error, and the figure stays as it is, also in Done.
func (g *Growing) Flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.flush()
	g.draw = nil
	return err
}

func (g *Growing) flush() error {
	if g.draw == nil {
		return nil
	}
	p, err := g.draw()
	if err != nil {
		return err
	}
	pixels, err := p.Encode("png")
	if err != nil {
		return err
	}
	current().update(g.id, raster(p, pixels, p.Alt()))
	g.last, g.draw = p, nil
	return nil
}

// Done draws what Draw has left out, and ends: the figure gets its caption, its SVG and
// its files as those of [Figure] do. An error of the last Draw stops the cell as [Must]
// does. Further calls do nothing.
func (g *Growing) Done() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.finished {
		return
	}
	g.finished = true
	if g.draw != nil {
		g.last, g.draw = Must(g.draw()), nil
	}
	if g.last == nil {
		return
	}
	b := Must(encoded(g.last, g.last.Alt()))
	Check(export(g.last, b))
	if t, ok := current().(terminal); ok {
		t.show(b)
	} else {
		current().update(g.id, b)
	}
	below(g.last.Caption())
}

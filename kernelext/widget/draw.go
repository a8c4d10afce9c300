package widget

import (
	"context"
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"time"

	"sgdlab/kernelext/show"
)

//go:embed controls.js
var script string

// Draw shows the figure that picture returns for the values of the controls, and while a
// reader moves them draws it anew in its place; see the package comment for when it
// returns. The figure that stays is named, captioned and exported as by show.Figure.
//
// If picture fails for the defaults, Draw stops the cell as show.Must does. Later errors
// are shown beside the controls, and the figure stays as it was.
//
//	a := widget.Slider("a", 0, 3, 1, 31)
//	widget.Draw(func() (show.Picture, error) {
//		return figure.Ellipses(figure.NewEllipsesFigure(problem.ROT(a.Value())))
//	}, a)
func Draw(picture func() (show.Picture, error), controls ...Control) {
	if len(controls) == 0 {
		panic("widget: Draw needs a control; show.Figure shows a figure without")
	}
	draw(show.Context(), picture, controls, newOutput(), limits{5 * time.Second, 2 * time.Minute})
}

// limits are the time-outs of Draw.
type limits struct {
	answer time.Duration // until the page says that the controls are there; GoNB itself waits 3.5 s for its channel
	touch  time.Duration // until the next touch
}

func draw(ctx context.Context, picture func() (show.Picture, error), controls []Control, out output, limit limits) {
	s := &session{controls: controls, last: make([]int, len(controls)), moved: make(chan struct{}, 1), here: make(chan struct{}), done: make(chan struct{})}
	address, ok := out.listen(s.hear)
	if !ok {
		out.show(line(controls, nil))
		show.Figure(show.Must(picture()))
		return
	}
	out.show(page(address, controls))
	live := show.Live()
	live.Draw(picture)
	show.Check(live.Flush())
	var failed error // the last drawing
	s.follow(ctx, limit, func() {
		live.Draw(picture)
		err := live.Flush()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			out.tell(address, err.Error())
		case failed != nil:
			out.tell(address, "")
		}
		failed = err
	})
	out.show(line(controls, failed))
	live.Done()
}

// session is what a reader does with the controls.
type session struct {
	controls []Control
	moved    chan struct{} // something was touched since the last drawing
	here     chan struct{} // closed when the page has answered
	done     chan struct{} // closed when the reader has ended it

	mu             sync.Mutex
	last           []int // number of the last message by control
	isHere, isDone bool
}

// follow calls redraw whenever the reader has moved something, until the end.
func (s *session) follow(ctx context.Context, limit limits, redraw func()) {
	select {
	case <-s.here:
	case <-time.After(limit.answer):
		return
	case <-ctx.Done():
		return
	}
	timer := time.NewTimer(limit.touch)
	defer timer.Stop()
	for {
		select {
		case <-s.moved:
			redraw()
			timer.Reset(limit.touch)
		case <-s.done:
			select {
			case <-s.moved: // just before
				redraw()
			default:
			}
			return
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// hear takes a message of the page: its number, then "here", "done", or a control and its
// position. Of one control's positions the one with the highest number counts. Messages
// that are none of these are left alone.
func (s *session) hear(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fields := strings.Fields(message)
	if len(fields) < 2 {
		return
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil {
		return
	}
	switch {
	case fields[1] == "here":
		if !s.isHere {
			s.isHere = true
			close(s.here)
		}
	case fields[1] == "done":
		if !s.isDone {
			s.isDone = true
			close(s.done)
		}
	case len(fields) == 3:
		i, err := strconv.Atoi(fields[1])
		if err != nil || i < 0 || i >= len(s.controls) {
			return
		}
		position, err := strconv.Atoi(fields[2])
		if err != nil || position < 0 || position >= s.controls[i].positions() {
			return
		}
		_, button := s.controls[i].(*Press)
		if n <= s.last[i] && !button { // every press counts
			return
		}
		s.last[i] = max(s.last[i], n)
		s.controls[i].set(position)
		select {
		case s.moved <- struct{}{}:
		default:
		}
	}
}

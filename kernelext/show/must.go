package show

import (
	"context"
	"errors"
	"fmt"
	"html"
	"os"
	"os/signal"
	"sync"
	"time"
)

// Must returns v, or stops the cell if err is not nil: the error is shown in a red box
// and on standard error, and the program ends with status 1, which GoNB reports as a
// failed cell. The errors of this project name what is wrong and the remedy in one
// sentence.
//
//	train, _, err := dataset.MNIST(show.Data())   // either handle the error
//	spectra := show.Must(figure.T1Panel(r))       // or let it stop the cell
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

// Check stops the cell as [Must] does if err is not nil.
//
//	err := os.Remove("old.json")
//	show.Check(err)
func Check(err error) {
	if err == nil {
		return
	}
	title, colour := "Stopped by an error", "#D55E00"
	if errors.Is(err, context.Canceled) {
		title, colour = "Interrupted", "#767676"
	}
	if _, ok := current().(terminal); !ok {
		current().show(bundle{html: box(colour, title, err.Error()), plain: title + ": " + err.Error()})
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", title, err)
	exit(1)
}

// exit ends the program; tests replace it.
var exit = os.Exit

// box returns a framed text with a bar in the given colour.
func box(colour, title, text string) string {
	return fmt.Sprintf(`<div style="border-left:4px solid %s;background:%s22;padding:.6em 1em;max-width:52em"><b style="color:%s">%s</b><br><span style="white-space:pre-wrap">%s</span></div>`,
		colour, colour, colour, html.EscapeString(title), html.EscapeString(text))
}

// Full reports whether chapters use their long settings: SGDLAB_FULL=1.
//
//	epochs := 100
//	if show.Full() {
//		epochs = 100_000
//	}
func Full() bool { return os.Getenv("SGDLAB_FULL") == "1" }

// Data returns the folder of the real data, the value of SGDLAB_DATA. It is empty if the
// variable is not set; package dataset then looks where downloads are kept.
func Data() string { return os.Getenv("SGDLAB_DATA") }

// Context returns a context that ends when the cell is interrupted; it is the same at
// every call. Work that stops with it has a second and a half to save its state; then the
// program ends, whatever it does, so that an interrupt takes less than two seconds.
//
//	r := show.Must(experiment.T1Panel(show.Context(), experiment.T1Quick()))
func Context() context.Context { return interrupted() }

var interrupted = sync.OnceValue(func() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, func() {
		time.Sleep(grace)
		Check(fmt.Errorf("%w: a step of the cell does not stop in between; what it had saved before is kept", ctx.Err()))
	})
	return ctx
})

// grace is the time between an interrupt and the end of the program. GoNB would kill it, and
// with it what it has to say, after five seconds.
const grace = 1500 * time.Millisecond

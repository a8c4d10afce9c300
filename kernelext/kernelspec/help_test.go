package kernelspec_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// helps are places where a reader asks for help: what stands there, a name that must be
// proposed, and words that its documentation must have beside an example. That the comments of
// all names have these is held by TestComments of the root.
var helps = []struct{ pkg, written, name, says string }{
	{"pkg/noise", "noise.Temp", "Temperature", "Lemma 2"},
	{"pkg/problem", "problem.EX1", "EX19", "Example 19"},
	{"pkg/spectrum", "spectrum.O", "Of", "eigenvalues"},
	{"kernelext/show", "show.Fig", "Figure", "caption"},
	{"kernelext/widget", "widget.Sli", "Slider", "positions"},
}

// function is a cell with an expression in a function, up to the cursor behind it.
func function(pkg, expression string) string {
	return "import \"sgdlab/" + pkg + "\"\n\nfunc f() {\n\t_ = " + expression
}

// warm asks until gopls has read the modules: until then GoNB gives up after some seconds.
func warm(ctx context.Context, tb testing.TB, k *notebook.Kernel) {
	tb.Helper()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // a minute if the machine is busy
	defer cancel()
	for _, h := range helps {
		for asking := true; asking; {
			matches, _, err := k.Complete(ctx, function(h.pkg, h.written))
			if err != nil {
				tb.Fatal(err)
			}
			asking = len(matches) == 0
		}
	}
	tb.Logf("gopls is ready after %v", time.Since(begin).Round(time.Millisecond))
}

// TestHelp asks for completions and documentation as a front end does. How long the warm
// ones take is BenchmarkHelp's to say.
func TestHelp(t *testing.T) {
	if testing.Short() {
		t.Skip("gopls reads the modules first")
	}
	t.Parallel()
	k := kerneltest.Start(t, kernelspec.PureGo, notebook.KernelSettings{Dir: kerneltest.Lab(t).Root})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	warm(ctx, t, k)
	for _, h := range helps {
		code := function(h.pkg, h.written)
		begin := time.Now()
		matches, start, err := k.Complete(ctx, code)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("completion of %s: %d names after %v", h.written, len(matches), time.Since(begin).Round(time.Millisecond))
		if !slices.Contains(matches, h.name) || code[start:] != h.written[strings.Index(h.written, ".")+1:] {
			t.Errorf("completion of %s: got %q in place of %q, want %s", h.written, matches, code[start:], h.name)
		}
		code = function(h.pkg, strings.SplitAfter(h.written, ".")[0]+h.name)
		begin = time.Now()
		text, err := k.Inspect(ctx, code+"\n}\n", len(code)-1)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("help on %s after %v", h.name, time.Since(begin).Round(time.Millisecond))
		example := strings.SplitAfter(h.written, ".")[0] + h.name + "("
		for _, says := range []string{h.name, h.says, example} {
			if !strings.Contains(text, says) {
				t.Errorf("the help on %s lacks %q:\n%s", h.name, says, text)
			}
		}
	}
}

// BenchmarkHelp measures warm completion and documentation; the target is half a second.
//
//	GOEXPERIMENT=simd go test -run '^$' -bench Help -benchtime 20x ./kernelext/kernelspec
func BenchmarkHelp(b *testing.B) {
	k := kerneltest.Start(b, kernelspec.PureGo, notebook.KernelSettings{Dir: kerneltest.Lab(b).Root})
	complete := func(i int) {
		h := helps[i%len(helps)]
		if matches, _, err := k.Complete(b.Context(), function(h.pkg, h.written)); err != nil || len(matches) == 0 {
			b.Fatalf("%s: %q, %v", h.written, matches, err)
		}
	}
	inspect := func(i int) {
		h := helps[i%len(helps)]
		code := function(h.pkg, strings.SplitAfter(h.written, ".")[0]+h.name)
		if text, err := k.Inspect(b.Context(), code+"\n}\n", len(code)-1); err != nil || text == "" {
			b.Fatalf("%s: %q, %v", h.name, text, err)
		}
	}
	warm(b.Context(), b, k)
	for name, ask := range map[string]func(int){"complete": complete, "inspect": inspect} {
		b.Run(name, func(b *testing.B) {
			median(b, func(i int) float64 {
				begin := time.Now()
				ask(i)
				return time.Since(begin).Seconds()
			})
		})
	}
}

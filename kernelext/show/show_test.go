package show

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sgdlab/pkg/ledger/claim"
)

// page records what a notebook would get.
type page struct {
	mu      sync.Mutex
	shown   []bundle
	updates map[string][]bundle
}

func (p *page) show(b bundle) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = append(p.shown, b)
}

func (p *page) update(id string, b bundle) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.updates == nil {
		p.updates = map[string][]bundle{}
	}
	p.updates[id] = append(p.updates[id], b)
}

// silent hides what the test would write to standard error.
func silent(t *testing.T) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stderr
	os.Stderr = null
	t.Cleanup(func() { os.Stderr = old; null.Close() })
}

// use replaces the screen for one test.
func use(t *testing.T, s screen) {
	t.Helper()
	old := current
	current = func() screen { return s }
	t.Cleanup(func() { current = old })
}

func TestMain(m *testing.M) {
	// A copy of this program that does what a cell would do, see inCell.
	switch os.Getenv("SHOW_TEST_CELL") {
	case "must":
		Must(0, errors.New("dataset: no MNIST in /nowhere: run sgdlab data fetch mnist"))
		fmt.Println("not reached")
		os.Exit(0)
	case "canceled":
		Check(fmt.Errorf("training: %w", context.Canceled))
	case "stubborn": // and deaf
		ctx := Context()
		p, err := os.FindProcess(os.Getpid())
		Check(err)
		Check(p.Signal(os.Interrupt))
		<-ctx.Done()
		select {}
	case "plain":
		Title("A title", "below")
		Markdown("$x$")
		bar := Progress("work", 3)
		for range 3 {
			bar.Add(1)
		}
		Table(map[string]int{"b": 2, "a": 1})
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// inCell runs this test program as a cell outside a notebook.
func inCell(t *testing.T, cell string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "SHOW_TEST_CELL="+cell)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestMustStopsTheProgram(t *testing.T) {
	stdout, stderr, code := inCell(t, "must")
	if code != 1 || stdout != "" || strings.Count(stderr, "run sgdlab data fetch mnist") != 1 {
		t.Errorf("got status %d, stdout %q, stderr %q; want status 1 and the error once on stderr", code, stdout, stderr)
	}
	_, stderr, code = inCell(t, "canceled")
	if code != 1 || !strings.HasPrefix(stderr, "Interrupted: training") {
		t.Errorf("got status %d, stderr %q; want an interruption", code, stderr)
	}
	_, stderr, code = inCell(t, "stubborn")
	if code != 1 || !strings.HasPrefix(stderr, "Interrupted: context canceled: a step of the cell") || grace >= 2*time.Second {
		t.Errorf("got status %d, stderr %q; want an interruption after the grace of %v, which is less than two seconds", code, stderr, grace)
	}
	if got := Must(7, nil); got != 7 {
		t.Errorf("Must(7, nil) = %d", got)
	}
}

func TestMustInANotebook(t *testing.T) {
	p := &page{}
	use(t, p)
	silent(t)
	code := 0
	exit = func(c int) { code = c }
	defer func() { exit = os.Exit }()
	Check(errors.New("bad <input> & more"))
	if code != 1 || len(p.shown) != 1 || !strings.Contains(p.shown[0].html, "bad &lt;input&gt; &amp; more") || !strings.Contains(p.shown[0].plain, "bad <input>") {
		t.Errorf("got status %d and %+v", code, p.shown)
	}
}

func TestOutsideANotebook(t *testing.T) {
	stdout, stderr, code := inCell(t, "plain")
	want := []string{"A title\n=======\nbelow\n", "$x$\n", "work: 3 of 3", "a  1\nb  2\n"}
	at := 0
	for _, w := range want {
		i := strings.Index(stdout[at:], w)
		if i < 0 {
			t.Fatalf("stdout lacks %q after byte %d:\n%s", w, at, stdout)
		}
		at += i
	}
	if code != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", code, stderr)
	}
}

func TestTextHasAPlainForm(t *testing.T) {
	p := &page{}
	use(t, p)
	Title("Chapter", "**below**")
	Markdown(`$\lambda$`)
	if got := p.shown[0].markdown; got != "# Chapter\n\n**below**" {
		t.Errorf("title: got %q", got)
	}
	for _, b := range p.shown {
		if b.plain == "" {
			t.Errorf("no plain form: %+v", b)
		}
	}
}

// drawing is a Picture without gonum/plot.
type drawing struct {
	svg int
	err error
}

func (d drawing) Name() string    { return "a-drawing" }
func (d drawing) Caption() string { return "caption <1>" }
func (d drawing) Alt() string     { return "what is seen" }
func (d drawing) Encode(format string) ([]byte, error) {
	if format == "svg" {
		return []byte("<svg>" + strings.Repeat(" ", d.svg)), d.err
	}
	return []byte(format), d.err
}

func TestFigure(t *testing.T) {
	p := &page{}
	use(t, p)
	dir := filepath.Join(t.TempDir(), "new")
	t.Setenv("SGDLAB_FIGURES", dir)
	Figure(drawing{})
	if len(p.shown) != 2 {
		t.Fatalf("got %d outputs, want picture and caption", len(p.shown))
	}
	if b := p.shown[0]; string(b.png) != "png" || b.svg != "<svg>" || b.alt != "what is seen" || !strings.Contains(b.plain, "what is seen") {
		t.Errorf("picture: %+v", b)
	}
	if b := p.shown[1]; !strings.Contains(b.html, "caption &lt;1&gt;") || b.plain != "caption <1>" {
		t.Errorf("caption: %+v", b)
	}
	for _, ext := range []string{"svg", "pdf", "png"} {
		data, err := os.ReadFile(filepath.Join(dir, "a-drawing."+ext))
		if err != nil || !strings.Contains(string(data), ext) {
			t.Errorf("%s: %q, %v", ext, data, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	p.shown = nil
	t.Setenv("SGDLAB_FIGURES", "")
	Figure(drawing{svg: svgLimit}, "mine", "seen")
	if b := p.shown[0]; b.svg != "" || b.png == nil || b.alt != "seen" || p.shown[1].plain != "mine" {
		t.Errorf("a large picture: %+v", p.shown)
	}
}

func TestFigureErrorsStopTheCell(t *testing.T) {
	use(t, &page{})
	silent(t)
	type stopped struct{ code int }
	exit = func(code int) { panic(stopped{code}) }
	defer func() { exit = os.Exit }()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir string
		d   drawing
	}{{"", drawing{err: errors.New("no ink")}}, {filepath.Join(file, "x"), drawing{}}} {
		t.Setenv("SGDLAB_FIGURES", tt.dir)
		func() {
			defer func() {
				if r := recover(); r != (stopped{1}) {
					t.Errorf("%+v: got %v, want the cell to stop", tt, r)
				}
			}()
			Figure(tt.d)
		}()
	}
}

func TestVerdict(t *testing.T) {
	p := &page{}
	use(t, p)
	e := claim.Entry{ID: "A.2", Item: "Appendix A.2", Claim: "a < b", Reason: "round-off", Decides: []string{"A.2", "Lemma 7, nets"}}
	f := claim.Finding{Verdict: claim.Fails, Text: "a > b", Numbers: []claim.Number{
		{Name: "good", Value: 1e-16, Tolerance: 1e-13},
		{Name: "bad", Value: -0.4, Tolerance: 1e-13},
	}}
	Verdict(e, f)
	b := p.shown[0]
	for _, want := range []string{"fails", "a &lt; b", "a &gt; b", "1·10<sup>−16</sup>", "−0.4", "✓", "✗", "Tolerance: round-off.",
		`<a href="ITEMS.md#A.2">A.2</a> · <a href="ITEMS.md#Lemma-7,-nets">Lemma 7, nets</a>`} {
		if !strings.Contains(b.html, want) {
			t.Errorf("html lacks %q: %s", want, b.html)
		}
	}
	for _, want := range []string{"FAILS: Appendix A.2", "claim:   a < b", "ok good", "!! bad", "wanted 0 ± 1e-13", "decides: A.2; Lemma 7, nets (notebooks/ITEMS.md#A.2)"} {
		if !strings.Contains(b.plain, want) {
			t.Errorf("plain lacks %q:\n%s", want, b.plain)
		}
	}
	for v := claim.Undecided; v <= claim.Fails; v++ {
		if verdictColour(v) == "" {
			t.Errorf("%v has no colour", v)
		}
	}
}

func TestFormula(t *testing.T) {
	p := &page{}
	use(t, p)
	Formula("D = "+TeX([][]float64{{1, 1.8}, {1.8, 9}}), "D has the rows (1, 1.8) and (1.8, 9)")
	Formula("a \\le\n b")
	if b := p.shown[0]; b.latex != `$$D = \begin{pmatrix} 1.0 & 1.8 \\ 1.8 & 9.0 \end{pmatrix}$$` || b.plain != "D has the rows (1, 1.8) and (1.8, 9)" {
		t.Errorf("got %q, %q", b.latex, b.plain)
	}
	if b := p.shown[1]; b.plain != `a \le b` {
		t.Errorf("got %q, want the source on one line", b.plain)
	}
	for want, v := range map[string]any{
		"3":                                     3,
		"0.1235":                                0.123456,
		`-1.2 \cdot 10^{-7}`:                    -1.2e-7,
		`\infty`:                                math.Inf(1),
		`-\infty`:                               float32(math.Inf(-1)),
		`\text{NaN}`:                            math.NaN(),
		`\begin{pmatrix} 1 \\ -2 \end{pmatrix}`: []float64{1, -2},
		`\begin{pmatrix} 1 & 0 & -2 \end{pmatrix}`:                                   [][]float64{{1, 0, -2}},
		`\begin{pmatrix} 0 & 2.000 \cdot 10^{-9} \end{pmatrix}`:                      [][]float64{{0, 2e-9}},
		`\begin{pmatrix} 1.200 \cdot 10^{-10} \\ 3.400 \cdot 10^{-10} \end{pmatrix}`: []float64{1.2e-10, 3.4e-10},
	} {
		if got := TeX(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
	for want, v := range map[string]any{
		"cannot make a formula of string": "x",
		"of 0×0 entries":                  [][]float64{},
		"13×1 is too large":               make([]float64, 13),
		"row 1 of the formula":            [][]float64{{1}, {1, 2}},
	} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.Contains(r, want) {
					t.Errorf("%v: got %q, want %q", v, r, want)
				}
			}()
			TeX(v)
		}()
	}
}

func TestProgressIsThrottledAndEnds(t *testing.T) {
	p := &page{}
	use(t, p)
	bar := Progress("work", 1000)
	now := bar.begin
	bar.clock = func() time.Time { return now }
	for i := range 1000 {
		now = now.Add(2 * time.Millisecond)
		bar.Set(i + 1)
	}
	updates := p.updates[bar.id]
	// 2 s at most every 100 ms, the first at once, and the final one.
	if n := len(updates); n < 20 || n > 21 {
		t.Errorf("got %d updates in 2 s, want 20 or 21", n)
	}
	first, last := updates[0], updates[len(updates)-1]
	if !strings.Contains(first.plain, "1 of 1000") || !strings.Contains(first.plain, "left") {
		t.Errorf("first: %q", first.plain)
	}
	if last.plain != "work: 1000 of 1000, 500 per second, 2 s" || !strings.Contains(last.html, "100.0%") {
		t.Errorf("last: %q, %s", last.plain, last.html)
	}
	bar.Add(1)
	bar.Done()
	if len(p.updates[bar.id]) != len(updates) {
		t.Error("a finished bar was updated")
	}

	open := Progress("count", 0)
	open.Add(5)
	open.Done()
	if u := p.updates[open.id]; len(u) != 2 || !strings.HasPrefix(u[1].plain, "count: 5") {
		t.Errorf("unknown total: %+v", u)
	}
}

func TestLiveIsThrottledAndEndsWithTheLastState(t *testing.T) {
	p := &page{}
	use(t, p)
	t.Setenv("SGDLAB_FIGURES", t.TempDir())
	live := Live()
	now := time.Now()
	live.clock = func() time.Time { return now }
	drawn, state := 0, 0
	draw := func() (Picture, error) {
		drawn++
		now = now.Add(100 * time.Millisecond) // what drawing costs
		return grown{state}, nil
	}
	live.Draw(func() (Picture, error) { return nil, errors.New("nothing yet") })
	for i := range 300 {
		state = i + 1
		now = now.Add(20 * time.Millisecond)
		live.Draw(draw)
	}
	// 6 s of work and at most a tenth of the whole for drawings of 0.1 s.
	if drawn < 5 || drawn > 7 {
		t.Errorf("drawn %d times in 6 s, want about 6", drawn)
	}
	live.Done()
	live.Done()
	u := p.updates[live.id]
	if len(u) != drawn || u[len(u)-1].svg == "" || u[0].svg != "" || !strings.Contains(u[len(u)-1].plain, "state 300") {
		t.Errorf("%d updates, the last is %+v; want the final state with its SVG", len(u), u[len(u)-1])
	}
	if len(p.shown) != 1 || p.shown[0].plain != "caption" {
		t.Errorf("got %+v, want the caption below", p.shown)
	}
	if _, err := os.Stat(filepath.Join(os.Getenv("SGDLAB_FIGURES"), "grows.pdf")); err != nil {
		t.Error(err)
	}
	live.Draw(draw)
	if err := live.Flush(); err != nil || len(p.updates[live.id]) != len(u) {
		t.Errorf("a finished figure was updated: %v", err)
	}
}

func TestLiveFlush(t *testing.T) {
	p := &page{}
	use(t, p)
	live := Live()
	for i := range 3 {
		live.Draw(func() (Picture, error) { return grown{i}, nil })
		if err := live.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.updates[live.id]); n != 3 {
		t.Errorf("got %d updates, want 3", n)
	}
	live.Draw(func() (Picture, error) { return nil, errors.New("too large") })
	if err := live.Flush(); err == nil || err.Error() != "too large" {
		t.Errorf("got %v", err)
	}
}

func TestLiveOutsideANotebook(t *testing.T) {
	var out strings.Builder
	use(t, terminal{&out})
	live := Live()
	for i := range 3 {
		live.Draw(func() (Picture, error) { return grown{i}, nil })
	}
	live.Done()
	if want := "[grows] state 2\ncaption\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// grown is a picture of a state.
type grown struct{ state int }

func (d grown) Name() string    { return "grows" }
func (d grown) Caption() string { return "caption" }
func (d grown) Alt() string     { return fmt.Sprint("state ", d.state) }
func (d grown) Encode(format string) ([]byte, error) {
	return []byte(format), nil
}

func TestHeatMap(t *testing.T) {
	p := &page{}
	use(t, p)
	HeatMap([][]float64{{-2, 0, 1}, {0, 2, math.NaN()}}, "D", "of a toy")
	b := p.shown[0]
	if want := "D of a toy\n[heat map of a 2×3 matrix, entries from -2 to 2, 1 not finite (grey)]"; b.plain != want {
		t.Errorf("got %q, want %q", b.plain, want)
	}
	_, src, _ := strings.Cut(b.html, "base64,")
	src, _, _ = strings.Cut(src, `"`)
	m, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(src)))
	if err != nil {
		t.Fatal(err)
	}
	if m.Bounds().Size() != image.Pt(3, 2) {
		t.Errorf("the picture has %v squares", m.Bounds().Size())
	}
	for _, tt := range []struct {
		x, y int
		want color.NRGBA
	}{{0, 0, heatDown}, {1, 1, heatUp}, {1, 0, color.NRGBA{255, 255, 255, 255}}, {2, 1, heatNone}, {2, 0, blend(heatUp, 0.5)}} {
		if got := color.NRGBAModel.Convert(m.At(tt.x, tt.y)); got != tt.want {
			t.Errorf("square %d, %d is %v, want %v", tt.x, tt.y, got, tt.want)
		}
	}
	for _, want := range []string{"−2", "D of a toy", `alt="heat map of a 2×3`} {
		if !strings.Contains(b.html, want) {
			t.Errorf("html lacks %q: %s", want, b.html)
		}
	}
}

// A long matrix is pooled, and nothing of it is lost from sight.
func TestHeatMapOfMany(t *testing.T) {
	const n = 1300
	row := make([]float64, n)
	row[777] = 5
	h := newHeat(newGrid(row, "heat map"), false)
	if got := h.picture.Bounds().Size(); got != image.Pt((n+2)/3, 1) {
		t.Errorf("got %v squares, want a third of %d", got, n)
	}
	if h.picture.NRGBAAt(777/3, 0) != heatUp {
		t.Error("the only entry is not seen")
	}
}

func TestLogHeatMap(t *testing.T) {
	h := newHeat(newGrid([][]float64{{1, 1e-3, 1e-6}, {0, -1, 1e-20}}, "heat map"), true)
	white := color.NRGBA{255, 255, 255, 255}
	for i, want := range []color.NRGBA{heatUp, blend(heatUp, 0.55), blend(heatUp, 0.1)} {
		if got := h.picture.NRGBAAt(i, 0); got != want {
			t.Errorf("entry %d is %v, want %v", i, got, want)
		}
		if got := h.picture.NRGBAAt(i, 1); got != white {
			t.Errorf("entry %d below the floor is %v, want white", i, got)
		}
	}
	if h.smallest != 1e-6 || h.largest != 1 {
		t.Errorf("scale from %g to %g", h.smallest, h.largest)
	}
	for _, m := range []any{[]float64{0, 0}, []float64{3}, []float64{math.NaN()}, []float64{-1}} {
		newHeat(newGrid(m, "heat map"), true).html() // divides by nothing
		newHeat(newGrid(m, "heat map"), false).html()
	}
}

func TestHeatMapRefuses(t *testing.T) {
	for _, tt := range []struct {
		m    any
		want string
	}{
		{nil, "heat map of <nil>"}, {[]string{"a"}, "[]string"}, {[]float64{}, "1×0"}, {[][]float64{}, "0×0"},
		{[][]float64{{1, 2}, {3}}, "row 1 of the heat map has 1 entries, row 0 has 2"},
	} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.HasPrefix(r, "show: ") || !strings.Contains(r, tt.want) {
					t.Errorf("%v: got %q, want a panic with %q", tt.m, r, tt.want)
				}
			}()
			newGrid(tt.m, "heat map")
		}()
	}
}

func TestProgressFromManyGoroutines(t *testing.T) {
	p := &page{}
	use(t, p)
	bar := Progress("parallel", 4000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				bar.Add(1)
			}
		})
	}
	wg.Wait()
	u := p.updates[bar.id]
	if !strings.Contains(u[len(u)-1].plain, "4000 of 4000") {
		t.Errorf("last: %q", u[len(u)-1].plain)
	}
}

func TestProgressInATerminal(t *testing.T) {
	var out, tty strings.Builder
	use(t, terminal{&out})
	bar := Progress("work", 10)
	bar.tty = &tty
	bar.Set(3)
	bar.Set(10)
	if !strings.Contains(tty.String(), "3 of 10") || strings.Count(out.String(), "\n") != 1 || !strings.Contains(out.String(), "10 of 10") {
		t.Errorf("terminal %q, output %q", tty.String(), out.String())
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		350 * time.Millisecond: "0.35 s", 12 * time.Second: "12 s", 200 * time.Second: "3 min 20 s", 7500 * time.Second: "2 h 5 min",
	} {
		if got := duration(d); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSettingsOfTheEnvironment(t *testing.T) {
	t.Setenv("SGDLAB_FULL", "1")
	t.Setenv("SGDLAB_DATA", "/data")
	if !Full() || Data() != "/data" {
		t.Errorf("got %v, %q", Full(), Data())
	}
	t.Setenv("SGDLAB_FULL", "0")
	if Full() {
		t.Error("SGDLAB_FULL=0 is not full")
	}
	if Context() != Context() || Context().Err() != nil {
		t.Error("Context is not one living context")
	}
}

// The time a cell takes to link is the time its reader waits.
func TestImportsAreLight(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skipf("go list does not work here: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		for _, heavy := range []string{"gomlx", "gonum.org", "sgdlab/pkg/noise", "sgdlab/pkg/figure"} {
			if strings.Contains(line, heavy) {
				t.Errorf("package show depends on %s", strings.TrimSpace(line))
			}
		}
	}
}

func Example() {
	type run struct {
		Network    string
		Weights    int
		StableRank float64
		Time       float64 `unit:"s"`
	}
	Table([]run{{"small-fc", 3978, 9.1432, 41.2}, {"tiny-fc", 917, 10.3, 3.05}}, "Our numbers")
	// Output:
	// Our numbers
	// network   weights  stable rank  time [s]
	// --------  -------  -----------  --------
	// small-fc     3978         9.14     41.20
	// tiny-fc       917        10.30      3.05
}

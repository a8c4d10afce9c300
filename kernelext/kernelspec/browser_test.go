package kernelspec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
	"sgdlab/pkg/ledger/claim"
)

// labPage is a page of JupyterLab with one notebook.
type labPage struct{ *page }

// js is what the scripts of the tests share. The application is there because the server
// runs with --LabApp.expose_app_in_browser.
const js = `
globalThis.lab = {
	panel: () => jupyterapp.shell.currentWidget,
	cells: () => lab.panel().content.widgets,
	kernel: () => lab.panel().sessionContext.session?.kernel,
	idle: () => lab.kernel()?.status === "idle",
	ran: () => lab.cells().filter(c => c.model.type === "code").every(c => c.model.executionState === "idle" && c.model.executionCount > 0),
	outputs: () => lab.cells().filter(c => c.model.type === "code").flatMap(c => c.model.outputs.toJSON()),
	run: (id) => { jupyterapp.commands.execute(id); },
	select: (i) => { lab.panel().content.activeCellIndex = i; },
	html: (i) => lab.cells()[i].outputArea?.node.innerHTML ?? "",
	text: (i) => lab.cells()[i].outputArea?.node.innerText ?? "",
	write: (i, text, at) => { // and put the cursor behind what is at
		lab.select(i);
		lab.panel().content.mode = "edit";
		const e = lab.cells()[i].editor;
		e.model.sharedModel.setSource(text);
		e.focus();
		e.setCursorPosition(e.getPositionAt(text.indexOf(at) + at.length));
	},
	box: (e) => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; },
};
`

// openNotebook opens a notebook and waits for its kernel.
func (p labPage) openNotebook(address, path string) {
	p.t.Helper()
	p.open(address + "/lab/tree/" + path + "?token=secret&reset")
	p.wait("JupyterLab", fmt.Sprintf("globalThis.jupyterapp?.shell.currentWidget?.context?.path === %q", path))
	p.eval(js)
	t := p.t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the kernel is %s", p.eval("lab.kernel()?.status"))
		}
	})
	// While Jupyter's server greets the kernel it drops what the kernel says of its state,
	// the answer to the page included. To the page the state is unknown then, until a cell
	// is run.
	p.wait("the kernel", "lab.panel().sessionContext?.isReady && (lab.idle() || lab.kernel()?.connectionStatus === 'connected' && lab.kernel().status === 'unknown')")
}

// count returns the number that a script gives.
func (p labPage) count(script string) int {
	p.t.Helper()
	n, err := strconv.Atoi(p.eval(script))
	if err != nil {
		p.t.Fatalf("%v: %s", err, script)
	}
	return n
}

// writeNotebook makes a notebook of code cells, and of Markdown cells where they begin with #.
func writeNotebook(t *testing.T, path, kernel string, sources ...string) {
	t.Helper()
	nb := &notebook.Notebook{Minor: 5, Metadata: map[string]any{
		"kernelspec": map[string]any{"name": kernel, "display_name": kernel, "language": "go"},
	}}
	for i, source := range sources {
		c := &notebook.Cell{ID: fmt.Sprint("cell-", i), Type: notebook.Code, Source: source, Metadata: map[string]any{}}
		if strings.HasPrefix(source, "# ") {
			c.Type = notebook.Markdown
		}
		nb.Cells = append(nb.Cells, c)
	}
	if err := nb.WriteFile(path); err != nil {
		t.Fatal(err)
	}
}

// cells of the notebook that is played with, by index.
const (
	progressCell = 1 + iota
	tableCell
	sliderCell
	longCell
	afterCell
	writtenCell
)

var played = []string{
	"# Controls\n\nA slider over $\\lambda$: $$\\int e^{-\\Phi}\\,dx = Z.$$",
	"import (\n\t\"time\"\n\n\t\"sgdlab/kernelext/show\"\n)\n\n%%\nbar := show.Progress(\"working\", 30)\nfor range 30 {\n\ttime.Sleep(50 * time.Millisecond)\n\tbar.Add(1)\n}",
	"%%\nshow.Table([]struct{ Name string; Rank float64 `unit:\"%\"` }{{\"small-fc\", 18.9}, {\"tiny-fc\", 4.25}}, \"Ranks\")\nshow.HeatMap([][]float64{{2, -1, 0}, {-1, 2, -1}, {0, -1, 2}}, \"A second difference\")",
	"import (\n\t\"sgdlab/kernelext/widget\"\n\t\"sgdlab/pkg/figure\"\n\t\"sgdlab/pkg/problem\"\n)\n\n%%\n" +
		"lambda := widget.Slider(\"λ\", 0, 1.5, 0.5, 16)\nkind := widget.Choice(\"lines\", false, true)\n" +
		"widget.Draw(func() (show.Picture, error) {\n\ts := problem.EX19(lambda.Value()).System()\n" +
		"\treturn figure.Landscape(figure.LandscapeFigure{System: s.Name, Box: problem.Box{XMin: -2, XMax: 2, YMin: -2, YMax: 2}, LinesOnly: kind.Value(),\n" +
		"\t\tPanels: []figure.LandscapePanel{{Potential: s.Potential, Vectors: s.Drift}}})\n}, lambda, kind)\nfmt.Println(\"then λ =\", lambda.Value())",
	"%%\nfmt.Println(\"begun\")\nfor {\n}",
	"%%\nfmt.Println(\"alive\")",
	"",
}

// TestBrowser uses JupyterLab as a reader does.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a minute")
	}
	lab := kerneltest.Lab(t)
	dir := t.TempDir()
	p := labPage{chromium(t)}
	settings := filepath.Join(dir, "settings")
	// All cells are on the page, wherever it is scrolled to.
	for file, text := range map[string]string{
		"notebook-extension/tracker":  `{"windowingMode": "none"}`,
		"docmanager-extension/plugin": `{"defaultViewers": {"markdown": "Markdown Preview"}}`, // as set-up has it
	} {
		path := filepath.Join(settings, "@jupyterlab", filepath.FromSlash(file)+".jupyterlab-settings")
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	address := startLab(t, lab, dir, "--LabApp.expose_app_in_browser=True",
		"--LabApp.workspaces_dir="+filepath.Join(dir, "workspaces"), "--LabApp.user_settings_dir="+settings)
	// Nothing that a test does may leave the page with errors, or ask another machine.
	quiet := func(t *testing.T) {
		t.Helper()
		c := slices.DeleteFunc(p.complaints(), func(c string) bool {
			// JupyterLab's, of the answer that was dropped: see openNotebook.
			return strings.Contains(c, "Canceled future for kernel_info_request")
		})
		if len(c) > 0 {
			t.Errorf("the page complains: %q", c)
		}
		if a := p.outside(); len(a) > 0 {
			t.Errorf("the page asks for %q", a)
		}
	}

	t.Run("chapter", func(t *testing.T) {
		p.t = t
		const chapter = "02_continuous_time.ipynb"
		b, err := os.ReadFile(filepath.Join(lab.Root, "notebooks", chapter))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, chapter), b, 0o666); err != nil {
			t.Fatal(err)
		}
		p.openNotebook(address, chapter)
		p.wait("the formulas", "document.querySelectorAll('.jp-MarkdownCell mjx-container svg, .jp-MarkdownCell mjx-container mjx-math').length > 2")
		p.screenshot("chapter-open")
		p.eval("lab.run('notebook:run-all-cells')")
		p.wait("all cells", "lab.ran() && lab.idle()")
		if n := p.count("lab.outputs().filter(o => o.output_type === 'error').length"); n > 0 {
			t.Errorf("%d cells have failed", n)
		}
		pictures := p.count("lab.outputs().filter(o => o.data && o.data['image/png']).length")
		tables := p.count("lab.outputs().filter(o => o.data && (o.data['text/html'] || '').includes('<table')).length")
		if pictures == 0 || tables == 0 {
			t.Errorf("the chapter shows %d pictures and %d tables", pictures, tables)
		}
		for what, has := range map[string]string{"img, svg": "o.data['image/png']", "table": "(o.data['text/html'] || '').includes('<table')"} {
			cell := p.count("lab.cells().findIndex(c => c.model.type === 'code' && c.model.outputs.toJSON().some(o => o.data && " + has + "))")
			p.eval(fmt.Sprintf("lab.cells()[%d].outputArea.node.scrollIntoView()", cell))
			p.wait("a visible "+what, fmt.Sprintf("[...lab.cells()[%d].outputArea.node.querySelectorAll('%s')].some(e => lab.box(e)[2] > 100 && lab.box(e)[3] > 30 && (e.tagName !== 'IMG' || e.naturalWidth > 100))", cell, what))
			p.screenshot("chapter-" + what[:3])
		}
		quiet(t)
	})

	// All chapters as they are saved, without a kernel: nothing is run.
	t.Run("chapters", func(t *testing.T) {
		p.t = t
		if err := os.CopyFS(filepath.Join(dir, "chapters"), os.DirFS(filepath.Join(lab.Root, "notebooks"))); err != nil {
			t.Fatal(err)
		}
		paths, err := filepath.Glob(filepath.Join(dir, "chapters", "*.ipynb"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no chapters: %v", err)
		}
		p.open(address + "/lab?token=secret&reset")
		p.wait("JupyterLab", "globalThis.jupyterapp?.shell.currentWidget")
		p.eval(js)
		p.eval("Object.defineProperty(jupyterapp.docRegistry.getWidgetFactory('Notebook'), 'preferKernel', {value: false}); 0")
		for _, path := range paths {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".ipynb"), func(t *testing.T) {
				p.t = t
				nb, err := notebook.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				formulas, latex, pictures, tables := 0, 0, 0, 0
				for _, c := range nb.Cells {
					if c.Type == notebook.Markdown && strings.Contains(c.Source, "$") {
						formulas++
					}
					for _, o := range c.Outputs {
						if o.Data["image/png"] != nil {
							pictures++
						}
						if o.Data["text/latex"] != nil {
							latex++
						}
						html, _ := o.Data["text/html"].(string)
						tables += strings.Count(html, "<table")
					}
				}
				if formulas == 0 || pictures == 0 || tables == 0 {
					t.Errorf("the file has %d cells with formulas, %d pictures and %d tables", formulas, pictures, tables)
				}
				name := "chapters/" + filepath.Base(path)
				p.eval(fmt.Sprintf("jupyterapp.commands.execute('docmanager:open', {path: %q, factory: 'Notebook'}); 0", name))
				p.wait("the chapter", fmt.Sprintf("lab.panel()?.context?.path === %q && lab.panel().context.isReady", name))
				p.wait("the formulas", fmt.Sprintf("lab.cells().filter(c => c.node.matches('.jp-MarkdownCell') && c.node.querySelector('.jp-RenderedMarkdown mjx-container')).length === %d", formulas))
				p.wait("the formulas of the outputs", fmt.Sprintf("lab.panel().node.querySelectorAll('.jp-OutputArea .jp-RenderedLatex mjx-container').length === %d", latex))
				const seen = "filter(e => lab.box(e)[2] > 100 && lab.box(e)[3] > 15)"
				p.wait("the pictures", fmt.Sprintf("[...lab.panel().node.querySelectorAll('.jp-OutputArea img')].%s.filter(e => e.naturalWidth > 100).length === %d", seen, pictures))
				p.wait("the tables", fmt.Sprintf("[...lab.panel().node.querySelectorAll('.jp-OutputArea table')].%s.length === %d", seen, tables))
				if s := p.eval("[...lab.panel().node.querySelectorAll('.jp-RenderedMarkdown img')].filter(e => e.complete && e.naturalWidth === 0).map(e => e.src)"); s != "[]" {
					t.Errorf("pictures of the text are not there: %s", s)
				}
				// MathJax shows what it cannot read in red, or leaves the dollars.
				if s := p.eval(`[...lab.panel().node.querySelectorAll('mjx-merror, [data-mjx-error], [data-mml-node="merror"]')].map(e => e.textContent)`); s != "[]" {
					t.Errorf("formulas with errors: %s", s)
				}
				if s := p.eval(`lab.cells().filter(c => c.node.matches('.jp-MarkdownCell')).map(c => c.node.querySelector('.jp-RenderedMarkdown').innerText).filter(s => /\$|\\[a-z]{2}/.test(s))`); s != "[]" {
					t.Errorf("formulas that are not drawn: %s", s)
				}
				p.tall("lab.panel().node.querySelector('.jp-WindowedPanel-outer').scrollHeight", "chapter-"+filepath.Base(path)[:2])
				quiet(t)
				p.eval("lab.panel().dispose()")
			})
		}
	})

	run := func(cell int) { p.eval(fmt.Sprintf("lab.select(%d); lab.run('notebook:run-cell')", cell)) }
	writeNotebook(t, filepath.Join(dir, "played.ipynb"), kernelspec.PureGo, played...)
	opened := false
	open := func(t *testing.T) {
		t.Helper()
		p.t = t
		if !opened {
			p.openNotebook(address, "played.ipynb")
			opened = true
		}
	}

	t.Run("progress", func(t *testing.T) {
		open(t)
		p.eval(fmt.Sprintf("globalThis.widths = new Set(); globalThis.timer = setInterval(() => { const e = [...lab.cells()[%d].outputArea.node.querySelectorAll('div')].find(e => e.style.width.endsWith('%%')); if (e) widths.add(e.style.width); }, 20)", progressCell))
		run(progressCell)
		p.wait("some progress", "widths.size > 2")
		p.screenshot("progress")
		p.wait("the end", fmt.Sprintf("lab.text(%d).includes('30 of 30')", progressCell))
		if n := p.count("clearInterval(timer), widths.size"); n < 4 {
			t.Errorf("the bar had %d lengths: %s", n, p.eval("[...widths].join()"))
		}
		run(tableCell)
		p.wait("the table and the heat map", fmt.Sprintf("lab.html(%d).includes('tiny-fc') && lab.cells()[%d].outputArea.node.querySelector('img')?.naturalWidth === 3", tableCell, tableCell))
		p.eval(fmt.Sprintf("lab.cells()[%d].node.scrollIntoView()", tableCell))
		p.screenshot("table")
		quiet(t)
	})

	t.Run("slider", func(t *testing.T) {
		open(t)
		run(progressCell) // the import
		run(sliderCell)
		p.eval(fmt.Sprintf("globalThis.area = () => lab.cells()[%d].outputArea.node; globalThis.picture = () => area().querySelector('img, svg.figure, .jp-RenderedSVG svg')", sliderCell))
		p.wait("the slider", "area().querySelector('input[type=range]') && picture()?.naturalWidth > 100")
		p.eval("area().scrollIntoView()")
		time.Sleep(300 * time.Millisecond) // the page comes to rest
		p.screenshot("slider-before")
		p.eval("globalThis.before = picture().src")
		var box [4]float64
		decode(t, p.eval("lab.box(area().querySelector('input[type=range]'))"), &box)
		y := box[1] + box[3]/2
		p.drag(box[0]+box[2]*0.33, y, box[0]+box[2]-4, y)
		p.wait("another picture", "picture().src !== before")
		p.wait("the value", "area().querySelector('output').textContent === '1.5'")
		p.wait("the last picture", fmt.Sprintf("lab.cells()[%d].model.outputs.toJSON().some(o => o.data?.['image/png'] && o.data['text/plain'].includes('λ = 1.5'))", sliderCell))
		p.screenshot("slider-after")
		p.eval("globalThis.before = picture().src; const s = area().querySelector('select'); s.value = 1; s.dispatchEvent(new Event('change'))")
		p.wait("the picture of the choice", "picture().src !== before")
		p.eval("area().querySelector('[data-done]').click()")
		p.wait("the end of the cell", fmt.Sprintf("lab.text(%d).includes('then λ = 1.5')", sliderCell))
		p.wait("the line of values", fmt.Sprintf("lab.text(%d).includes('λ = 1.5, lines = true') && !area().querySelector('input')", sliderCell))
		p.screenshot("slider-done")
		if n := p.count(fmt.Sprintf("JSON.stringify(lab.cells()[%d].model.outputs.toJSON()).split('<script').length - 1", sliderCell)); n > 0 {
			t.Errorf("%d scripts are left in the notebook", n)
		}
		quiet(t)
	})

	t.Run("completion and help", func(t *testing.T) {
		open(t)
		const head = "import \"sgdlab/pkg/noise\"\n\nfunc f() float64 {\n\treturn "
		p.eval(fmt.Sprintf("lab.write(%d, %q, 'Temp')", writtenCell, head+"noise.Temp\n}"))
		// gopls reads the modules first, which is not what is tested here.
		p.eval("globalThis.known = false; lab.panel().sessionContext.session.kernel.requestComplete({code: '%%\\nfmt.Pri', cursor_pos: 10}).then(() => { known = true; }); 0")
		p.wait("gopls", "known")
		p.press("Tab", 9, 0, "document.querySelector('.jp-Completer:not(.lm-mod-hidden)')?.innerText.includes('Temperature') || lab.cells()["+fmt.Sprint(writtenCell)+"].model.sharedModel.source.includes('noise.Temperature')")
		p.screenshot("completion")
		p.key("Escape", 27, 0)
		p.eval(fmt.Sprintf("lab.write(%d, %q, 'Temp')", writtenCell, head+"noise.Temperature(0.1, 1, 60000, noise.WithReplacement)\n}"))
		p.press("Tab", 9, 8, "document.querySelector('.jp-Tooltip')?.innerText.includes('Temperature')")
		p.screenshot("tooltip")
		quiet(t)
	})

	t.Run("interrupt and restart", func(t *testing.T) {
		open(t)
		// A tenth of a second is usual. Where the cell stops is ours to say, when a loaded machine
		// lets page, server and kernel speak is not: the best of three counts.
		best := time.Hour
		for range 3 {
			run(longCell)
			p.wait("the loop", fmt.Sprintf("!lab.idle() && lab.text(%d).includes('begun')", longCell))
			begin := time.Now()
			p.eval("lab.run('notebook:interrupt-kernel')")
			p.wait("the end of the loop", "lab.idle()")
			best = min(best, time.Since(begin))
			t.Logf("interrupted within %v", time.Since(begin).Round(10*time.Millisecond))
			if best < 2*time.Second {
				break
			}
		}
		if best >= 2*time.Second {
			t.Errorf("the cell ended %v after the interrupt", best)
		}
		p.screenshot("interrupted")
		run(afterCell)
		p.wait("a later cell", fmt.Sprintf("lab.text(%d).includes('alive')", afterCell))

		p.eval(fmt.Sprintf("lab.panel().content.model.sharedModel.deleteCellRange(%d, %d)", longCell, longCell+1)) // would run for ever
		p.eval(fmt.Sprintf("lab.panel().content.model.sharedModel.deleteCellRange(%d, %d)", sliderCell, sliderCell+1))
		p.eval("lab.panel().content.model.sharedModel.deleteCellRange(lab.cells().length - 1, lab.cells().length)")
		p.eval("globalThis.alive = lab.cells().length - 1; lab.run('notebook:restart-run-all')")
		p.wait("the question", "document.querySelector('.jp-Dialog .jp-mod-accept')")
		p.eval("document.querySelector('.jp-Dialog .jp-mod-accept').click()")
		p.wait("all cells of the fresh kernel", "lab.idle() && lab.cells()[alive].model.executionCount === alive && lab.text(alive).includes('alive')")
		p.screenshot("restarted")
		quiet(t)
	})

	// A formula is drawn, and the link of a verdict opens the list of the items.
	t.Run("formula and link", func(t *testing.T) {
		p.t = t
		writeNotebook(t, filepath.Join(dir, "linked.ipynb"), kernelspec.PureGo, "import (\n\t\"sgdlab/kernelext/show\"\n\t\"sgdlab/pkg/ledger\"\n)\n\n%%\n"+
			"show.Formula(\"D = \"+show.TeX([][]float64{{1, 1.8}, {1.8, 9}}))\ne, _ := ledger.Find(\"A.2\")\nshow.Verdict(e, show.Must(e.Check(show.Context())))")
		items, err := os.ReadFile(filepath.Join(lab.Root, "notebooks", claim.Page))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, claim.Page), items, 0o666); err != nil {
			t.Fatal(err)
		}
		p.openNotebook(address, "linked.ipynb")
		run(0)
		p.wait("the formula and the verdict", "lab.cells()[0].outputArea.node.querySelector('mjx-container') && lab.text(0).includes('Decides')")
		time.Sleep(500 * time.Millisecond) // the fonts of the formula come
		p.screenshot("verdict")
		p.eval("[...lab.cells()[0].outputArea.node.querySelectorAll('a')].find(a => a.innerText === 'A.2').click()")
		p.wait("the list of the items", fmt.Sprintf("lab.panel()?.context?.path === %q && lab.panel().node.innerText.includes('Without replacement the variance')", claim.Page))
		time.Sleep(500 * time.Millisecond) // it scrolls
		p.screenshot("items")
		quiet(t)
	})

	// "Run All" does not wait for anybody to touch a slider.
	t.Run("run all", func(t *testing.T) {
		p.t = t
		again := strings.SplitAfter(played[sliderCell], "%%\n")[1]
		writeNotebook(t, filepath.Join(dir, "sliders.ipynb"), kernelspec.PureGo, played[tableCell-1], played[sliderCell], "%%\n"+again, played[afterCell])
		p.openNotebook(address, "sliders.ipynb")
		begin := time.Now()
		p.eval("lab.run('notebook:run-all-cells')")
		p.wait("the last cell", "lab.ran() && lab.idle() && lab.text(3).includes('alive')")
		// Untouched, two sliders would take four minutes.
		if d := time.Since(begin); d > 90*time.Second {
			t.Errorf("the cells took %v", d)
		}
		if n := p.count("lab.outputs().filter(o => o.data?.['image/png']).length"); n != 2 {
			t.Errorf("%d pictures, want the two of the defaults", n)
		}
		p.screenshot("run-all")
		// By itself it waits for its reader, until another cell is run.
		run(1)
		p.wait("the slider", "lab.cells()[1].outputArea.node.querySelector('input[type=range]')")
		time.Sleep(time.Second) // five looks at what waits
		if p.eval("!!lab.cells()[1].outputArea.node.querySelector('input[type=range]')") != "true" {
			t.Error("the slider has ended by itself")
		}
		run(3)
		p.wait("the other cell", "lab.idle() && lab.cells()[3].model.executionCount === 6")
		quiet(t)
	})

	// A clone that is gone: the notebook says so, instead of "kernel died".
	t.Run("notice", func(t *testing.T) {
		p.t = t
		broken := filepath.Join(lab.DataDir(), "kernels", "sgdlab-browser-test")
		t.Cleanup(func() { os.RemoveAll(broken) })
		if err := os.MkdirAll(broken, 0o777); err != nil {
			t.Fatal(err)
		}
		spec := fmt.Sprintf(`{"argv": [%q, "kernel", "launch", "{connection_file}"], "display_name": "broken", "language": "go", "interrupt_mode": "message", "env": {"SGDLAB_ROOT": "/no/such/clone"}}`, lab.Tool("sgdlab"))
		if err := os.WriteFile(filepath.Join(broken, "kernel.json"), []byte(spec), 0o666); err != nil {
			t.Fatal(err)
		}
		writeNotebook(t, filepath.Join(dir, "broken.ipynb"), "sgdlab-browser-test", "%%\nfmt.Println(1)")
		p.openNotebook(address, "broken.ipynb")
		run(0)
		p.wait("the notice", "lab.text(0).includes('run ./scripts/lab in a clone')")
		p.screenshot("notice")
		quiet(t)
	})
}

package kernelspec_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// page is a tab of a chromium without a window, driven over its debugging pipe: JSON with a
// zero byte after each message, see https://chromedevtools.github.io/devtools-protocol/.
type page struct {
	t       *testing.T
	ctx     context.Context
	pipe    io.Writer
	session string

	mu       sync.Mutex
	id       int
	waiting  map[int]chan reply
	complain []string // errors of scripts and of the page, in order
	asked    []string // addresses that were asked for
}

type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

// chromium opens a page. It skips the test where there is no browser, unless
// SGDLAB_BROWSER=required. Names are looked up on this machine only.
func chromium(t *testing.T) *page {
	t.Helper()
	exe := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			exe = path
			break
		}
	}
	if exe == "" {
		if os.Getenv("SGDLAB_BROWSER") == "required" {
			t.Fatal("there is no browser, and SGDLAB_BROWSER=required: install Debian's chromium")
		}
		t.Skip("there is no browser; Debian's package is chromium")
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, exe, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--window-size=1400,1000", "--remote-debugging-pipe", "--user-data-dir="+filepath.Join(t.TempDir(), "profile"), "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	p := &page{t: t, ctx: ctx, pipe: in, waiting: map[int]chan reply{}}
	listened := make(chan struct{})
	go func() { defer close(listened); p.listen(out) }()
	t.Cleanup(func() {
		p.mu.Lock()
		p.session = "" // the browser, not the page
		p.mu.Unlock()
		_, _ = p.send("Browser.close", nil)
		in.Close()
		ended := time.AfterFunc(5*time.Second, cancel)
		_ = cmd.Wait() // nobody asks how it ended
		ended.Stop()
		cancel()
		out.Close()
		<-listened
	})

	var target struct{ TargetID string }
	p.must("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	p.must("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.mu.Lock()
	p.session = attached.SessionID
	p.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		p.must(domain+".enable", nil, nil)
	}
	return p
}

// listen hands out answers and takes down what the page complains of and asks for.
func (p *page) listen(out io.Reader) {
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			ID int
			reply
			Method string
			Params struct {
				Type             string // of console calls
				Args             []struct{ Value, Description any }
				URL              string // of web sockets
				Request          struct{ URL string }
				Entry            struct{ Level, Text, URL string }
				ExceptionDetails struct {
					Text      string
					Exception struct{ Description string }
				}
			}
		}
		if err := json.Unmarshal(line[:len(line)-1], &m); err != nil {
			continue // values of other types than those we want to know
		}
		p.mu.Lock()
		switch m.Method {
		case "":
			if c, ok := p.waiting[m.ID]; ok {
				delete(p.waiting, m.ID)
				c <- m.reply
			}
		case "Page.javascriptDialogOpening": // leave a notebook that is not saved
			go func() { _, _ = p.send("Page.handleJavaScriptDialog", map[string]any{"accept": true}) }()
		case "Network.requestWillBeSent":
			p.asked = append(p.asked, m.Params.Request.URL)
		case "Network.webSocketCreated":
			p.asked = append(p.asked, m.Params.URL)
		case "Runtime.exceptionThrown":
			p.complain = append(p.complain, m.Params.ExceptionDetails.Text+" "+m.Params.ExceptionDetails.Exception.Description)
		case "Log.entryAdded":
			if m.Params.Entry.Level == "error" {
				p.complain = append(p.complain, m.Params.Entry.Text+" "+m.Params.Entry.URL)
			}
		case "Runtime.consoleAPICalled":
			if m.Params.Type == "error" || m.Params.Type == "assert" {
				p.complain = append(p.complain, fmt.Sprint(m.Params.Args))
			}
		}
		p.mu.Unlock()
	}
}

// patience is how long the browser may take. Chromium lowers the priority of its pages, which
// on a machine with other work may have no processor for a minute.
const patience = 3 * time.Minute

// send sends a command and waits for its answer.
func (p *page) send(method string, params any) (json.RawMessage, error) {
	answer := make(chan reply, 1)
	p.mu.Lock()
	p.id++
	m := map[string]any{"id": p.id, "method": method}
	if params != nil {
		m["params"] = params
	}
	if p.session != "" {
		m["sessionId"] = p.session
	}
	p.waiting[p.id] = answer
	b, err := json.Marshal(m)
	if err == nil {
		_, err = p.pipe.Write(append(b, 0))
	}
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case r := <-answer:
		if r.Error != nil {
			return nil, fmt.Errorf("%s: %s", method, r.Error.Message)
		}
		return r.Result, nil
	case <-time.After(patience):
		return nil, errors.New(method + ": the browser does not answer")
	}
}

func (p *page) must(method string, params, result any) {
	p.t.Helper()
	b, err := p.send(method, params)
	if err == nil && result != nil {
		err = json.Unmarshal(b, result)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// open goes to an address.
func (p *page) open(address string) {
	p.t.Helper()
	p.must("Page.navigate", map[string]any{"url": address}, nil)
}

// eval returns the value of a script, waiting for promises, in JSON.
func (p *page) eval(script string) string {
	p.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	p.must("Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true}, &r)
	if e := r.ExceptionDetails; e != nil {
		p.t.Fatalf("%s %s\nin %s", e.Text, e.Exception.Description, script)
	}
	return string(r.Result.Value)
}

// wait waits until a script's value is true.
func (p *page) wait(what, script string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if p.eval("Boolean("+script+")") == "true" {
			return
		}
		if time.Now().After(end) {
			p.screenshot("trouble")
			p.t.Fatalf("waited in vain for %s\nthe page complains: %q", what, p.complaints())
		}
	}
}

// key presses a key; modifiers are 1 for Alt, 2 for Ctrl, 8 for Shift.
func (p *page) key(name string, code, modifiers int) {
	p.t.Helper()
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		p.must("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code, "modifiers": modifiers}, nil)
	}
}

// press presses a key until a script's value is true, as a reader does when a busy machine
// lets the first time go by.
func (p *page) press(name string, code, modifiers int, script string) {
	p.t.Helper()
	for range 10 {
		p.key(name, code, modifiers)
		for range 50 {
			if p.eval("Boolean("+script+")") == "true" {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	p.screenshot("trouble")
	p.t.Fatalf("pressed %s in vain\nthe page complains: %q", name, p.complaints())
}

// drag presses the mouse at one point of the page and releases it at another.
func (p *page) drag(x0, y0, x1, y1 float64) {
	p.t.Helper()
	event := func(kind string, x, y float64) {
		p.must("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}, nil)
	}
	event("mousePressed", x0, y0)
	for k := range 5 {
		t := float64(k+1) / 5
		event("mouseMoved", x0+t*(x1-x0), y0+t*(y1-y0))
	}
	event("mouseReleased", x1, y1)
}

// screenshot writes what is seen into the folder SGDLAB_SCREENSHOTS, if there is one.
func (p *page) screenshot(name string) {
	p.t.Helper()
	dir := os.Getenv("SGDLAB_SCREENSHOTS")
	if dir == "" {
		return
	}
	var r struct{ Data string }
	p.must("Page.captureScreenshot", map[string]any{"format": "png"}, &r)
	b, err := base64.StdEncoding.DecodeString(r.Data)
	if err == nil {
		err = os.MkdirAll(dir, 0o777)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), b, 0o666)
	}
	if err != nil {
		p.t.Error(err)
	}
}

// tall is screenshot of a window so high that it shows all of what is height pixels high.
func (p *page) tall(height, name string) {
	p.t.Helper()
	if os.Getenv("SGDLAB_SCREENSHOTS") == "" {
		return // chromium, too, needs some time for that
	}
	var h float64
	decode(p.t, p.eval(height), &h)
	p.must("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1400, "height": int(min(h, 15000)) + 200, "deviceScaleFactor": 1, "mobile": false}, nil)
	p.screenshot(name)
	p.must("Emulation.clearDeviceMetricsOverride", nil, nil)
}

// complaints returns what the page has complained of since the last call.
func (p *page) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.complain
	p.complain = nil
	return c
}

// outside returns the addresses outside of this machine that were asked for.
func (p *page) outside() (addresses []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.asked {
		_, rest, _ := strings.Cut(a, "://")
		if !strings.HasPrefix(rest, "127.0.0.1:") && !strings.HasPrefix(a, "data:") && !strings.HasPrefix(a, "blob:") && !strings.HasPrefix(a, "about:") {
			addresses = append(addresses, a)
		}
	}
	return addresses
}

// decode decodes what eval has returned.
func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

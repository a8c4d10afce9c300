package show

import (
	"encoding/gob"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"k8s.io/klog/v2"
)

func init() {
	// GoNB panics on a cell's log line "hh:mm:ss … main.go:N", the header of klog.
	var flags flag.FlagSet
	klog.InitFlags(&flags)
	if err := flags.Set("skip_headers", "true"); err != nil {
		panic(err) // a klog without this flag would bring the kernel down later
	}
	gob.Register(map[string]any{}) // the nested metadata of an image
}

// bundle is one output in several forms; the front end picks the richest it can show.
type bundle struct {
	html, markdown, latex, svg string
	png                        []byte
	plain                      string // always
	alt                        string // of the image
	width, height              int    // of the image, in pixels of the page
}

// screen is where outputs go.
type screen interface {
	show(b bundle)
	update(id string, b bundle) // replaces what the same id has shown
}

// current is the screen of this process; tests replace it.
var current = sync.OnceValue(func() screen {
	if gonbui.IsNotebook {
		return &notebook{text: terminal{stdout{}}}
	}
	return terminal{stdout{}}
})

// stdout is standard output as it is at the time of writing; examples replace it.
type stdout struct{}

func (stdout) Write(p []byte) (int, error) { return os.Stdout.Write(p) }

// terminal prints the plain forms.
type terminal struct {
	w io.Writer
}

func (t terminal) show(b bundle) {
	fmt.Fprintln(t.w, strings.TrimRight(b.plain, "\n"))
}

// update prints nothing: intermediate states would pile up. The final state is shown.
func (t terminal) update(string, bundle) {}

// notebook sends bundles to GoNB's kernel.
type notebook struct {
	text terminal // used when the kernel does not answer any more

	mu   sync.Mutex
	lost bool
}

const (
	// syncLimit ends the wait for a kernel that has gone away.
	syncLimit = 10 * time.Second
	// printPause lets what the cell has printed reach the kernel first: standard output
	// takes another way, and overtakes or falls behind.
	printPause = 5 * time.Millisecond

	mimeLatex protocol.MIMEType = "text/latex"
)

func (n *notebook) show(b bundle) {
	time.Sleep(printPause)
	n.send(b, "")
}

func (n *notebook) update(id string, b bundle) { n.send(b, id) }

func (n *notebook) send(b bundle, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lost || gonbui.Error() != nil {
		if id == "" {
			n.text.show(b)
		}
		return
	}
	data := &protocol.DisplayData{
		Data:      map[protocol.MIMEType]any{protocol.MIMETextPlain: b.plain},
		DisplayID: id,
	}
	if b.html != "" {
		data.Data[protocol.MIMETextHTML] = b.html
	}
	if b.markdown != "" {
		data.Data[protocol.MIMETextMarkdown] = b.markdown
	}
	if b.latex != "" {
		data.Data[mimeLatex] = b.latex
	}
	if b.svg != "" {
		data.Data[protocol.MIMEImageSVG] = b.svg
	}
	if b.png != nil {
		data.Data[protocol.MIMEImagePNG] = b.png
		data.Metadata = map[string]any{
			string(protocol.MIMEImagePNG): map[string]any{"alt": b.alt, "width": b.width, "height": b.height},
		}
	}
	done := make(chan struct{})
	go func() {
		gonbui.SendData(data)
		gonbui.Sync()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(syncLimit):
		n.lost = true
	}
}

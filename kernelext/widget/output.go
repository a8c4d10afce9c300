package widget

import (
	_ "embed"
	"fmt"
	"os"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

//go:embed patience.js
var patience string

// output is the place above a figure.
type output interface {
	// listen returns the address to which a page can send messages, if there may be one
	// that does, and calls heard with each.
	listen(heard func(message string)) (address string, ok bool)
	// show replaces what it has shown before.
	show(rich, plain string)
	// tell sets the text beside the controls.
	tell(address, text string)
}

func newOutput() output {
	if gonbui.IsNotebook {
		return cell("widget_" + gonbui.UniqueId())
	}
	return terminal{}
}

// terminal prints what is shown.
type terminal struct{}

func (terminal) listen(func(string)) (string, bool) { return "", false }
func (terminal) show(_, plain string)               { fmt.Println(plain) }
func (terminal) tell(string, string)                {}

// cell is an output with this identity.
type cell string

func (c cell) listen(heard func(string)) (address string, ok bool) {
	// Set by Jupyter's server for the kernels of its pages, not by what executes notebooks
	// without a page: there GoNB would leave a script in the output.
	if os.Getenv("JPY_SESSION_NAME") == "" {
		return "", false
	}
	address = "/sgdlab/" + string(c)
	c.show("<script>"+patience+"</script>", "")
	// For good: gonbui locks up when a message comes for an address that is not
	// subscribed to any more.
	comms.Subscribe(address, func(_, message string) { heard(message) })
	return address, true
}

func (c cell) show(rich, plain string) {
	gonbui.SendData(&protocol.DisplayData{
		Data:      map[protocol.MIMEType]any{protocol.MIMETextHTML: rich, protocol.MIMETextPlain: plain},
		DisplayID: string(c),
	})
	gonbui.Sync()
}

func (c cell) tell(address, text string) { comms.Send(address+"/state", text) }

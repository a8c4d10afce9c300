package notebook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sgdlab/kernelext/notebook/wire"
)

// content is the content of any message about a cell.
type content struct {
	Status         string         `json:"status"`
	ExecutionCount int            `json:"execution_count"`
	State          string         `json:"execution_state"`
	Name           string         `json:"name"`
	Text           string         `json:"text"`
	Data           map[string]any `json:"data"`
	Metadata       map[string]any `json:"metadata"`
	Ename          string         `json:"ename"`
	Evalue         string         `json:"evalue"`
	Traceback      []string       `json:"traceback"`
	Wait           bool           `json:"wait"`
	Transient      struct {
		DisplayID string `json:"display_id"`
	} `json:"transient"`
}

// receive handles a message; k.mu is held.
func (k *Kernel) receive(m wire.Incoming) {
	e := k.current
	ours := e != nil && m.Parent.ID == e.id
	if !ours && m.Header.Type != "update_display_data" {
		return
	}
	var c content
	if err := unmarshal(m.Content, &c); err != nil {
		k.refused = fmt.Errorf("notebook: a %s of the kernel: %w", m.Header.Type, err)
		return
	}
	if m.Header.Type == "update_display_data" {
		k.update(c)
	}
	if !ours {
		return
	}
	e.heard = time.Now()
	switch m.Header.Type {
	case "execute_reply":
		e.replied = true
		e.reply.Status, e.reply.Ename, e.reply.Evalue = c.Status, c.Ename, c.Evalue
		if c.ExecutionCount > 0 {
			e.reply.ExecutionCount = c.ExecutionCount
		}
	case "status":
		e.idle = c.State == "idle"
	case "execute_input":
		if c.ExecutionCount > 0 {
			e.reply.ExecutionCount = c.ExecutionCount
		}
	case "clear_output":
		if e.clearNext = c.Wait; !c.Wait {
			e.clear()
		}
	case "stream":
		k.print(e, c.Name, c.Text)
	case "display_data":
		k.display(e, &Output{Type: "display_data", Data: clone(c.Data), Metadata: clone(c.Metadata)}, c.Transient.DisplayID)
	case "execute_result":
		k.display(e, &Output{Type: "execute_result", Data: clone(c.Data), Metadata: clone(c.Metadata), ExecutionCount: c.ExecutionCount}, c.Transient.DisplayID)
	case "error":
		k.display(e, &Output{Type: "error", Ename: c.Ename, Evalue: c.Evalue, Traceback: c.Traceback}, "")
	}
	if e.replied && e.idle {
		select {
		case <-e.done:
		default:
			close(e.done)
		}
	}
}

// update changes what has been displayed under an identifier, also by earlier cells. As
// in Jupyter, an update of something that has not been displayed is lost.
func (k *Kernel) update(c content) {
	for _, o := range k.displays[c.Transient.DisplayID] {
		o.Data, o.Metadata = clone(c.Data), clone(c.Metadata)
	}
}

// clone returns a copy of m that is not nil.
func clone(m map[string]any) map[string]any {
	c := make(map[string]any, len(m))
	maps.Copy(c, m)
	return c
}

// clear removes the outputs of the cell. Displays that are gone are still updated, to no
// effect.
func (e *execution) clear() {
	e.reply.Outputs, e.texts, e.size, e.full, e.clearNext = nil, nil, 0, false, false
}

// display adds an output that is not printed text.
func (k *Kernel) display(e *execution, o *Output, displayID string) {
	if e.clearNext {
		e.clear()
	}
	size := 0
	for _, v := range o.Data {
		if s, ok := v.(string); ok {
			size += len(s)
		}
	}
	// An error is short, and the last thing a cell says.
	if o.Type != "error" && k.room(e, size) < size {
		return
	}
	e.settle()
	if displayID != "" {
		k.displays[displayID] = append(k.displays[displayID], o)
	}
	e.reply.Outputs = append(e.reply.Outputs, o)
}

// print adds printed text. Text of one stream is joined up to the next display: standard
// output and error reach the kernel by two pipes, and how they interleave is a matter of
// chance.
func (k *Kernel) print(e *execution, name, text string) {
	if e.clearNext {
		e.clear()
	}
	kept := strings.ToValidUTF8(text[:k.room(e, len(text))], "")
	if kept == "" {
		return
	}
	p := e.texts[name]
	if p == nil {
		p = &printed{output: &Output{Type: "stream", Name: name}}
		if e.texts == nil {
			e.texts = map[string]*printed{}
		}
		e.texts[name] = p
		// Before the note of room, if there is one.
		at := len(e.reply.Outputs)
		if e.full {
			at--
		}
		e.reply.Outputs = slices.Insert(e.reply.Outputs, at, p.output)
	}
	p.text.WriteString(kept)
}

// printed is a stream output that grows.
type printed struct {
	text   strings.Builder
	output *Output
}

// settle ends the growth of the stream outputs.
func (e *execution) settle() {
	for _, p := range e.texts {
		p.output.Text = p.text.String()
	}
	e.texts = nil
}

// room returns how much of size more bytes of output is kept. From the moment on that
// this is not all, nothing is kept, and a note says so.
func (k *Kernel) room(e *execution, size int) int {
	if e.full {
		return 0
	}
	if room := k.settings.OutputLimit - e.size; size > room {
		e.full = true
		e.reply.Outputs = append(e.reply.Outputs, &Output{Type: "stream", Name: "stderr",
			Text: fmt.Sprintf("The output is cut here: it is larger than %d bytes.\n", k.settings.OutputLimit)})
		return room
	}
	e.size += size
	return size
}

package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Encode returns the bytes of the file that Jupyter would write: keys in order, one space
// of indentation, texts as lists of lines, characters beyond ASCII as they are, a newline
// at the end.
func (nb *Notebook) Encode() ([]byte, error) {
	file := without(nb.Extra)
	file["nbformat"], file["nbformat_minor"] = 4, nb.Minor
	file["metadata"] = without(nb.Metadata, "orig_nbformat", "orig_nbformat_minor", "signature")
	cells := make([]any, len(nb.Cells))
	for i, c := range nb.Cells {
		cells[i] = c.encode()
	}
	file["cells"] = cells
	var e encoder
	e.value(file, 0)
	if e.err != nil {
		return nil, e.err
	}
	e.WriteByte('\n')
	return e.Bytes(), nil
}

// without returns a copy of m without some keys, which is not nil. Jupyter takes out keys
// that only mean something in memory.
func without(m map[string]any, keys ...string) map[string]any {
	c := clone(m)
	for _, k := range keys {
		delete(c, k)
	}
	return c
}

func (c *Cell) encode() map[string]any {
	m := without(c.Extra)
	m["cell_type"], m["metadata"], m["source"] = c.Type, without(c.Metadata, "trusted"), lines(c.Source)
	if c.ID != "" {
		m["id"] = c.ID
	}
	if c.Attachments != nil {
		attachments := clone(c.Attachments)
		for name, a := range attachments {
			if data, ok := a.(map[string]any); ok {
				attachments[name] = splitLines(data)
			}
		}
		m["attachments"] = attachments
	}
	if c.Type == Code {
		outputs := make([]any, len(c.Outputs))
		for i, o := range c.Outputs {
			outputs[i] = o.encode()
		}
		m["outputs"], m["execution_count"] = outputs, count(c.ExecutionCount)
	}
	return m
}

func (o *Output) encode() map[string]any {
	m := without(o.Extra)
	m["output_type"] = o.Type
	switch o.Type {
	case "stream":
		m["name"], m["text"] = o.Name, lines(o.Text)
	case "display_data", "execute_result":
		m["data"], m["metadata"] = splitLines(o.Data), without(o.Metadata)
		if o.Type == "execute_result" {
			m["execution_count"] = count(o.ExecutionCount)
		}
	case "error":
		traceback := make([]any, len(o.Traceback))
		for i, line := range o.Traceback {
			traceback[i] = line
		}
		m["ename"], m["evalue"], m["traceback"] = o.Ename, o.Evalue, traceback
	}
	return m
}

func count(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// splitLines returns a copy of data with texts as lists of lines.
func splitLines(data map[string]any) map[string]any {
	c := clone(data)
	for mime, v := range c {
		s, ok := v.(string)
		if ok && (strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" || mime == "application/javascript") {
			c[mime] = lines(s)
		}
	}
	return c
}

// lines splits s after each end of a line, at all characters that Python counts as one.
func lines(s string) []any {
	list := []any{}
	for s != "" {
		end := len(s)
		for i, r := range s {
			if !isLineEnd(r) || r == '\r' && strings.HasPrefix(s[i:], "\r\n") {
				continue
			}
			end = i + utf8.RuneLen(r)
			break
		}
		list = append(list, s[:end])
		s = s[end:]
	}
	return list
}

func isLineEnd(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// encoder writes JSON as Python's json.dumps(indent=1, sort_keys=True,
// ensure_ascii=False) does.
type encoder struct {
	bytes.Buffer
	err error
}

func (e *encoder) value(v any, depth int) {
	switch v := v.(type) {
	case nil:
		e.WriteString("null")
	case bool:
		e.WriteString(strconv.FormatBool(v))
	case string:
		e.string(v)
	case json.Number:
		e.WriteString(v.String())
	case int:
		e.WriteString(strconv.Itoa(v))
	case []any:
		e.WriteByte('[')
		for i, x := range v {
			e.separate(i, depth+1)
			e.value(x, depth+1)
		}
		e.end(len(v), depth, ']')
	case map[string]any:
		e.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			e.separate(i, depth+1)
			e.string(key)
			e.WriteString(": ")
			e.value(v[key], depth+1)
		}
		e.end(len(v), depth, '}')
	default:
		// Something that a program has put there: let encoding/json take it apart.
		b, err := json.Marshal(v)
		if err == nil {
			var plain any
			if err = unmarshal(b, &plain); err == nil {
				e.value(plain, depth)
			}
		}
		if err != nil && e.err == nil {
			e.err = fmt.Errorf("notebook: a value of type %T has no form in a notebook: %w", v, err)
		}
	}
}

// separate begins the i-th element of a list or object.
func (e *encoder) separate(i, depth int) {
	if i > 0 {
		e.WriteByte(',')
	}
	e.newline(depth)
}

func (e *encoder) end(n, depth int, bracket byte) {
	if n > 0 {
		e.newline(depth)
	}
	e.WriteByte(bracket)
}

func (e *encoder) newline(depth int) {
	e.WriteByte('\n')
	for range depth {
		e.WriteByte(' ')
	}
}

func (e *encoder) string(s string) {
	e.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			e.WriteByte('\\')
			e.WriteRune(r)
		case '\n':
			e.WriteString(`\n`)
		case '\r':
			e.WriteString(`\r`)
		case '\t':
			e.WriteString(`\t`)
		case '\b':
			e.WriteString(`\b`)
		case '\f':
			e.WriteString(`\f`)
		default:
			if r < ' ' {
				fmt.Fprintf(e, `\u%04x`, r)
			} else {
				e.WriteRune(r)
			}
		}
	}
	e.WriteByte('"')
}

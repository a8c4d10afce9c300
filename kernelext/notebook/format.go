package notebook

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"sgdlab/internal/atomicfile"
)

// Notebook is a notebook in version 4 of the format. Fields that this package does not
// know are kept in Extra. Maps hold what encoding/json makes of JSON, with numbers as
// json.Number, so that they are written as they were read.
type Notebook struct {
	Cells    []*Cell
	Metadata map[string]any
	Minor    int // of the format 4.Minor
	Extra    map[string]any
}

// Types of cells.
const (
	Code     = "code"
	Markdown = "markdown"
	Raw      = "raw"
)

// Cell is one cell.
type Cell struct {
	ID             string // empty before format 4.5
	Type           string // Code, Markdown or Raw
	Source         string
	Metadata       map[string]any
	Attachments    map[string]any // by name: data by MIME type; nil if there are none
	Outputs        []*Output      // of a code cell
	ExecutionCount int            // of a code cell; 0: it has not run
	Extra          map[string]any
}

// Output is one output of a code cell. The fields beside Type that matter depend on it:
//
//	stream          Name ("stdout" or "stderr"), Text
//	display_data    Data, Metadata
//	execute_result  Data, Metadata, ExecutionCount
//	error           Ename, Evalue, Traceback
type Output struct {
	Type           string
	Name, Text     string
	Data           map[string]any // by MIME type: text, base64 of binary data, or for JSON types any value
	Metadata       map[string]any
	ExecutionCount int
	Ename, Evalue  string
	Traceback      []string
	Extra          map[string]any
}

// Tags returns the tags of a cell.
func (c *Cell) Tags() []string {
	var tags []string
	list, _ := c.Metadata["tags"].([]any)
	for _, t := range list {
		if s, ok := t.(string); ok {
			tags = append(tags, s)
		}
	}
	return tags
}

// HasTag reports whether a cell has a tag.
func (c *Cell) HasTag(tag string) bool { return slices.Contains(c.Tags(), tag) }

// Clone returns a copy of nb. Outputs and the values of maps are shared: they are
// replaced, not changed.
func (nb *Notebook) Clone() *Notebook {
	c := *nb
	c.Metadata, c.Extra = maps.Clone(nb.Metadata), maps.Clone(nb.Extra)
	c.Cells = make([]*Cell, len(nb.Cells))
	for i, cell := range nb.Cells {
		copied := *cell
		copied.Metadata, copied.Extra = maps.Clone(cell.Metadata), maps.Clone(cell.Extra)
		copied.Outputs = slices.Clone(cell.Outputs)
		c.Cells[i] = &copied
	}
	return &c
}

// CodeDigest identifies the code of nb, the sources of its code cells in their order: it is
// another one when the code has changed.
func (nb *Notebook) CodeDigest() string {
	h := sha256.New()
	for _, c := range nb.Cells {
		if c.Type == Code {
			fmt.Fprintf(h, "%d\n%s", len(c.Source), c.Source)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// ReadFile reads the notebook in a file.
func ReadFile(path string) (*Notebook, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	nb, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("notebook: %s %w", path, err)
	}
	return nb, nil
}

// Parse reads a notebook. The error is the end of a sentence that begins with the name
// of the file.
func Parse(b []byte) (*Notebook, error) {
	var file map[string]any
	if err := unmarshal(b, &file); err != nil {
		return nil, damage(b, err)
	}
	d := &decoder{}
	major, ok := d.integer(file, "nbformat")
	if !ok {
		return nil, errors.New("is JSON but not a notebook: it has no nbformat")
	}
	if major != 4 {
		return nil, fmt.Errorf("is in version %d of the notebook format: open it in Jupyter and save it, which makes it version 4", major)
	}
	nb := &Notebook{}
	nb.Minor, _ = d.integer(file, "nbformat_minor")
	nb.Metadata = d.object(file, "metadata")
	cells, ok := file["cells"].([]any)
	if !ok {
		return nil, errors.New("is damaged: it has no list of cells; restore an older copy")
	}
	delete(file, "cells")
	for i, v := range cells {
		d.where = fmt.Sprintf("cell %d", i+1)
		nb.Cells = append(nb.Cells, d.cell(v))
	}
	nb.Extra = file
	if d.err != nil {
		return nil, fmt.Errorf("is damaged: %w; restore an older copy", d.err)
	}
	return nb, nil
}

// damage says in words why b is not JSON.
func damage(b []byte, err error) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return errors.New("is empty: restore an older copy")
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(len(b))
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		return errors.New("is JSON but not a notebook")
	}
	line := 1 + bytes.Count(b[:min(offset, int64(len(b)))], []byte("\n"))
	for n, text := range bytes.Split(b, []byte("\n")) {
		if bytes.HasPrefix(text, []byte("<<<<<<< ")) {
			return fmt.Errorf("has a merge conflict in line %d: resolve it, or restore one of the two versions", n+1)
		}
	}
	return fmt.Errorf("is damaged in line %d (%w): restore an older copy", line, err)
}

// unmarshal decodes one JSON value; numbers in it stay text.
func unmarshal(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("it ends too early")
		}
		return err
	}
	if rest, err := io.ReadAll(d.Buffered()); err != nil || len(bytes.TrimSpace(rest)) > 0 {
		return &json.SyntaxError{Offset: d.InputOffset()}
	}
	return nil
}

// decoder takes known fields out of decoded JSON objects. It keeps the first error.
type decoder struct {
	where string
	err   error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(strings.TrimPrefix(d.where+": ", ": ")+format, args...)
	}
}

func (d *decoder) integer(m map[string]any, key string) (n int, ok bool) {
	v, present := m[key]
	delete(m, key)
	if !present || v == nil {
		return 0, false
	}
	number, isNumber := v.(json.Number)
	if i, err := number.Int64(); isNumber && err == nil {
		return int(i), true
	}
	d.fail("%s is %v, want an integer", key, v)
	return 0, false
}

// text returns a text, which may be stored as a list of lines.
func (d *decoder) text(m map[string]any, key string) string {
	v, present := m[key]
	delete(m, key)
	if s, ok := join(v); ok {
		return s
	}
	if present {
		d.fail("%s is no text", key)
	}
	return ""
}

// join returns the text that v is, or is the list of lines of.
func join(v any) (s string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []any:
		var b strings.Builder
		for _, line := range v {
			l, ok := line.(string)
			if !ok {
				return "", false
			}
			b.WriteString(l)
		}
		return b.String(), true
	}
	return "", false
}

func (d *decoder) object(m map[string]any, key string) map[string]any {
	v, present := m[key]
	delete(m, key)
	o, ok := v.(map[string]any)
	if present && !ok {
		d.fail("%s is no object", key)
	}
	return o
}

func (d *decoder) list(m map[string]any, key string) []any {
	v, present := m[key]
	delete(m, key)
	l, ok := v.([]any)
	if present && !ok {
		d.fail("%s is no list", key)
	}
	return l
}

func (d *decoder) cell(v any) *Cell {
	m, ok := v.(map[string]any)
	if !ok {
		d.fail("it is no object")
		return nil
	}
	c := &Cell{Type: d.text(m, "cell_type"), Metadata: d.object(m, "metadata")}
	if c.Type != Code && c.Type != Markdown && c.Type != Raw {
		d.fail("its type is %q, want code, markdown or raw", c.Type)
	}
	c.Source = d.text(m, "source")
	if _, ok := m["id"]; ok {
		c.ID = d.text(m, "id")
	}
	if _, ok := m["attachments"]; ok {
		c.Attachments = d.object(m, "attachments")
		for _, a := range c.Attachments {
			if data, ok := a.(map[string]any); ok {
				joinLines(data)
			}
		}
	}
	if c.Type == Code {
		c.ExecutionCount, _ = d.integer(m, "execution_count")
		for _, o := range d.list(m, "outputs") {
			c.Outputs = append(c.Outputs, d.output(o))
		}
	}
	c.Extra = m
	return c
}

func (d *decoder) output(v any) *Output {
	m, ok := v.(map[string]any)
	if !ok {
		d.fail("an output is no object")
		return nil
	}
	o := &Output{Type: d.text(m, "output_type")}
	switch o.Type {
	case "stream":
		o.Name, o.Text = d.text(m, "name"), d.text(m, "text")
	case "display_data", "execute_result":
		o.Data, o.Metadata = d.object(m, "data"), d.object(m, "metadata")
		joinLines(o.Data)
		if o.Type == "execute_result" {
			o.ExecutionCount, _ = d.integer(m, "execution_count")
		}
	case "error":
		o.Ename, o.Evalue = d.text(m, "ename"), d.text(m, "evalue")
		for _, line := range d.list(m, "traceback") {
			s, ok := line.(string)
			if !ok {
				d.fail("a line of a traceback is no text")
			}
			o.Traceback = append(o.Traceback, s)
		}
	default:
		d.fail("an output has the type %q", o.Type)
	}
	o.Extra = m
	return o
}

// joinLines replaces lists of lines by texts, except in JSON data.
func joinLines(data map[string]any) {
	for mime, v := range data {
		if isJSON(mime) {
			continue
		}
		if s, ok := join(v); ok {
			data[mime] = s
		}
	}
}

func isJSON(mime string) bool {
	return mime == "application/json" || strings.HasPrefix(mime, "application/") && strings.HasSuffix(mime, "+json")
}

// WriteFile writes nb as Jupyter does. The file appears complete or not at all.
func (nb *Notebook) WriteFile(path string) error {
	b, err := nb.Encode()
	if err != nil {
		return err
	}
	return replaceFile(path, b)
}

// replaceFile makes b the content of the file at path, in one piece.
func replaceFile(path string, b []byte) error {
	if err := atomicfile.Replace(path, b); err != nil {
		return fmt.Errorf("notebook: %s cannot be written: %w", path, err)
	}
	return nil
}

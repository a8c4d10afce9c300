package show

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Table shows rows as a table, with an optional caption. Rows may be
//
//   - a slice of structs, or of pointers to structs: one column per exported field;
//   - a struct, or a map: one row per field or per key, keys in order;
//   - a [Rows] of [Columns], filled row by row;
//   - a matrix: [][]float64, or anything with Dims and At such as a mat.Matrix;
//   - a slice of anything else: one column.
//
// Field tags name a column and its unit, or leave a field out:
//
//	Rank float64 `show:"rank" unit:"%"`
//	Raw  []byte  `show:"-"`
//
// Numbers are aligned, a column of floats has the same number of decimals throughout, and
// true zeros, NaN and infinities stay what they are. Beyond 24 rows or 12 columns a table
// is folded: the rest of the rows can be opened in a notebook.
//
// It panics if rows is none of these.
//
//	show.Table([][]float64{{1, 1.8}, {1.8, 9}}, "D of T1")
//	show.Table(map[string]float64{"d": 917, "rank": 39}, "tiny-fc")
func Table(rows any, caption ...string) {
	t := newTable(rows)
	t.caption = strings.Join(caption, " ")
	current().show(bundle{html: t.html(), plain: t.plain()})
}

const (
	tableRows    = 24 // shown before folding
	tableColumns = 12
	cellRunes    = 80
)

// table is a grid of formatted cells.
type table struct {
	caption string
	header  []string // nil: no header
	cells   [][]string
	number  []bool // of a column: right-aligned
	pairs   bool   // names and values of any kind
	dropped int    // columns that were left out
}

func newPairs() *table { return &table{number: []bool{false, true}, pairs: true} }

// pair adds a row. Values of several kinds in one column are formatted one by one, and
// right-aligned if all are numbers.
func (t *table) pair(name string, v reflect.Value) {
	cell, number := formatColumn([]reflect.Value{v})
	t.cells = append(t.cells, []string{name, cell[0]})
	t.number[1] = t.number[1] && number
}

func newTable(rows any) *table {
	v := reflect.ValueOf(rows)
	byRow, isRows := rows.(*Rows)
	for v.Kind() == reflect.Pointer && !v.IsNil() && !isMatrix(v) {
		v = v.Elem()
	}
	var header []string
	var columns [][]reflect.Value
	addField := func(name string, values ...reflect.Value) {
		header = append(header, name)
		columns = append(columns, values)
	}
	switch {
	case !v.IsValid():
		panic("show: cannot make a table of nil")
	case isRows:
		for j, name := range byRow.names {
			addField(name, byRow.column(j)...)
		}
	case isMatrix(v):
		m := v.Interface().(matrix)
		r, c := m.Dims()
		for j := range c {
			column := make([]reflect.Value, r)
			for i := range r {
				column[i] = reflect.ValueOf(m.At(i, j))
			}
			columns = append(columns, column)
		}
	case v.Kind() == reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, compareKeys)
		if v.Type().Elem().Kind() == reflect.Interface {
			names, _ := formatColumn(keys)
			t := newPairs()
			for i, k := range keys {
				t.pair(names[i], v.MapIndex(k))
			}
			return t
		}
		values := make([]reflect.Value, len(keys))
		for i, k := range keys {
			values[i] = v.MapIndex(k)
		}
		addField("", keys...)
		if fields := structFields(v.Type().Elem()); fields != nil {
			for _, f := range fields {
				addField(f.name, fieldOf(values, f.index)...)
			}
		} else {
			addField("", values...)
		}
		if len(header) == 2 && header[1] == "" {
			header = nil
		}
	case v.Kind() == reflect.Struct:
		t := newPairs()
		for _, f := range structFields(v.Type()) {
			t.pair(f.name, v.Field(f.index))
		}
		return t
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		elem := v.Type().Elem()
		values := make([]reflect.Value, v.Len())
		for i := range values {
			values[i] = v.Index(i)
		}
		switch {
		case structFields(elem) != nil:
			for _, f := range structFields(elem) {
				addField(f.name, fieldOf(values, f.index)...)
			}
		case elem.Kind() == reflect.Slice || elem.Kind() == reflect.Array:
			width := 0
			for _, row := range values {
				width = max(width, row.Len())
			}
			for j := range width {
				column := make([]reflect.Value, len(values))
				for i, row := range values {
					if j < row.Len() {
						column[i] = row.Index(j)
					}
				}
				columns = append(columns, column)
			}
		default:
			columns = [][]reflect.Value{values}
		}
	default:
		panic(fmt.Sprintf("show: cannot make a table of %s: give a slice, a struct, a map or a matrix", v.Type()))
	}

	t := &table{header: header}
	if len(columns) > tableColumns {
		t.dropped = len(columns) - tableColumns
		columns = columns[:tableColumns]
		if header != nil {
			t.header = header[:tableColumns]
		}
	}
	for j, column := range columns {
		text, number := formatColumn(column)
		t.number = append(t.number, number)
		if j == 0 {
			t.cells = make([][]string, len(text))
		}
		for i, s := range text {
			t.cells[i] = append(t.cells[i], s)
		}
	}
	return t
}

// matrix is the part of mat.Matrix that a table needs.
type matrix interface {
	Dims() (r, c int)
	At(i, j int) float64
}

func isMatrix(v reflect.Value) bool {
	if !v.IsValid() || !v.CanInterface() || v.Kind() == reflect.Pointer && v.IsNil() {
		return false
	}
	_, ok := v.Interface().(matrix)
	return ok
}

type column struct {
	name  string
	index int
}

// structFields returns the columns of a struct type or of a pointer to one; nil if t is
// another type or prints itself.
func structFields(t reflect.Type) []column {
	if t.Implements(reflect.TypeFor[fmt.Stringer]()) {
		return nil
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.Implements(reflect.TypeFor[fmt.Stringer]()) {
		return nil
	}
	var columns []column
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("show")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = words(f.Name)
		}
		if unit := f.Tag.Get("unit"); unit != "" {
			name += " [" + unit + "]"
		}
		columns = append(columns, column{name, i})
	}
	return columns
}

// fieldOf returns a field of every struct, and an invalid value for nil pointers.
func fieldOf(rows []reflect.Value, index int) []reflect.Value {
	values := make([]reflect.Value, len(rows))
	for i, row := range rows {
		if row.Kind() == reflect.Pointer {
			if row.IsNil() {
				continue
			}
			row = row.Elem()
		}
		values[i] = row.Field(index)
	}
	return values
}

// words splits a Go name: StableRank becomes "stable rank", RankF32 "rank F32".
func words(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		upper := unicode.IsUpper(r)
		starts := i > 0 && upper && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if starts {
			b.WriteByte(' ')
		}
		if upper && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

func compareKeys(a, b reflect.Value) int {
	switch a.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return cmp.Compare(a.Int(), b.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return cmp.Compare(a.Uint(), b.Uint())
	case reflect.Float32, reflect.Float64:
		return cmp.Compare(a.Float(), b.Float())
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

// formatColumn formats the cells of one column and reports whether all are numbers.
func formatColumn(values []reflect.Value) (text []string, number bool) {
	text = make([]string, len(values))
	floats := make([]float64, 0, len(values))
	number = len(values) > 0
	for i, v := range values {
		for v.IsValid() && (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) && !v.IsNil() && !isStringer(v) {
			v = v.Elem()
		}
		if v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
			v = reflect.Value{}
		}
		values[i] = v
		switch {
		case !v.IsValid(): // an empty cell, in any column
		case isStringer(v):
			number = false
		case v.CanFloat():
			floats = append(floats, v.Float())
		case v.CanInt() || v.CanUint():
		default:
			number = false
		}
	}
	format := floatFormat(floats)
	for i, v := range values {
		switch {
		case !v.IsValid():
		case v.Type() == reflect.TypeFor[time.Time]() && v.CanInterface():
			text[i] = v.Interface().(time.Time).Local().Format(time.DateTime)
		case isStringer(v):
			text[i] = clip(v.Interface().(fmt.Stringer).String())
		case v.CanFloat():
			text[i] = format(v.Float())
		default:
			text[i] = clip(fmt.Sprint(v))
		}
	}
	return text, number
}

func isStringer(v reflect.Value) bool {
	if !v.IsValid() || !v.CanInterface() || v.Kind() == reflect.Pointer && v.IsNil() {
		return false
	}
	_, ok := v.Interface().(fmt.Stringer)
	return ok
}

// floatFormat returns one format for all values: integers as such; decimals that give the
// largest value four digits and the smallest at least two; otherwise powers of ten.
func floatFormat(values []float64) func(float64) string {
	smallest, largest, whole := math.Inf(1), 0.0, true
	for _, v := range values {
		a := math.Abs(v)
		if a == 0 || math.IsNaN(a) || math.IsInf(a, 0) {
			continue
		}
		smallest, largest = min(smallest, a), max(largest, a)
		whole = whole && a == math.Trunc(a)
	}
	special := func(format func(float64) string) func(float64) string {
		return func(v float64) string {
			switch {
			case math.IsInf(v, 1):
				return "∞"
			case math.IsInf(v, -1):
				return "-∞"
			case math.IsNaN(v):
				return "NaN"
			}
			return format(v)
		}
	}
	fixed := func(decimals int) func(float64) string {
		return special(func(v float64) string { return strconv.FormatFloat(v, 'f', decimals, 64) })
	}
	digits := func(v float64) int { return int(math.Floor(math.Log10(v))) }
	switch {
	case largest == 0 || whole && largest < 1e9:
		return fixed(0)
	case largest < 1e6 && smallest >= 1e-4:
		if decimals := max(3-digits(largest), 1-digits(smallest), 0); decimals <= 6 {
			return fixed(decimals)
		}
	}
	return special(func(v float64) string {
		if v == 0 {
			return "0"
		}
		return strconv.FormatFloat(v, 'e', 3, 64)
	})
}

// clip shortens a text to one line of a cell.
func clip(s string) string {
	s = strings.ReplaceAll(s, "\n", " ")
	if utf8.RuneCountInString(s) > cellRunes {
		s = string([]rune(s)[:cellRunes-1]) + "…"
	}
	return s
}

// head returns the number of rows before the fold.
func (t *table) head() int {
	if len(t.cells) > tableRows+4 { // a fold that hides less than five rows is no gain
		return tableRows
	}
	return len(t.cells)
}

// remark says what is not shown.
func (t *table) remark() string {
	if t.dropped > 0 {
		return fmt.Sprintf("… and %d more columns", t.dropped)
	}
	return ""
}

func (t *table) plain() string {
	head := t.head()
	widths := make([]int, len(t.number))
	for _, row := range append([][]string{t.header}, t.cells[:head]...) {
		for j, s := range row {
			widths[j] = max(widths[j], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for j, s := range row {
			pad := strings.Repeat(" ", widths[j]-utf8.RuneCountInString(s))
			switch {
			case t.number[j]:
				b.WriteString(pad + s)
			case j == len(row)-1:
				b.WriteString(s)
			default:
				b.WriteString(s + pad)
			}
			if j < len(row)-1 {
				b.WriteString("  ")
			}
		}
		b.WriteByte('\n')
	}
	if t.caption != "" {
		b.WriteString(t.caption + "\n")
	}
	if t.header != nil {
		line(t.header)
		for j, w := range widths {
			if j > 0 {
				b.WriteString("  ")
			}
			b.WriteString(strings.Repeat("-", w))
		}
		b.WriteByte('\n')
	}
	for _, row := range t.cells[:head] {
		line(row)
	}
	if rest := len(t.cells) - head; rest > 0 {
		fmt.Fprintf(&b, "… and %d more rows\n", rest)
	}
	if r := t.remark(); r != "" {
		b.WriteString(r + "\n")
	}
	return b.String()
}

func (t *table) html() string {
	head := t.head()
	var b strings.Builder
	if t.caption != "" {
		fmt.Fprintf(&b, `<div style="font-weight:bold;margin:.4em 0">%s</div>`, html.EscapeString(t.caption))
	}
	t.rowsHTML(&b, t.cells[:head])
	if rest := len(t.cells) - head; rest > 0 {
		fmt.Fprintf(&b, `<details><summary>%d more rows</summary>`, rest)
		t.rowsHTML(&b, t.cells[head:])
		b.WriteString(`</details>`)
	}
	if r := t.remark(); r != "" {
		fmt.Fprintf(&b, `<div style="opacity:.7">%s</div>`, r)
	}
	return b.String()
}

func (t *table) rowsHTML(b *strings.Builder, rows [][]string) {
	b.WriteString(`<table style="border-collapse:collapse">`)
	style := func(j int) string {
		if t.number[j] {
			return `style="text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap"`
		}
		return `style="text-align:left"`
	}
	if t.header != nil {
		b.WriteString("<thead><tr>")
		for j, h := range t.header {
			fmt.Fprintf(b, "<th %s>%s</th>", style(j), html.EscapeString(h))
		}
		b.WriteString("</tr></thead>")
	}
	b.WriteString("<tbody>")
	for _, row := range rows {
		b.WriteString("<tr>")
		for j, s := range row {
			if t.number[j] || t.pairs && j == 1 {
				s = powers(s)
			} else {
				s = html.EscapeString(s)
			}
			fmt.Fprintf(b, "<td %s>%s</td>", style(j), s)
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
}

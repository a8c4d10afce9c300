package show

import (
	"fmt"
	"reflect"
)

// Rows is a table that is filled row by row. Make one with [Columns] and give it to
// [Table].
type Rows struct {
	names []string
	rows  [][]any
}

// Columns begins a table with the given columns:
//
//	t := show.Columns("λ", "gap")
//	t.Row(0.5, 0.9104)
//	show.Table(t, "Example 19")
func Columns(names ...string) *Rows { return &Rows{names: names} }

// Row adds a row with one value for each column; nil leaves a cell empty. It panics if
// their numbers differ.
func (r *Rows) Row(values ...any) {
	if len(values) != len(r.names) {
		panic(fmt.Sprintf("show: a row of %d values in a table of %d columns", len(values), len(r.names)))
	}
	r.rows = append(r.rows, values)
}

// column returns the values of column j.
func (r *Rows) column(j int) []reflect.Value {
	values := make([]reflect.Value, len(r.rows))
	for i, row := range r.rows {
		values[i] = reflect.ValueOf(row[j])
	}
	return values
}

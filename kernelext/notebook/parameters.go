package notebook

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Tags of papermill: the cell with the parameters and their defaults, and the cell after it
// that overrides them.
const (
	parametersTag = "parameters"
	injectedTag   = "injected-parameters"
)

// WithParameters returns a copy of nb in which parameters have other values, for a run. The
// cell with the tag parameters declares them with their defaults,
//
//	const (
//		epochs = 20
//		net    = "small-fc"
//	)
//
// and the new values are declared in a cell after it with the tag injected-parameters, as
// papermill does; one that is there is replaced. A value is a Go expression; where the
// default is a string its quotes may be missing.
func WithParameters(nb *Notebook, values map[string]string) (*Notebook, error) {
	at := slices.IndexFunc(nb.Cells, func(c *Cell) bool { return c.Type == Code && c.HasTag(parametersTag) })
	if at < 0 {
		return nil, fmt.Errorf("notebook: no cell has the tag %q: give it to the cell that declares the parameters", parametersTag)
	}
	known, err := parameters(nb.Cells[at].Source)
	if err != nil {
		return nil, fmt.Errorf("notebook: cell %d, with the parameters: %w", at+1, err)
	}
	var source strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("notebook: there is no parameter %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		value := strings.TrimSpace(values[name])
		if _, err := parser.ParseExpr(value); p.text && !isText(value) {
			value = strconv.Quote(values[name])
		} else if err != nil {
			return nil, fmt.Errorf("notebook: the value %q of the parameter %s is no Go expression", values[name], name)
		}
		if p.typ != "" {
			name += " " + p.typ
		}
		fmt.Fprintf(&source, "%s %s = %s\n", p.keyword, name, value)
	}
	with := nb.Clone()
	with.Cells = slices.DeleteFunc(with.Cells, func(c *Cell) bool { return c.HasTag(injectedTag) })
	at = slices.IndexFunc(with.Cells, func(c *Cell) bool { return c.Type == Code && c.HasTag(parametersTag) })
	injected := &Cell{Type: Code, Source: strings.TrimSuffix(source.String(), "\n"), Metadata: map[string]any{"tags": []any{injectedTag}}}
	if with.Cells[at].ID != "" {
		injected.ID = injectedTag
	}
	with.Cells = slices.Insert(with.Cells, at+1, injected)
	return with, nil
}

// parameter is how a parameter is declared.
type parameter struct {
	keyword string // const or var
	typ     string // in Go; may be empty
	text    bool   // the default is a string
}

// parameters returns the constants and variables that a cell declares one by one.
func parameters(source string) (map[string]parameter, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("it must hold Go declarations and nothing else: %w", err)
	}
	found := map[string]parameter{}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST && g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if len(v.Names) != 1 || len(v.Values) != 1 {
				return nil, fmt.Errorf("%s has no value of its own: declare each parameter as name = value", v.Names[0])
			}
			p := parameter{keyword: g.Tok.String()}
			if v.Type != nil {
				p.typ = source[v.Type.Pos()-file.Name.End()-1 : v.Type.End()-file.Name.End()-1]
			}
			literal, ok := v.Values[0].(*ast.BasicLit)
			p.text = ok && literal.Kind == token.STRING
			found[v.Names[0].Name] = p
		}
	}
	return found, nil
}

// isText reports whether a value is a Go string, with its quotes.
func isText(value string) bool {
	e, err := parser.ParseExpr(value)
	literal, ok := e.(*ast.BasicLit)
	return err == nil && ok && literal.Kind == token.STRING
}

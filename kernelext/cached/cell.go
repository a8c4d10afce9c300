package cached

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cellCode identifies the code of a notebook that a call of Value on the given line of
// the cell's program runs: the function it is given and the declarations it mentions, the
// files beside the program, and the modules it was built with.
func cellCode(main string, line int) (string, error) {
	source, err := os.ReadFile(main)
	if err != nil {
		return "", fmt.Errorf("cached: reading the program of this cell: %w", err)
	}
	h := sha256.New()
	h.Write(closure(source, line))
	dir := filepath.Dir(main)
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("cached: reading the program of this cell: %w", err)
	}
	for _, f := range files {
		name := f.Name()
		if name == filepath.Base(main) || filepath.Ext(name) != ".go" && name != "go.mod" && name != "go.sum" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", fmt.Errorf("cached: reading the program of this cell: %w", err)
		}
		if name == "go.mod" {
			data = requirements(data)
		}
		fmt.Fprintln(h, name)
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// requirements returns the lines of a go.mod file in alphabetical order, without that of the
// module's name: kernels have different names for theirs, and write the rest in any order.
func requirements(mod []byte) []byte {
	var lines []string
	for line := range strings.Lines(string(mod)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "module ") {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n"))
}

// closure returns the source of the last argument of the call of Value on the given line,
// and of every declaration of the program that it mentions, directly or through others.
// Names are matched without regard to scope, which can only add declarations. The result
// is the whole source if the call cannot be found, or if the function comes in as a
// parameter.
func closure(source []byte, line int) []byte {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "main.go", source, 0)
	if err != nil {
		return source
	}
	text := func(n ast.Node) string {
		return string(source[set.Position(n.Pos()).Offset:set.Position(n.End()).Offset])
	}

	var calls []*ast.CallExpr
	var within *ast.FuncDecl // the declaration that the calls are in
	for _, d := range file.Decls {
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 3 || callee(call) != "Value" {
				return true
			}
			from, to := set.Position(call.Pos()).Line, set.Position(call.End()).Line
			if from <= line && line <= to {
				calls = append(calls, call)
				within, _ = d.(*ast.FuncDecl)
			}
			return true
		})
	}
	if len(calls) == 0 {
		return source
	}

	declared := declarations(file)
	local := map[string][]ast.Node{} // what the names inside the function are set to
	parameters := map[string]bool{}  // those that are functions
	own := map[string]bool{}         // those declared by the function itself
	whole := false
	if within != nil {
		local = assignments(within)
	}
	for _, call := range calls {
		if within != nil {
			functionParameters(parameters, within, call, declared)
		}
		ownNames(own, call.Args[2])
		// A field that holds a function: set who knows where.
		if sel, ok := call.Args[2].(*ast.SelectorExpr); ok && declared[sel.Sel.Name] == nil && !isImport(sel.X, declared) {
			whole = true
		}
	}
	included := map[string]bool{}
	done := map[string]bool{}
	var include func(n ast.Node)
	include = func(n ast.Node) {
		t := text(n)
		if included[t] {
			return
		}
		included[t] = true
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || done[id.Name] {
				return true
			}
			done[id.Name] = true
			for _, d := range declared[id.Name] {
				include(d)
			}
			if !own[id.Name] {
				whole = whole || parameters[id.Name]
				for _, d := range local[id.Name] {
					include(d)
				}
			}
			return true
		})
	}
	for _, call := range calls {
		include(call.Args[2])
	}
	if whole {
		return source
	}
	parts := make([]string, 0, len(included))
	for t := range included {
		parts = append(parts, t)
	}
	slices.Sort(parts)
	return []byte(strings.Join(parts, "\n\n"))
}

// callee returns the name of the called function without package and type arguments.
func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.IndexExpr:
		return callee(&ast.CallExpr{Fun: f.X})
	case *ast.IndexListExpr:
		return callee(&ast.CallExpr{Fun: f.X})
	}
	return ""
}

// declarations returns the top-level declarations by name: functions, methods (by their
// own name and by that of their receiver's type), types, variables and constants, and the
// imports by the name they are used with.
func declarations(file *ast.File) map[string][]ast.Node {
	byName := map[string][]ast.Node{}
	add := func(name string, n ast.Node) { byName[name] = append(byName[name], n) }
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "main" && d.Recv == nil {
				continue // the cell itself
			}
			add(d.Name.Name, d)
			if d.Recv != nil && len(d.Recv.List) == 1 {
				ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						add(id.Name, d)
					}
					return true
				})
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					add(s.Name.Name, s)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						// A constant may go on from the line before: take the group.
						if d.Tok == token.CONST {
							add(id.Name, d)
						} else {
							add(id.Name, s)
						}
					}
				case *ast.ImportSpec:
					path := strings.Trim(s.Path.Value, `"`)
					name := path[strings.LastIndexByte(path, '/')+1:]
					if s.Name != nil {
						name = s.Name.Name
					}
					add(name, s)
				}
			}
		}
	}
	return byName
}

// assignments returns what the local names of a function are declared as and set to.
func assignments(f *ast.FuncDecl) map[string][]ast.Node {
	byName := map[string][]ast.Node{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if id, ok := left.(*ast.Ident); ok {
					for _, right := range n.Rhs {
						if !isValueCall(right) {
							byName[id.Name] = append(byName[id.Name], right)
						}
					}
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				byName[id.Name] = append(byName[id.Name], n)
			}
		}
		return true
	})
	return byName
}

// isValueCall reports whether e calls Value: its result is not part of the function that
// it is given, even if a variable of the same name (such as err) is.
func isValueCall(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && len(call.Args) == 3 && callee(call) == "Value"
}

// functionParameters adds the names of those parameters of f, and of the function literals
// around call, that are functions.
func functionParameters(names map[string]bool, f *ast.FuncDecl, call *ast.CallExpr, declared map[string][]ast.Node) {
	add := func(t *ast.FuncType) {
		for _, field := range t.Params.List {
			if isFunction(field.Type, declared) {
				for _, id := range field.Names {
					names[id.Name] = true
				}
			}
		}
	}
	add(f.Type)
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.FuncLit); ok && l.Pos() <= call.Pos() && call.End() <= l.End() {
			add(l.Type)
		}
		return true
	})
}

// ownNames adds the names that the function literal n declares: they are not those of the
// function around it.
func ownNames(names map[string]bool, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, left := range n.Lhs {
					if id, ok := left.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		}
		return true
	})
}

// isImport reports whether e is the name of an imported package.
func isImport(e ast.Expr, declared map[string][]ast.Node) bool {
	id, ok := e.(*ast.Ident)
	return ok && slices.ContainsFunc(declared[id.Name], func(n ast.Node) bool { _, ok := n.(*ast.ImportSpec); return ok })
}

func isFunction(t ast.Expr, declared map[string][]ast.Node) bool {
	switch t := t.(type) {
	case *ast.FuncType:
		return true
	case *ast.Ident:
		for _, d := range declared[t.Name] {
			if spec, ok := d.(*ast.TypeSpec); ok && spec.Type != t && isFunction(spec.Type, declared) {
				return true
			}
		}
	case *ast.IndexExpr:
		return isFunction(t.X, declared)
	case *ast.Ellipsis:
		return isFunction(t.Elt, declared)
	}
	return false
}

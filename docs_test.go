package sgdlab_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/importer"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sgdlab/kernelext/notebook"
)

// documented is a package that cells import, read from its source.
type documented struct {
	path   string // in this module
	fset   *token.FileSet
	tested string // the code of its Example functions
	*doc.Package
}

// documentedPackages reads the packages that cells import: the library, and what shows it.
func documentedPackages(t *testing.T) (all []documented) {
	t.Helper()
	for path := range listPackages(t) {
		rel, ours := strings.CutPrefix(path, module)
		if !ours || strings.Contains(rel, "internal") ||
			!below(rel, "pkg", "kernelext/show", "kernelext/widget", "kernelext/cached") {
			continue
		}
		names, err := filepath.Glob(filepath.Join(filepath.FromSlash(rel), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		p := documented{path: rel, fset: token.NewFileSet()}
		var files []*ast.File
		for _, name := range names {
			f, err := parser.ParseFile(p.fset, name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		if p.Package, err = doc.NewFromFiles(p.fset, files, path); err != nil {
			t.Fatal(err)
		}
		for _, example := range doc.Examples(files...) {
			var code bytes.Buffer
			if err := printer.Fprint(&code, p.fset, example.Code); err != nil {
				t.Fatal(err)
			}
			p.tested += code.String()
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b documented) int { return strings.Compare(a.path, b.path) })
	return all
}

// a name is exported, and a reader may ask for its help.
type name struct {
	in   string // "noise.Sampler.Next", "sde.Result.Mean"
	at   token.Position
	help string     // what Shift-Tab shows
	typ  []ast.Expr // of a field, or of the parameters and results of a function
	kind string     // "function", "method", "type", "field", "value"
}

// names returns all exported names of p.
func (p documented) names() (all []name) {
	add := func(kind, in string, at token.Pos, help string, typ ...ast.Expr) {
		all = append(all, name{p.Name + "." + in, p.fset.Position(at), help, typ, kind})
	}
	function := func(f *doc.Func) {
		kind, in := "function", f.Name
		if f.Recv != "" {
			kind = "method"
			in, _, _ = strings.Cut(strings.TrimPrefix(f.Recv, "*"), "[")
			in += "." + f.Name
		}
		add(kind, in, f.Decl.Pos(), f.Doc, signature(f.Decl.Type)...)
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, s := range v.Decl.Specs {
				s := s.(*ast.ValueSpec)
				for _, id := range s.Names {
					if id.IsExported() {
						add("value", id.Name, id.Pos(), v.Doc+s.Doc.Text()+s.Comment.Text(), s.Type)
					}
				}
			}
		}
	}
	// A comment holds for the fields below it, up to an empty line or the next comment.
	fields := func(of string, list *ast.FieldList) {
		group, last := "", 0
		for _, field := range list.List {
			if line := p.fset.Position(field.Pos()).Line; field.Doc != nil || line > last+1 {
				group = field.Doc.Text()
			}
			last = p.fset.Position(field.End()).Line
			for _, id := range field.Names {
				if !id.IsExported() {
					continue
				}
				kind, typ := "field", []ast.Expr{field.Type}
				if f, ok := field.Type.(*ast.FuncType); ok && f.Func == token.NoPos { // of an interface
					kind, typ = "method", signature(f)
				}
				add(kind, of+"."+id.Name, id.Pos(), group+field.Comment.Text(), typ...)
			}
		}
	}
	values(p.Consts)
	values(p.Vars)
	for _, f := range p.Funcs {
		function(f)
	}
	for _, typ := range p.Types {
		values(typ.Consts)
		values(typ.Vars)
		for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
			function(f)
		}
		for _, s := range typ.Decl.Specs {
			s := s.(*ast.TypeSpec)
			add("type", typ.Name, s.Pos(), typ.Doc, s.Type)
			switch x := s.Type.(type) {
			case *ast.StructType:
				fields(typ.Name, x.Fields)
			case *ast.InterfaceType:
				fields(typ.Name, x.Methods)
			}
		}
	}
	return all
}

// signature returns the types of what a function takes and returns.
func signature(f *ast.FuncType) (typ []ast.Expr) {
	for _, list := range []*ast.FieldList{f.Params, f.Results} {
		if list != nil {
			for _, field := range list.List {
				typ = append(typ, field.Type)
			}
		}
	}
	return typ
}

// numbers reports whether a type holds an array of numbers. Bytes are text or a file, and what
// a parameter that is a function takes is said where that function's kind is.
func numbers(typ ast.Expr) (has bool) {
	if typ == nil { // of a value, from what it is set to
		return false
	}
	ast.Inspect(typ, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.FuncType, *ast.StructType, *ast.InterfaceType:
			return false
		case *ast.ArrayType:
			if x.Len != nil { // the type has the shape
				return false
			}
			elt, ok := x.Elt.(*ast.Ident)
			has = has || ok && slices.Contains([]string{"float32", "float64", "int", "uint8", "int32", "complex128"}, elt.Name)
		case *ast.SelectorExpr: // a matrix of gonum, a tensor of GoMLX
			pkg, ok := x.X.(*ast.Ident)
			has = has || ok && (pkg.Name == "mat" || pkg.Name == "tensors")
		}
		return true
	})
	return has
}

// A shape is a size in letters, as in (d), (N×d), "d, after the epoch", or one in words.
var shape = regexp.MustCompile(`×|[^.]\s\((2|3|[dkmnpNbl]|d²|StatsDim)[);,]|^(2|3|[dkmnpNbl])([,;: ]|$)|\b[Ll]engths?\b|\b[Ss]hapes?\b|\bas (many|long) as\b|` +
	`\b[Oo]ne (\w+ )?(per|for each|for every|of each|of every)\b|\b(any|equal) length\b|\b[Rr]ows?\b|\bentries\b|\belements\b|\bvalues per\b|NX·NY|index j·|\b[dkn] (values|numbers|eigenvalues)\b`)

// TestComments holds what Shift-Tab shows, the comment of a name: everything exported has one, and
// arrays have a shape.
func TestComments(t *testing.T) {
	count := 0
	for _, p := range documentedPackages(t) {
		for _, n := range p.names() {
			count++
			if n.kind == "field" && !slices.ContainsFunc(n.typ, numbers) {
				continue // a name, and the comment of its type
			}
			help := strings.TrimSpace(strings.ReplaceAll(n.help, "\n", " "))
			if help == "" {
				t.Errorf("%s: %s has no comment", n.at, n.in)
				continue
			}
			if n.kind != "type" && slices.ContainsFunc(n.typ, numbers) && !shape.MatchString(help) {
				t.Errorf("%s: the comment of %s gives no shape: %s", n.at, n.in, help)
			}
		}
	}
	t.Logf("%d exported names", count)
	if count < 1500 {
		t.Errorf("only %d exported names were seen", count)
	}
}

// TestCommentExamples holds that each function and type that a chapter's cells use by name has an
// example in its comment, where Shift-Tab shows it, that each method they call is in some
// example, and that the examples of comments compile.
func TestCommentExamples(t *testing.T) {
	used, called := regexp.MustCompile(`\b[a-z]\w*\.[A-Z]\w*\b`), regexp.MustCompile(`\.[A-Z]\w*\(`)
	wanted := map[string]string{} // name → a chapter that uses it
	chapters, err := filepath.Glob("notebooks/*.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range chapters {
		nb, err := notebook.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range nb.Cells {
			if c.Type != notebook.Code {
				continue
			}
			for _, in := range slices.Concat(used.FindAllString(c.Source, -1), called.FindAllString(c.Source, -1)) {
				wanted[in] = filepath.Base(path)
			}
		}
	}
	all := documentedPackages(t)
	base := map[string]string{} // of a package → its path
	for _, p := range all {
		base[p.Name] = module + p.path
	}
	for _, std := range []string{"context", "fmt", "math", "os", "gonum.org/v1/gonum/mat"} {
		base[filepath.Base(std)] = std
	}
	base["rand"] = "math/rand/v2"

	var file strings.Builder // all examples, a function each
	shown, calls := 0, map[string]bool{}
	for _, p := range all {
		for _, call := range called.FindAllString(p.tested, -1) {
			calls[call] = true
		}
		for _, n := range p.names() {
			code := exampleLines(p.Package, n.help)
			if code != "" {
				shown++
				fmt.Fprintf(&file, "\nfunc _() { // %s\n//line %s:%d\n%s}\n", n.in, n.at.Filename, n.at.Line, code)
			}
			for _, call := range called.FindAllString(code, -1) {
				calls[call] = true
			}
			if chapter, ok := wanted[n.in]; ok && (n.kind == "function" || n.kind == "type") &&
				!regexp.MustCompile(`\b`+regexp.QuoteMeta(n.in)+`\b`).MatchString(code) {
				t.Errorf("%s: %s, which %s uses, has no example in its comment", n.at, n.in, chapter)
			}
		}
	}
	for _, p := range all {
		for _, n := range p.names() {
			call := n.in[strings.LastIndex(n.in, "."):] + "("
			if chapter, ok := wanted[call]; ok && n.kind == "method" && call != ".String(" && !calls[call] {
				t.Errorf("%s: %s, which %s calls, is in no example", n.at, n.in, chapter)
			}
		}
	}
	t.Logf("%d examples", shown)
	head := "package examples\n"
	for name, path := range base {
		head += fmt.Sprintf("import %s %q\n", name, path)
	}
	head += mine
	compile(t, head+file.String(), base)
}

// exampleLines returns the code in a comment: the indented blocks that use a package by name.
func exampleLines(p *doc.Package, text string) string {
	var code strings.Builder
	for _, block := range p.Parser().Parse(text).Content {
		if c, ok := block.(*comment.Code); ok && regexp.MustCompile(`\b`+p.Name+`\.[A-Z]\w*`).MatchString(c.Text) {
			code.WriteString(c.Text)
		}
	}
	return code.String()
}

// mine are variables that examples have from the reader. Some have another type in each.
const mine = `
var (
	ctx             context.Context
	train, test     *dataset.Images
	x, stats, p     []float64
	l               *fokkerplanck.Generator
	g               fokkerplanck.Grid
	law             variational.Gaussian
	cloud           figure.BatchCloud
	lambda          float64
	d, loss         []float64
	epochs          int
)
`

var unknown = regexp.MustCompile(`declared and not used|imported (and not used|as )|undefined: (result|a|r|settings|lossCurve|rows)$`)

// compile checks the types of a file that may leave variables and imports unused.
func compile(t *testing.T, source string, imports map[string]string) {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export"}
	for _, path := range imports {
		args = append(args, path)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "examples.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	settings := types.Config{
		Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }),
		Error: func(err error) {
			if s := err.Error(); !unknown.MatchString(s) {
				t.Error(s)
			}
		},
	}
	_, _ = settings.Check("examples", fset, []*ast.File{f}, nil) // the errors are told above
}

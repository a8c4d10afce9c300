package cached

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cell returns the program that GoNB would make of some declarations and a cell, and the
// line of the call.
func cell(t *testing.T, declarations, body string) (source []byte, line int) {
	t.Helper()
	text := "package main\n\nimport (\n\t\"fmt\"\n\t\"sgdlab/kernelext/cached\"\n\t\"sgdlab/pkg/sgd\"\n)\n\n" + declarations + "\n\nfunc main() {\n" + body + "\n}\n"
	i := strings.Index(text, "cached.Value")
	if i < 0 {
		t.Fatal("no call")
	}
	return []byte(text), 1 + strings.Count(text[:i], "\n")
}

const notebook = `
type Run struct { Loss float64 }

func (r *Run) Scale(x float64) { r.Loss *= x }

func train(s sgd.Settings) (*Run, error) { return step(s, width) }

func step(s sgd.Settings, w int) (*Run, error) { r := &Run{}; r.Scale(factor); return r, nil }

const width = 64

var factor = 2.0

func unrelated() { fmt.Println("x") }
`

func TestCellsSeeWhatTheirFunctionUses(t *testing.T) {
	const body = "\ts := sgd.Settings{Epochs: 3}\n\tr, err := cached.Value(\"run\", s, func() (*Run, error) { return train(s) })\n\tfmt.Println(r, err)"
	code := func(declarations, body string) string {
		source, line := cell(t, declarations, body)
		return string(closure(source, line))
	}
	base := code(notebook, body)
	replace := func(old, new string) string {
		t.Helper()
		changed := strings.Replace(notebook, old, new, 1)
		if changed == notebook {
			t.Fatalf("%q is not in the declarations", old)
		}
		return changed
	}
	for _, tt := range []struct {
		name         string
		declarations string
		body         string
		same         bool
	}{
		{"again", notebook, body, true},
		{"an unrelated function changes", replace(`Println("x")`, `Println("y")`), body, true},
		{"an unrelated function is added", notebook + "\nfunc more() {}\n", body, true},
		{"the rest of the cell changes", notebook, body + "\n\tfmt.Println(1)", true},
		{"the declarations move", strings.Repeat("\n", 5) + notebook, body, true},
		{"the called function changes", replace("step(s, width)", "step(s, width+1)"), body, false},
		{"a function further down changes", replace("r.Scale(factor)", "r.Scale(-factor)"), body, false},
		{"a method changes", replace("*= x", "*= x*x"), body, false},
		{"a type changes", replace("Loss float64", "Loss float32"), body, false},
		{"a constant changes", replace("width = 64", "width = 65"), body, false},
		{"a variable changes", replace("factor = 2.0", "factor = 3.0"), body, false},
		{"the function literal changes", notebook, strings.Replace(body, "return train(s)", "return train(sgd.Settings{})", 1), false},
		{"what a captured variable is set to changes", notebook, strings.Replace(body, "Epochs: 3", "Epochs: 4", 1), false},
	} {
		if got := code(tt.declarations, tt.body); (got == base) != tt.same {
			t.Errorf("%s: same is %v, want %v\n%s", tt.name, got == base, tt.same, got)
		}
	}
	if strings.Contains(base, "unrelated") {
		t.Errorf("the code contains what is not used:\n%s", base)
	}
}

func TestCellsAreWholeWhereTheFunctionIsNotKnown(t *testing.T) {
	for _, tt := range []struct {
		name, declarations, body string
		whole                    bool
	}{
		{"a named function", "func f() (int, error) { return 1, nil }", "\tcached.Value(\"x\", 1, f)", false},
		{"a local function", "", "\tf := func() (int, error) { return 1, nil }\n\tcached.Value(\"x\", 1, f)", false},
		{"type arguments", "func f() (int, error) { return 1, nil }", "\tcached.Value[int](\"x\", 1, f)", false},
		{"a parameter", "func keep(fn func() (int, error)) { cached.Value(\"x\", 1, fn) }", "\tkeep(nil)", true},
		{"a parameter of a named type", "type work func() (int, error)\nfunc keep(fn work) { cached.Value(\"x\", 1, func() (int, error) { return fn() }) }", "", true},
		{"a parameter of a literal", "", "\tkeep := func(fn func() (int, error)) { cached.Value(\"x\", 1, fn) }\n\tkeep(nil)", true},
		{"settings as a parameter", "func keep(s sgd.Settings) { cached.Value(\"x\", s, func() (int, error) { return s.Epochs, nil }) }", "", false},
		{"a callback of its own", "", "\tcached.Value(\"x\", 1, func() (int, error) { g := func(yield func(int) bool) {}; g(nil); return 1, nil })", false},
		{"a field", "type work struct { f func() (int, error) }", "\tvar w work\n\tcached.Value(\"x\", 1, w.f)", true},
		{"a method value", "type work struct{}\nfunc (w work) f() (int, error) { return 1, nil }", "\tvar w work\n\tcached.Value(\"x\", 1, w.f)", false},
		{"a function of a package", "", "\tcached.Value(\"x\", 1, sgd.Something)", false},
	} {
		source, line := cell(t, tt.declarations, tt.body)
		if got := string(closure(source, line)) == string(source); got != tt.whole {
			t.Errorf("%s: whole is %v, want %v", tt.name, got, tt.whole)
		}
	}
	if got := closure([]byte("not Go"), 1); string(got) != "not Go" {
		t.Errorf("a program that cannot be read: got %q", got)
	}
	if source, line := cell(t, "", "\tcached.Value(\"x\", 1, nil)"); string(closure(source, line+5)) != string(source) {
		t.Error("a line without a call is not the whole program")
	}
}

func TestSourcesOfAModule(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sum := func() string {
		t.Helper()
		h := sha256.New()
		if _, err := hashSources(h, root); err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	write("go.mod", "module m\n")
	write("go.sum", "")
	write("a/a.go", "package a\n\n//go:embed data/*.txt \"more.bin\"\nvar files embed.FS\n")
	write("a/data/x.txt", "x")
	write("a/data/y.csv", "y")
	write("a/more.bin", "m")
	write("a/a_test.go", "package a\n")
	write("a/fast_amd64.s", "TEXT\n")
	write("tools/go.mod", "module tools\n")
	write("tools/t.go", "package t\n")
	write(".lab/b.go", "package b\n")
	write("notes.md", "n")
	want := sum()
	for _, tt := range []struct {
		name   string
		counts bool
	}{
		{"go.mod", true}, {"go.sum", true}, {"a/a.go", true}, {"a/fast_amd64.s", true}, {"a/data/x.txt", true}, {"a/more.bin", true},
		{"a/data/y.csv", false}, {"a/a_test.go", false}, {"tools/t.go", false}, {".lab/b.go", false}, {"notes.md", false},
	} {
		path := filepath.Join(root, tt.name)
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(tt.name, string(old)+"\n")
		if changed := sum() != want; changed != tt.counts {
			t.Errorf("%s: an edit counts: %v, want %v", tt.name, changed, tt.counts)
		}
		write(tt.name, string(old))
		if sum() != want {
			t.Errorf("%s: taking the edit back does not bring the old code back", tt.name)
		}
	}
	write("b/new.go", "package b\n")
	if sum() == want {
		t.Error("a new file does not count")
	}

	late := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := os.Chtimes(filepath.Join(root, "a", "more.bin"), late, late); err != nil {
		t.Fatal(err)
	}
	newest, err := hashSources(sha256.New(), root)
	if err != nil || !newest.Equal(late) {
		t.Errorf("newest: got %v, %v, want %v", newest, err, late)
	}
	if err := os.Remove(filepath.Join(root, "go.sum")); err != nil {
		t.Fatal(err)
	}
	if sum() == want {
		t.Error("a missing go.sum does not count")
	}
}

// A call from a test is not from the sources that are hashed, so the program counts.
func TestCodeOfThisProgram(t *testing.T) {
	if moduleRoot() == "" {
		t.Skip("compiled with -trimpath: the module's root is not known")
	}
	base, trusted, err := baseCode()
	if err != nil {
		t.Fatal(err)
	}
	program, err := programCode()
	if err != nil || len(program) != 64 {
		t.Fatalf("program %q, %v", program, err)
	}
	at := func(file string) string {
		t.Helper()
		code, err := codeAt(position{file, 1})
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	module := base
	if !trusted { // the sources are newer than this test program, or not much older
		module = base + program
	}
	if got := at(filepath.Join(moduleRoot(), "kernelext", "x", "x.go")); got != module {
		t.Errorf("within the module: got %s, want %s", got, module)
	}
	for _, file := range []string{filepath.Join(moduleRoot(), "kernelext", "x_test.go"), "/elsewhere/main.go", moduleRoot() + "2/main.go"} {
		if got := at(file); got != base+program {
			t.Errorf("%s: got %s, want the program to count", file, got)
		}
	}
}

// Two kernels write the same go.mod in different orders, with different names.
func TestRequirements(t *testing.T) {
	one := requirements([]byte("module gonb_1\n\ngo 1.26\n\nreplace sgdlab => /a\n\nrequire sgdlab v0.0.0\n"))
	two := requirements([]byte("module gonb_2\n\ngo 1.26\n\nrequire sgdlab v0.0.0\n\nreplace sgdlab => /a\n"))
	other := requirements([]byte("module gonb_2\n\ngo 1.26\n\nrequire sgdlab v0.0.0\n\nreplace sgdlab => /b\n"))
	if !bytes.Equal(one, two) || bytes.Equal(one, other) {
		t.Errorf("got %q, %q and %q", one, two, other)
	}
}

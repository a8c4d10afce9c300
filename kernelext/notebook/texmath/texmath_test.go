package texmath_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sgdlab/kernelext/notebook/texmath"
)

// body returns the MathML of a formula in text style without the math and mrow around it.
func body(t *testing.T, tex string) string {
	t.Helper()
	m, err := texmath.MathML(tex, false)
	if err != nil {
		t.Errorf("%s: %v", tex, err)
		return ""
	}
	_, m, _ = strings.Cut(m, "<mrow>")
	return strings.TrimSuffix(m, "</mrow></math>")
}

// plain drops the attributes of m that only set spaces and shapes of operators.
func plain(m string) string {
	return regexp.MustCompile(` (form|lspace|rspace|stretchy|fence|symmetric|minsize|maxsize|movablelimits)="[^"]*"`).ReplaceAllString(m, "")
}

func TestStructure(t *testing.T) {
	for _, tt := range []struct{ tex, want string }{
		{``, ``},
		{`x`, `<mi>x</mi>`},
		{`12.5x`, `<mn>12.5</mn><mi>x</mi>`},
		{`.5`, `<mn>.5</mn>`},
		{`a.`, `<mi>a</mi><mo>.</mo>`},
		{`\alpha\Gamma`, `<mi>α</mi><mi mathvariant="normal">Γ</mi>`},
		{`\nabla f`, `<mi mathvariant="normal">∇</mi><mi>f</mi>`},
		{`a\le b<c`, `<mi>a</mi><mo>≤</mo><mi>b</mi><mo>&lt;</mo><mi>c</mi>`},
		{`\frac{a}{b}`, `<mfrac><mi>a</mi><mi>b</mi></mfrac>`},
		{`\frac12`, `<mfrac><mn>1</mn><mn>2</mn></mfrac>`},
		{`\frac\pi2`, `<mfrac><mi>π</mi><mn>2</mn></mfrac>`},
		{`\dfrac ab`, `<mstyle displaystyle="true" scriptlevel="0"><mfrac><mi>a</mi><mi>b</mi></mfrac></mstyle>`},
		{`{a \over b}`, `<mfrac><mi>a</mi><mi>b</mi></mfrac>`},
		{`\binom Nb`, `<mrow><mo>(</mo><mfrac linethickness="0"><mi>N</mi><mi>b</mi></mfrac><mo>)</mo></mrow>`},
		{`x_i`, `<msub><mi>x</mi><mi>i</mi></msub>`},
		{`x^2`, `<msup><mi>x</mi><mn>2</mn></msup>`},
		{`x^{2}_i`, `<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>`},
		{`x_{ij}`, `<msub><mi>x</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub>`},
		{`x^23`, `<msup><mi>x</mi><mn>2</mn></msup><mn>3</mn>`},
		{`{}^\top`, `<msup><mrow></mrow><mi mathvariant="normal">⊤</mi></msup>`},
		{`^2`, `<msup><mrow></mrow><mn>2</mn></msup>`},
		{`f'`, `<mrow><mi>f</mi><mo>′</mo></mrow>`},
		{`f''^2_i`, `<msubsup><mrow><mi>f</mi><mo>′′</mo></mrow><mi>i</mi><mn>2</mn></msubsup>`},
		{`\sqrt{x+1}`, `<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt>`},
		{`\sqrt[3]x`, `<mroot><mi>x</mi><mn>3</mn></mroot>`},
		{`\sum_{k}^N`, `<munderover><mo>∑</mo><mi>k</mi><mi>N</mi></munderover>`},
		{`\int_0^1`, `<msubsup><mo>∫</mo><mn>0</mn><mn>1</mn></msubsup>`},
		{`\int\limits_0`, `<munder><mo>∫</mo><mn>0</mn></munder>`},
		{`\sum\nolimits_0`, `<msub><mo>∑</mo><mn>0</mn></msub>`},
		{`\mathrm{KL}`, `<mi>KL</mi>`},
		{`\mathrm d`, `<mi mathvariant="normal">d</mi>`},
		{`{\rm tr}x`, `<mi>tr</mi><mi>x</mi>`},
		{`\mathbb{ER}`, `<mrow><mi mathvariant="normal">𝔼</mi><mi mathvariant="normal">ℝ</mi></mrow>`},
		{`\mathcal F`, `<mi mathvariant="normal">ℱ</mi>`},
		{`\mathfrak g`, `<mi mathvariant="normal">𝔤</mi>`},
		{`\mathbf x`, `<mi mathvariant="normal" style="font-weight:bold">x</mi>`},
		{`\boldsymbol\beta`, `<mi style="font-weight:bold">β</mi>`},
		{`\mathbf 1`, `<mn style="font-weight:bold">1</mn>`},
		{`\text{if $x$ is}`, `<mrow><mtext>if&nbsp;</mtext><mi>x</mi><mtext>&nbsp;is</mtext></mrow>`},
		{`\textbf{a b}`, `<mrow><mtext style="font-weight:bold">a&nbsp;b</mtext></mrow>`},
		{`\hat x`, `<mover accent="true"><mi>x</mi><mo>ˆ</mo></mover>`},
		{`\underbrace{a}_b`, `<munder><munder accentunder="true"><mi>a</mi><mo>⏟</mo></munder><mi>b</mi></munder>`},
		{`\overset{!}{=}`, `<mover><mo>=</mo><mo>!</mo></mover>`},
		{`\left(x\right]`, `<mrow><mo>(</mo><mrow><mi>x</mi></mrow><mo>]</mo></mrow>`},
		{`\left.x\middle|y\right\}`, `<mrow><mrow><mi>x</mi></mrow><mo>|</mo><mrow><mi>y</mi></mrow><mo>}</mo></mrow>`},
		{`\big)^2`, `<msup><mrow><mo>)</mo></mrow><mn>2</mn></msup>`},
		{`\|x\|`, `<mo>‖</mo><mi>x</mi><mo>‖</mo>`},
		{`\operatorname{tr}D`, `<mi>tr</mi><mspace width="0.1667em"/><mi>D</mi>`},
		{`\begin{pmatrix}1&2\\3&4\\\end{pmatrix}`, `<mrow><mo>(</mo><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mn>3</mn></mtd><mtd><mn>4</mn></mtd></mtr></mtable><mo>)</mo></mrow>`},
		{`\begin{array}{lr}1&2\end{array}`, `<mtable><mtr><mtd style="text-align:left;text-align:-webkit-left"><mn>1</mn></mtd><mtd style="text-align:right;text-align:-webkit-right"><mn>2</mn></mtd></mtr></mtable>`},
		{`a\not=b\not\in c`, `<mi>a</mi><mo>≠</mo><mi>b</mi><mo>∉</mo><mi>c</mi>`},
		{`a\,b`, `<mi>a</mi><mspace width="0.1667em"/><mi>b</mi>`},
		{`a\hspace{5pt}b`, `<mi>a</mi><mspace width="0.5em"/><mi>b</mi>`},
		{`a~b\ c`, `<mi>a</mi><mspace width="0.3333em"/><mi>b</mi><mspace width="0.3333em"/><mi>c</mi>`},
		{`a%comment` + "\n" + `b`, `<mi>a</mi><mi>b</mi>`},
		{`\lambda ≥ β`, `<mi>λ</mi><mo>≥</mo><mi>β</mi>`},
		{`\textcolor{red}{x}`, `<mrow style="color:red"><mi>x</mi></mrow>`},
		{`\tag{3}`, `<mrow><mspace width="2em"/><mtext>(</mtext><mrow><mtext>3</mtext></mrow><mtext>)</mtext></mrow>`},
		{`\label{a}x`, `<mi>x</mi>`},
		{`a\pmod n`, `<mi>a</mi><mrow><mspace width="1em"/><mo>(</mo><mi>mod</mi><mspace width="0.3333em"/><mi>n</mi><mo>)</mo></mrow>`},
	} {
		want := strings.ReplaceAll(tt.want, "&nbsp;", "\u00a0")
		if got := plain(body(t, tt.tex)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.tex, got, want)
		}
	}
}

// The rules of TeX for the spaces around the same sign.
func TestClasses(t *testing.T) {
	for _, tt := range []struct {
		tex  string
		want []string // the kind of each operator
	}{
		{`-x`, []string{"sign"}},
		{`a-b`, []string{"binary"}},
		{`a=-b`, []string{"relation", "sign"}},
		{`(-b)`, []string{"opening", "sign", "closing"}},
		{`a,-b`, []string{"punctuation", "sign"}},
		{`a-`, []string{"sign"}},
		{`a--b`, []string{"binary", "sign"}},
		{`\log -x`, []string{"sign"}},
		{`x^{-1}`, []string{"sign"}},
		{`x_{a+b}`, []string{"tight"}},
		{`x_{k=1}`, []string{"tight"}},
		{`f(\cdot)`, []string{"opening", "tight", "closing"}},
		{`a\cdot b`, []string{"binary"}},
		{`3{,}978`, []string{"tight"}},
		{`a:=b`, []string{"relation", "relation"}},
		{`k\mathrel{+}=1`, []string{"relation", "relation"}},
		{`|x|`, []string{"tight", "tight"}},
		{`a/b`, []string{"tight"}},
		{`a\circ b`, []string{"binary"}},
		{`\begin{aligned}a&=b\\&-c\end{aligned}`, []string{"relation", "binary"}},
	} {
		var got []string
		for _, m := range regexp.MustCompile(`<mo([^>]*)>`).FindAllStringSubmatch(body(t, tt.tex), -1) {
			kind := "tight"
			switch a := m[1]; {
			case strings.Contains(a, `form="prefix" lspace="0"`):
				kind = "sign"
			case strings.Contains(a, `0.2778em`):
				kind = "relation"
			case strings.Contains(a, `form="infix"`):
				kind = "binary"
			case strings.Contains(a, `form="prefix"`):
				kind = "opening"
			case strings.Contains(a, `form="postfix"`):
				kind = "closing"
			case strings.Contains(a, `rspace="0.1667em"`):
				kind = "punctuation"
			}
			got = append(got, kind)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v in %s", tt.tex, got, tt.want, body(t, tt.tex))
		}
	}
	if m := body(t, `a:=b`); !strings.Contains(m, `lspace="0.2778em" rspace="0"`) || !strings.Contains(m, `lspace="0" rspace="0.2778em"`) {
		t.Errorf("two relations have a space between them: %s", m)
	}
}

func TestFunctionsHaveThinSpaces(t *testing.T) {
	for tex, want := range map[string]int{
		`\log x`: 1, `\log(x)`: 0, `2\log x`: 2, `\log\log x`: 2, `\log`: 0, `a=\log x`: 1, `\max_i x`: 1, `\sum\log x`: 1, `(a)\log x`: 2, `\log\,x`: 1,
	} {
		if got := strings.Count(body(t, tex), "<mspace"); got != want {
			t.Errorf("%s: got %d spaces, want %d: %s", tex, got, want, body(t, tex))
		}
	}
}

func TestMistakesAreErrors(t *testing.T) {
	for tex, want := range map[string]string{
		`\frac{a}`: "an argument is missing", `\frac`: "an argument is missing", `x_`: "an argument is missing", `{x`: "} is missing", `x}`: "too many",
		`\unknown`: `\unknown is unknown`, `x^1^2`: "two superscripts", `x_1_2`: "two subscripts", `x^1'`: "prime", `\left(x`: `\right is missing`, `\left x\right)`: "no delimiter",
		`\right)`: `\right stands`, `\begin{pmatrix}1`: `\end is missing`, `\begin{pmatrix}1\end{bmatrix}`: "is closed by", `\begin{tikz}\end{tikz}`: `"tikz" is unknown`,
		`\text x`: "want {", `\text{\foo}`: "has a command", `a$b`: "dollar", `\textcolor{x;y}{z}`: "no colour", `\hspace{x}`: "no length", `\left(\begin{matrix}a\right)\end{matrix}`: "table",
		`\left(a & b\right)`: "between", `\not x`: "no relation", `\text{a`: "not closed", `\kern x`: "no length", `\sqrt{a & b}`: "should not", `\big x`: "no delimiter", "\x00": "cannot be shown",
		strings.Repeat("{", 100) + strings.Repeat("}", 100): "too deeply",
	} {
		m, err := texmath.MathML(tex, true)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "texmath: ") {
			t.Errorf("%s: got %s, %v; want an error with %q", tex, m, err, want)
		}
	}
}

func TestDisplay(t *testing.T) {
	m, err := texmath.MathML(`a"<&b`, true)
	if err != nil || !strings.HasPrefix(m, `<math display="block" alttext="a&quot;&lt;&amp;b">`) {
		// & makes it a table, which is fine
		t.Errorf("got %s, %v", m, err)
	}
	if m, _ = texmath.MathML("a\\\\b", true); strings.Count(m, "<mtr>") != 2 {
		t.Errorf("two lines: got %s", m)
	}
}

// arity is how many children an element of MathML must have.
var arity = map[string]int{"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3, "mroot": 2}

// wellFormed says what is wrong with the form of m.
func wellFormed(m string) error {
	type element struct {
		name     string
		children int
	}
	var open []element
	d := xml.NewDecoder(strings.NewReader(m))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(open) > 0 {
				open[len(open)-1].children++
			}
			open = append(open, element{name: token.Name.Local})
		case xml.EndElement:
			e := open[len(open)-1]
			open = open[:len(open)-1]
			if n, ok := arity[e.name]; ok && e.children != n {
				return fmt.Errorf("%s has %d children, want %d", e.name, e.children, n)
			}
		}
	}
}

// The file holds formulas from a description of the paper's statements: all of its
// commands, in all combinations of two.
func TestStatements(t *testing.T) {
	b, err := os.ReadFile("testdata/statements.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for tex := range strings.Lines(string(b)) {
		n++
		m, err := texmath.MathML(strings.TrimSpace(tex), false)
		if err == nil {
			err = wellFormed(m)
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", tex, err, m)
		}
	}
	if n < 200 {
		t.Errorf("%d formulas, want more than 200", n)
	}
}

// Whatever comes in, what comes out is an error or well-formed.
func FuzzMathML(f *testing.F) {
	for _, tex := range []string{`\frac{1}{2}`, `x_i^{2}'`, `\left(\begin{matrix}1&2\\3\end{matrix}\right)`, `\text{a $b$}`, `\sqrt[3]{x}\big|\mathbb{E}`, `\overset{a}{b}\not=`, `\operatorname*{arg\,min}_x`, `{a\over b}`, `\displaystyle\sum\limits_a`, `\rm a{\bf b}c`, `\tag{1}\color{red}x`} {
		f.Add(tex)
	}
	f.Fuzz(func(t *testing.T, tex string) {
		m, err := texmath.MathML(tex, true)
		if err != nil {
			return
		}
		if err := wellFormed(m); err != nil {
			t.Errorf("%q: %v\n%s", tex, err, m)
		}
	})
}

func ExampleMathML() {
	m, err := texmath.MathML(`\beta^{-1}=\frac{\eta}{2b}`, false)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.NewReplacer("<m", "\n<m").Replace(m)[1:])
	// Output:
	// <math alttext="\beta^{-1}=\frac{\eta}{2b}">
	// <mrow>
	// <msup>
	// <mi>β</mi>
	// <mrow>
	// <mo form="prefix" lspace="0" rspace="0" stretchy="false">−</mo>
	// <mn>1</mn></mrow></msup>
	// <mo form="infix" lspace="0.2778em" rspace="0.2778em" stretchy="false">=</mo>
	// <mfrac>
	// <mi>η</mi>
	// <mrow>
	// <mn>2</mn>
	// <mi>b</mi></mrow></mfrac></mrow></math>
}

func BenchmarkMathML(b *testing.B) {
	const tex = `\frac{dF}{dt}=-\int\rho\,\nabla\mu\cdot D\,\nabla\mu\;dx\le0,\qquad\mu=\Phi+\beta^{-1}(\log\rho+1)`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := texmath.MathML(tex, true); err != nil {
			b.Fatal(err)
		}
	}
}

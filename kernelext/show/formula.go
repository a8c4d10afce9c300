package show

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Formula shows a formula on a line of its own, in the mathematics of LaTeX without dollar
// signs; [TeX] puts values of the program into it:
//
//	d := problem.T1().Diffusion()
//	show.Formula("D = "+show.TeX(d)+`, \qquad \operatorname{tr} D = `+show.TeX(10.0), "D = (1, 1.8; 1.8, 9), its trace is 10")
//
// Texts after it say the same in words, for those who do not see it and where formulas are
// not drawn; without them the source stands there.
func Formula(tex string, alt ...string) {
	plain := strings.Join(strings.Fields(tex), " ")
	if len(alt) > 0 {
		plain = strings.Join(alt, " ")
	}
	current().show(bundle{latex: "$$" + tex + "$$", plain: plain})
}

// formulaSide is the largest number of rows or columns of a matrix in a formula.
const formulaSide = 12

// TeX returns a value as it stands in a formula: a number with about four digits, a
// []float64 as a column, a [][]float64 or anything with Dims and At such as a mat.Matrix as a
// matrix whose entries have the same number of decimals.
//
// It panics if v is none of these, empty, or larger than 12×12: Table and HeatMap show
// large ones.
//
//	show.Formula("U = " + show.TeX(problem.REF().PotentialHessian()))
func TeX(v any) string {
	if r := reflect.ValueOf(v); r.CanInt() {
		return strconv.FormatInt(r.Int(), 10)
	} else if r.CanUint() {
		return strconv.FormatUint(r.Uint(), 10)
	} else if r.CanFloat() {
		return texNumber(scientific(r.Float()))
	}
	g := newGrid(v, "formula")
	if _, ok := v.([]float64); ok {
		row := g
		g = grid{row.columns, 1, func(i, _ int) float64 { return row.at(0, i) }}
	}
	if max(g.rows, g.columns) > formulaSide {
		panic(fmt.Sprintf("show: a matrix of %d×%d is too large for a formula, which takes %d×%d: use Table or HeatMap", g.rows, g.columns, formulaSide, formulaSide))
	}
	var values []float64
	for i := range g.rows {
		for j := range g.columns {
			values = append(values, g.at(i, j))
		}
	}
	format := floatFormat(values)
	texts := make([]string, len(values))
	for k, v := range values {
		texts[k] = format(v)
	}
	var b strings.Builder
	for k, s := range withoutZeros(texts) {
		switch {
		case k == 0:
		case k%g.columns == 0:
			b.WriteString(` \\ `)
		default:
			b.WriteString(" & ")
		}
		b.WriteString(texNumber(s))
	}
	return `\begin{pmatrix} ` + b.String() + ` \end{pmatrix}`
}

// withoutZeros takes the zeros off the ends of decimals that all of them have.
func withoutZeros(decimals []string) []string {
	for {
		shorter := make([]string, len(decimals))
		for i, s := range decimals {
			whole, fraction, ok := strings.Cut(s, ".")
			if !ok || strings.Contains(fraction, "e") || !strings.HasSuffix(fraction, "0") {
				return decimals
			}
			shorter[i] = strings.TrimSuffix(whole+"."+fraction[:len(fraction)-1], ".")
		}
		decimals = shorter
	}
}

// texNumber turns a formatted number into TeX.
func texNumber(s string) string {
	mantissa, exponent, _ := strings.Cut(s, "e")
	if e, err := strconv.Atoi(exponent); err == nil {
		return fmt.Sprintf(`%s \cdot 10^{%d}`, mantissa, e)
	}
	return strings.NewReplacer("∞", `\infty`, "NaN", `\text{NaN}`).Replace(s)
}

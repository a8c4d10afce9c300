package show

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

type dense [][]float64

func (d dense) Dims() (r, c int)    { return len(d), len(d[0]) }
func (d dense) At(i, j int) float64 { return d[i][j] }
func plainOf(rows any) string       { return newTable(rows).plain() }
func lines(s ...string) string      { return strings.Join(s, "\n") + "\n" }

type level int

func byRow() *Rows {
	t := Columns("λ", "gap", "name")
	t.Row(0, 0.7915, "a")
	t.Row(1, nil, "b")
	return t
}

func (l level) String() string { return fmt.Sprintf("level %d", int(l)) }

func TestTables(t *testing.T) {
	type inner struct{ X, Y float64 }
	type record struct {
		Name       string
		Value      *float64
		Level      level
		Took       time.Duration
		Any        any
		hidden     int
		Left       string `show:"-"`
		RankF32    int    `show:"rank" unit:"%"`
		GrowthRate float64
	}
	half := 0.5
	tests := []struct {
		name string
		rows any
		want string
	}{
		{"matrix", dense{{1, -0.5}, {0, 2.25}}, lines("1  -0.500", "0   2.250")},
		{"nested slices, ragged", [][]float64{{1, 2}, {3}}, lines("1  2", "3   ")},
		{"vector", []float64{1e-9, 0, 1, math.NaN(), math.Inf(-1)}, lines("1.000e-09", "        0", "1.000e+00", "      NaN", "       -∞")},
		{"small and large", []float64{0.001, 0.01}, lines("0.00100", "0.01000")},
		{"whole floats", []float64{60000, 12}, lines("60000", "   12")},
		{"strings", []string{"a", "bb"}, lines("a", "bb")},
		{"map", map[int]float64{10: 0.5, 9: 0.25}, lines(" 9  0.2500", "10  0.5000")},
		{"map of anything", map[string]any{"tr D": 1234.5678, "net": "tiny-fc", "d": 917, "none": nil},
			lines("d     917", "net   tiny-fc", "none  ", "tr D  1235")},
		{"map of structs", map[string]inner{"b": {1, 2}, "a": {3, 4}}, lines("   X  Y", "-  -  -", "a  3  4", "b  1  2")},
		{"struct", inner{1.5, 1e-7}, lines("X      1.500", "Y  1.000e-07")},
		{"pointer to struct", &inner{1, 2}, lines("X  1", "Y  2")},
		{"slice of pointers, one nil", []*inner{{1, 2}, nil}, lines("X  Y", "-  -", "1  2", "    ")},
		{"times", []time.Time{time.Date(2026, 1, 2, 3, 4, 5, 6, time.Local)}, lines("2026-01-02 03:04:05")},
		{"stringers", []level{1, 2}, lines("level 1", "level 2")},
		{"row by row", byRow(), lines("λ     gap  name", "-  ------  ----", "0  0.7915  a", "1          b")},
		{"empty slice of structs", []inner{}, lines("X  Y", "-  -")},
		{"record", []record{{"n", &half, 3, time.Second, 7, 1, "x", 12, 1.5}, {"m", nil, 4, time.Minute, nil, 2, "y", 3, 22}},
			lines(
				"name   value  level    took  any  rank [%]  growth rate",
				"----  ------  -------  ----  ---  --------  -----------",
				"n     0.5000  level 3  1s      7        12         1.50",
				"m             level 4  1m0s              3        22.00",
			)},
	}
	for _, tt := range tests {
		if got := plainOf(tt.rows); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestLongTablesAreFolded(t *testing.T) {
	long := make([]int, 100)
	for i := range long {
		long[i] = i
	}
	tab := newTable(long)
	if got := tab.plain(); !strings.HasSuffix(got, "23\n… and 76 more rows\n") {
		t.Errorf("plain: %q", got)
	}
	html := tab.html()
	if !strings.Contains(html, "<summary>76 more rows</summary>") || !strings.Contains(html, ">99</td>") {
		t.Errorf("html: %s", html)
	}
	if got := newTable(long[:28]).html(); strings.Contains(got, "<details>") {
		t.Error("a fold of four rows is no gain")
	}
	wide := [][]int{make([]int, 30)}
	if got := newTable(wide).plain(); !strings.HasSuffix(got, "… and 18 more columns\n") {
		t.Errorf("wide: %q", got)
	}
}

func TestTableHTMLIsEscapedAndAligned(t *testing.T) {
	tab := newTable([]struct {
		A string `show:"<a>"`
		B float64
	}{{"<&>", -1e-7}})
	tab.caption = "<caption>"
	html := tab.html()
	for _, want := range []string{"&lt;a&gt;", "&lt;&amp;&gt;", "&lt;caption&gt;", "−1.000·10<sup>−7</sup>", "text-align:right", "tabular-nums"} {
		if !strings.Contains(html, want) {
			t.Errorf("html lacks %q: %s", want, html)
		}
	}
}

func TestTablePanicsForWhatIsNoTable(t *testing.T) {
	for _, rows := range []any{nil, 3, "text", func() {}, (*struct{ X int })(nil)} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "show: ") {
					t.Errorf("%T: got panic %v, want one of package show", rows, r)
				}
			}()
			newTable(rows)
		}()
	}
}

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"StableRank": "stable rank", "RankF32": "rank F32", "PR": "PR", "DType": "D type", "X": "X", "ID": "ID", "MeanHTTPTime": "mean HTTP time",
	} {
		if got := words(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

package widget_test

import (
	"strings"
	"testing"

	"sgdlab/kernelext/internal/kerneltest"
	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// cell is the λ of Example 19 under a slider.
const cell = `import (
	"sgdlab/kernelext/show"
	"sgdlab/kernelext/widget"
	"sgdlab/pkg/figure"
	"sgdlab/pkg/problem"
)

%%
lambda := widget.Slider("λ", 0, 1.5, 0.5, 4)
widget.Draw(func() (show.Picture, error) {
	s := problem.EX19(lambda.Value()).System()
	return figure.Landscape(figure.LandscapeFigure{System: s.Name, Box: problem.Box{XMin: -2, XMax: 2, YMin: -2, YMax: 2},
		Panels: []figure.LandscapePanel{{Potential: s.Potential, Vectors: s.Drift}}})
}, lambda)
fmt.Println("then λ =", lambda.Value())`

// TestInTheKernel: without a page the default's picture is there at once; with a server
// but no page that answers, after the time-out.
func TestInTheKernel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, session string
	}{{"without a page", ""}, {"with a page that does not answer", "chapter.ipynb"}} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.session != "" && testing.Short() {
				t.Skip("waits for the time-out")
			}
			t.Parallel()
			k := kerneltest.Start(t, kernelspec.PureGo, notebook.KernelSettings{Env: map[string]string{"JPY_SESSION_NAME": tt.session}})
			reply := kerneltest.Run(t, k, cell)
			t.Logf("%.1f s", reply.Seconds)
			pictures, scripts := 0, 0
			for _, o := range reply.Outputs {
				if o.Data["image/png"] != nil {
					pictures++
				}
				if s, ok := o.Data["text/html"].(string); ok && strings.Contains(s, "<script>") {
					scripts++
				}
			}
			text := kerneltest.Text(reply)
			if pictures != 1 || !strings.Contains(text, "λ = 0.5\n") || !strings.Contains(text, "then λ = 0.5") {
				t.Errorf("%d pictures and\n%s", pictures, text)
			}
			if tt.session == "" && scripts > 0 {
				t.Error("a script is left in the output")
			}
		})
	}
}

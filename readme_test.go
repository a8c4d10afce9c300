package sgdlab_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/experiment"
	"sgdlab/pkg/network"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/spectrum"
)

var regen = flag.Bool("regen", false, "rewrite the generated parts of README.md")

func Example() {
	ctx := context.Background()
	train, _, _ := dataset.MNIST7() // all of MNIST at 7×7, within the program
	net := network.TinyFC()
	x, stats := net.Init(rand.NewPCG(42, 0))
	f, _ := network.New(net, train.Digits(0, 1, 2, 3, 4), stats, nil)
	D, _ := noise.NewCovariance(ctx, f, x, nil) // an operator: d×d numbers are never formed
	s, err := spectrum.Of(ctx, D, nil)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d weights, %d images: the noise lives in about %.0f directions\n", s.Dim, s.Samples, s.ParticipationRatio)
	// Output: 917 weights, 30596 images: the noise lives in about 5 directions
}

// The generated parts of README.md are the example above and the table of results; each
// stands between two comments that name it.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	for name, want := range map[string]string{"example": example(t, string(source)), "results": results(t)} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		head, rest, ok := strings.Cut(readme, begin)
		body, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("README.md lacks the comments around its part %q", name)
		}
		if body != want {
			if !*regen {
				t.Errorf("README.md, part %q is out of date; run `go test . -regen`\ngot:\n%s\nwant:\n%s", name, body, want)
			}
			readme = head + begin + want + end + tail
		}
	}
	if *regen {
		if err := os.WriteFile("README.md", []byte(readme), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// example is the body of Example as a Markdown code block.
func example(t *testing.T, source string) string {
	_, body, ok := strings.Cut(source, "func Example() {\n")
	body, _, ok2 := strings.Cut(body, "\n}\n")
	if !ok || !ok2 {
		t.Fatal("readme_test.go has no func Example")
	}
	return "```go\n" + strings.ReplaceAll(strings.TrimPrefix(body, "\t"), "\n\t", "\n") + "\n```\n"
}

// results is the table of our numbers beside the paper's, from the committed results.
func results(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| figure | quantity | the paper | here |\n|---|---|---|---|\n")
	for _, panel := range []string{"1a", "1b", "2a", "2c"} {
		r, err := experiment.LoadGradientNoise("data/results/fig" + panel + ".json")
		if errors.Is(err, fs.ErrNotExist) {
			continue // recorded where there is CIFAR-10
		}
		if err != nil {
			t.Fatal(err)
		}
		name := panel + ", " + r.Numbers.Network
		if r.Settings.Images.Augment != (dataset.Augmentation{}) {
			name += ", augmented"
		}
		for _, row := range r.Numbers.BesidePaper() {
			fmt.Fprintf(&b, "| %s | %s | %.3g | %.3g |\n", name, row.Quantity, row.Paper, row.Ours)
		}
		end, _ := r.Numbers.Checkpoint(1)
		fmt.Fprintf(&b, "| %s | test accuracy, %% | – | %.1f |\n", name, 100*end.TestAccuracy)
	}
	fig3, err := experiment.LoadFig3("data/results/fig3.json")
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := fig3.Numbers.Theory(); ok {
		fmt.Fprintf(&b, "| 3c, tiny-fc, no force assumed | mean of ‖∇f‖² over that of a quadratic loss with its noise | – | %.2f |\n", a.Gradients.Squared.Value/a.Gradients.Chain)
	}
	// The statistic was fixed on the first seed; the others test it.
	if slope, ok := fig3.Numbers.Rotation(2, 3); ok {
		fmt.Fprintf(&b, "| Lemma 7, tiny-fc | areas swept over those of linear theory, two seeds | – | %.2f ± %.2f |\n", slope.Value, slope.Error)
	}
	t1, err := experiment.LoadT1("data/results/t1.json")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "| T1 | area swept per step | −0.00486486 (exact) | %.6f ± %.6f |\n", t1.Numbers.AreaRate.Value, t1.Numbers.AreaRate.Error)
	return b.String()
}

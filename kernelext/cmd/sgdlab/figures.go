package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sgdlab/internal/atomicfile"
	"sgdlab/kernelext/notebook"
	"sgdlab/pkg/experiment"
	"sgdlab/pkg/figure"
)

// known is a figure that can be drawn.
type known struct {
	id      string // as in "fig1b", or of a chapter as in "10/example-19-landscape"
	what    string
	result  string                          // path; empty if a chapter shows it
	draw    func() (*figure.Picture, error) // from the result
	chapter string                          // path of the notebook
	name    string                          // within the chapter; empty for all its figures
}

// formats of figures.
var formats = []string{"svg", "pdf", "png"}

func figuresCommand() *cobra.Command {
	var chosen []string
	var out, results string
	var list bool
	r := &runner{}
	cmd := &cobra.Command{
		Use:   "figures [ID…]",
		Short: "Draw figures of the paper and of the chapters again, without training",
		Long: `Draw figures again as SVG, PDF and PNG. --list shows them all:

  fig1b                    is drawn from its recorded result under data/results
  10/example-19-landscape  is drawn by the cells of chapter 10, which read recorded results
                           too and otherwise compute for seconds
  10                       all figures of chapter 10

Without names all figures are drawn that have a recorded result. The number of the chapter
can be left out where it is clear.`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if err := r.prepare(cmd); err != nil {
				return err
			}
			out = cmp.Or(out, filepath.Join(r.lab.Root, "out", "figures"))
			results = cmp.Or(results, filepath.Join(r.lab.Root, "data", "results"))
			for _, format := range chosen {
				if !slices.Contains(formats, format) {
					return fmt.Errorf("there is no format %q: choose of %s", format, strings.Join(formats, ", "))
				}
			}
			all, err := r.figures(results)
			if err != nil {
				return err
			}
			if list {
				return listFigures(r.out, all)
			}
			wanted, err := choose(ids, all)
			if err != nil {
				return err
			}
			return r.export(cmd.Context(), wanted, chosen, out)
		},
	}
	cmd.Flags().StringSliceVar(&chosen, "format", formats, "the formats")
	cmd.Flags().StringVar(&out, "out", "", "the folder for the figures; default out/figures in the clone")
	cmd.Flags().StringVar(&results, "results", "", "the folder of the results; default data/results in the clone")
	cmd.Flags().BoolVar(&list, "list", false, "only list what there is")
	r.kernelFlag(cmd)
	return cmd
}

// figures returns all figures: those of recorded results, and those that the saved outputs
// of the chapters show.
func (r *runner) figures(results string) ([]known, error) {
	var all []known
	for _, d := range experiment.Drawings() {
		path := filepath.Join(results, d.File())
		all = append(all, known{id: d.ID, what: d.What, result: path, draw: func() (*figure.Picture, error) { return d.Draw(path) }})
	}
	paths, err := chapters(r.lab, nil)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		nb, err := notebook.ReadFile(path)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(stem(path), "_")
		all = append(all, known{id: number, what: "all figures of the chapter: " + nb.Title(), chapter: path})
		used := names{}
		for _, c := range nb.Cells {
			for _, o := range c.Outputs {
				text, _ := o.Data["text/plain"].(string)
				if _, ok := o.Data["image/png"]; !ok || !figureText.MatchString(text) {
					continue
				}
				m := figureText.FindStringSubmatch(text)
				name := used.next(m[1])
				all = append(all, known{id: number + "/" + name, what: m[2], chapter: path, name: name})
				if id := figureTag(c); id != "" && !slices.ContainsFunc(all, func(k known) bool { return k.id == id }) {
					all = append(all, known{id: id, what: m[2], chapter: path, name: name})
				}
			}
		}
	}
	return all, nil
}

// figureText is the plain form of a figure that package show has shown.
var figureText = regexp.MustCompile(`^\[([^\]\s]+)\] ([^\n]*)`)

// figureTag returns the name that a tag like figure=fig4 gives to the picture of a cell.
func figureTag(c *notebook.Cell) string {
	for _, tag := range c.Tags() {
		if id, ok := strings.CutPrefix(tag, "figure="); ok {
			return id
		}
	}
	return ""
}

// names counts how often a name has been used.
type names map[string]int

// next returns name, or name-2 at its second use.
func (n names) next(name string) string {
	n[name]++
	if n[name] > 1 {
		return fmt.Sprintf("%s-%d", name, n[name])
	}
	return name
}

func listFigures(out io.Writer, all []known) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, k := range all {
		what := []rune(k.what)
		if len(what) > 90 {
			what = append(what[:89], '…')
		}
		from := "chapter " + stem(k.chapter)
		if k.result != "" {
			from = "recorded result"
			if !exists(k.result) {
				from = "no result yet"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.id, from, string(what))
	}
	return w.Flush()
}

// choose returns the figures called ids, or all that have a result.
func choose(ids []string, all []known) (wanted []known, err error) {
	if len(ids) == 0 {
		for _, k := range all {
			if k.result != "" && exists(k.result) {
				wanted = append(wanted, k)
			}
		}
		return wanted, nil
	}
	for _, id := range ids {
		var found []known
		for _, k := range all {
			if strings.EqualFold(id, k.id) {
				found = []known{k}
				break
			}
			whole := k.chapter != "" && k.name == "" && (id == stem(k.chapter) || "0"+id == k.id)
			if whole || k.name != "" && strings.Contains(k.id, "/") && strings.EqualFold(id, k.name) {
				found = append(found, k)
			}
		}
		switch len(found) {
		case 0:
			return nil, fmt.Errorf("there is no figure %q; the nearest names are %s (all: sgdlab figures --list)", id, strings.Join(nearest(id, all), ", "))
		case 1:
			wanted = append(wanted, found[0])
		default:
			var which []string
			for _, k := range found {
				which = append(which, k.id)
			}
			return nil, fmt.Errorf("several chapters have a figure %q: choose %s", id, strings.Join(which, " or "))
		}
	}
	return wanted, nil
}

// nearest returns the three names that are most like id.
func nearest(id string, all []known) []string {
	type near struct {
		id       string
		distance int
	}
	var list []near
	for _, k := range all {
		d := distance(strings.ToLower(id), strings.ToLower(k.id))
		if k.name != "" {
			d = min(d, distance(strings.ToLower(id), k.name))
			if len(id) > 2 && strings.Contains(k.name, strings.ToLower(id)) {
				d = min(d, 1)
			}
		}
		list = append(list, near{k.id, d})
	}
	slices.SortStableFunc(list, func(a, b near) int { return cmp.Compare(a.distance, b.distance) })
	var names []string
	for _, n := range list[:min(3, len(list))] {
		names = append(names, n.id)
	}
	return names
}

// distance is the number of letters to change, add or leave out to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// export draws the figures into the folder out: fig1b.svg, and in a folder for each chapter
// what has no short name.
func (r *runner) export(ctx context.Context, wanted []known, formats []string, out string) error {
	byChapter := map[string][]known{}
	var order []string
	for _, k := range wanted {
		if k.chapter == "" {
			if err := r.drawResult(k, formats, out); err != nil {
				return err
			}
			continue
		}
		if byChapter[k.chapter] == nil {
			order = append(order, k.chapter)
			r.width = max(r.width, len(stem(k.chapter)))
		}
		byChapter[k.chapter] = append(byChapter[k.chapter], k)
	}
	for _, path := range order {
		if err := r.drawChapter(ctx, path, byChapter[path], formats, out); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) drawResult(k known, formats []string, out string) error {
	p, err := k.draw()
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("figure %s: there is no result %s: make it with GOEXPERIMENT=simd go run ./pkg/experiment/internal/cmd/results %[1]s", k.id, k.result)
	} else if err != nil {
		return fmt.Errorf("figure %s: %w", k.id, err)
	}
	for _, format := range formats {
		path := filepath.Join(out, k.id+"."+format)
		if err := p.Save(0, 0, path); err != nil {
			return err
		}
		fmt.Fprintln(r.out, path)
	}
	return nil
}

// drawChapter runs a chapter and keeps some of its figures.
func (r *runner) drawChapter(ctx context.Context, path string, wanted []known, formats []string, out string) error {
	dir, err := os.MkdirTemp("", "sgdlab-figures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r.collect(dir)
	if _, err := r.run(ctx, path); err != nil {
		return err
	}
	var all []string
	files, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil {
		return err
	}
	for _, f := range files {
		all = append(all, strings.TrimSuffix(filepath.Base(f), ".svg"))
	}
	for _, k := range wanted {
		figures := []string{k.name}
		if k.name == "" {
			figures = all
		}
		for _, name := range figures {
			if !slices.Contains(all, name) {
				return fmt.Errorf("chapter %s does not show %s any more: sgdlab run --save %[1]s", stem(path), name)
			}
			target := filepath.Join(out, stem(path), name)
			if k.name != "" && !strings.Contains(k.id, "/") {
				target = filepath.Join(out, k.id)
			}
			for _, format := range formats {
				data, err := os.ReadFile(filepath.Join(dir, name+"."+format))
				if err == nil {
					err = atomicfile.Replace(target+"."+format, data)
				}
				if err != nil {
					return fmt.Errorf("the figure %s cannot be written: %w", target+"."+format, err)
				}
				fmt.Fprintln(r.out, target+"."+format)
			}
		}
	}
	return nil
}

// collect makes the next run leave its figures in the folder dir, which it empties. Where
// two cells show figures of one name the second one's files are called name-2.
func (r *runner) collect(dir string) {
	fresh := filepath.Join(dir, "fresh")
	r.env["SGDLAB_FIGURES"] = fresh
	used := names{}
	r.finished = func(cell int) error {
		if cell == 0 {
			return os.RemoveAll(dir)
		}
		files, err := os.ReadDir(fresh)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		renamed := map[string]string{}
		for _, f := range files {
			extension := filepath.Ext(f.Name())
			name := strings.TrimSuffix(f.Name(), extension)
			if renamed[name] == "" {
				renamed[name] = used.next(name)
			}
			if err := os.Rename(filepath.Join(fresh, f.Name()), filepath.Join(dir, renamed[name]+extension)); err != nil {
				return err
			}
		}
		return os.Remove(fresh)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

// runner executes notebooks and prints a line for each.
type runner struct {
	lab     kernelspec.Lab
	kernel  string // name; empty means what the notebook says, else kernelspec.Name
	timeout time.Duration
	full    bool              // the long settings of the chapters
	env     map[string]string // for the kernel
	out     io.Writer
	width   int // of the longest name

	params   map[string]string    // of the notebooks, see notebook.WithParameters
	finished func(cell int) error // after each cell, 0 before the first; default: nothing
	judge    judge                // of a run that has reached its end; default: none
}

// judge says in a few words what has become of a run of the notebook at path, and on lines
// of their own what is wrong with it.
type judge func(path string, r *notebook.Result) (words string, trouble []string, err error)

// flags adds the flags that run and walk share.
func (r *runner) flags(cmd *cobra.Command) {
	r.kernelFlag(cmd)
	cmd.Flags().DurationVar(&r.timeout, "timeout", 0, "for each cell; default 10m, with --full 24h")
	cmd.Flags().BoolVar(&r.full, "full", false, "the long settings of the chapters")
}

func (r *runner) kernelFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.kernel, "kernel", "", "the kernel, "+kernelspec.Name+" or "+kernelspec.PureGo+"; default: what the notebook says")
}

// prepare resolves what flags leave open.
func (r *runner) prepare(cmd *cobra.Command) (err error) {
	r.out = cmd.OutOrStdout()
	if r.lab, err = findLab(); err != nil {
		return err
	}
	r.env = map[string]string{
		"SGDLAB_KERNEL_STDERR": "1", // the kernel's last words, should it die
		"SGDLAB_FULL":          "",
	}
	if r.full {
		r.env["SGDLAB_FULL"] = "1"
	}
	if r.timeout == 0 {
		r.timeout = 10 * time.Minute
		if r.full {
			r.timeout = 24 * time.Hour
		}
	}
	return nil
}

// run executes the notebook at path. The result holds the outputs also of a run that has
// failed; it is nil if there is no notebook.
func (r *runner) run(ctx context.Context, path string) (*notebook.Result, error) {
	line := newLine(r.out, fmt.Sprintf("%-*s", r.width, stem(path)))
	result, err := r.execute(ctx, path, line)
	var failed *notebook.CellError
	switch {
	case errors.As(err, &failed):
		line.end(fmt.Sprintf("FAILED in cell %d", failed.Cell))
		return result, err
	case err != nil:
		line.end("FAILED")
		return result, err
	}
	outcome := fmt.Sprintf("%2d cells  %6.1f s", result.Cells, result.Seconds)
	if r.judge == nil {
		line.end(outcome)
		return result, nil
	}
	words, trouble, err := r.judge(path, result)
	if words == "" {
		words = "FAILED"
	}
	line.end(outcome + "  " + words)
	for _, t := range trouble {
		fmt.Fprintln(r.out, "    "+t)
	}
	return result, err
}

func (r *runner) execute(ctx context.Context, path string, line *line) (*notebook.Result, error) {
	nb, err := notebook.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(r.params) > 0 {
		if nb, err = notebook.WithParameters(nb, r.params); err != nil {
			return nil, fmt.Errorf("%s: %w", stem(path), err)
		}
	}
	spec, err := r.spec(nb)
	if err != nil {
		return nil, err
	}
	var trouble error
	tell := func(cell int) {
		if r.finished != nil && trouble == nil {
			trouble = r.finished(cell)
		}
	}
	tell(0)
	result, err := notebook.Run(ctx, nb, spec, &notebook.Settings{
		Name:        stem(path),
		CellTimeout: r.timeout,
		Progress: func(p notebook.Progress) {
			if p.Ended {
				tell(p.Cell)
			} else {
				line.update(fmt.Sprintf("cell %d of %d", p.Cell, p.Cells))
			}
		},
		Kernel: notebook.KernelSettings{Dir: filepath.Dir(path), Env: r.env},
	})
	return result, errors.Join(err, trouble)
}

// spec returns the kernel for nb.
func (r *runner) spec(nb *notebook.Notebook) (*notebook.Spec, error) {
	name := r.kernel
	if name == "" {
		if k, ok := nb.Metadata["kernelspec"].(map[string]any); ok {
			name, _ = k["name"].(string)
		}
	}
	if name == "" {
		name = kernelspec.Name
	}
	return notebook.FindSpec(name, append([]string{r.lab.DataDir()}, filepath.SplitList(os.Getenv("JUPYTER_PATH"))...)...)
}

func runCommand() *cobra.Command {
	r := &runner{}
	var out string
	var check, save bool
	cmd := &cobra.Command{
		Use:   "run [NOTEBOOK…]",
		Short: "Execute notebooks without Jupyter: in place, into a folder, or against their outputs",
		Long: `Execute notebooks top to bottom in fresh kernels, without Jupyter. A notebook is named by
its path, a chapter also by its number or slug.

  sgdlab run x.ipynb            leaves the outputs in x.ipynb
  sgdlab run x.ipynb --out DIR  leaves them in DIR/x.ipynb
  sgdlab run --check [08]       compares the outputs with those in the file, and fails where
                                a number or a picture has changed; changes no file
  sgdlab run --save [08]        leaves them in the file as they are committed: small pictures,
                                and the old outputs where nothing has changed
  sgdlab run x.ipynb -p n=3 --out DIR
                                with another value of a parameter

--check and --save take all chapters unless some are named. Cells with the tag varies are not
compared; a tag like tolerance=0.05 loosens the comparison. A chapter without outputs is only
executed.`,
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := r.prepare(cmd); err != nil {
				return err
			}
			paths, err := r.notebooks(names, check || save)
			if err != nil {
				return err
			}
			for _, path := range paths {
				r.width = max(r.width, len(stem(path)))
			}
			switch {
			case check:
				r.judge = r.checked(out)
			case save:
				r.judge = r.saved
			}
			var failures []error
			for _, path := range paths {
				result, err := r.run(cmd.Context(), path)
				if result != nil {
					target := path
					if out != "" {
						target = filepath.Join(out, filepath.Base(path))
					}
					if out != "" || !check && !save {
						err = errors.Join(err, writeNotebook(result.Notebook, target))
					}
				}
				if err != nil {
					failures = append(failures, err)
				}
				if cmd.Context().Err() != nil {
					break
				}
			}
			if len(failures) > 0 && len(paths) > 1 {
				return fmt.Errorf("%d of %d notebooks failed\n%w", len(failures), len(paths), errors.Join(failures...))
			}
			return errors.Join(failures...)
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write executed notebooks into this folder; with --check also the pictures that differ")
	cmd.Flags().BoolVar(&check, "check", false, "compare with the outputs that are in the file")
	cmd.Flags().BoolVar(&save, "save", false, "write the outputs into the file as they are committed")
	cmd.Flags().StringToStringVarP(&r.params, "param", "p", nil, "a parameter's value, as name=value; the cell with the tag parameters has the defaults")
	for _, pair := range [][]string{{"check", "save"}, {"save", "out"}, {"save", "full"}, {"check", "full"}, {"save", "param"}, {"check", "param"}} {
		cmd.MarkFlagsMutuallyExclusive(pair...)
	}
	return cmd
}

// notebooks returns the paths of what is called names; without names those of all chapters
// if that is allowed.
func (r *runner) notebooks(names []string, all bool) ([]string, error) {
	if len(names) == 0 {
		if !all {
			return nil, errors.New("name the notebooks to run, or use --check or --save for all chapters")
		}
		return chapters(r.lab, nil)
	}
	var paths []string
	for _, name := range names {
		path, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		if !exists(path) && filepath.Ext(name) != ".ipynb" {
			found, err := chapters(r.lab, []string{name})
			if err != nil {
				return nil, err
			}
			path = found[0]
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func writeNotebook(nb *notebook.Notebook, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return nb.WriteFile(path)
}

// line is a line of the terminal that begins with a name and ends with an outcome. On a
// terminal it also shows what is going on.
type line struct {
	out  io.Writer
	live bool
	name string
}

func newLine(out io.Writer, name string) *line {
	l := &line{out: out, live: width(out) > 0, name: name}
	l.update("starting")
	return l
}

func (l *line) update(what string) {
	if l.live {
		fmt.Fprintf(l.out, "\r\x1b[K%s  %s", l.name, what)
	}
}

func (l *line) end(outcome string) {
	if l.live {
		fmt.Fprint(l.out, "\r\x1b[K")
	}
	fmt.Fprintf(l.out, "%s  %s\n", l.name, outcome)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
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
}

// flags adds the flags that run and walk share.
func (r *runner) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.kernel, "kernel", "", "the kernel, "+kernelspec.Name+" or "+kernelspec.PureGo+"; default: what the notebook says")
	cmd.Flags().DurationVar(&r.timeout, "timeout", 0, "for each cell; default 10m, with --full 24h")
	cmd.Flags().BoolVar(&r.full, "full", false, "the long settings of the chapters")
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
	name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
	line := newLine(r.out, fmt.Sprintf("%-*s", r.width, name))
	result, err := r.execute(ctx, name, path, line)
	var failed *notebook.CellError
	switch {
	case err == nil:
		line.end(fmt.Sprintf("%2d cells  %6.1f s", result.Cells, result.Seconds))
	case errors.As(err, &failed):
		line.end(fmt.Sprintf("FAILED in cell %d", failed.Cell))
	default:
		line.end("FAILED")
	}
	return result, err
}

func (r *runner) execute(ctx context.Context, name, path string, line *line) (*notebook.Result, error) {
	nb, err := notebook.ReadFile(path)
	if err != nil {
		return nil, err
	}
	spec, err := r.spec(nb)
	if err != nil {
		return nil, err
	}
	return notebook.Run(ctx, nb, spec, &notebook.Settings{
		Name:        name,
		CellTimeout: r.timeout,
		Progress: func(p notebook.Progress) {
			if !p.Ended {
				line.update(fmt.Sprintf("cell %d of %d", p.Cell, p.Cells))
			}
		},
		Kernel: notebook.KernelSettings{Dir: filepath.Dir(path), Env: r.env},
	})
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
	cmd := &cobra.Command{
		Use:   "run NOTEBOOK…",
		Short: "Execute notebooks without Jupyter, in place or into a folder",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := r.prepare(cmd); err != nil {
				return err
			}
			var failures []error
			for _, path := range paths {
				r.width = max(r.width, len(filepath.Base(path)))
			}
			for _, path := range paths {
				abs, err := filepath.Abs(path)
				if err != nil {
					return err
				}
				result, err := r.run(cmd.Context(), abs)
				if result != nil {
					target := abs
					if out != "" {
						target = filepath.Join(out, filepath.Base(path))
					}
					err = errors.Join(err, writeNotebook(result.Notebook, target))
				}
				failures = append(failures, err)
				if cmd.Context().Err() != nil {
					break
				}
			}
			return errors.Join(failures...)
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write executed notebooks into this folder")
	return cmd
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

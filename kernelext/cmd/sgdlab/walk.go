package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

func walkCommand() *cobra.Command {
	r := &runner{}
	var quick bool
	var out string
	cmd := &cobra.Command{
		Use:   "walk [CHAPTER…]",
		Short: "Run the chapters and leave notebooks, pages and figures in out/",
		Long: `Run the chapters top to bottom in fresh kernels, without Jupyter, and leave under out/

  index.html   and a page for each chapter
  notebooks/   the executed notebooks
  figures/     the figures as SVG, PDF and PNG

A chapter is named by its file, its number or its slug: 08_gradient_noise_of_networks, 8,
gradient_noise_of_networks. Without names all chapters run.`,
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := r.prepare(cmd); err != nil {
				return err
			}
			chapters, err := chapters(r.lab, names)
			if err != nil {
				return err
			}
			if out == "" {
				out = filepath.Join(r.lab.Root, "out")
			} else if out, err = filepath.Abs(out); err != nil {
				return err
			}
			return r.walk(cmd, chapters, out)
		},
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&quick, "quick", false, "the quick settings of the chapters (the default)")
	cmd.MarkFlagsMutuallyExclusive("quick", "full")
	cmd.Flags().StringVar(&out, "out", "", "the folder for all results; default out/ in the clone")
	return cmd
}

// walk executes the chapters and writes notebooks, pages and figures below out.
func (r *runner) walk(cmd *cobra.Command, chapters []string, out string) error {
	r.env["SGDLAB_FIGURES"] = filepath.Join(out, "figures")
	for _, path := range chapters {
		r.width = max(r.width, len(stem(path)))
	}
	ran := map[string]notebook.Chapter{}
	var failures []error
	for _, path := range chapters {
		result, err := r.run(cmd.Context(), path)
		if result != nil {
			err = errors.Join(err, writeNotebook(result.Notebook, filepath.Join(out, "notebooks", filepath.Base(path))))
			ran[stem(path)] = notebook.Chapter{Notebook: result.Notebook, Seconds: result.Seconds, Full: r.full, Err: err}
		}
		if err != nil {
			failures = append(failures, err)
		}
		if cmd.Context().Err() != nil {
			break
		}
	}
	if err := r.site(out, ran); err != nil {
		failures = append(failures, err)
	}
	fmt.Fprintf(r.out, "\npages      %s\nnotebooks  %s\nfigures    %s\n", filepath.Join(out, "index.html"), filepath.Join(out, "notebooks"), filepath.Join(out, "figures"))
	if len(failures) > 0 {
		return fmt.Errorf("%d of %d chapters failed\n%w", len(failures), len(chapters), errors.Join(failures...))
	}
	return nil
}

// site writes the pages of the chapters that ran now, and of those that ran before.
func (r *runner) site(out string, ran map[string]notebook.Chapter) error {
	all, err := chapters(r.lab, nil)
	if err != nil {
		return err
	}
	var pages []notebook.Chapter
	for _, path := range all {
		c, ok := ran[stem(path)]
		if !ok {
			if c.Notebook, err = notebook.ReadFile(filepath.Join(out, "notebooks", filepath.Base(path))); err != nil {
				continue // it never ran
			}
		}
		c.Name, c.Dir = stem(path), filepath.Dir(path)
		pages = append(pages, c)
	}
	return notebook.Site(out, "SGD performs variational inference: a walk", pages)
}

func stem(path string) string { return strings.TrimSuffix(filepath.Base(path), ".ipynb") }

// chapters returns the paths of the chapters called names, or of all, in their order.
func chapters(lab kernelspec.Lab, names []string) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(lab.Root, "notebooks", "[0-9][0-9]_*.ipynb"))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there are no chapters in %s", filepath.Join(lab.Root, "notebooks"))
	}
	if len(names) == 0 {
		return all, nil
	}
	wanted := map[string]bool{}
	for _, name := range names {
		path, ok := find(all, stem(name))
		if !ok {
			var known []string
			for _, path := range all {
				known = append(known, stem(path))
			}
			return nil, fmt.Errorf("there is no chapter %q; there are %s", name, strings.Join(known, ", "))
		}
		wanted[path] = true
	}
	var found []string
	for _, path := range all {
		if wanted[path] {
			found = append(found, path)
		}
	}
	return found, nil
}

// find returns the chapter with the given file name, number or slug.
func find(all []string, name string) (path string, ok bool) {
	for _, path := range all {
		number, slug, _ := strings.Cut(stem(path), "_")
		if name == stem(path) || name == slug || name == number || "0"+name == number {
			return path, true
		}
	}
	return "", false
}

// exists reports whether there is a file at path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

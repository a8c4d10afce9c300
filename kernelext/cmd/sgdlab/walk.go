package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sgdlab/kernelext/kernelspec"
	"sgdlab/kernelext/notebook"
)

func walkCommand() *cobra.Command {
	r := &runner{}
	var quick, check bool
	var out string
	cmd := &cobra.Command{
		Use:   "walk [CHAPTER…]",
		Short: "Run the chapters and leave notebooks, pages and figures in out/",
		Long: `Run the chapters top to bottom in fresh kernels, without Jupyter, and leave under out/

  index.html   and a page for each chapter
  notebooks/   the executed notebooks
  figures/     the figures as SVG, PDF and PNG, in a folder for each chapter

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
			if check {
				r.judge = r.checked(filepath.Join(out, "differences"))
			}
			return r.walk(cmd, chapters, out)
		},
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&quick, "quick", false, "the quick settings of the chapters (the default)")
	cmd.Flags().BoolVar(&check, "check", false, "also compare with the outputs in the chapters, as sgdlab run --check does")
	cmd.MarkFlagsMutuallyExclusive("quick", "full")
	cmd.MarkFlagsMutuallyExclusive("check", "full")
	cmd.Flags().StringVar(&out, "out", "", "the folder for all results; default out/ in the clone")
	return cmd
}

// walk executes the chapters and writes notebooks, pages and figures below out.
func (r *runner) walk(cmd *cobra.Command, chapters []string, out string) error {
	for _, path := range chapters {
		r.width = max(r.width, len(stem(path)))
	}
	ran := map[string]notebook.Chapter{}
	var failures []error
	for _, path := range chapters {
		r.collect(filepath.Join(out, "figures", stem(path)))
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
	if err := r.site(filepath.Join(out, "notebooks"), out, ran); err != nil {
		failures = append(failures, err)
	}
	fmt.Fprintf(r.out, "\npages      %s\nnotebooks  %s\nfigures    %s\n", filepath.Join(out, "index.html"), filepath.Join(out, "notebooks"), filepath.Join(out, "figures"))
	if len(failures) > 0 {
		return fmt.Errorf("%d of %d chapters failed\n%w", len(failures), len(chapters), errors.Join(failures...))
	}
	return nil
}

func siteCommand() *cobra.Command {
	r := &runner{}
	var from, out string
	cmd := &cobra.Command{
		Use:   "site",
		Short: "Make HTML pages of the chapters from their outputs, without running them",
		Long: `Make a page for each chapter from the outputs in its file, and index.html, which lists the
chapters with a picture each. The pages need no other files and no network, follow the
reader's choice of light or dark, and can be printed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := r.prepare(cmd); err != nil {
				return err
			}
			from = cmp.Or(from, filepath.Join(r.lab.Root, "notebooks"))
			out = cmp.Or(out, filepath.Join(r.lab.Root, "out"))
			if err := r.site(from, out, nil); err != nil {
				return err
			}
			fmt.Fprintln(r.out, filepath.Join(out, "index.html"))
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "notebooks", "", "the folder of the notebooks with their outputs; default notebooks in the clone")
	cmd.Flags().StringVar(&out, "out", "", "the folder for the pages; default out/ in the clone")
	return cmd
}

// site writes the pages of the chapters that ran now, and of those with a notebook in the
// folder from, into the folder out.
func (r *runner) site(from, out string, ran map[string]notebook.Chapter) error {
	all, err := chapters(r.lab, nil)
	if err != nil {
		return err
	}
	var pages []notebook.Chapter
	for _, path := range all {
		c, ok := ran[stem(path)]
		if !ok {
			c.Notebook, err = notebook.ReadFile(filepath.Join(from, filepath.Base(path)))
			if errors.Is(err, fs.ErrNotExist) {
				continue // it never ran
			} else if err != nil {
				return err
			}
		}
		c.Name, c.Dir = stem(path), filepath.Dir(path)
		pages = append(pages, c)
	}
	if len(pages) == 0 {
		return fmt.Errorf("there are no chapters in %s", from)
	}
	files, err := filepath.Glob(filepath.Join(r.lab.Root, "notebooks", "*.md"))
	if err != nil {
		return err
	}
	var texts []notebook.Text
	for _, file := range files {
		if filepath.Base(file) == "INDEX.md" {
			continue // index.html is the list of the chapters
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		texts = append(texts, notebook.Text{Name: strings.TrimSuffix(filepath.Base(file), ".md"), Markdown: string(text)})
	}
	return notebook.Site(out, "SGD performs variational inference: a walk", pages, texts)
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

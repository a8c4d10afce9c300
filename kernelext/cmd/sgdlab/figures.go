package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sgdlab/pkg/experiment"
	"sgdlab/pkg/figure"
)

// drawn is a figure that can be drawn from a recorded result.
type drawn struct {
	id   string // of the figure, stem of the result
	what string
	draw func(path string) (*figure.Picture, error)
}

var figures = []drawn{
	{"t1", "T1: minibatch SGD against the continuous equation", func(path string) (*figure.Picture, error) {
		r, err := experiment.LoadT1(path)
		if err != nil {
			return nil, err
		}
		return figure.T1Panel(experiment.T1Figure(r))
	}},
	{"fig1b", "Fig. 1b: spectrum of the gradient noise of small-fc on MNIST", func(path string) (*figure.Picture, error) {
		r, err := experiment.LoadGradientNoise(path)
		if err != nil {
			return nil, err
		}
		return figure.GradientNoiseSpectra(experiment.SpectrumFigure(r))
	}},
}

func figuresCommand() *cobra.Command {
	var formats []string
	var out, results string
	cmd := &cobra.Command{
		Use:   "figures [ID…]",
		Short: "Draw figures again from the recorded results, without computing",
		RunE: func(cmd *cobra.Command, ids []string) error {
			lab, err := findLab()
			if err != nil {
				return err
			}
			if results == "" {
				results = filepath.Join(lab.Root, "data", "results")
			}
			if out == "" {
				out = filepath.Join(lab.Root, "out", "figures")
			}
			chosen, err := choose(ids, results)
			if err != nil {
				return err
			}
			for _, f := range chosen {
				p, err := f.draw(filepath.Join(results, f.id+".json"))
				if errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("figure %s: there is no result %s", f.id, filepath.Join(results, f.id+".json"))
				} else if err != nil {
					return fmt.Errorf("figure %s: %w", f.id, err)
				}
				for _, format := range formats {
					path := filepath.Join(out, p.Name()+"."+format)
					if err := p.Save(0, 0, path); err != nil {
						return err
					}
					fmt.Fprintln(cmd.OutOrStdout(), path)
				}
			}
			return nil
		},
	}
	for _, f := range figures {
		cmd.Long += fmt.Sprintf("  %-8s %s\n", f.id, f.what)
	}
	cmd.Long = "Draw figures again from the recorded results. The figures, all unless some are named:\n\n" + cmd.Long
	cmd.Flags().StringSliceVar(&formats, "format", []string{"svg", "pdf", "png"}, "the formats")
	cmd.Flags().StringVar(&out, "out", "", "the folder for the figures; default out/figures in the clone")
	cmd.Flags().StringVar(&results, "results", "", "the folder of the results; default data/results in the clone")
	return cmd
}

// choose returns the figures called ids, or all that have a result.
func choose(ids []string, results string) (chosen []drawn, err error) {
	if len(ids) == 0 {
		for _, f := range figures {
			if exists(filepath.Join(results, f.id+".json")) {
				chosen = append(chosen, f)
			}
		}
		return chosen, nil
	}
	for _, id := range ids {
		i := slices.IndexFunc(figures, func(f drawn) bool { return strings.EqualFold(f.id, id) })
		if i < 0 {
			var known []string
			for _, f := range figures {
				known = append(known, f.id)
			}
			return nil, fmt.Errorf("there is no figure %q; there are %s", id, strings.Join(known, ", "))
		}
		chosen = append(chosen, figures[i])
	}
	return chosen, nil
}

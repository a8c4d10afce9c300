package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/dataset/fetch"
)

func dataCommand() *cobra.Command {
	cmd := group("data", "Fetch data sets")
	cmd.AddCommand(dataFetchCommand())
	return cmd
}

func dataFetchCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "fetch NAME…",
		Short: "Fetch data sets (mnist, cifar10, cifar100), verified; resumes what was broken off",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			if dir == "" {
				dir = os.Getenv("SGDLAB_DATA")
			}
			dir = dataset.Dir(dir)
			for _, name := range names {
				p := newProgress(cmd.OutOrStdout())
				err := fetch.Dataset(cmd.Context(), name, dir, &fetch.Settings{Progress: p.report})
				p.end()
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is in %s\n", name, dir)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the data folder; default $SGDLAB_DATA, else the user's cache")
	return cmd
}

// progress shows how far files have come: a bar on a terminal, else a line when a file
// begins to arrive and one when it is complete.
type progress struct {
	out   io.Writer
	width int // of the terminal; 0 if out is none
	file  string
	open  bool // a bar is on the line
	since time.Time
}

func newProgress(out io.Writer) *progress {
	return &progress{out: out, width: width(out)}
}

// width returns the number of columns of the terminal out; 0 if it is none.
func width(out io.Writer) int {
	f, ok := out.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

func (p *progress) report(r fetch.Progress) {
	first := r.File != p.file
	complete := r.Total > 0 && r.Bytes == r.Total
	if first {
		p.end()
		p.file, p.since = r.File, time.Now()
	}
	switch {
	case p.width > 0:
		fmt.Fprintf(p.out, "\r\x1b[K%s", bar(r, p.width))
		p.open = true
		if complete {
			p.end()
		}
	case complete:
		fmt.Fprintf(p.out, "%s: %s, %.1f s\n", r.File, size(r.Bytes), time.Since(p.since).Seconds())
	case first:
		fmt.Fprintf(p.out, "%s: %s\n", r.File, from(r))
	}
}

// end closes the line of a bar.
func (p *progress) end() {
	if p.open {
		fmt.Fprintln(p.out)
	}
	p.open = false
}

func from(r fetch.Progress) string {
	switch {
	case r.Bytes > 0:
		return "goes on after " + size(r.Bytes)
	case r.Total > 0:
		return "fetching " + size(r.Total)
	}
	return "fetching"
}

// bar draws r in less than width columns.
func bar(r fetch.Progress, width int) string {
	numbers := size(r.Bytes)
	if r.Total > 0 {
		numbers = fmt.Sprintf("%3d %%  %s of %s", 100*r.Bytes/r.Total, size(r.Bytes), size(r.Total))
	}
	room := width - len(r.File) - len(numbers) - 6
	if r.Total <= 0 || room < 8 {
		return fmt.Sprintf("%s  %s", r.File, numbers)
	}
	room = min(room, 40)
	full := int(int64(room) * r.Bytes / r.Total)
	return fmt.Sprintf("%s  %s%s  %s", r.File, strings.Repeat("█", full), strings.Repeat("░", room-full), numbers)
}

func size(bytes int64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.0f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

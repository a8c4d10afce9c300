// Command sgdlab sets up a clone, runs its chapters, and starts JupyterLab on them. The
// scripts of the same names build it into .lab/bin and call it; see sgdlab --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"sgdlab/kernelext/kernelspec"
)

// The signal that a kernel gets when whoever started it dies is a matter of the thread that
// becomes GoNB: it must be the first one.
func init() { runtime.LockOSThread() }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted && err != nil:
		fmt.Fprintln(os.Stderr, "sgdlab: interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "sgdlab:", err)
		os.Exit(1)
	}
}

func root() *cobra.Command {
	cmd := group("sgdlab", "Walk through “SGD performs variational inference” in Go notebooks")
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.CompletionOptions.HiddenDefaultCmd = true
	cmd.AddCommand(setupCommand(), doctorCommand(), kernelCommand(), walkCommand(), runCommand(), siteCommand(), labCommand(), dataCommand(), figuresCommand())
	return cmd
}

// group returns a command that only holds others: alone it prints its help.
func group(use, short string) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}

// findLab returns the clone that this program works for: the one in whose .lab/bin it is,
// or else the one around the working directory.
func findLab() (kernelspec.Lab, error) {
	if exe, err := os.Executable(); err == nil {
		if dir := filepath.Dir(exe); filepath.Base(dir) == "bin" && filepath.Base(filepath.Dir(dir)) == ".lab" {
			if lab, ok := kernelspec.FindLab(filepath.Dir(filepath.Dir(dir))); ok {
				return lab, nil
			}
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return kernelspec.Lab{}, err
	}
	if lab, ok := kernelspec.FindLab(dir); ok {
		return lab, nil
	}
	return kernelspec.Lab{}, errors.New("this is not a clone of sgdlab: change into one, or call its .lab/bin/sgdlab")
}

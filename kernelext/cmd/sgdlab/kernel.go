package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sgdlab/kernelext/kernelspec"
)

func kernelCommand() *cobra.Command {
	cmd := group("kernel", "Install, check and remove the Jupyter kernels")
	cmd.AddCommand(kernelInstallCommand(), kernelUninstallCommand(), kernelDoctorCommand(), kernelLaunchCommand())
	return cmd
}

// place adds the flags --user and --prefix, which choose a Jupyter data folder; without
// them it is that of the clone.
func place(cmd *cobra.Command) func(kernelspec.Lab) (string, error) {
	user := cmd.Flags().Bool("user", false, "in the user's Jupyter folder, for every Jupyter of this user")
	prefix := cmd.Flags().String("prefix", "", "in this Python environment")
	cmd.MarkFlagsMutuallyExclusive("user", "prefix")
	return func(lab kernelspec.Lab) (string, error) {
		switch {
		case *user:
			return kernelspec.UserDataDir()
		case *prefix != "":
			dir, err := filepath.Abs(*prefix)
			return filepath.Join(dir, "share", "jupyter"), err
		}
		return lab.DataDir(), nil
	}
}

func kernelInstallCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "install [--user | --prefix DIR]",
		Short: "Install both kernels in .lab, or where another Jupyter finds them",
		Args:  cobra.NoArgs,
	}
	dataDir := place(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		lab, err := findLab()
		if err != nil {
			return err
		}
		dir, err := dataDir(lab)
		if err != nil {
			return err
		}
		g, err := kernelspec.FindGo(cmd.Context(), lab.Root, "")
		if err != nil {
			return err
		}
		if err := kernelspec.Install(lab, dir, g); err != nil {
			return err
		}
		for _, name := range kernelspec.Names() {
			fmt.Fprintln(cmd.OutOrStdout(), "installed", kernelspec.Folder(dir, name))
		}
		return nil
	}
	return cmd
}

func kernelUninstallCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "uninstall [--user | --prefix DIR]",
		Short: "Remove both kernels from where install put them",
		Args:  cobra.NoArgs,
	}
	dataDir := place(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		lab, err := findLab()
		if err != nil {
			return err
		}
		dir, err := dataDir(lab)
		if err != nil {
			return err
		}
		removed, err := kernelspec.Uninstall(dir)
		for _, r := range removed {
			fmt.Fprintln(cmd.OutOrStdout(), "removed", r)
		}
		return err
	}
	return cmd
}

func kernelDoctorCommand() *cobra.Command {
	cmd := doctorCommand()
	cmd.Short = "The same as sgdlab doctor"
	return cmd
}

// kernelLaunchCommand is what kernel.json calls. Flags belong to GoNB.
func kernelLaunchCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "launch CONNECTION_FILE [GONB_FLAG…]",
		Short:              "Become the kernel; Jupyter calls this",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return kernelspec.Launch(cmd.Context(), args)
		},
	}
}

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check everything that a cell needs, with remedies; fails if a cell would",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lab, err := findLab()
			if err != nil {
				return err
			}
			checks := kernelspec.Doctor(cmd.Context(), lab)
			if err := kernelspec.WriteTable(cmd.OutOrStdout(), checks); err != nil {
				return err
			}
			for _, c := range checks {
				if c.Status == kernelspec.Broken {
					return errors.New("cells will not work: see the remedies above")
				}
			}
			return nil
		},
	}
}

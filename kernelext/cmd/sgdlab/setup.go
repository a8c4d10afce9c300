package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sgdlab/kernelext/setup"
)

func setupCommand() *cobra.Command {
	var xla, noXLA, python bool
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Set up what is missing in .lab: tools, modules, XLA, kernels, build cache",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lab, err := findLab()
			if err != nil {
				return err
			}
			s := setup.Settings{Python: python, Out: cmd.OutOrStdout()}
			switch {
			case xla:
				s.XLA = setup.XLARequired
			case noXLA:
				s.XLA = setup.XLALeftOut
			}
			if err := setup.Run(cmd.Context(), lab, s); err != nil {
				return fmt.Errorf("set-up: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&xla, "xla", false, "insist on the XLA plug-in, and try again if it was left out")
	cmd.Flags().BoolVar(&noXLA, "no-xla", false, "leave XLA out, now and later: cells use GoMLX's Go backend")
	cmd.Flags().BoolVar(&python, "python", false, "also install JupyterLab, nbconvert and nbclient in .lab/venv")
	cmd.MarkFlagsMutuallyExclusive("xla", "no-xla")
	return cmd
}

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"sgdlab/kernelext/kernelspec"
)

// kernelMessages are the requests that do not count as a kernel being used: without the
// first one JupyterLab shows "Unknown" until the first cell.
const kernelMessages = `--MappingKernelManager.untracked_message_types=["comm_info_request","comm_msg","interrupt_request","shutdown_request"]`

func labCommand() *cobra.Command {
	var port int
	var noBrowser bool
	var dir string
	cmd := &cobra.Command{
		Use:   "lab [--port N] [--no-browser] [--dir DIR] [-- JUPYTER_ARGUMENT…]",
		Short: "Start JupyterLab from .lab/venv on the notebooks, or on another folder",
		RunE: func(cmd *cobra.Command, args []string) error {
			lab, err := findLab()
			if err != nil {
				return err
			}
			if _, err := os.Stat(lab.Venv("jupyter")); err != nil {
				return errors.New("JupyterLab is not set up: run ./scripts/lab, or `sgdlab setup --python`")
			}
			address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
			l, err := net.Listen("tcp", address)
			if err != nil {
				return fmt.Errorf("port %d is busy or not allowed (%w): choose another one with --port, say --port %d", port, err, port+1)
			}
			l.Close()
			root, start := lab.Root, startFolder(lab)
			if dir != "" {
				if root, err = filepath.Abs(dir); err != nil || !isDir(root) {
					return fmt.Errorf("%s is no folder", dir)
				}
				start = root
			}
			argv := []string{lab.Venv("jupyter"), "lab",
				"--ServerApp.root_dir=" + root, "--ServerApp.preferred_dir=" + start,
				"--ServerApp.ip=127.0.0.1", "--ServerApp.port=" + strconv.Itoa(port), "--ServerApp.port_retries=0",
				kernelMessages,
			}
			if noBrowser {
				argv = append(argv, "--no-browser")
			}
			if os.Geteuid() == 0 {
				argv = append(argv, "--allow-root")
			}
			return syscall.Exec(argv[0], append(argv, args...), kernelspec.Environ(os.Environ(), labEnv(lab)))
		},
	}
	cmd.Flags().IntVar(&port, "port", 8888, "the port on this machine")
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "only print the address")
	cmd.Flags().StringVar(&dir, "dir", "", "a folder of your own instead of the clone")
	return cmd
}

// labEnv keeps JupyterLab's settings and data in the clone.
func labEnv(lab kernelspec.Lab) map[string]string {
	return map[string]string{
		"JUPYTER_DATA_DIR":    lab.DataDir(),
		"JUPYTER_CONFIG_DIR":  lab.Path("jupyter"),
		"JUPYTER_RUNTIME_DIR": lab.Path("jupyter", "runtime"),
	}
}

func startFolder(lab kernelspec.Lab) string {
	if dir := filepath.Join(lab.Root, "notebooks"); isDir(dir) {
		return dir
	}
	return lab.Root
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

//go:build unix && !linux

package notebook

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// endWithParent does nothing: only Linux tells a process that its parent is gone.
func endWithParent(*syscall.SysProcAttr) {}

// relatives returns the processes whose command line names the kernel's folder: gopls,
// which gets the path of its socket, and the programs of cells.
func (p *process) relatives() []int {
	out, err := exec.Command("ps", "-axww", "-o", "pid=,stat=,command=").Output()
	if err != nil {
		return nil
	}
	var found []int
	for line := range bytes.Lines(out) {
		fields := bytes.Fields(line)
		if len(fields) < 3 || bytes.HasPrefix(fields[1], []byte("Z")) || !p.belongs(line) {
			continue
		}
		if pid, err := strconv.Atoi(string(fields[0])); err == nil && pid != os.Getpid() {
			found = append(found, pid)
		}
	}
	return found
}

package notebook

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// endWithParent makes a process get SIGTERM when the one that has started it is killed.
// GoNB then stops its cell and its language server.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }

// relatives returns the living processes whose environment or command line names the
// kernel's folder.
func (p *process) relatives() []int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var found []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		// Both are empty for a process that has ended and nobody has waited for.
		for _, file := range []string{"environ", "cmdline"} {
			if text, err := os.ReadFile(filepath.Join(dir, file)); err == nil && p.belongs(text) {
				found = append(found, pid)
				break
			}
		}
	}
	return found
}

package notebook

import (
	"os"
	"path/filepath"
	"strconv"
)

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

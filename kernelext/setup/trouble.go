package setup

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// troubles maps what programs print to what the user can do.
var troubles = []struct {
	pattern *regexp.Regexp
	remedy  string
}{
	{regexp.MustCompile(`(?i)no space left on device|ENOSPC|disk quota exceeded`),
		"the disk is full: free about 3 GB (or set GOCACHE, GOMODCACHE and TMPDIR to a larger disk) and run the same command again"},
	{regexp.MustCompile(`(?i)disabled by GOPROXY=off|GOFLAGS=-mod=vendor`),
		"the Go settings of this shell forbid downloads: unset GOPROXY and GOFLAGS and run the same command again"},
	{regexp.MustCompile(`(?i)dial tcp|no such host|i/o timeout|TLS handshake timeout|connection re(fused|set)|network is unreachable|unexpected EOF|` +
		`name resolution|NewConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|ProxyError|No matching distribution found|proxyconnect`),
		"a download failed: connect to the network (or fix the proxy settings) and run the same command again"},
	{regexp.MustCompile(`(?i)checksum mismatch|do not match the hashes|SECURITY ERROR`),
		"a download does not have the recorded checksum: run the same command again, and if it persists do not trust that network"},
	{regexp.MustCompile(`(?i)permission denied|read-only file system|operation not permitted`),
		"a folder cannot be written: make .lab and Go's caches writable for this user and run the same command again"},
	{regexp.MustCompile(`(?i)ensurepip is not available|No module named '?(venv|ensurepip)`),
		"Python has no venv module: install it (on Debian and Ubuntu: apt install python3-venv) and run the same command again"},
	{regexp.MustCompile(`(?i)signal: killed|cannot allocate memory|out of memory`),
		"the memory is full: close other programs and run the same command again"},
}

// explain makes one sentence of a failed step: what failed, why, and what to do. Output is
// what the program printed.
func explain(step string, output []byte, err error) error {
	if r := remedy(output, err); r != "" {
		return fmt.Errorf("%s: %s", step, r)
	}
	return fmt.Errorf("%s failed: %s (.lab/setup.log has the details)", step, lastWords(output, err))
}

// known reports whether explain has a remedy.
func known(output []byte, err error) bool { return remedy(output, err) != "" }

func remedy(output []byte, err error) string {
	for _, t := range troubles {
		if t.pattern.Match(output) || t.pattern.MatchString(err.Error()) {
			return t.remedy
		}
	}
	return ""
}

// lastWords returns the last line of output that says something, or else err.
func lastWords(output []byte, err error) string {
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	if s := strings.TrimSpace(string(lines[len(lines)-1])); s != "" {
		return s
	}
	return err.Error()
}

// run runs a program in dir with the variables env added to this process's environment,
// and returns what it printed, which goes to the log too.
func (r *runner) run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.log, "$ %s\n%s", cmd, out)
	if err != nil {
		fmt.Fprintln(r.log, err)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out, err
}

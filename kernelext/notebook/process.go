package notebook

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"sgdlab/kernelext/notebook/wire"
)

// process is a kernel's process with everything it starts. It has a folder of its own,
// where TMPDIR points: that is where kernels and cells leave files, and how their
// processes are recognised.
type process struct {
	cmd  *exec.Cmd
	dir  string
	dead chan struct{} // closed when the kernel's process has ended
	err  error         // valid then
}

// startProcess starts the kernel for a connection.
func startProcess(spec *Spec, c *wire.Connection, s *KernelSettings) (p *process, err error) {
	// The end of the name keeps it from being the beginning of another one, see belongs.
	// It is short: paths of sockets below it are limited to some hundred bytes.
	dir, err := os.MkdirTemp("", "sgdlab-*-k")
	if err != nil {
		return nil, fmt.Errorf("notebook: no temporary folder for the kernel: %w", err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	// GoNB takes the identity of the kernel from this name.
	file := filepath.Join(dir, "kernel-"+wire.NewID()+".json")
	if err := c.Write(file); err != nil {
		return nil, err
	}
	// A file, not a pipe: what the kernel leaves behind would hold a pipe open.
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	defer log.Close()

	argv := spec.command(file)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = s.Dir
	// Not the kernel of a page, even if a page's kernel starts it.
	env := map[string]string{"JPY_SESSION_NAME": ""}
	maps.Copy(env, s.Env)
	cmd.Env = append(spec.environ(env), "TMPDIR="+dir)
	cmd.Stdout, cmd.Stderr = log, log
	// Its own group: an interrupt from the terminal is ours to deal with.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	p = &process{cmd: cmd, dir: dir, dead: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The parent of a process, in the sense of endWithParent, is a thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if p.err = cmd.Wait(); p.err == nil {
			p.err = errors.New("it ended by itself")
		}
		close(p.dead)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("notebook: the kernel %q cannot be started: %w", spec.DisplayName, err)
	}
	return p, nil
}

// interrupt sends what Ctrl-C in a terminal would.
func (p *process) interrupt() error {
	return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT)
}

// lastWords returns the end of what the kernel has written to standard output and error,
// at most a few lines.
func (p *process) lastWords() string {
	b, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(stripANSI(string(b))), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// end kills what is left of the kernel after waiting for it to leave by itself, and
// removes the folder. GoNB, when killed, leaves the program of the cell and gopls behind,
// both in process groups of their own.
func (p *process) end(wait time.Duration) error {
	if wait > 0 {
		select {
		case <-p.dead:
		case <-time.After(wait):
		}
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // fails if nobody is left
	<-p.dead
	for range 10 { // a process may start others while we look
		left := p.relatives()
		if len(left) == 0 {
			break
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(5 * time.Millisecond)
	}
	var err error
	for range 10 { // a process that is being killed may still write
		if err = os.RemoveAll(p.dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("notebook: the kernel's temporary folder stays behind: %w", err)
}

// belongs reports whether the command line or environment of a process, with zero bytes
// or spaces between the parts, names the kernel's folder.
func (p *process) belongs(text []byte) bool { return bytes.Contains(text, []byte(p.dir)) }

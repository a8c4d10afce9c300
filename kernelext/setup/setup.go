package setup

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"sgdlab/kernelext/kernelspec"
)

// version counts the ways of setting up; a new one makes every clone set up again.
const version = 2

// XLA says what to do about the XLA plug-in.
type XLA int

// The choices for the plug-in. Leaving it out is remembered until it is asked for again.
const (
	XLAIfPossible XLA = iota
	XLARequired
	XLALeftOut
)

// Settings are the choices for [Run]; the zero value is the default.
type Settings struct {
	XLA    XLA
	Python bool      // also install JupyterLab, nbconvert and nbclient in .lab/venv
	Out    io.Writer // one line per step; nil means none
}

// state is what .lab/setup.json remembers.
type state struct {
	Key     string    // of the inputs, see key
	XLALeft string    // why there is no plug-in; empty if there is one
	NoXLA   bool      // the user's wish
	Warmed  time.Time // when the build cache was warmed
	Python  string    // hash of the requirements in .lab/venv
}

// coolsAfter is when the cache is warmed again: Go drops what was not used for five days.
const coolsAfter = 3 * 24 * time.Hour

//go:embed requirements.txt
var requirements []byte

type runner struct {
	Settings
	lab   kernelspec.Lab
	g     *kernelspec.GoTool
	start time.Time
	mu    sync.Mutex // guards log and Out
	log   io.Writer
}

// Run does for l what is missing of the set-up. A second Run at the same time waits for
// the first.
func Run(ctx context.Context, l kernelspec.Lab, s Settings) error {
	g, err := kernelspec.FindGo(ctx, l.Root, "")
	if err != nil {
		return err
	}
	if s.Out == nil {
		s.Out = io.Discard
	}
	r := &runner{Settings: s, lab: l, g: g, start: time.Now(), log: io.Discard}
	if err := os.MkdirAll(l.Path("bin"), 0o755); err != nil {
		return explain("set-up", nil, err)
	}
	unlock, err := r.lock()
	if err != nil {
		return explain("set-up", nil, err)
	}
	defer unlock()

	key, err := r.key()
	if err != nil {
		return err
	}
	was := r.load()
	st := was
	switch s.XLA {
	case XLARequired:
		st.NoXLA = false
	case XLALeftOut:
		st.NoXLA = true
	}
	need := todo{
		base: st.Key != key || !r.installed(),
		xla:  st.NoXLA == l.HasPlugin() && (st.NoXLA || s.XLA == XLARequired || st.XLALeft == "" || st.Key != key),
		// the rest needs no base
		python: s.Python && (st.Python != hash(requirements) || !exists(l.Venv("jupyter"))),
	}
	if s.Python && !need.python { // it may be from an older version
		if err := r.settings(); err != nil {
			return err
		}
	}
	need.warm = need.base || need.xla || time.Since(st.Warmed) > coolsAfter || r.newerSource(st.Warmed)
	if need == (todo{}) {
		if st != was {
			return r.save(st)
		}
		return nil
	}
	return r.do(ctx, need, key, st)
}

// todo is what a run has to do.
type todo struct{ base, xla, python, warm bool }

func (r *runner) do(ctx context.Context, need todo, key string, st state) error {
	log, err := os.Create(r.lab.Path("setup.log"))
	if err != nil {
		return explain("set-up", nil, err)
	}
	defer log.Close()
	r.log = log
	if need.base || need.python {
		if err := r.space(st.Key == ""); err != nil {
			return err
		}
	}

	// Downloads and compilers run side by side: one waits for the network, the other for
	// the processors.
	downloads, ctxDownloads := errgroup.WithContext(ctx)
	if need.xla {
		downloads.Go(func() error {
			left, err := r.plugin(ctxDownloads, st.NoXLA)
			st.XLALeft = left
			return err
		})
	}
	if need.python {
		downloads.Go(func() error { return r.python(ctxDownloads) })
	}
	downloads.Go(func() error {
		if need.base {
			if err := r.modules(ctxDownloads); err != nil {
				return err
			}
			if err := r.slim(ctxDownloads); err != nil {
				return err
			}
			if err := r.tools(ctxDownloads); err != nil {
				return err
			}
		}
		if need.warm {
			if _, err := r.warm(ctxDownloads, kernelspec.PureGo); err != nil {
				return err
			}
		}
		return nil
	})
	if err := downloads.Wait(); err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}

	if need.base || need.xla {
		if err := kernelspec.Install(r.lab, r.lab.DataDir(), r.g); err != nil {
			return explain("writing the kernels", nil, err)
		}
	}
	if need.warm {
		ok, err := r.warm(ctx, kernelspec.Name)
		if err != nil {
			return err
		}
		if ok {
			st.Warmed = r.start
		}
	}
	if need.python {
		st.Python = hash(requirements)
	}
	st.Key = key
	return r.save(st)
}

// key identifies the inputs of the set-up: if one changes, it is done again.
func (r *runner) key() (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, version, r.g.Version, r.g.Exe, r.g.CGo, r.lab.Root)
	for _, f := range []string{"go.mod", "go.sum", "kernelext/tools/go.mod", "kernelext/tools/go.sum"} {
		b, err := os.ReadFile(filepath.Join(r.lab.Root, f))
		if err != nil {
			return "", fmt.Errorf("the clone is not complete: %w", err)
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// installed reports whether the tools, the slim go-xla and the kernels are there.
func (r *runner) installed() bool {
	for _, tool := range toolNames {
		if !exists(r.lab.Tool(tool)) {
			return false
		}
	}
	if !exists(r.lab.GoWork()) {
		return false
	}
	for _, name := range kernelspec.Names() {
		if !exists(filepath.Join(kernelspec.Folder(r.lab.DataDir(), name), "kernel.json")) {
			return false
		}
	}
	return true
}

// newerSource reports whether Go code that cells import changed after t.
func (r *runner) newerSource(t time.Time) bool {
	for _, dir := range []string{"pkg", "kernelext", "data"} {
		err := filepath.WalkDir(filepath.Join(r.lab.Root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			if info, err := d.Info(); err == nil && info.ModTime().After(t) {
				return errNewer
			}
			return nil
		})
		if err != nil {
			return true
		}
	}
	return false
}

var errNewer = errors.New("newer")

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// load returns the remembered state: none if there is none, or it cannot be read.
func (r *runner) load() (st state) {
	b, err := os.ReadFile(r.lab.Path("setup.json"))
	if err != nil || json.Unmarshal(b, &st) != nil {
		return state{}
	}
	return st
}

func (r *runner) save(st state) error {
	b, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	path := r.lab.Path("setup.json")
	if err := os.WriteFile(path+".new", append(b, '\n'), 0o644); err != nil {
		return explain("set-up", nil, err)
	}
	return os.Rename(path+".new", path)
}

// lock holds .lab/lock until unlock is called or the process ends.
func (r *runner) lock() (unlock func(), err error) {
	f, err := os.OpenFile(r.lab.Path("lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	fd := int(f.Fd())
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil {
		r.say("another set-up of this clone is running: waiting for it")
		if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
			f.Close()
			return nil, err
		}
	}
	return func() { f.Close() }, nil
}

// space returns an error if a disk is so full that the set-up cannot end well. first tells
// that nothing has been set up yet.
func (r *runner) space(first bool) error {
	need := uint64(300 << 20)
	if first {
		need = 1 << 30
	}
	for _, dir := range []string{r.lab.Path(), r.g.Cache, r.g.ModCache, os.TempDir()} {
		for !exists(dir) {
			dir = filepath.Dir(dir)
		}
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) != nil {
			continue
		}
		if free := fs.Bavail * uint64(fs.Bsize); free < need {
			return fmt.Errorf("the disk is full: %s has %d MB free, the set-up needs about 2.5 GB in all; free some, or set GOCACHE, GOMODCACHE and TMPDIR to a larger disk", dir, free>>20)
		}
	}
	return nil
}

// done prints a line for a step that began at start.
func (r *runner) done(step string, start time.Time) {
	r.say(fmt.Sprintf("%6.1f s  %s", time.Since(start).Seconds(), step))
}

func (r *runner) say(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(r.Out, line)
}

package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// labSettings keep JupyterLab from asking for news and updates, which would need the
// network, let gopls take longer for the first completion than a second, and open texts to
// which chapters link as pages, not in an editor.
const labSettings = `{
 "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false},
 "@jupyterlab/completer-extension:manager": {"providerTimeout": 4000},
 "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}}
}
`

// python makes .lab/venv with the packages of requirements.txt. An environment cannot be
// moved, so a broken one is removed.
func (r *runner) python(ctx context.Context) (err error) {
	start := time.Now()
	venv := r.lab.Path("venv")
	defer func() {
		if err != nil {
			os.RemoveAll(venv)
		}
	}()
	exe, err := exec.LookPath("python3")
	if err != nil {
		return errors.New("JupyterLab needs Python 3.10 or newer with venv, and there is no python3 in PATH: install it (./scripts/walk needs no Python)")
	}
	const ask = `import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 10) else "old %d.%d" % sys.version_info[:2])`
	out, err := r.run(ctx, r.lab.Root, nil, exe, "-c", ask)
	if err != nil {
		return explain("starting python3", out, err)
	}
	if v, old := strings.CutPrefix(strings.TrimSpace(string(out)), "old "); old {
		return fmt.Errorf("JupyterLab needs Python 3.10 or newer, and %s is %s: install a newer one and put it first in PATH (./scripts/walk needs no Python)", exe, v)
	}
	if err := os.RemoveAll(venv); err != nil {
		return explain("making the Python environment", nil, err)
	}
	if out, err := r.run(ctx, r.lab.Root, nil, exe, "-m", "venv", venv); err != nil {
		return explain("making the Python environment", out, err)
	}
	list := filepath.Join(venv, "requirements.txt")
	if err := os.WriteFile(list, requirements, 0o644); err != nil {
		return explain("making the Python environment", nil, err)
	}
	if out, err := r.run(ctx, r.lab.Root, nil, r.lab.Venv("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2", "-r", list); err != nil {
		return explain("installing JupyterLab", out, err)
	}
	if err := r.settings(); err != nil {
		return err
	}
	r.done("JupyterLab, nbconvert, nbclient in .lab/venv", start)
	return nil
}

// settings writes labSettings, unless they are there already.
func (r *runner) settings() error {
	path := r.lab.Path("venv", "share", "jupyter", "lab", "settings", "overrides.json")
	if old, err := os.ReadFile(path); err == nil && string(old) == labSettings {
		return nil
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(labSettings), 0o644)); err != nil {
		return explain("setting up JupyterLab", nil, err)
	}
	return nil
}

package setup

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// pluginVersion is the version of the package xla-cpu-pjrt on PyPI, built by the OpenXLA
// project: PJRT C API 0.81. pkg/backend accepts the versions that were tested.
const pluginVersion = "0.0.1"

// wheels are the files of that version.
var wheels = map[string]struct{ platform, wheel, library string }{ // SHA-256 of the wheel and of the library in it
	"linux/amd64": {"manylinux_2_27_x86_64",
		"55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc",
		"88c3f28c5900f48ad4a82cab9e79bba9537809743395e341485f8794268820dc"},
	"linux/arm64": {"manylinux_2_27_aarch64",
		"8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9",
		"fcf411f3e8ff635c2b2cf87215aa7016f460e66d236c3db08309e7486583532d"},
}

// plugin installs the XLA plug-in or, if unwanted, removes it. left says why there is none
// now; that it cannot be had is an error only if it is required.
func (r *runner) plugin(ctx context.Context, unwanted bool) (left string, err error) {
	if unwanted {
		if err := os.RemoveAll(r.lab.PluginDir()); err != nil {
			return "", explain("removing the XLA plug-in", nil, err)
		}
		r.say("          XLA is left out; `.lab/bin/sgdlab setup --xla` brings it back")
		return "left out on request", nil
	}
	start := time.Now()
	left = r.cannotHavePlugin(ctx)
	if left == "" {
		if err = r.fetchPlugin(ctx); err == nil {
			r.done("XLA CPU plug-in", start)
			return "", nil
		}
		if ctx.Err() != nil {
			return "", err
		}
		left = err.Error()
	}
	if r.XLA == XLARequired {
		return "", errors.New("XLA cannot be set up: " + left)
	}
	r.say(fmt.Sprintf("          XLA is left out (%s): cells use GoMLX's Go backend; `.lab/bin/sgdlab setup --xla` tries again", left))
	return left, nil
}

// cannotHavePlugin returns why this machine cannot have the plug-in, or "".
func (r *runner) cannotHavePlugin(ctx context.Context) string {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if _, ok := wheels[platform]; !ok {
		return "there is no plug-in for " + platform
	}
	if !r.g.CGo {
		return "it needs a C compiler such as gcc"
	}
	if _, err := exec.LookPath("python3"); err != nil {
		return "its download needs python3 with pip"
	}
	if _, err := r.run(ctx, r.lab.Root, nil, "python3", "-m", "pip", "--version"); err != nil {
		return "its download needs pip, on Debian and Ubuntu the package python3-pip"
	}
	return ""
}

// fetchPlugin downloads the wheel with pip, which checks its hash, and puts the library in
// place in one step.
func (r *runner) fetchPlugin(ctx context.Context) error {
	const step = "downloading the XLA plug-in"
	w := wheels[runtime.GOOS+"/"+runtime.GOARCH]
	if err := os.MkdirAll(r.lab.PluginDir(), 0o755); err != nil {
		return explain(step, nil, err)
	}
	tmp, err := os.MkdirTemp(r.lab.Path(), "xla-*")
	if err != nil {
		return explain(step, nil, err)
	}
	defer os.RemoveAll(tmp)
	list := filepath.Join(tmp, "requirements.txt")
	if err := os.WriteFile(list, fmt.Appendf(nil, "xla-cpu-pjrt==%s --hash=sha256:%s\n", pluginVersion, w.wheel), 0o644); err != nil {
		return explain(step, nil, err)
	}
	out, err := r.run(ctx, r.lab.Root, nil, "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--retries", "2",
		"--no-deps", "--require-hashes", "--only-binary=:all:", "--platform", w.platform, "-d", tmp, "-r", list)
	if err != nil {
		return explain(step, out, err)
	}
	found, err := filepath.Glob(filepath.Join(tmp, "*.whl"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%s: pip left %d wheels instead of one", step, len(found))
	}
	library := filepath.Join(tmp, "library")
	if err := unpack(library, found[0], w.library); err != nil {
		return explain("unpacking the XLA plug-in", nil, err)
	}
	if err := os.Rename(library, r.lab.Plugin()); err != nil {
		return explain("installing the XLA plug-in", nil, err)
	}
	return nil
}

// unpack writes the library in the wheel to the file dst if it has the SHA-256 want.
func unpack(dst, wheel, want string) error {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer z.Close()
	src, err := z.Open("xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so")
	if err != nil {
		return err
	}
	defer src.Close()
	f, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, h), src); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("checksum mismatch: the library has %s, want %s", got, want)
	}
	return f.Close()
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

type settings struct {
	scripts string
	python  map[string]string // a and b, those that were given
	rounds  int
	seconds float64
}

// machine runs both sides.
type machine struct {
	settings
	dir   string            // for test binaries and what the scripts leave behind
	built map[string]string // test binary of each package
}

func newMachine(s settings) (*machine, error) {
	var err error
	if s.scripts, err = filepath.Abs(s.scripts); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(s.scripts, "common.py")); err != nil {
		return nil, fmt.Errorf("%s is not the folder of the scripts: %w", s.scripts, err)
	}
	dir, err := os.MkdirTemp("", "peers")
	return &machine{settings: s, dir: dir, built: map[string]string{}}, err
}

func (m *machine) close() { os.RemoveAll(m.dir) }

// measure lets ours and the peers of r take turns.
func (m *machine) measure(ctx context.Context, r row) result {
	res := result{row: r, peers: make([][]float64, len(r.peers))}
	note := func(value float64, err error, to *[]float64) {
		if err != nil {
			res.errors = append(res.errors, err)
		} else {
			*to = append(*to, value)
		}
	}
	ours := func() {
		v, err := m.ours(ctx, r)
		note(v, err, &res.ours)
	}
	ours()
	for range m.rounds {
		for i, p := range r.peers {
			if len(res.errors) > 0 || ctx.Err() != nil {
				return res
			}
			v, err := m.theirs(ctx, p)
			note(v, err, &res.peers[i])
			ours()
		}
	}
	return res
}

// ours runs our benchmark once.
func (m *machine) ours(ctx context.Context, r row) (float64, error) {
	binary, err := m.build(ctx, r.pkg)
	if err != nil {
		return 0, err
	}
	time := fmt.Sprintf("%gs", m.seconds)
	if r.once {
		time = "1x"
	}
	// Every part of a name is a pattern of its own.
	pattern := "^" + strings.ReplaceAll(r.bench, "/", "$/^") + "$"
	args := []string{"-test.run", "^$", "-test.bench", pattern, "-test.benchtime", time, "-test.timeout", "0"}
	if r.serial {
		args = append(args, "-test.cpu", "1")
	}
	if r.pkg == "pkg/experiment" {
		args = append(args, "-peers", m.scripts)
	}
	out, err := command(ctx, r.pkg, binary, args...)
	if err != nil {
		return 0, err
	}
	return benchmarkValue(out, r)
}

// processors ends the name of a benchmark unless there is one.
var processors = regexp.MustCompile(`-\d+$`)

// benchmarkValue returns the metric of r from the output of a benchmark.
func benchmarkValue(out string, r row) (float64, error) {
	unit := r.unit
	if unit == "" {
		unit = "ns/op"
	}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || processors.ReplaceAllString(fields[0], "") != r.bench {
			continue
		}
		for i := 3; i < len(fields); i += 2 {
			if fields[i] != unit {
				continue
			}
			v, err := strconv.ParseFloat(fields[i-1], 64)
			if unit == "ns/op" {
				v *= 1e-9
			}
			return v, err
		}
	}
	return 0, fmt.Errorf("%s has no benchmark %s with %s: %s", r.pkg, r.bench, unit, tail(out))
}

// build compiles the tests of a package, without the XLA backend, which no benchmark here uses.
func (m *machine) build(ctx context.Context, pkg string) (string, error) {
	if binary := m.built[pkg]; binary != "" {
		return binary, nil
	}
	binary := filepath.Join(m.dir, strings.ReplaceAll(pkg, "/", "-")+".test")
	if _, err := command(ctx, ".", "go", "test", "-c", "-tags", "noxla", "-o", binary, "./"+pkg); err != nil {
		return "", err
	}
	m.built[pkg] = binary
	return binary, nil
}

// theirs runs the script of a peer once.
func (m *machine) theirs(ctx context.Context, p peer) (float64, error) {
	args := append([]string{filepath.Join(m.scripts, p.args[0])}, p.args[1:]...)
	args = append(args, "--seconds", fmt.Sprint(m.seconds))
	out, err := command(ctx, m.dir, m.python[p.needs], args...)
	if err != nil {
		return 0, err
	}
	return scriptValue(out, p.lines)
}

// scriptValue returns the sum of the named numbers that a script printed, one a line with
// their unit.
func scriptValue(out string, names []string) (sum float64, err error) {
	for _, name := range names {
		found := false
		for line := range strings.Lines(out) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
				v, err := strconv.ParseFloat(fields[1], 64)
				if err != nil {
					return 0, fmt.Errorf("%s: %w", name, err)
				}
				sum += v
				found = true
			}
		}
		if !found {
			return 0, fmt.Errorf("the script printed no %s: %s", name, tail(out))
		}
	}
	return sum, nil
}

// command runs a program in dir and returns its output. What it says meanwhile goes to
// standard error.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOEXPERIMENT=simd", "PYTHONDONTWRITEBYTECODE=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	fmt.Fprintf(os.Stderr, "# %s %s\n", filepath.Base(name), strings.Join(args, " "))
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, tail(out.String()))
	}
	return out.String(), nil
}

// tail is the end of what a program printed.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// load returns the load averages of the machine, where the system tells.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

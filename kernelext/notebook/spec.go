package notebook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Spec says how a kernel is started; it is the content of a kernel.json. In an element of
// Argv "{connection_file}" stands for the path of the connection file; in a value of Env
// $NAME and ${NAME} stand for variables of the starting process, as in Jupyter.
type Spec struct {
	Argv          []string          `json:"argv"`
	DisplayName   string            `json:"display_name"`
	Language      string            `json:"language"`
	InterruptMode string            `json:"interrupt_mode"` // "message", or "signal" (also when empty)
	Env           map[string]string `json:"env"`

	Dir string `json:"-"` // the folder of the kernel.json, which "{resource_dir}" in Argv stands for
}

// ReadSpec reads the kernel.json in the folder dir.
func ReadSpec(dir string) (*Spec, error) {
	path := filepath.Join(dir, "kernel.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	s := &Spec{Dir: dir}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("notebook: %s is damaged, install the kernel again: %w", path, err)
	}
	if len(s.Argv) == 0 {
		return nil, fmt.Errorf("notebook: %s has no command (argv): install the kernel again", path)
	}
	return s, nil
}

// FindSpec returns the kernel called name in the first of the Jupyter data folders that
// has it. Without folders it looks into those of JUPYTER_PATH.
func FindSpec(name string, dataDirs ...string) (*Spec, error) {
	if dataDirs == nil {
		dataDirs = filepath.SplitList(os.Getenv("JUPYTER_PATH"))
	}
	for _, dir := range dataDirs {
		s, err := ReadSpec(filepath.Join(dir, "kernels", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return s, err
	}
	return nil, fmt.Errorf("notebook: there is no kernel %q in %s: install it with sgdlab kernel install", name, strings.Join(dataDirs, ", "))
}

// command returns the command line.
func (s *Spec) command(connectionFile string) []string {
	argv := slices.Clone(s.Argv)
	replacer := strings.NewReplacer("{connection_file}", connectionFile, "{resource_dir}", s.Dir)
	for i := range argv {
		argv[i] = replacer.Replace(argv[i])
	}
	return argv
}

// environ returns the environment of the kernel: that of this process, the kernel.json's
// and extra, each before the next.
func (s *Spec) environ(extra map[string]string) []string {
	env := os.Environ()
	for k, v := range s.Env {
		env = append(env, k+"="+expand(v))
	}
	for k, v := range extra {
		env = append(env, k+"="+v)
	}
	return env
}

// expand replaces $NAME, ${NAME} and $$ as Python's string.Template does; names of
// variables that are not set stay as they are.
func expand(s string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		s = after
		if strings.HasPrefix(s, "$") {
			out.WriteByte('$')
			s = s[1:]
			continue
		}
		written, name := "", ""
		if rest, ok := strings.CutPrefix(s, "{"); ok {
			if n := nameLength(rest); n > 0 && strings.HasPrefix(rest[n:], "}") {
				written, name = s[:n+2], rest[:n]
			}
		} else if n := nameLength(s); n > 0 {
			written, name = s[:n], s[:n]
		}
		if value, ok := os.LookupEnv(name); name != "" && ok {
			out.WriteString(value)
		} else {
			out.WriteString("$" + written)
		}
		s = s[len(written):]
	}
}

// nameLength returns the length of the name of a variable at the start of s.
func nameLength(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

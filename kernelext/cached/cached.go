package cached

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"
)

// limit is the size in bytes up to which values are kept.
const limit = 4 << 30

// Value returns the value kept under name and settings, or calls fn and keeps what it
// returns. See the package comment for what the value depends on and what can be kept.
//
// It returns the error of fn, with nothing kept; and an error, before fn is called, if T
// or the settings hold something that cannot be kept or compared.
//
//	r, err := cached.Value("t1", experiment.T1Quick(), func() (*experiment.T1Result, error) {
//		return experiment.T1Panel(show.Context(), experiment.T1Quick())
//	})
func Value[T any](name string, settings any, fn func() (T, error)) (T, error) {
	_, file, line, _ := runtime.Caller(1)
	s, err := open()
	if err != nil {
		var none T
		return none, err
	}
	var v T
	err = s.value(name, settings, reflect.ValueOf(&v).Elem(), position{file, line}, func() (reflect.Value, error) {
		v, err := fn()
		return reflect.ValueOf(&v).Elem(), err
	})
	return v, err
}

// Entry describes a value that is kept.
type Entry struct {
	Name     string
	Settings string // in one line
	Type     string
	Bytes    int64
	Created  time.Time
	Used     time.Time
	Took     time.Duration // to compute
}

// List returns the values that are kept, the last used first.
func List() ([]Entry, error) {
	s, err := open()
	if err != nil {
		return nil, err
	}
	return s.list()
}

// Clear forgets all values with one of the names, or all values without arguments.
func Clear(names ...string) error {
	s, err := open()
	if err != nil {
		return err
	}
	return s.clear(names...)
}

// Dir returns the folder in which values are kept.
func Dir() (string, error) {
	if dir := os.Getenv("SGDLAB_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if root := moduleRoot(); root != "" && writable(root) {
		return filepath.Join(root, ".lab", "cache"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cached: no folder for values: %w; set SGDLAB_CACHE", err)
	}
	return filepath.Join(dir, "sgdlab", "values"), nil
}

// writable reports whether files can be made in dir; those of the module cache cannot.
func writable(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode().Perm()&0o200 != 0
}

// store is a folder of kept values.
type store struct {
	dir   string
	limit int64
	log   io.Writer                        // messages
	code  func(p position) (string, error) // identifies the code that a call at p runs
}

// open returns the store of this program.
func open() (*store, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	return &store{dir: dir, limit: limit, log: os.Stderr, code: codeAt}, nil
}

// extension of the files that hold values.
const extension = ".value"

// value sets v to the kept value, or to what compute returns.
func (s *store) value(name string, settings any, v reflect.Value, at position, compute func() (reflect.Value, error)) error {
	if name == "" {
		return errors.New("cached: a value needs a name")
	}
	if err := checkType(v.Type()); err != nil {
		return fmt.Errorf("cached: %q cannot be kept: %w", name, err)
	}
	text, err := canonical(settings)
	if err != nil {
		return fmt.Errorf("cached: settings of %q: %w", name, err)
	}
	code, err := s.code(at)
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, fileName(name, text, typeText(v.Type()), code))

	if s.load(path, name, v) {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		s.say("%q is computed but not kept: %v", name, err)
		return set(v, compute)
	}
	unlock, err := lock(path+".lock", func() { s.say("another program computes %q: waiting for it", name) })
	if err != nil {
		s.say("%q is computed but not kept: %v", name, err)
		return set(v, compute)
	}
	defer unlock()
	if s.load(path, name, v) { // stored while we waited
		return nil
	}
	begin := time.Now()
	if err := set(v, compute); err != nil {
		return err
	}
	h := header{Name: name, Settings: text, Type: v.Type().String(), Created: time.Now().UTC(), Seconds: time.Since(begin).Seconds()}
	if err := s.save(path, h, v); err != nil {
		s.say("%q is computed but not kept: %v", name, err)
	}
	return nil
}

// set sets v to what compute returns, even beside an error.
func set(v reflect.Value, compute func() (reflect.Value, error)) error {
	got, err := compute()
	v.Set(got)
	return err
}

// load reads the value at path into v and reports whether it could. A damaged file is
// removed with a message.
func (s *store) load(path, name string, v reflect.Value) bool {
	read := reflect.New(v.Type()).Elem()
	err := readFile(path, read)
	switch {
	case err == nil:
		v.Set(read)
		now := time.Now()
		_ = os.Chtimes(path, now, now) // the order of removal is not worth an error
		return true
	case !errors.Is(err, fs.ErrNotExist):
		s.say("the kept value of %q is damaged (%v): it is computed again", name, err)
		_ = os.Remove(path)
	}
	return false
}

// save writes the value and then removes what is too much.
func (s *store) save(path string, h header, v reflect.Value) error {
	if err := writeFile(path, h, v, s.limit); err != nil {
		return err
	}
	s.evict(path)
	return nil
}

// evict removes the values not used for longest until the rest fits, but never keep; and
// what killed programs have left behind.
func (s *store) evict(keep string) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	type kept struct {
		path string
		size int64
		used time.Time
	}
	var values []kept
	var total int64
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			continue
		}
		path := filepath.Join(s.dir, f.Name())
		switch {
		case strings.HasSuffix(f.Name(), extension):
			values = append(values, kept{path, info.Size(), info.ModTime()})
			total += info.Size()
		case strings.HasPrefix(f.Name(), ".") && time.Since(info.ModTime()) > 24*time.Hour:
			_ = os.Remove(path)
		}
	}
	slices.SortFunc(values, func(a, b kept) int { return a.used.Compare(b.used) })
	for _, old := range values {
		if total <= s.limit {
			return
		}
		if old.path != keep && os.Remove(old.path) == nil {
			total -= old.size
		}
	}
}

func (s *store) list() ([]Entry, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cached: %w", err)
	}
	var entries []Entry
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), extension) {
			continue
		}
		info, err := f.Info()
		if err != nil {
			continue // removed meanwhile
		}
		h, err := readHeader(filepath.Join(s.dir, f.Name()))
		if err != nil {
			h = header{Name: f.Name(), Settings: "damaged"}
		}
		entries = append(entries, Entry{
			Name: h.Name, Settings: h.Settings, Type: h.Type, Bytes: info.Size(),
			Created: h.Created, Used: info.ModTime(), Took: time.Duration(h.Seconds * float64(time.Second)).Round(time.Millisecond),
		})
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return b.Used.Compare(a.Used) })
	return entries, nil
}

func (s *store) clear(names ...string) error {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cached: %w", err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), extension) {
			continue
		}
		path := filepath.Join(s.dir, f.Name())
		if len(names) > 0 {
			h, err := readHeader(path)
			if err != nil || !slices.Contains(names, h.Name) {
				continue
			}
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cached: %w", err)
		}
	}
	return nil
}

func (s *store) say(format string, args ...any) {
	fmt.Fprintf(s.log, "cached: "+format+"\n", args...)
}

// fileName is the name for people followed by the hash of everything that counts.
func fileName(name string, parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{magic, name}, parts...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	var slug strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			slug.WriteRune(r)
		case slug.Len() > 0 && !strings.HasSuffix(slug.String(), "-"):
			slug.WriteByte('-')
		}
		if slug.Len() >= 40 {
			break
		}
	}
	return strings.TrimSuffix(slug.String(), "-") + "_" + hex.EncodeToString(h.Sum(nil)[:16]) + extension
}

package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Dir returns the directory in which data sets are looked for and to which they
// are fetched: the explicit one if it is not empty, else the folder sgdlab/data
// of the user's cache directory ([os.UserCacheDir]). It is empty if the user has
// no cache directory; [MNIST] refuses that with a sentence, and so does package
// fetch. Dir does not create the directory.
func Dir(explicit string) string {
	if explicit != "" {
		return explicit
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "sgdlab", "data")
}

// published is what error messages and the search need to know of a data set.
type published struct {
	title  string
	name   string // for `sgdlab data fetch`
	folder string // in the data directory
}

// remedy ends the sentence about a data set that cannot be read.
func (p published) remedy() string {
	return fmt.Sprintf("get it with `sgdlab data fetch %s` or give another directory", p.name)
}

// refuse is the error for a file that cannot be used.
func (p published) refuse(path, format string, args ...any) error {
	return fmt.Errorf("dataset: %s is not a file of %s: %w: %s", path, p.title, fmt.Errorf(format, args...), p.remedy())
}

// find returns dir, or the data set's folder in it if dir itself does not have the
// data set.
func find(dir string, set published, has func(dir string) bool) (string, error) {
	if dir == "" {
		return "", errors.New("dataset: no data directory: give one, because the user has no cache directory")
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("dataset: the data directory %s does not exist: %s", dir, set.remedy())
	case err != nil:
		return "", fmt.Errorf("dataset: the data directory cannot be used: %w", err)
	case !info.IsDir():
		return "", fmt.Errorf("dataset: %s is a file: give the directory that holds it", dir)
	}
	inner := filepath.Join(dir, set.folder)
	if info, err := os.Stat(inner); err == nil && info.IsDir() && !has(dir) {
		return inner, nil
	}
	return dir, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

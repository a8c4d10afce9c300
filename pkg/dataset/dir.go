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

// find returns dir, or its folder sub if the data set is not in dir itself. name
// is what the remedy calls the data set.
func find(dir, sub, name string, has func(dir string) bool) (string, error) {
	if dir == "" {
		return "", errNoDir
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("dataset: the data directory %s does not exist: %s", dir, remedy(name))
	case err != nil:
		return "", fmt.Errorf("dataset: the data directory cannot be used: %w", err)
	case !info.IsDir():
		return "", fmt.Errorf("dataset: %s is a file: give the directory that holds it", dir)
	}
	inner := filepath.Join(dir, sub)
	if info, err := os.Stat(inner); err == nil && info.IsDir() && !has(dir) {
		return inner, nil
	}
	return dir, nil
}

var errNoDir = errors.New("dataset: no data directory: give one, because the user has no cache directory")

// remedy ends the sentence about a data set that cannot be read.
func remedy(name string) string {
	return fmt.Sprintf("get it with `sgdlab data fetch %s` or give another directory", name)
}

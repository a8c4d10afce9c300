package fetch

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sgdlab/data"
)

// Source says where the files of a data set are published and how to tell that
// they are the right ones. It is an entry of data/MANIFEST.json.
type Source struct {
	Name    string // the short name: mnist, cifar10, cifar100
	Title   string
	Authors string
	Licence string
	Home    string   // the page of its authors
	Folder  string   // where the files go, within the data directory
	Mirrors []string // the address of a file is a mirror followed by the name; tried in order
	Files   []File
}

// File is a file to fetch, or one within a fetched archive.
type File struct {
	Name   string
	Bytes  int64  // size; 0 means not known before
	SHA256 string // in hexadecimal
	Shape  []int  // of the content, once unpacked: the length of each axis
	// Members are the files to unpack when the file is a gzip'ed tar, which has
	// them in a folder named like Source.Folder; their checksum is the archive's.
	Members []File
}

// Sources returns the data sets of data/MANIFEST.json.
func Sources() []Source {
	var manifest struct{ Sources []Source }
	if err := json.Unmarshal([]byte(data.Manifest), &manifest); err != nil {
		panic(fmt.Sprintf("fetch: data/MANIFEST.json: %v", err)) // embedded, and read by the tests
	}
	return manifest.Sources
}

// findSource returns the data set with the given short name.
func findSource(name string) (Source, error) {
	sources := Sources()
	i := slices.IndexFunc(sources, func(s Source) bool { return s.Name == name })
	if i < 0 {
		var names []string
		for _, s := range sources {
			names = append(names, s.Name)
		}
		return Source{}, fmt.Errorf("fetch: there is no data set %q to fetch: choose one of %s", name, strings.Join(names, ", "))
	}
	return sources[i], nil
}

package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"sgdlab/pkg/dataset"
)

// Images says which images an experiment sees and how they are prepared. The order is:
// contrast, whitening, and in training augmentation.
type Images struct {
	Set      string               `json:"set"`                // "mnist7", "mnist", "cifar10" or "cifar100"
	Contrast bool                 `json:"contrast,omitempty"` // global contrast normalisation to the norm 55
	Whiten   bool                 `json:"whiten,omitempty"`   // ZCA, fitted to the training set
	Augment  dataset.Augmentation `json:"augment,omitzero"`   // in training only

	// Dir is where the files are; "mnist7" needs none. Empty means dataset.Dir("").
	Dir string `json:"-"`
}

// IsZero reports whether im chooses nothing; where the files are does not count.
func (im Images) IsZero() bool {
	im.Dir = ""
	return im == Images{}
}

// load reads and prepares the images. The whitening filter, which takes a minute or two, is
// kept in folder.
func (im Images) load(ctx context.Context, folder string) (train, test *dataset.Images, err error) {
	dir := dataset.Dir(im.Dir)
	switch im.Set {
	case "mnist7":
		train, test, err = dataset.MNIST7()
	case "mnist":
		train, test, err = dataset.MNIST(dir)
	case "cifar10":
		train, test, err = dataset.CIFAR10(dir)
	case "cifar100":
		train, test, err = dataset.CIFAR100(dir)
	default:
		return nil, nil, fmt.Errorf("experiment: no images %q: they are mnist7, mnist, cifar10 or cifar100", im.Set)
	}
	if err != nil {
		return nil, nil, err
	}
	if im.Contrast {
		train, test = train.NormalizeContrast(dataset.ContrastNorm), test.NormalizeContrast(dataset.ContrastNorm)
	}
	if !im.Whiten {
		return train, test, nil
	}
	path := filepath.Join(folder, im.Set+".zca")
	if im.Contrast {
		path = filepath.Join(folder, im.Set+"-contrast.zca")
	}
	w, err := dataset.LoadWhitening(path)
	if errors.Is(err, fs.ErrNotExist) {
		if w, err = dataset.FitWhitening(ctx, train, nil); err == nil {
			err = w.Save(path)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if train, err = w.Apply(ctx, train); err != nil {
		return nil, nil, err
	}
	test, err = w.Apply(ctx, test)
	return train, test, err
}

package harness

// Where things are. Nothing else in this module knows the layout of the repository.

import (
	"fmt"
	"os"
	"path/filepath"
)

// Root is the repository's root: the nearest folder, from the working directory upwards, that holds the crate.
func Root() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "Cargo.toml")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", fmt.Errorf("run this inside the repository: no Cargo.toml here or above")
		}
		folder = parent
	}
}

// Binary is the path of a program that the Makefile builds; the error says how to build it. BUILD_DIR names another
// folder than the repository's build/.
func Binary(name string) (string, error) {
	folder := os.Getenv("BUILD_DIR")
	if folder == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(root, "build")
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is missing: `make k6 receivers` builds it", path)
	}
	return path, nil
}

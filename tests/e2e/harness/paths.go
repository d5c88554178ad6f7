package harness

// Paths in the repository. Other files of this module do not depend on its layout.

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Platform returns the platform of the release under test, as the Makefile names it: PLATFORM, or this machine's.
func Platform() string {
	return cmp.Or(os.Getenv("PLATFORM"), runtime.GOOS+"_"+runtime.GOARCH)
}

// Released returns the name of a file that `make dist` builds, in the directory of built programs.
func Released(name string) string {
	return filepath.Join("dist", Platform(), name)
}

// Root returns the repository's root: the nearest directory, from the working directory upwards, with a Cargo.toml.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "Cargo.toml")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("run this inside the repository: no Cargo.toml in this directory or above")
		}
		dir = parent
	}
}

// Binary returns the path of a program that the Makefile builds. The directory is BUILD_DIR, or the repository's build/.
func Binary(name string) (string, error) {
	dir := os.Getenv("BUILD_DIR")
	if dir == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "build")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is missing: `make k6 receivers` builds it, or `make test-e2e`, if only tests need it", path)
	}
	return path, nil
}

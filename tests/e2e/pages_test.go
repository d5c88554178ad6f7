package e2e

// The repository's Markdown: its fenced blocks, in order.

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// block is a fenced block of a page.
type block struct {
	page     string // from the repository's root
	heading  string // the nearest before it
	language string
	text     string
}

// pagesOf are the paths of all pages.
func pagesOf(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(sources(t), func(name string) bool { return filepath.Ext(name) != ".md" })
}

// blocksOf are the blocks of a language in all pages; at least one.
func blocksOf(t *testing.T, language string) []block {
	t.Helper()
	var found []block
	for _, page := range pagesOf(t) {
		found = append(found, blocksIn(t, page)...)
	}
	found = slices.DeleteFunc(found, func(b block) bool { return b.language != language })
	if len(found) == 0 {
		t.Fatalf("no page has a block of %s", language)
	}
	return found
}

// blocksIn are all blocks of a page.
func blocksIn(t *testing.T, page string) []block {
	t.Helper()
	var found []block
	var open *block
	heading := ""
	for line := range strings.Lines(read(t, page)) {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{page: page, heading: heading, language: fence}
		case isFence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return found
}

// commands are the lines of a block of a shell, those that go on in the next put together, without comments.
func (b block) commands() []string {
	var all []string
	for line := range strings.Lines(strings.ReplaceAll(b.text, "\\\n", " ")) {
		line, _, _ = strings.Cut(line, " #")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

package e2e

// Markdown of the repository: fenced blocks, code spans and tables.

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// block is a fenced block of a page.
type block struct {
	page     string // path from the root
	heading  string // the last heading before it
	language string
	text     string
}

// pagesOf returns the paths of all pages.
func pagesOf(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(sources(t), func(name string) bool { return filepath.Ext(name) != ".md" })
}

// blocksOf returns the blocks of a language in all pages, at least one.
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

// blocksIn returns all blocks of a page.
func blocksIn(t *testing.T, page string) []block {
	t.Helper()
	var found []block
	walk(t, page, func(node ast.Node, heading string, source []byte) {
		if fenced, is := node.(*ast.FencedCodeBlock); is {
			found = append(found, block{page, heading, string(fenced.Language(source)), string(fenced.Lines().Value(source))})
		}
	})
	return found
}

// codeSpansIn returns the code spans of a page.
func codeSpansIn(t *testing.T, page string) []string {
	t.Helper()
	var found []string
	walk(t, page, func(node ast.Node, _ string, source []byte) {
		if span, is := node.(*ast.CodeSpan); is {
			found = append(found, textOf(span, source))
		}
	})
	return found
}

// table is a table of a page: cells of text.
type table struct {
	heading string // the last heading before it
	head    []string
	rows    [][]string
}

// tablesIn returns all tables of a page.
func tablesIn(t *testing.T, page string) []table {
	t.Helper()
	var found []table
	walk(t, page, func(node ast.Node, heading string, source []byte) {
		var cells []string
		for cell := node.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, textOf(cell, source))
		}
		switch node.(type) {
		case *tables.TableHeader:
			found = append(found, table{heading: heading, head: cells})
		case *tables.TableRow:
			last := &found[len(found)-1]
			last.rows = append(last.rows, cells)
		}
	})
	return found
}

// walk visits all nodes of a page in order, with the last heading before each.
func walk(t *testing.T, page string, visit func(node ast.Node, heading string, source []byte)) {
	t.Helper()
	source := []byte(read(t, page))
	document := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(source))
	heading := ""
	err := ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			if node.Kind() == ast.KindHeading {
				heading = textOf(node, source)
			}
			visit(node, heading, source)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// textOf returns the text of a node without markup, on one line.
func textOf(node ast.Node, source []byte) string {
	var all strings.Builder
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		if leaf, is := child.(*ast.Text); is {
			all.Write(leaf.Value(source))
			if leaf.SoftLineBreak() {
				all.WriteByte(' ')
			}
			continue
		}
		all.WriteString(textOf(child, source))
	}
	return strings.ReplaceAll(all.String(), "\n", " ")
}

// commands returns the commands of a shell block: continued lines are joined, comments are removed.
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

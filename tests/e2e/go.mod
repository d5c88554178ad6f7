module github.com/k6-remote-write/k6-remote-write/tests/e2e

go 1.26

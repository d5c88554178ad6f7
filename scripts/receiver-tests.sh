#!/usr/bin/env bash
# Prints a pattern for `go test -run`: the tests end to end that ask for the kinds of receivers, by kinds() or a function with it.
set -euo pipefail
cd "$(dirname "$0")/../tests/e2e"
awk '
	/^func/ { test = "" }
	/^func Test/ { test = $2; sub(/\(.*/, "", test) }
	test && /onEveryReceiver\(|[^A-Za-z]kinds\(\)|allReceivers\(\)/ { tests = tests "|" test; test = "" }
	END { print "^(" substr(tests, 2) ")$" }
' ./*_test.go

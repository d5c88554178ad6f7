#!/usr/bin/env bash
# Prints a pattern for `go test -run`: the tests end to end that run on several receivers, by one of these functions.
set -euo pipefail
cd "$(dirname "$0")/../tests/e2e"
awk '
	/^func/ { test = "" }
	/^func Test/ { test = $2; sub(/\(.*/, "", test) }
	test && /(onEveryReceiver|onRefusers|onSettings|onReceiversOfFiles|onSlowReceivers|runForDashboards|allReceivers)\(|range section.kinds/ { tests = tests "|" test; test = "" }
	END { print "^(" substr(tests, 2) ")$" }
' ./*_test.go

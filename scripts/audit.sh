#!/bin/sh
# Checks licences, sources and known vulnerabilities of dependencies. The vulnerability databases need the network
# (github.com/RustSec, vuln.go.dev); a check is skipped if its database is not reachable, and fails with REQUIRE_CHECKS. BUILD is
# the directory with cargo-deny and govulncheck.
set -eu
cd "$(dirname "$0")/.."

# Reports a check that cannot run.
skip() {
    echo "$*"
    [ -z "${REQUIRE_CHECKS:-}" ] || exit 1
}

deny() { "$BUILD/cargo-deny/bin/cargo-deny" --config scripts/deny.toml --locked "$@"; }

deny check licenses sources bans
if deny fetch db 2>/dev/null; then
    deny check --disable-fetch advisories
else
    skip "RustSec's database is not reachable: crates not checked for advisories"
fi

for module in go-shim tests/e2e bench tools; do
    status=0
    (cd "$module" && "$BUILD/govulncheck" ./...) || status=$?
    case $status in
        0) ;;
        3) exit 3 ;; # exit code of findings
        *) skip "Go's database is not reachable: $module not checked for vulnerabilities" ;;
    esac
done

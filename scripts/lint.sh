#!/bin/sh
# Checks formatting and lints of Rust, Go and the header. BUILD is the directory with staticcheck, gosec and xk6, K6_VERSION the
# version of k6 for xk6 lint.
set -eu
cd "$(dirname "$0")/.."

cargo --locked fmt --check
cargo --locked clippy --all-targets -- -D warnings
cargo --locked test --test interface header::

unsafe=$(grep -rl unsafe_code src | sort | tr '\n' ' ')
if [ "$unsafe" != "src/ffi/mod.rs src/lib.rs " ]; then
    echo "only src/ffi may contain unsafe code: $unsafe" >&2
    exit 1
fi

unformatted=$(gofmt -l go-shim tests/e2e bench tools)
if [ -n "$unformatted" ]; then
    echo "not formatted by gofmt: $unformatted" >&2
    exit 1
fi
for module in go-shim tests/e2e bench tools tools/dashboards; do
    (cd "$module" && go vet ./... && "$BUILD/staticcheck" ./...)
done
scripts/k6v1.sh go-shim go-shim-k6v1
(cd go-shim-k6v1 && go vet ./...)

scripts/lint-shim.sh

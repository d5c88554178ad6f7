#!/bin/sh
# k6.sh OUTPUT REPOSITORY VERSION: builds k6 with the shim's module as it is released, the way its users do: by xk6, from a tag,
# with Go and a C compiler on the path and nothing else, so neither cargo nor rustc. Only where GitHub is differs:
# REPOSITORY takes its place. XK6 is the program, MODULE the module, K6_VERSION the version of k6; MODULES keeps what Go fetches.
set -eu
output=$1 repository=$2 version=$3

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/bin"
for program in go gcc as ld git; do
    ln -s "$(command -v "$program")" "$home/bin/$program"
done
printf '[url "file://%s"]\n\tinsteadOf = https://%s\n' "$repository" "${MODULE%/go-shim}" > "$home/.gitconfig"

# Go keeps a version for good, but this one is rebuilt.
rm -rf "$MODULES/cache/vcs" "$MODULES/cache/download/$MODULE" "$MODULES/$MODULE@v$version"

# For Go alone, as xk6 asks for its news, and does not read files.
echo "GOPROXY=file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)
GOSUMDB=$(go env GOSUMDB)" > "$home/env"
env -i PATH="$home/bin" HOME="$home" \
    ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} \
    GOENV="$home/env" GOTOOLCHAIN=local GOFLAGS='-buildvcs=false -modcacherw' \
    GOCACHE="$(go env GOCACHE)" GOMODCACHE="$MODULES" GOPRIVATE="$MODULE" \
    "$XK6" --quiet build "$K6_VERSION" --cgo=1 --output "$output" --with "$MODULE@v$version" \
    --build-flags=-trimpath --build-flags='-ldflags=-s -w'

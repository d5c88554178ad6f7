#!/bin/sh
# k6.sh OUTPUT REPOSITORY VERSION: builds k6 with the released module of the shim as users do: with xk6, from a tag, with only Go
# and a C compiler on the path, without cargo and rustc. REPOSITORY replaces the one on GitHub. XK6 is the path of xk6, MODULE the
# module, K6_VERSION the version of k6, MODULES the directory for Go's module cache.
set -eu
output=$1 repository=$2 version=$3

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/bin"
for program in go gcc as ld git; do
    ln -s "$(command -v "$program")" "$home/bin/$program"
done
printf '[url "file://%s"]\n\tinsteadOf = https://%s\n' "$repository" "${MODULE%/go-shim}" > "$home/.gitconfig"

# Go caches a version permanently, but this one changes. The list of its files is in Go's build cache, by the path of the module:
# so the path has the content in it.
rm -rf "$MODULES/cache/vcs" "$MODULES/cache/download/$MODULE" "$MODULES/$MODULE@v$version" "$MODULES"-*
mkdir -p "$MODULES"
modules="$MODULES-$(git -c safe.directory='*' -C "$repository" rev-parse --short HEAD:go-shim)"
ln -s "$MODULES" "$modules"

# In a file, so that the settings apply only to Go: xk6 would use variables for its check for new versions.
echo "GOPROXY=file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)
GOSUMDB=$(go env GOSUMDB)" > "$home/env"
env -i PATH="$home/bin" HOME="$home" \
    ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} \
    GOENV="$home/env" GOTOOLCHAIN=local GOFLAGS='-buildvcs=false -modcacherw' \
    GOCACHE="$(go env GOCACHE)" GOMODCACHE="$modules" GOPRIVATE="$MODULE" \
    "$XK6" --quiet build "$K6_VERSION" --cgo=1 --output "$output" --with "$MODULE@v$version" \
    --build-flags=-trimpath --build-flags='-ldflags=-s -w'

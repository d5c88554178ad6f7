#!/bin/sh
# k6.sh OUTPUT REPOSITORY VERSION: builds k6 with the released module of the shim as users do: with xk6, from a tag, with only Go
# and a C compiler on the path, without cargo and rustc. REPOSITORY replaces the one on GitHub. XK6 is the path of xk6, MODULE the
# module, K6_VERSION the version of k6, MODULES the directory for Go's module cache, CC the C compiler, GOOS and GOARCH the platform
# if it is not this machine's. With LINK=static, k6 needs no library at run time.
set -eu
output=$1 repository=$2 version=$3

[ "${LINK:-}" != static ] || static=" -linkmode external -extldflags -static"

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/bin"
for program in gcc as ld git "${CC:=gcc}"; do
    ln -sf "$(command -v "$program")" "$home/bin/$program"
done
# xk6 turns cgo off if it knows that it builds for another platform: only Go knows.
cat > "$home/bin/go" <<SCRIPT
#!/bin/sh
CGO_ENABLED=1 GOOS=${GOOS:-} GOARCH=${GOARCH:-} exec $(command -v go) "\$@"
SCRIPT
chmod +x "$home/bin/go"
# The name by which musl-gcc calls gcc.
ln -s gcc "$home/bin/$(uname -m)-linux-gnu-gcc"
printf '[url "file://%s"]\n\tinsteadOf = https://%s\n' "$repository" "${MODULE%/*}" > "$home/.gitconfig"

# Go caches a version permanently, but this one changes. The list of its files is in Go's build cache, by the path of the module:
# so the path has the content in it.
rm -rf "$MODULES/cache/vcs" "$MODULES/cache/download/$MODULE" "$MODULES/$MODULE@v$version" "$MODULES"-*
mkdir -p "$MODULES"
modules="$MODULES-$(git -c safe.directory='*' -C "$repository" rev-parse --short "HEAD:${MODULE##*/}")"
ln -s "$MODULES" "$modules"

# In a file, so that the settings apply only to Go: xk6 would use variables for its check for new versions.
echo "GOPROXY=file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)
GOSUMDB=$(go env GOSUMDB)" > "$home/env"
env -i PATH="$home/bin" HOME="$home" \
    ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} \
    CC="$CC" GOENV="$home/env" GOTOOLCHAIN=local GOFLAGS='-buildvcs=false -modcacherw' \
    GOCACHE="$(go env GOCACHE)" GOMODCACHE="$modules" GOPRIVATE="$MODULE" \
    "$XK6" --quiet build "$K6_VERSION" --cgo=1 --output "$output" --with "$MODULE@v$version" \
    --build-flags=-trimpath --build-flags="-ldflags=-s -w${static:-}"

#!/bin/sh
# module.sh DIRECTORY VERSION LIBRARIES...: creates a git repository in DIRECTORY with the released modules of the shim in the tags
# go-shim/vVERSION and go-shim-k6v1/vVERSION: their files, the headers, and the libraries of these directories, such as
# go-shim/lib/linux_arm64. Those for glibc and for musl become one library. A release pushes the same tags to the public repository; Go
# can use either.
set -eu
directory=$1 version=$2
shift 2
cd "$(dirname "$0")/.."

rm -rf "$directory"
mkdir -p "$directory/go-shim"
cp LICENSE go-shim/*.go go-shim/go.mod go-shim/go.sum go-shim/README.md "$directory/go-shim/"
cp -R go-shim/include "$directory/go-shim/"
for libraries; do
    library=$libraries/libk6_remote_write.a
    merged=$directory/${libraries%_musl}/libk6_remote_write.a
    mkdir -p "$(dirname "$merged")"
    if [ -f "$merged" ]; then
        printf 'open %s\naddlib %s\nsave\n' "$merged" "$library" | ar -M
        objcopy --enable-deterministic-archives "$merged"
    else
        cp "$library" "$merged"
    fi
done

# Where there is no library for musl, the compiler says so.
set -- --only
! grep -q k6rw_musl_open "$directory/go-shim/lib/linux_amd64/libk6_remote_write.a" 2>/dev/null || set -- "$@" x86_64
! grep -q k6rw_musl_open "$directory/go-shim/lib/linux_arm64/libk6_remote_write.a" 2>/dev/null || set -- "$@" aarch64
scripts/musl_header.sh "$@" < include/k6_remote_write.h > "$directory/go-shim/include/k6_remote_write_musl.h"

mkdir "$directory/go-shim-k6v1"
cp LICENSE go-shim-k6v1/go.mod go-shim-k6v1/go.sum go-shim-k6v1/k6.go go-shim-k6v1/README.md "$directory/go-shim-k6v1/"
scripts/k6v1.sh "$directory/go-shim" "$directory/go-shim-k6v1"

cd "$directory"
git init --quiet
git add --force .
date="@$SOURCE_DATE_EPOCH +0000"
GIT_AUTHOR_DATE=$date GIT_COMMITTER_DATE=$date git -c user.name=release -c user.email=release@localhost \
    commit --quiet --message "go-shim $version, with the libraries"
git tag "go-shim/v$version"
git tag "go-shim-k6v1/v$version"

#!/bin/sh
# module.sh DIRECTORY VERSION: creates a git repository in DIRECTORY with the released module of the shim in the tag
# go-shim/vVERSION: its files, the header, and a library for each platform in go-shim/lib. A release pushes the same tag to the
# public repository; Go can use either.
set -eu
directory=$1 version=$2
cd "$(dirname "$0")/.."

rm -rf "$directory"
mkdir -p "$directory/go-shim"
cp LICENSE go-shim/*.go go-shim/go.mod go-shim/go.sum go-shim/README.md "$directory/go-shim/"
cp -R go-shim/include "$directory/go-shim/"
for library in go-shim/lib/*_*/libk6_remote_write.a; do
    mkdir -p "$directory/$(dirname "$library")"
    cp "$library" "$directory/$library"
done

cd "$directory"
git init --quiet
git add --force .
date="$SOURCE_DATE_EPOCH +0000"
GIT_AUTHOR_DATE=$date GIT_COMMITTER_DATE=$date git -c user.name=release -c user.email=release@localhost \
    commit --quiet --message "go-shim $version, with the libraries"
git tag "go-shim/v$version"

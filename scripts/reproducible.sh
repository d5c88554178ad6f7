#!/bin/sh
# reproducible.sh DIRECTORY TOOL...: builds the last commit in another directory with the given tools, and compares the files of
# `make dist` for PLATFORM in both.
set -eu
directory=$1
shift
cd "$(dirname "$0")/.."
if [ -n "$(git status --porcelain)" ]; then
    echo "the working tree has uncommitted changes" >&2
    exit 1
fi

sums() { (cd "$1/build/dist/$PLATFORM" && find . -type f ! -path './module/.git/*' -exec sha256sum {} + | sort -k 2); }

rm -rf "$directory"
git clone --quiet . "$directory"
for tool; do
    mkdir -p "$(dirname "$directory/$tool")"
    cp -R "$tool" "$directory/$tool"
done
make -C "$directory" dist PLATFORM="$PLATFORM"
sums . > "$directory.first"
sums "$directory" > "$directory.second"
diff "$directory.first" "$directory.second"
echo "$(wc -l < "$directory.first") files are equal"

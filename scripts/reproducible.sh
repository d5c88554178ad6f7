#!/bin/sh
# reproducible.sh DIRECTORY TOOL...: builds the last commit in another directory too, from nothing but the tools, and compares file by file
# what `make dist` made there and here.
set -eu
directory=$1
shift
cd "$(dirname "$0")/.."
if [ -n "$(git status --porcelain)" ]; then
    echo "there is more here than the last commit" >&2
    exit 1
fi

sums() { (cd "$1/build/dist" && find . -type f ! -path './module/.git/*' -exec sha256sum {} + | sort -k 2); }

rm -rf "$directory"
git clone --quiet . "$directory"
for tool; do
    mkdir -p "$(dirname "$directory/$tool")"
    cp -R "$tool" "$directory/$tool"
done
make -C "$directory" dist
sums . > "$directory.here"
sums "$directory" > "$directory.there"
diff "$directory.here" "$directory.there"
echo "$(wc -l < "$directory.here") files are equal"

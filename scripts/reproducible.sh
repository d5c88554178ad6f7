#!/bin/sh
# reproducible.sh FOLDER TOOL...: builds the last commit in another folder too, from nothing but the tools, and compares file by file
# what `make dist` made there and here.
set -eu
folder=$1
shift
cd "$(dirname "$0")/.."
if [ -n "$(git status --porcelain)" ]; then
    echo "there is more here than the last commit" >&2
    exit 1
fi

sums() { (cd "$1/build/dist" && find . -type f ! -path './module/.git/*' -exec sha256sum {} + | sort -k 2); }

rm -rf "$folder"
git clone --quiet . "$folder"
for tool; do
    mkdir -p "$(dirname "$folder/$tool")"
    cp -R "$tool" "$folder/$tool"
done
make -C "$folder" dist
sums . > "$folder.here"
sums "$folder" > "$folder.there"
diff "$folder.here" "$folder.there"
echo "$(wc -l < "$folder.here") files are equal"

#!/bin/sh
# k6v1.sh SHIM DIRECTORY: makes the shim for k6 1 in DIRECTORY, which has its go.mod, go.sum and k6.go, from the sources, headers and
# libraries of the shim for k6 2. The import path of k6 is all that differs elsewhere.
set -eu
shim=$1 directory=$2

for source in "$shim"/*.go; do
    file=$directory/${source##*/}
    case ${source##*/} in
        k6.go | *_test.go) ;;
        *) sed 's|go\.k6\.io/k6/v2|go.k6.io/k6|' "$source" > "$file" ;;
    esac
done
rm -rf "${directory:?}/include" "${directory:?}/lib"
cp -R "$shim/include" "$shim/lib" "$directory/"

#!/bin/sh
# dist.sh TREE: checks a release. A C program finds header and libraries with pkg-config; SBOMs and licences are complete. Other
# checks of a release are in tests/e2e/distribution_test.go.
set -eu
tree=$1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
fail() { echo "$tree: $*" >&2; exit 1; }

version=$(sed -n 's/^Version: //p' "$tree/lib/pkgconfig/k6_remote_write.pc")
cat > "$directory/version.c" <<'C'
#include <stdio.h>
#include "k6_remote_write.h"

int main(void) {
    k6rw_text version = k6rw_version();
    printf("%.*s %d\n", (int)version.len, version.data, k6rw_abi_version() == K6RW_ABI_VERSION);
    return 0;
}
C
# Moved to another directory, as by users.
cp -R "$tree" "$directory/moved"
export PKG_CONFIG_PATH="$directory/moved/lib/pkgconfig"
# shellcheck disable=SC2046 # splitting is intended
cc -o "$directory/dynamic" "$directory/version.c" $(pkg-config --cflags --libs k6_remote_write)
rm "$directory/moved/lib/libk6_remote_write.so" # so that the linker uses the static library
# shellcheck disable=SC2046
cc -o "$directory/static" "$directory/version.c" $(pkg-config --cflags --libs --static k6_remote_write)
printed=$(LD_LIBRARY_PATH="$directory/moved/lib" "$directory/dynamic"; "$directory/static")
[ "$printed" = "$version 1
$version 1" ] || fail "pkg-config has version $version, the libraries have $printed"

# Each crate of the library has a licence.
jq -r '.components[] | .name + " " + .version' "$tree/crates.cdx.json" > "$directory/crates"
[ "$(wc -l < "$directory/crates")" -gt 100 ] || fail "crates.cdx.json has only $(wc -l < "$directory/crates") crates"
while read -r crate; do
    grep -q "^  $crate\( \|$\)" "$tree/LICENSES.txt" || fail "LICENSES.txt lacks $crate"
done < "$directory/crates"

# Each module in k6's build information is in the SBOM.
jq -r '.components[].name' "$tree/modules.cdx.json" > "$directory/modules"
go version -m "$tree/bin/k6" | awk '$1 == "dep" { print $2 }' | while read -r module; do
    grep -qx "$module" "$directory/modules" || fail "modules.cdx.json lacks $module"
done

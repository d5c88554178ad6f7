#!/bin/sh
# dist.sh TREE: checks a release for PLATFORM. A C program finds header and libraries with pkg-config; the static library exports the
# functions of the header; SBOMs and licences are complete. CC is the compiler, RUNNER the command that runs programs of the
# platform. Other checks of a release are in tests/e2e/distribution_test.go.
set -eu
tree=$1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
exe=
[ "${PLATFORM%%_*}" != windows ] || exe=.exe
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

# Runs a program if this machine can, and compares what it prints.
expect_version() {
    # shellcheck disable=SC2086 # splitting is intended
    set -- ${RUNNER:-} "$@"
    command -v "$1" >/dev/null || { echo "$1 is not installed: programs with the libraries are linked, but not run"; return; }
    printed=$(LD_LIBRARY_PATH="$directory/moved/lib" "$@" | tr -d '\r')
    [ "$printed" = "$version 1" ] || fail "pkg-config has version $version, the library has $printed"
}

# Moved to another directory, as by users.
cp -R "$tree" "$directory/moved"
lib=$directory/moved/lib
export PKG_CONFIG_PATH="$lib/pkgconfig"
dynamic=$(find "$lib" -name '*.so' -o -name '*.dll.a' -o -name '*.dylib')
if [ -n "$dynamic" ]; then
    # shellcheck disable=SC2046 # splitting is intended
    "$CC" -o "$directory/dynamic$exe" "$directory/version.c" $(pkg-config --cflags --libs k6_remote_write)
    [ ! -f "$lib/k6_remote_write.dll" ] || cp "$lib/k6_remote_write.dll" "$directory"
    expect_version "$directory/dynamic$exe"
    rm "$dynamic" # so that the linker uses the static library
fi
# shellcheck disable=SC2046
"$CC" -o "$directory/static$exe" "$directory/version.c" $(pkg-config --cflags --libs --static k6_remote_write)
expect_version "$directory/static$exe"

# Each crate of the library has a licence.
jq -r '.components[] | .name + " " + .version' "$tree/crates.cdx.json" > "$directory/crates"
[ "$(wc -l < "$directory/crates")" -gt 100 ] || fail "crates.cdx.json has only $(wc -l < "$directory/crates") crates"
while read -r crate; do
    grep -q "^  $crate\( \|$\)" "$tree/LICENSES.txt" || fail "LICENSES.txt lacks $crate"
done < "$directory/crates"

# Each module in k6's build information is in the SBOM.
jq -r '.components[].name' "$tree/modules.cdx.json" > "$directory/modules"
go version -m "$tree"/bin/k6* | awk '$1 == "dep" { print $2 }' | while read -r module; do
    grep -qx "$module" "$directory/modules" || fail "modules.cdx.json lacks $module"
done

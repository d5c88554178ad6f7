#!/bin/sh
# checksums.sh MODULE -- ARCHIVE...: prints the SHA-256 of the archives, and of every library and the header in the module's
# repository, whose names begin with go-shim/.
set -eu
module=$1
shift 2

sha256sum -- "$@"
cd "$module"
sha256sum -- go-shim/include/*.h go-shim/lib/*/*.a

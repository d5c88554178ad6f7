#!/bin/sh
# Runs xk6 lint on the shim, as the extension registry does. BUILD is the directory with xk6 and gosec, K6_VERSION the version of
# k6 to build with.
#
# Runs all checks for community extensions except three: `git` and `versions` expect the repository and its tags in the module's
# directory, but this module is in a subdirectory; `vulnerability` needs a database on the network, and `make audit` does the same.
set -eu
cd "$(dirname "$0")/../go-shim"
PATH="$BUILD:$PATH" exec "$BUILD/xk6" lint --k6-version "$K6_VERSION" \
    --enable-only security,module,replace,readme,license,build .

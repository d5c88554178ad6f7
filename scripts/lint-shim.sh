#!/bin/sh
# xk6's own lint over the shim, as the extension registry runs it. BUILD is the directory with xk6 and gosec; K6_VERSION the
# version of k6 to build with.
#
# These are all checks that xk6 has for community extensions, but three: `git` and `versions` look for the repository and its tags in
# the module's own directory, and this module is in a directory of a repository; `vulnerability` wants a database that only the network has,
# and `make audit` does that.
set -eu
cd "$(dirname "$0")/../go-shim"
PATH="$BUILD:$PATH" exec "$BUILD/xk6" lint --k6-version "$K6_VERSION" \
    --enable-only security,module,replace,readme,license,build .

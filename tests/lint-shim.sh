#!/bin/sh
# xk6's own lint over the shim, as the extension registry runs it. BUILD is the folder with xk6 and gosec; K6_VERSION the
# version of k6 to build with.
#
# Left out is what needs a public repository: `git` and `versions` look for the remote and its tags, and `vulnerability`
# for a database that only the network has.
set -eu
cd "$(dirname "$0")/../go-shim"
PATH="$BUILD:$PATH" exec "$BUILD/xk6" lint --k6-version "$K6_VERSION" \
    --enable-only security,module,replace,readme,license,build .

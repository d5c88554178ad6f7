#!/bin/sh
# programs.sh DIRECTORY K6 [RUNNER]: makes a directory with the programs of the tests, in which k6 is K6, and runs by the command
# RUNNER. BUILD is the directory with the other programs. If K6 is the one of a release, PLATFORM is its platform.
set -eu
directory=$1 k6=$2 runner=${3:-}

rm -rf "$directory"
mkdir -p "$directory"
for program in prometheus promtool prometheus-2 victoria-metrics; do
    [ ! -f "$BUILD/$program" ] || ln -s "$BUILD/$program" "$directory/$program"
done
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$runner" "$k6" > "$directory/k6"
chmod +x "$directory/k6"
if [ -n "${PLATFORM:-}" ]; then
    mkdir -p "$directory/dist/$PLATFORM"
    ln -s ../../k6 "$directory/dist/$PLATFORM/k6"
    ln -s "$(dirname "$k6")/module" "$directory/dist/$PLATFORM/module"
fi

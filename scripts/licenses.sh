#!/bin/sh
# licenses.sh SBOM: prints the licences of all crates of an SBOM, with the texts that the crates contain.
set -eu
sbom=$1
cd "$(dirname "$0")/.."

echo "Licences of the crates in the library of k6-remote-write."
cargo metadata --locked --format-version 1 | jq -r --slurpfile sbom "$sbom" '
    ($sbom[0].components | map(.name + " " + .version)) as $inside
    | .packages[] | select(.name + " " + .version | IN($inside[]))
    | [.name + " " + .version, .license // "no name", .repository // "", .manifest_path] | @tsv' | sort |
    while IFS="$(printf '\t')" read -r crate license repository manifest; do
        printf '\n%s\n  %s\n  %s\n  %s\n' "$(printf '%080d' 0 | tr 0 =)" "$crate" "$license" "$repository"
        texts=$(find "$(dirname "$manifest")" -maxdepth 1 -type f \
            \( -iname 'license*' -o -iname 'licence*' -o -iname 'copying*' -o -iname 'unlicense*' -o -iname 'notice*' \) | sort)
        [ -n "$texts" ] || echo "  (contains no text: see its repository)"
        echo "$texts" | while read -r text; do
            [ -z "$text" ] || { echo; cat "$text"; }
        done
    done

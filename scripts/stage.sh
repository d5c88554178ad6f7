#!/bin/sh
# stage.sh LIBRARY STAGED: turns cargo's static library into the one that the shim links and a release has: one object that exports the
# functions of the header and nothing else, so that another Rust library in the same k6 cannot clash, without debug information and
# LLVM's bitcode, which are two thirds of cargo's. LD is the linker.
set -eu
library=$1 staged=$2
functions=$(sed -n 's/^[a-z].*\(k6rw_[a-z_]*\)(.*/\1/p' "$(dirname "$0")/../include/k6_remote_write.h")

mkdir -p "$(dirname "$staged")"
# shellcheck disable=SC2046,SC2086 # words are meant
${LD:-ld} -r --force-group-allocation $(printf -- '--undefined=%s ' $functions) -o "$staged.o" "$library"
# shellcheck disable=SC2046,SC2086
objcopy $(printf -- '--keep-global-symbol=%s ' $functions) \
    --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd "$staged.o"
rm -f "$staged"
ar rcsD "$staged" "$staged.o"
rm "$staged.o"

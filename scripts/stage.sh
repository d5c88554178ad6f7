#!/bin/sh
# stage.sh LIBRARY STAGED: converts cargo's static library into the one for the shim and releases: one object that exports only the
# functions of the header, so that its symbols do not conflict with another Rust library in the same k6, without debug information
# and LLVM bitcode, which are two thirds of the size. The names of other functions stay, for profiles. LD is the linker.
set -eu
library=$1 staged=$2
functions=$(sed -n 's/^[a-z].*\(k6rw_[a-z_]*\)(.*/\1/p' "$(dirname "$0")/../include/k6_remote_write.h")

mkdir -p "$(dirname "$staged")"
# shellcheck disable=SC2046,SC2086 # splitting is intended
${LD:-ld} -r --force-group-allocation $(printf -- '--undefined=%s ' $functions) -o "$staged.o" "$library"
# shellcheck disable=SC2046,SC2086
objcopy $(printf -- '--keep-global-symbol=%s ' $functions) \
    --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd "$staged.o"
rm -f "$staged"
ar rcsD "$staged" "$staged.o"
rm "$staged.o"

#!/bin/sh
# stage.sh LIBRARY STAGED [PREFIX]: converts cargo's static library into the one for the shim and releases: one object that exports
# only the functions of the header, so that its symbols do not conflict with another Rust library in the same k6, without unused
# code, debug information and LLVM bitcode, which are three quarters of the size. The names of other functions stay, for profiles.
# With PREFIX, the functions are named PREFIX_open and so on instead of k6rw_open. PLATFORM is the platform, BINUTILS the prefix of
# its linker's name, if it is not this machine's. UNWINDER is a static library to include, if cargo does not include it. On Windows and macOS, the library keeps its objects and all its symbols.
set -eu
library=$1 staged=$2 prefix=${3:-k6rw}
functions=$(sed -n 's/^[a-z].*\(k6rw_[a-z_]*\)(.*/\1/p' "$(dirname "$0")/../include/k6_remote_write.h")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
# In an archive with objects of several platforms, each has its own name.
object=$directory/k6_remote_write.$PLATFORM.o

# Prints an option for each function.
each() { for function in $functions; do echo "$1$function"; done; }

mkdir -p "$(dirname "$staged")"
rm -f "$staged"
if [ "${PLATFORM%%_*}" = darwin ]; then
    cp "$library" "$staged"
    strip -S "$staged"
    exit
fi

ld=${BINUTILS:-}ld objcopy=${BINUTILS:-}objcopy ar=${BINUTILS:-}ar

# The linker cannot combine objects of this format with their tables for unwinding. objcopy fails for objects without sections, and
# prints a hundred lines about the LLVM bitcode, which it is to remove.
if [ "${PLATFORM%%_*}" = windows ]; then
    cp "$library" "$directory/library.a"
    "$ar" t "$directory/library.a" | grep '\.dwo$' | xargs "$ar" d "$directory/library.a" 2>"$directory/messages" &&
        "$objcopy" --enable-deterministic-archives --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd \
            "$directory/library.a" "$staged" 2>>"$directory/messages" || { cat "$directory/messages" >&2; exit 1; }
    exit
fi

# shellcheck disable=SC2046,SC2086 # splitting is intended
"$ld" -r --gc-sections --force-group-allocation $(each --undefined=) -o "$object" "$library" ${UNWINDER:-}
# shellcheck disable=SC2046
"$objcopy" $(each --keep-global-symbol=) --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd "$object"
if [ "$prefix" != k6rw ]; then
    # shellcheck disable=SC2046
    "$objcopy" $(for function in $functions; do echo "--redefine-sym=$function=${prefix}_${function#k6rw_}"; done) "$object"
fi
"$ar" rcsD "$staged" "$object"

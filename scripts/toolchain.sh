#!/bin/sh
# toolchain.sh PLATFORM: fails, and says what to install, unless this machine can compile for the platform: with the C compiler CC of
# Debian's PACKAGES, and Rust's standard library for TRIPLE.
set -eu
platform=$1 missing=

command -v "$CC" >/dev/null || missing="
  $CC: apt-get install $PACKAGES"
[ -d "$(rustc --print sysroot)/lib/rustlib/$TRIPLE/lib" ] || missing="$missing
  Rust for $TRIPLE: rustup target add $TRIPLE"
if [ -n "$missing" ]; then
    echo "this machine cannot build for $platform; missing:$missing" >&2
    exit 1
fi

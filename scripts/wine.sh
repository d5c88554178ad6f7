#!/bin/sh
# wine.sh PROGRAM ARGUMENTS...: runs a program for Windows by Debian's wine64, whose files are in build/wine then.
#
# Wine 8 lacks a library of Windows 10, bcryptprimitives.dll, from which Go and Rust get random numbers: it is compiled here.
set -eu
directory=$(cd "$(dirname "$0")/.." && pwd)/build/wine
export WINEPREFIX="$directory/prefix" WINEDEBUG=-all WINEPATH="Z:$directory/libraries"

mkdir -p "$directory/libraries"
exec 9> "$directory/lock"
flock 9
if [ ! -f "$directory/libraries/bcryptprimitives.dll" ]; then
    cat > "$directory/random.c" <<'C'
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, (ULONG)length); }
C
    x86_64-w64-mingw32-gcc -shared -o "$directory/bcryptprimitives.dll" "$directory/random.c" -ladvapi32
    /usr/lib/wine/wine64 wineboot --init >/dev/null 2>&1 9>&-
    mv "$directory/bcryptprimitives.dll" "$directory/libraries/"
fi
exec 9>&-
exec /usr/lib/wine/wine64 "$@"

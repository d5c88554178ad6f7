#!/bin/sh
# musl_header.sh [--only ARCHITECTURE...]: reads the header, and prints one that gives the functions other names on musl: those in the library
# for it. So the linker takes the object for the libc of the compiler from the shim's library. With --only, all architectures but these,
# as the C compiler names them, are errors.
set -eu
echo '/* Made by scripts/musl_header.sh. */'
echo '#ifdef __linux__'
echo '#include <stdint.h> /* of glibc: defines __GLIBC__ */'
echo '#ifndef __GLIBC__'
if [ $# -gt 0 ]; then
    shift
    printf '#if !(0'
    for architecture; do printf ' || defined __%s__' "$architecture"; done
    printf ')\n#error "k6-remote-write has no library for musl (Alpine) on this architecture: build k6 on a system with glibc, such as Debian"\n#endif\n'
fi
sed -n 's/^[a-z].*k6rw_\([a-z_]*\)(.*/#pragma redefine_extname k6rw_\1 k6rw_musl_\1/p'
echo '#endif'
echo '#endif'

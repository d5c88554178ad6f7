//! Keeps a static library from being linked with another libc than the one it was compiled for, since such a program would crash
//! when it starts. The library refers to a symbol that only its own libc has, so the linker of the program fails.

use std::hint::black_box;

#[cfg(all(target_os = "linux", any(target_env = "gnu", target_env = "musl"), not(miri)))]
unsafe extern "C" {
    #[cfg_attr(target_env = "gnu", link_name = "gnu_get_libc_version")]
    #[cfg_attr(target_env = "musl", link_name = "optreset")]
    static ONLY_IN_THIS_LIBC: u8;
}

#[cfg(not(all(target_os = "linux", any(target_env = "gnu", target_env = "musl"), not(miri))))]
static ONLY_IN_THIS_LIBC: u8 = 0;

/// Refers to the symbol, and does nothing when it runs.
pub(super) fn require() {
    black_box(&raw const ONLY_IN_THIS_LIBC);
}

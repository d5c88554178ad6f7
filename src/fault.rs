//! Fault injection for tests of panics. Debug builds only: in a release build a point does nothing.
//!
//! `K6RW_PANIC_AT=sender:2..4` makes the point `sender` panic the second and the third time it is reached.

/// A point that a test can make panic.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_name: &str) {}

/// A point that a test can make panic.
///
/// # Panics
/// If `K6RW_PANIC_AT` names it.
#[cfg(debug_assertions)]
#[track_caller]
pub fn point(name: &str) {
    use std::ops::Range;
    use std::sync::atomic::{AtomicU64, Ordering};

    use once_cell::sync::Lazy;

    static FAULT: Lazy<Option<(String, Range<u64>)>> = Lazy::new(|| {
        let fault = std::env::var("K6RW_PANIC_AT").ok()?;
        let (name, passes) = fault.split_once(':')?;
        let (first, end) = passes.split_once("..")?;
        Some((name.into(), first.parse().ok()?..end.parse().ok()?))
    });
    static PASSES: AtomicU64 = AtomicU64::new(0);

    let Some((armed, range)) = &*FAULT else { return };
    if armed == name && range.contains(&(PASSES.fetch_add(1, Ordering::Relaxed) + 1)) {
        panic!("injected fault");
    }
}

//! Panics, caught where a room ends: what was said and where, for one line of the log. Nothing is printed, and no panic
//! gets as far as k6.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use thiserror::Error;

/// A panic that was caught.
#[derive(Debug, Error)]
#[error("{message} at {location}")]
pub struct Panic {
    /// What it said.
    pub message: String,
    /// File, line and column of the source.
    pub location: String,
}

thread_local! {
    /// How many times this thread is in [`catch`].
    static CATCHING: Cell<usize> = const { Cell::new(0) };
    /// Where this thread panicked last.
    static LOCATION: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `body`. Costs nothing to speak of unless it panics.
///
/// What `body` shares must be safe to see after a panic: all that this library shares sits behind locks, which shrug off
/// poison, and atomics.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    keep_locations();
    CATCHING.set(CATCHING.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(CATCHING.get() - 1);
    result.map_err(|payload| caught(&*payload))
}

/// The panic that somebody else caught, such as tokio that of a task, on a thread that is in [`catch`].
pub fn caught(payload: &(dyn Any + Send)) -> Panic {
    Panic { message: message(payload).into(), location: LOCATION.take() }
}

/// Only a hook learns where a panic is. Panics of other code in the process go on to the hook before.
fn keep_locations() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() == 0 {
                return before(info);
            }
            let location = info.location().map(ToString::to_string).unwrap_or_default();
            // Nobody asks any more if the thread is already past its thread-locals.
            let _ = LOCATION.try_with(|last| last.replace(location));
        }));
    });
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_words_and_its_place() {
        let panic = catch(|| panic!("of {}", "choice")).expect_err("panics");
        assert_eq!(panic.message, "of choice");
        assert!(panic.location.starts_with("src/panics.rs:"), "{}", panic.location);
        assert_eq!(panic.to_string(), format!("of choice at {}", panic.location));
    }

    #[test]
    fn the_inner_of_two_catches_it() {
        let outer = catch(|| catch(|| panic!("inside")).expect_err("panics").message);
        assert_eq!(outer.ok(), Some("inside".into()));
    }

    #[test]
    fn nothing_is_caught_where_nothing_panics() {
        assert_eq!(catch(|| 7).ok(), Some(7));
    }
}

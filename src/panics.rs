//! Panics, caught where a room ends: what was said and where, for one line of the log. Nothing is printed, and no panic
//! gets as far as k6.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use thiserror::Error;

/// A panic that was caught.
#[derive(Debug, Error)]
#[error("{words} at {place}")]
pub struct Panic {
    /// What it said.
    pub words: String,
    /// File, line and column of the source.
    pub place: String,
}

thread_local! {
    /// How many times this thread is in [`catch`].
    static CATCHING: Cell<usize> = const { Cell::new(0) };
    /// Where this thread panicked last.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `body`. Costs nothing to speak of unless it panics.
///
/// What `body` shares must be safe to see after a panic: all that this library shares sits behind locks, which shrug off
/// poison, and atomics.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    keep_places();
    CATCHING.set(CATCHING.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(CATCHING.get() - 1);
    result.map_err(|payload| caught(&*payload))
}

/// The panic that somebody else caught, such as tokio that of a task, on a thread that is in [`catch`].
pub fn caught(payload: &(dyn Any + Send)) -> Panic {
    Panic { words: words(payload).into(), place: PLACE.take() }
}

/// Only a hook learns where a panic is. Panics of other code in the process go on to the hook before.
fn keep_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() == 0 {
                return before(info);
            }
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            // Nobody asks any more if the thread is already past its thread-locals.
            let _ = PLACE.try_with(|last| last.replace(place));
        }));
    });
}

fn words(payload: &(dyn Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_words_and_its_place() {
        let panic = catch(|| panic!("of {}", "choice")).expect_err("panics");
        assert_eq!(panic.words, "of choice");
        assert!(panic.place.starts_with("src/panics.rs:"), "{}", panic.place);
        assert_eq!(panic.to_string(), format!("of choice at {}", panic.place));
    }

    #[test]
    fn the_inner_of_two_catches_it() {
        let outer = catch(|| catch(|| panic!("inside")).expect_err("panics").words);
        assert_eq!(outer.ok(), Some("inside".into()));
    }

    #[test]
    fn nothing_is_caught_where_nothing_panics() {
        assert_eq!(catch(|| 7).ok(), Some(7));
    }
}

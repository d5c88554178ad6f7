//! Catches panics, with message and location for the log. Nothing is printed, and no panic reaches k6.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use thiserror::Error;

/// A panic that was caught.
#[derive(Debug, Error)]
#[error("{message} at {location}")]
pub struct Panic {
    /// The message.
    pub message: String,
    /// File, line and column of the source.
    pub location: String,
}

thread_local! {
    /// The number of calls of [`catch`] that this thread is in.
    static CATCHING: Cell<usize> = const { Cell::new(0) };
    /// The location of this thread's last panic.
    static LOCATION: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `body` and returns its panic, if it panics. Cheap if it does not.
///
/// Data that `body` shares must stay valid after a panic. This library shares atomics, and data behind locks that are held
/// for a few statements which do not panic.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    install_hook();
    CATCHING.set(CATCHING.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(CATCHING.get() - 1);
    result.map_err(|payload| caught(&*payload))
}

/// Returns a panic that other code has caught, such as tokio in a task, on a thread that is in [`catch`].
pub fn caught(payload: &(dyn Any + Send)) -> Panic {
    Panic { message: message(payload).into(), location: LOCATION.try_with(|last| last.take()).unwrap_or_default() }
}

/// Installs a panic hook: only a hook sees the location. Panics of other code in the process go to the previous hook.
fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() == 0 {
                return previous(info);
            }
            let location = info.location().map(ToString::to_string).unwrap_or_default();
            // Fails when the thread has already destroyed its thread-locals; then nothing reads it.
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
    fn a_panic_is_caught_with_its_message_and_location() {
        let panic = catch(|| panic!("of {}", "choice")).expect_err("panics");
        assert_eq!(panic.message, "of choice");
        assert!(panic.location.starts_with("src/panics.rs:"), "{}", panic.location);
        assert_eq!(panic.to_string(), format!("of choice at {}", panic.location));
    }

    #[test]
    fn the_inner_of_two_calls_catches_a_panic() {
        let outer = catch(|| catch(|| panic!("inside")).expect_err("panics").message);
        assert_eq!(outer.ok(), Some("inside".into()));
    }

    #[test]
    fn without_a_panic_the_result_is_returned() {
        assert_eq!(catch(|| 7).ok(), Some(7));
    }
}

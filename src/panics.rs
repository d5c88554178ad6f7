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
    /// The message, without what may be data: a secret could be in it.
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
/// Data that `body` shares must stay valid after a panic. This library shares atomics, and data behind locks, which is changed
/// by statements that do not panic.
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

/// Returns the message of a panic. A constant one is in the source; a formatted one may quote data, which usually is between quotes
/// or after a colon, such as the text in which an offset is not at a character.
fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(constant) = payload.downcast_ref::<&str>() {
        return constant;
    }
    let formatted = payload.downcast_ref::<String>().map_or("no message", String::as_str);
    let data = formatted.find(['"', '`', '\'', ':', '\n', '(', '{', '[']);
    data.map_or(formatted, |data| formatted[..data].trim_end())
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
    #[allow(clippy::unwrap_used)] // whose message is tested
    fn a_panic_shows_no_data() {
        let text = String::from("hunter2\u{e4}x");
        let wrong: Result<(), String> = Err(text.clone());
        let message = |panics: &dyn Fn()| catch(panics).expect_err("panics").message;
        assert_eq!(message(&|| assert!(text[..8].is_empty())), "end byte index 8 is not a char boundary; it is inside");
        assert_eq!(message(&|| wrong.clone().unwrap()), "called");
        assert_eq!(message(&|| wrong.clone().expect("valid")), "valid");
        assert_eq!(message(&|| panic!("wrong: {text}")), "wrong");
        let longer = [text.clone()];
        assert!(message(&|| drop(longer[text.len()].clone())).starts_with("index out of bounds"));
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

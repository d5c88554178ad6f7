//! Runs the body of an entry point and returns its failure, or its panic, as a status and a message.

use std::ffi::c_char;

use super::error::CallError;
use super::handle::{self, Handle};
use super::layout::{Error, Status};
use crate::panics::catch;

/// Runs the body of an entry point. Returns its status, and writes its message to `error`.
///
/// # Safety
/// `error` must be null or valid for writing one [`Error`]. If it is not aligned, nothing is written.
pub(super) unsafe fn call(error: *mut Error, body: impl FnOnce() -> Result<(), CallError>) -> Status {
    let outcome = catch(|| match body() {
        Ok(()) => (Status::K6RW_OK, String::new()),
        Err(failure) => (failure.status(), failure.to_string()),
    });
    let (status, message) = outcome.unwrap_or_else(|panic| {
        let failure = CallError::from(panic);
        (failure.status(), failure.to_string())
    });
    if !error.is_null() && error.is_aligned() {
        // SAFETY: not null and aligned, and the caller guarantees that it is valid for writing. Only through raw pointers,
        // since the memory need not be initialised.
        unsafe {
            let len = write_text(&raw mut (*error).message, &message);
            (&raw mut (*error).message_len).write(len);
        }
    }
    status
}

/// As [`call`], for the functions that take a handle.
///
/// # Safety
/// As for [`call`]. The handle may be any value: it is only compared.
pub(super) unsafe fn call_on<H: Handle>(
    handle: *const H,
    error: *mut Error,
    body: impl FnOnce(&H::Object) -> Result<(), CallError>,
) -> Status {
    let body = || {
        let object = handle::get(handle)?;
        catch(|| body(&object)).unwrap_or_else(|panic| {
            H::note_panic(&object, &panic);
            Err(panic.into())
        })
    };
    // SAFETY: the caller guarantees what `call` requires.
    unsafe { call(error, body) }
}

/// Writes `text` and a NUL, and returns the length without the NUL. Text that is too long is cut between two characters; a NUL
/// inside it is replaced.
///
/// # Safety
/// `array` must be valid for writing.
pub(super) unsafe fn write_text<const N: usize>(array: *mut [c_char; N], text: &str) -> usize {
    let text = text.replace('\0', "\u{FFFD}");
    let len = text.floor_char_boundary(text.len().min(N - 1));
    let first = array.cast::<u8>();
    // SAFETY: `len` is at most N - 1, so that text and NUL fit into the array, which the caller guarantees to be writable. It
    // cannot overlap the text, which the library owns.
    unsafe {
        first.copy_from_nonoverlapping(text.as_ptr(), len);
        first.add(len).write(0);
    }
    len
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::mem::MaybeUninit;

    use super::*;

    fn message_of(body: impl FnOnce() -> Result<(), CallError>) -> (Status, String) {
        let mut error = MaybeUninit::<Error>::uninit();
        // SAFETY: a local variable is valid for writing, and `call` initialises what is read.
        unsafe {
            let status = call(error.as_mut_ptr(), body);
            let first = (&raw const (*error.as_ptr()).message).cast();
            let message = CStr::from_ptr(first).to_str().expect("UTF-8").to_owned();
            assert_eq!((*error.as_ptr()).message_len, message.len());
            (status, message)
        }
    }

    #[test]
    fn a_panic_becomes_a_status() {
        let (status, message) = message_of(|| panic!("of {}", "choice"));
        assert_eq!(status, Status::K6RW_INTERNAL);
        assert!(message.starts_with("internal error: of choice at src/ffi/call.rs:"), "{message}");
    }

    #[test]
    fn success_leaves_an_empty_message() {
        assert_eq!(message_of(|| Ok(())), (Status::K6RW_OK, String::new()));
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let (_, message) = message_of(|| Err(CallError::InvalidArgument("ä".repeat(5000))));
        assert_eq!(message, "ä".repeat(2047));
    }

    #[test]
    fn a_nul_in_a_message_does_not_end_it() {
        assert_eq!(message_of(|| Err(CallError::InvalidArgument("a\0b".into()))).1, "a\u{FFFD}b");
    }

    #[test]
    fn the_error_may_be_null() {
        // SAFETY: null is allowed.
        assert_eq!(unsafe { call(std::ptr::null_mut(), || Err(CallError::NoEvent)) }, Status::K6RW_NO_EVENT);
    }
}

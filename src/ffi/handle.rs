//! The tables of handles. Every call looks its handle up, so that a null, unknown or freed handle is an error and not a crash,
//! and an object that is freed during a call lives until the call returns.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use once_cell::sync::Lazy;
use parking_lot::RwLock;

use super::error::CallError;
use super::layout::{CommandHandle, OutputHandle};
use crate::command::Command;
use crate::output::Output;
use crate::panics::Panic;

/// The objects of one type of handles.
pub(super) type Table<T> = RwLock<HashMap<usize, Arc<T>>>;

/// A type of handles.
pub(super) trait Handle: Sized + 'static {
    /// What a handle stands for.
    type Object: 'static;

    /// The name of the parameter, and the function that returns such a handle, for messages.
    const NAMES: (&'static str, &'static str);

    fn table() -> &'static Table<Self::Object>;

    /// Reports a panic in a call beyond the status of that call.
    fn note_panic(_object: &Self::Object, _panic: &Panic) {}
}

impl Handle for OutputHandle {
    type Object = Output;
    const NAMES: (&'static str, &'static str) = ("output", "k6rw_open");

    fn table() -> &'static Table<Output> {
        static OUTPUTS: Lazy<Table<Output>> = Lazy::new(Table::default);
        &OUTPUTS
    }

    /// Callers that push samples seldom read the message.
    fn note_panic(output: &Output, panic: &Panic) {
        output.note_panic(panic);
    }
}

impl Handle for CommandHandle {
    type Object = Command;
    const NAMES: (&'static str, &'static str) = ("command", "k6rw_command_open");

    fn table() -> &'static Table<Command> {
        static COMMANDS: Lazy<Table<Command>> = Lazy::new(Table::default);
        &COMMANDS
    }
}

/// Go's runtime, among others, treats a pointer with a small value as an error.
const FIRST: usize = 1 << 16;

/// The distance between handles, so that a handle plus an offset is not another handle.
const STEP: usize = 16;

/// One for all types, so that a handle of one type is never a handle of another.
static NEXT: AtomicUsize = AtomicUsize::new(FIRST);

/// Makes a handle. Its value is never used again, so that a freed handle stays invalid.
pub(super) fn insert<H: Handle>(object: H::Object) -> *mut H {
    let handle = NEXT.fetch_add(STEP, Ordering::Relaxed);
    H::table().write().insert(handle, Arc::new(object));
    std::ptr::without_provenance_mut(handle)
}

/// Returns the object of a handle.
pub(super) fn get<H: Handle>(handle: *const H) -> Result<Arc<H::Object>, CallError> {
    check_not_null(handle)?;
    H::table().read().get(&handle.addr()).cloned().ok_or(CallError::InvalidHandle(H::NAMES))
}

/// Removes a handle and returns its object.
pub(super) fn remove<H: Handle>(handle: *mut H) -> Result<Arc<H::Object>, CallError> {
    check_not_null(handle)?;
    H::table().write().remove(&handle.addr()).ok_or(CallError::InvalidHandle(H::NAMES))
}

fn check_not_null<H: Handle>(handle: *const H) -> Result<(), CallError> {
    if handle.is_null() { Err(CallError::NullPointer(H::NAMES.0)) } else { Ok(()) }
}

//! The table of handles. Every call looks its handle up, so that a null, unknown or freed handle is an error and not a crash,
//! and an output that is freed during a call lives until the call returns.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use once_cell::sync::Lazy;
use parking_lot::RwLock;

use super::error::CallError;
use super::layout::OutputHandle;
use crate::output::Output;

static HANDLES: Lazy<RwLock<HashMap<usize, Arc<Output>>>> = Lazy::new(RwLock::default);

/// Go's runtime, among others, treats a pointer with a small value as an error.
const FIRST: usize = 1 << 16;

/// The distance between handles, so that a handle plus an offset is not another handle.
const STEP: usize = 16;

static NEXT: AtomicUsize = AtomicUsize::new(FIRST);

/// Makes a handle. Its value is never used again, so that a freed handle stays invalid.
pub(super) fn insert(output: Output) -> *mut OutputHandle {
    let handle = NEXT.fetch_add(STEP, Ordering::Relaxed);
    HANDLES.write().insert(handle, Arc::new(output));
    std::ptr::without_provenance_mut(handle)
}

/// Returns the output of a handle.
pub(super) fn get(handle: *const OutputHandle) -> Result<Arc<Output>, CallError> {
    if handle.is_null() {
        return Err(CallError::NullPointer("output"));
    }
    let handles = HANDLES.read();
    handles.get(&handle.addr()).cloned().ok_or(CallError::InvalidHandle)
}

/// Removes a handle and returns its output.
pub(super) fn remove(handle: *mut OutputHandle) -> Result<Arc<Output>, CallError> {
    if handle.is_null() {
        return Err(CallError::NullPointer("output"));
    }
    let mut handles = HANDLES.write();
    handles.remove(&handle.addr()).ok_or(CallError::InvalidHandle)
}

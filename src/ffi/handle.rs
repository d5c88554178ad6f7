//! Which handles are handles. A call looks its handle up here, so a null, foreign or freed one is a status and no crash, and
//! an output that is freed during a call lives until the call returns.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use once_cell::sync::Lazy;

use super::error::CallError;
use super::layout::OutputHandle;
use crate::output::Output;

/// By handle. std's LazyLock would do as well; once_cell is this project's choice for whatever is made once.
static HANDLES: Lazy<RwLock<HashMap<usize, Arc<Output>>>> = Lazy::new(RwLock::default);

/// Small numbers in a pointer are taken for a mistake by Go's runtime, among others.
const FIRST: usize = 1 << 16;

/// Far enough apart that a handle which something was added to is no other one.
const STEP: usize = 16;

static NEXT: AtomicUsize = AtomicUsize::new(FIRST);

/// Makes a handle: a number that no handle before it had, so that one which was freed is never somebody else's.
pub(super) fn insert(output: Output) -> *mut OutputHandle {
    let handle = NEXT.fetch_add(STEP, Ordering::Relaxed);
    HANDLES.write().unwrap_or_else(PoisonError::into_inner).insert(handle, Arc::new(output));
    std::ptr::without_provenance_mut(handle)
}

/// The output of a handle that is handles.
pub(super) fn get(handle: *const OutputHandle) -> Result<Arc<Output>, CallError> {
    if handle.is_null() {
        return Err(CallError::NullPointer("the output"));
    }
    let handles = HANDLES.read().unwrap_or_else(PoisonError::into_inner);
    handles.get(&handle.addr()).cloned().ok_or(CallError::InvalidHandle)
}

/// Ends a handle.
pub(super) fn remove(handle: *mut OutputHandle) -> Result<Arc<Output>, CallError> {
    if handle.is_null() {
        return Err(CallError::NullPointer("the output"));
    }
    let mut handles = HANDLES.write().unwrap_or_else(PoisonError::into_inner);
    handles.remove(&handle.addr()).ok_or(CallError::InvalidHandle)
}

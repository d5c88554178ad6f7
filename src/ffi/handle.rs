//! Which handles are alive. A call looks its handle up here, so a null, foreign or freed one is a status and no crash, and
//! an output that is freed during a call lives until the call returns.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use once_cell::sync::Lazy;

use super::layout::OutputHandle;
use super::outcome::CallError;
use crate::output::Output;

/// By address. std's LazyLock would do as well; once_cell is this project's choice for whatever is made once.
static ALIVE: Lazy<RwLock<HashMap<usize, Arc<Output>>>> = Lazy::new(RwLock::default);

/// Makes a handle. Its address is that of the output, and is never read through.
pub(super) fn keep(output: Output) -> *mut OutputHandle {
    let output = Arc::new(output);
    let handle = Arc::as_ptr(&output).cast_mut().cast::<OutputHandle>();
    ALIVE.write().unwrap_or_else(PoisonError::into_inner).insert(handle.addr(), output);
    handle
}

/// The output of a handle that is alive.
pub(super) fn find(handle: *const OutputHandle) -> Result<Arc<Output>, CallError> {
    if handle.is_null() {
        return Err(CallError::NullPointer("the output"));
    }
    let alive = ALIVE.read().unwrap_or_else(PoisonError::into_inner);
    alive.get(&handle.addr()).cloned().ok_or(CallError::InvalidHandle)
}

/// Ends a handle.
pub(super) fn release(handle: *mut OutputHandle) -> Result<Arc<Output>, CallError> {
    if handle.is_null() {
        return Err(CallError::NullPointer("the output"));
    }
    let mut alive = ALIVE.write().unwrap_or_else(PoisonError::into_inner);
    alive.remove(&handle.addr()).ok_or(CallError::InvalidHandle)
}

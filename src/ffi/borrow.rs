//! Pointers and lengths of a C caller → slices and text of Rust, checked for all that can be checked.

use super::error::CallError;
use super::layout::{Series, Tag, Text};
use crate::k6::{MetricType, ValueType};
use crate::series::{MAX_SERIES_BYTES, SeriesDefinition};

/// `len` items from `first` on. Null is nothing if `len` is 0.
///
/// # Safety
/// `first` must be null, or valid for reading `len` initialised items, and written to by nobody, for the whole of `'a`. Null and
/// alignment are checked here.
pub(super) unsafe fn slice<'a, T>(first: *const T, len: usize, what: &'static str) -> Result<&'a [T], CallError> {
    if len == 0 {
        return Ok(&[]);
    }
    if first.is_null() {
        return Err(CallError::NullPointer(what));
    }
    if !first.is_aligned() {
        return Err(CallError::InvalidArgument(format!("{what} is not aligned to {} bytes", align_of::<T>())));
    }
    // No object is larger than isize::MAX; a length past that is a negative one by mistake.
    if len.checked_mul(size_of::<T>()).is_none_or(|bytes| bytes > isize::MAX as usize) {
        return Err(CallError::InvalidArgument(format!("{what} cannot have a length of {len}")));
    }
    // SAFETY: not null, aligned, no larger than an object can be; that all of it is readable and initialised, and stays as it is for
    // `'a`, is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(first, len) })
}

/// One item.
///
/// # Safety
/// As for [`slice`] with a length of 1.
pub(super) unsafe fn item<'a, T>(pointer: *const T, what: &'static str) -> Result<&'a T, CallError> {
    // SAFETY: the caller promises what `slice` asks for.
    let items = unsafe { slice(pointer, 1, what) }?;
    items.first().ok_or(CallError::NullPointer(what))
}

/// Puts a result where the caller wants it.
///
/// # Safety
/// `place` must be null or valid for writing one `T`, and nobody may look there any more. Null and alignment are checked by
/// [`check_out`].
pub(super) unsafe fn write_out<T>(place: *mut T, value: T, what: &'static str) -> Result<(), CallError> {
    check_out(place, what)?;
    // SAFETY: not null and aligned; that it is writable, and that nobody looks there, is the caller's promise.
    unsafe { place.write(value) };
    Ok(())
}

/// Whether a result could be put there, to be asked before anything is done that cannot be undone.
pub(super) fn check_out<T>(place: *mut T, what: &'static str) -> Result<(), CallError> {
    if place.is_null() {
        return Err(CallError::NullPointer(what));
    }
    if !place.is_aligned() {
        return Err(CallError::InvalidArgument(format!("{what} is not aligned to {} bytes", align_of::<T>())));
    }
    Ok(())
}

/// Owned text.
///
/// # Safety
/// As for [`slice`].
unsafe fn owned(text: Text, what: &'static str) -> Result<String, CallError> {
    // SAFETY: the caller promises that the text is as for `slice`, for as long as this function looks at it.
    let bytes = unsafe { slice(text.data.cast::<u8>(), text.len, what) }?;
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(CallError::InvalidUtf8(what, error.valid_up_to())),
    }
}

/// A copy of a series in Rust's own types.
///
/// # Safety
/// The tags of `series` and all texts must be as for [`slice`].
pub(super) unsafe fn definition(series: &Series) -> Result<SeriesDefinition, CallError> {
    // Before a tag is looked at: many empty ones take memory too.
    within_limit(series.metric.len.saturating_add(series.tag_count.saturating_mul(size_of::<Tag>())))?;
    // SAFETY: the caller promises that the tags are as for `slice`, which checks what can be checked.
    let tags = unsafe { slice(series.tags, series.tag_count, "tags") }?;
    let texts = tags.iter().flat_map(|tag| [tag.name.len, tag.value.len]);
    within_limit(texts.fold(series.metric.len, usize::saturating_add))?;
    // SAFETY: the caller promises that all texts are as for `slice`, which checks what can be checked.
    unsafe {
        Ok(SeriesDefinition {
            metric: owned(series.metric, "the metric's name")?,
            metric_type: metric_type(series.metric_type)?,
            value_type: value_type(series.value_type)?,
            tags: tags
                .iter()
                .map(|tag| Ok((owned(tag.name, "a tag's name")?, owned(tag.value, "a tag's value")?)))
                .collect::<Result<_, CallError>>()?,
        })
    }
}

fn within_limit(bytes: usize) -> Result<(), CallError> {
    if bytes <= MAX_SERIES_BYTES {
        return Ok(());
    }
    Err(CallError::InvalidArgument(format!(
        "the metric's name and its tags take {bytes} bytes together; allowed are {MAX_SERIES_BYTES}"
    )))
}

fn metric_type(code: u32) -> Result<MetricType, CallError> {
    match code {
        0 => Ok(MetricType::Counter),
        1 => Ok(MetricType::Gauge),
        2 => Ok(MetricType::Trend),
        3 => Ok(MetricType::Rate),
        _ => Err(CallError::InvalidArgument(format!("{code} is no metric type; allowed are 0 to 3"))),
    }
}

fn value_type(code: u32) -> Result<ValueType, CallError> {
    match code {
        0 => Ok(ValueType::Default),
        1 => Ok(ValueType::Time),
        2 => Ok(ValueType::Data),
        _ => Err(CallError::InvalidArgument(format!("{code} is not a value type; must be 0 to 2"))),
    }
}

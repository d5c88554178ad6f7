//! Converts pointers and lengths of the C caller to slices and strings. Checks all that can be checked.

use super::error::CallError;
use super::layout::{ExemplarRecord, MetricTypeCode, Series, Tag, Text, ValueTypeCode};
use crate::k6::{MetricType, ValueType};
use crate::resample::metadata::SamplesWithMetadata;
use crate::series::{MAX_SERIES_BYTES, SeriesDefinition};

/// Returns `len` items from `first` on. `first` may be null if `len` is 0.
///
/// # Safety
/// `first` must be null, or valid for reading `len` initialised items that do not change for the whole of `'a`. Null and
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
    // No object is larger than isize::MAX. A larger length is probably a negative number.
    if len.checked_mul(size_of::<T>()).is_none_or(|bytes| bytes > isize::MAX as usize) {
        return Err(CallError::InvalidArgument(format!("invalid length of {what}: {len}")));
    }
    // SAFETY: not null, aligned, and not larger than an object can be. The caller guarantees that all of it is readable and
    // initialised, and does not change for `'a`.
    Ok(unsafe { std::slice::from_raw_parts(first, len) })
}

/// Returns one item.
///
/// # Safety
/// As for [`slice`] with a length of 1.
pub(super) unsafe fn item<'a, T>(pointer: *const T, what: &'static str) -> Result<&'a T, CallError> {
    // SAFETY: the caller guarantees what `slice` requires.
    let items = unsafe { slice(pointer, 1, what) }?;
    items.first().ok_or(CallError::NullPointer(what))
}

/// Writes a result to `out`.
///
/// # Safety
/// `out` must be null, or valid for writing one `T` that nothing else refers to. Null and alignment are checked by
/// [`check_out`].
pub(super) unsafe fn write_out<T>(out: *mut T, value: T, what: &'static str) -> Result<(), CallError> {
    check_out(out, what)?;
    // SAFETY: not null and aligned. The caller guarantees that it is writable, and that nothing refers to it.
    unsafe { out.write(value) };
    Ok(())
}

/// Checks that a result can be written to `out`. To be called before anything that cannot be undone.
pub(super) fn check_out<T>(out: *mut T, what: &'static str) -> Result<(), CallError> {
    if out.is_null() {
        return Err(CallError::NullPointer(what));
    }
    if !out.is_aligned() {
        return Err(CallError::InvalidArgument(format!("{what} is not aligned to {} bytes", align_of::<T>())));
    }
    Ok(())
}

/// Returns a string.
///
/// # Safety
/// As for [`slice`].
unsafe fn borrowed<'a>(text: Text, what: &'static str) -> Result<&'a str, CallError> {
    // SAFETY: the caller guarantees what `slice` requires.
    let bytes = unsafe { slice(text.data.cast::<u8>(), text.len, what) }?;
    std::str::from_utf8(bytes).map_err(|error| CallError::InvalidUtf8(what, error.valid_up_to()))
}

/// Copies a string.
///
/// # Safety
/// As for [`slice`].
unsafe fn owned(text: Text, what: &'static str) -> Result<String, CallError> {
    // SAFETY: the caller guarantees what `slice` requires, for as long as this function runs.
    unsafe { borrowed(text, what) }.map(str::to_owned)
}

/// Copies samples with the part of their metadata that `wanted` names. A sample whose metadata is invalid has none: the first such
/// error is returned, too.
///
/// # Safety
/// The metadata of `exemplars` and all strings must be as for [`slice`].
pub(super) unsafe fn samples_with_metadata(
    exemplars: &[ExemplarRecord],
    wanted: &[String],
) -> (SamplesWithMetadata, Result<(), CallError>) {
    let (mut samples, mut result) = (SamplesWithMetadata::default(), Ok(()));
    let mut pairs = Vec::new();
    for exemplar in exemplars {
        pairs.clear();
        // SAFETY: the caller guarantees what `wanted_metadata` requires.
        if let Err(error) = unsafe { wanted_metadata(exemplar, wanted, &mut pairs) } {
            pairs.clear();
            result = result.and(Err(error));
        }
        samples.push(exemplar.sample, pairs.iter().copied());
    }
    (samples, result)
}

/// Writes names and values of the metadata that `wanted` names to `pairs`.
///
/// # Safety
/// As for [`samples_with_metadata`].
unsafe fn wanted_metadata<'a>(
    exemplar: &ExemplarRecord,
    wanted: &[String],
    pairs: &mut Vec<(&'a str, &'a str)>,
) -> Result<(), CallError> {
    // SAFETY: the caller guarantees what `slice` requires.
    for tag in unsafe { slice(exemplar.metadata, exemplar.metadata_count, "exemplar.metadata") }? {
        // SAFETY: the caller guarantees what `borrowed` requires.
        let name = unsafe { borrowed(tag.name, "metadata.name") }?;
        if wanted.iter().any(|wanted| wanted == name) {
            // SAFETY: the caller guarantees what `borrowed` requires.
            pairs.push((name, unsafe { borrowed(tag.value, "metadata.value") }?));
        }
    }
    Ok(())
}

/// Copies a series. Of one that is too large only the metric: its tags are not read.
///
/// # Safety
/// The tags of `series` and all strings must be as for [`slice`].
pub(super) unsafe fn definition(series: &Series) -> Result<SeriesDefinition, CallError> {
    if series.metric.len > MAX_SERIES_BYTES {
        return Err(CallError::InvalidArgument(format!("invalid length of series->metric: {}", series.metric.len)));
    }
    // SAFETY: the caller guarantees what `slice` requires.
    let definition = unsafe {
        SeriesDefinition {
            value_type: value_type(series.value_type)?,
            ..SeriesDefinition::new(owned(series.metric, "series->metric")?, metric_type(series.metric_type)?)
        }
    };
    // Before a tag is read: many empty tags take memory too.
    if let Some(definition) = too_large(&definition, [series.tag_count.saturating_mul(size_of::<Tag>())])? {
        return Ok(definition);
    }
    // SAFETY: the caller guarantees what `slice` requires.
    let tags = unsafe { slice(series.tags, series.tag_count, "series->tags") }?;
    if let Some(definition) = too_large(&definition, tags.iter().flat_map(|tag| [tag.name.len, tag.value.len]))? {
        return Ok(definition);
    }
    // SAFETY: the caller guarantees what `slice` requires, for all strings.
    let tags = tags.iter().map(|tag| unsafe { Ok((owned(tag.name, "tag.name")?, owned(tag.value, "tag.value")?)) });
    Ok(SeriesDefinition { tags: tags.collect::<Result<_, CallError>>()?, ..definition })
}

/// Returns the definition that stands for a series which is too large with tags of these lengths.
fn too_large(
    definition: &SeriesDefinition,
    lengths: impl IntoIterator<Item = usize>,
) -> Result<Option<SeriesDefinition>, CallError> {
    let bytes = lengths.into_iter().fold(definition.metric.len(), usize::saturating_add);
    // As for `slice`: probably a negative number.
    if bytes > isize::MAX as usize {
        return Err(CallError::InvalidArgument(format!("invalid length of series->tags: {bytes} bytes")));
    }
    Ok((bytes > MAX_SERIES_BYTES).then(|| SeriesDefinition { too_large: Some(bytes), ..definition.clone() }))
}

fn metric_type(code: u32) -> Result<MetricType, CallError> {
    use MetricTypeCode::*;
    match code {
        _ if code == K6RW_METRIC_COUNTER as u32 => Ok(MetricType::Counter),
        _ if code == K6RW_METRIC_GAUGE as u32 => Ok(MetricType::Gauge),
        _ if code == K6RW_METRIC_TREND as u32 => Ok(MetricType::Trend),
        _ if code == K6RW_METRIC_RATE as u32 => Ok(MetricType::Rate),
        _ => Err(CallError::InvalidArgument(format!("invalid series->metric_type: {code}"))),
    }
}

fn value_type(code: u32) -> Result<ValueType, CallError> {
    use ValueTypeCode::*;
    match code {
        _ if code == K6RW_VALUE_DEFAULT as u32 => Ok(ValueType::Default),
        _ if code == K6RW_VALUE_TIME as u32 => Ok(ValueType::Time),
        _ if code == K6RW_VALUE_DATA as u32 => Ok(ValueType::Data),
        _ => Err(CallError::InvalidArgument(format!("invalid series->value_type: {code}"))),
    }
}

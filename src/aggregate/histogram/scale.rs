//! Where a value lies on the exponential scale: its bucket's index, at every schema.
//!
//! At schema *s* bucket *i* holds the values in `(base^(i-1), base^i]` with `base = 2^(2^-s)`. Two neighbouring buckets of
//! one schema are exactly one bucket of the schema below, so an index is found at [`MAX_SCHEMA`] and made coarser.

use once_cell::sync::Lazy;

/// The finest schema.
pub const MAX_SCHEMA: i8 = 7;

const BUCKETS_PER_OCTAVE: i32 = 1 << MAX_SCHEMA;

const MANTISSA_BITS: u32 = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;

/// The index of the same bucket `shift` schemas lower.
#[inline]
pub(super) fn coarser(index: i32, shift: i8) -> i32 {
    ((index - 1) >> shift) + 1
}

/// The index at [`MAX_SCHEMA`] of the bucket that holds `value`, which must be positive and finite. Constant time: the
/// exponent gives the octave, and eight bits of the mantissa give its bucket or the one below.
#[inline]
pub(super) fn bucket_index(value: f64) -> i32 {
    let (bits, scale) = if value < f64::MIN_POSITIVE {
        // A denormal has no exponent of its own: scaled by 2^54, exactly, it has.
        ((value * (1_u64 << 54) as f64).to_bits(), 54)
    } else {
        (value.to_bits(), 0)
    };
    let exponent = (bits >> MANTISSA_BITS) as i32 - 1023 - scale;
    let mantissa = bits & MANTISSA_MASK;
    let octave = exponent * BUCKETS_PER_OCTAVE;
    if mantissa == 0 {
        // A power of two is the upper bound of its bucket, and belongs to it.
        return octave;
    }
    let bounds = &*OCTAVE;
    let guess = bounds.guess[(mantissa >> (MANTISSA_BITS - 8)) as usize];
    octave + i32::from(guess) + i32::from(mantissa > bounds.upper[usize::from(guess)])
}

/// The value inside the bucket whose relative distance to both bounds is the same, and so the smallest: `2ab / (a + b)`.
pub(super) fn bucket_middle(index: i32, schema: i8) -> f64 {
    let base = (-f64::from(schema)).exp2().exp2();
    let lower = (f64::from(index - 1) * (-f64::from(schema)).exp2()).exp2();
    lower * (2.0 * base / (1.0 + base))
}

/// The bounds of the buckets of one octave at [`MAX_SCHEMA`].
struct Octave {
    /// The mantissa of the upper bound of bucket `k` (1 to 128) of an octave; the last is past all mantissas.
    upper: [u64; BUCKETS_PER_OCTAVE as usize + 1],
    /// For the first eight bits of a mantissa the first bucket that it can lie in. A bucket is wider than 1/256 of
    /// an octave's start, so it is that one or the next.
    guess: [u8; 256],
}

static OCTAVE: Lazy<Octave> = Lazy::new(|| {
    let mut upper = [0; BUCKETS_PER_OCTAVE as usize + 1];
    for (k, bound) in upper.iter_mut().enumerate() {
        *bound = (k as f64 / f64::from(BUCKETS_PER_OCTAVE)).exp2().to_bits() & MANTISSA_MASK;
    }
    upper[BUCKETS_PER_OCTAVE as usize] = u64::MAX;
    let mut guess = [0; 256];
    for (prefix, bucket) in guess.iter_mut().enumerate() {
        let mantissa = (prefix as u64) << (MANTISSA_BITS - 8);
        // The bucket of the smallest mantissa above this prefix's first.
        *bucket = upper.iter().skip(1).take_while(|&&bound| bound <= mantissa).count() as u8 + 1;
    }
    Octave { upper, guess }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_between_the_bounds_of_its_bucket() {
        // The bounds themselves, their neighbours, and what lies between, in octaves near and far.
        for octave in [-1074, -1050, -1022, -1021, -3, -1, 0, 1, 7, 52, 1022] {
            for step in 0..=256 {
                let value = (f64::from(octave) + f64::from(step) / 256.0).exp2();
                for value in [value.next_down(), value, value.next_up()] {
                    if value <= 0.0 || !value.is_finite() {
                        continue;
                    }
                    let index = f64::from(bucket_index(value));
                    let position = value.log2() * f64::from(BUCKETS_PER_OCTAVE);
                    let error = 1e-9 * position.abs().max(1.0);
                    assert!(
                        index - 1.0 - error < position && position <= index + error,
                        "{value:e} is at {position}, in bucket {index}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_power_of_two_belongs_to_the_bucket_below_it() {
        assert_eq!(bucket_index(1.0), 0);
        assert_eq!(bucket_index(1.0_f64.next_up()), 1);
        assert_eq!(bucket_index(2.0), 128);
        assert_eq!(bucket_index(2.0_f64.next_down()), 128);
        assert_eq!(bucket_index(0.5), -128);
        assert_eq!(bucket_index(f64::MIN_POSITIVE), -1022 * 128);
        assert_eq!(bucket_index(f64::from_bits(1)), -1074 * 128);
        assert_eq!(bucket_index(f64::MAX), 1024 * 128);
    }

    #[test]
    fn coarser_buckets_contain_the_finer_ones() {
        // At schema 0 bucket i is (2^(i-1), 2^i].
        for (value, expected) in [(1.0, 0), (1.5, 1), (2.0, 1), (2.1, 2), (0.5, -1), (0.3, -1), (0.25, -2)] {
            assert_eq!(coarser(bucket_index(value), 7), expected, "{value}");
        }
    }
}

//! A sum of floating-point numbers whose error does not grow with their number.

/// Neumaier's compensated sum: accumulates the rounding error of each addition, and adds it to the result.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CompensatedSum {
    sum: f64,
    compensation: f64,
}

impl CompensatedSum {
    /// Adds one finite value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let total = self.sum + value;
        self.compensation +=
            if self.sum.abs() >= value.abs() { (self.sum - total) + value } else { (value - total) + self.sum };
        self.sum = total;
    }

    /// Adds another sum with its compensation.
    pub fn merge(&mut self, other: &Self) {
        self.add(other.sum);
        self.add(other.compensation);
    }

    /// Returns the total so far. A total that overflows is the largest finite number: infinity is never sent.
    pub fn value(&self) -> f64 {
        let total = self.sum + self.compensation;
        // After an overflow the compensation is NaN.
        let total = if total.is_nan() { self.sum } else { total };
        total.clamp(f64::MIN, f64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_million_tenths_are_a_million() {
        let mut sum = CompensatedSum::default();
        let mut naive = 0.0;
        for _ in 0..10_000_000 {
            sum.add(0.1);
            naive += 0.1;
        }
        assert_eq!(sum.value(), 1_000_000.0);
        assert_ne!(naive, 1_000_000.0);
    }

    #[test]
    fn a_large_value_does_not_absorb_small_values() {
        let mut sum = CompensatedSum::default();
        for value in [1.0, 1e100, 1.0, -1e100] {
            sum.add(value);
        }
        assert_eq!(sum.value(), 2.0);
    }

    #[test]
    fn a_sum_that_overflows_stays_finite() {
        for sign in [1.0, -1.0] {
            let mut sum = CompensatedSum::default();
            for _ in 0..3 {
                sum.add(sign * f64::MAX);
            }
            assert_eq!(sum.value(), sign * f64::MAX);
        }
    }

    #[test]
    fn merging_keeps_the_compensation() {
        let (mut a, mut b) = (CompensatedSum::default(), CompensatedSum::default());
        a.add(1e100);
        b.add(1.0);
        b.add(-1e100);
        b.add(1.0);
        a.merge(&b);
        assert_eq!(a.value(), 2.0);
    }
}

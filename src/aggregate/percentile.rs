//! Percentiles as k6 defines them: linear between the two closest ranks, where rank 0 is the smallest value and rank `count - 1`
//! the largest.

/// The position of a percentile among ascending values.
pub(super) struct Position {
    /// The rank of the value at or below it.
    pub rank: u64,
    /// How far it is from there to the value of the next rank, from 0 to 1.
    pub share: f64,
}

impl Position {
    /// Returns the position of the percentile `percent`, which is cut to 0 to 100, among values of which `last` is the highest rank.
    pub fn of(percent: f64, last: u64) -> Self {
        let rank = percent.clamp(0.0, 100.0) / 100.0 * last as f64;
        Self { rank: rank.floor() as u64, share: rank.fract() }
    }

    /// Returns the percentile. `value_at` returns the value of a rank.
    pub fn between(&self, mut value_at: impl FnMut(u64) -> f64) -> f64 {
        let lower = value_at(self.rank);
        if self.share == 0.0 {
            return lower;
        }
        let upper = value_at(self.rank + 1);
        // Not `lower + (upper - lower) * share`: the difference of two signs may be infinite.
        (lower * (1.0 - self.share) + upper * self.share).clamp(lower, upper)
    }
}

//! Splits a batch that the receiver does not accept as a whole, until what it does not accept is alone.
//!
//! Knows nothing of requests: [`super::delivery`] asks for the next piece, and reports what became of it. Pieces come in the
//! order of the points, so the points of a series keep their order.

use std::ops::Range;

/// Requests that a batch may take beyond those that are needed to find one bad point in it.
const SPARE_REQUESTS: usize = 4;

/// The pieces of one batch.
#[derive(Debug)]
pub(super) struct Bisection {
    /// What has not been sent, the next piece last.
    pending: Vec<Range<usize>>,
    /// The first native histogram: all floats come before it. A batch is split there first, since a receiver without native
    /// histograms rejects all of them.
    first_histogram: usize,
    /// The points of a piece, at most.
    max_points: usize,
    /// The same, as it was before a piece was too large.
    max_points_before: usize,
    /// How many pieces may still fail.
    budget: usize,
    /// What one bad point costs at most.
    cost: usize,
    /// The points of the largest piece that was accepted.
    largest_accepted: usize,
    /// Whether a point has failed alone.
    isolated: bool,
    /// Whether a piece was found too large.
    too_large: bool,
}

/// What follows from the failure of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its halves come next.
    Split,
    /// It is one point, which fails alone.
    Alone,
    /// Too many pieces have failed in a row: its parts are not worth a request. The pieces after it come next.
    GiveUp,
}

impl Bisection {
    /// All of a batch of `len` points, in pieces of at most `max_points`.
    pub(super) fn new(len: usize, first_histogram: usize, max_points: usize) -> Self {
        let cost = 2 * (usize::BITS - len.leading_zeros()) as usize;
        let max_points = max_points.max(1);
        Self {
            pending: (len > 0).then_some(0..len).into_iter().collect(),
            first_histogram,
            max_points,
            max_points_before: max_points,
            budget: cost + SPARE_REQUESTS,
            cost,
            largest_accepted: 0,
            isolated: false,
            too_large: false,
        }
    }

    /// The next piece to send.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        let piece = self.pending.pop()?;
        let end = piece.end.min(piece.start + self.max_points);
        self.put_back(end..piece.end);
        Some(piece.start..end)
    }

    /// Puts back what did not fit into the request of a piece.
    pub(super) fn put_back(&mut self, rest: Range<usize>) {
        if !rest.is_empty() {
            self.pending.push(rest);
        }
    }

    /// Notes that the receiver has accepted a piece of `points`.
    pub(super) fn accept(&mut self, points: usize) {
        self.largest_accepted = self.largest_accepted.max(points);
        self.budget = self.budget.max(self.cost + SPARE_REQUESTS);
    }

    /// Returns whether the receiver has accepted a piece.
    pub(super) fn has_accepted(&self) -> bool {
        self.largest_accepted > 0
    }

    /// Decides what to do about a piece that failed; `too_large` if its size may be the reason.
    pub(super) fn fail(&mut self, piece: Range<usize>, too_large: bool) -> Verdict {
        self.too_large |= too_large;
        self.budget = self.budget.saturating_sub(1);
        if piece.len() == 1 {
            self.isolated = true;
            // The size was not the reason, or is the reason for this point alone.
            self.max_points = self.max_points_before;
            return Verdict::Alone;
        }
        if self.budget == 0 {
            return Verdict::GiveUp;
        }
        let middle = if piece.contains(&self.first_histogram) && piece.start < self.first_histogram {
            self.first_histogram
        } else {
            if too_large {
                self.max_points = (piece.len() / 2).max(1);
            }
            piece.start + piece.len() / 2
        };
        self.pending.push(middle..piece.end);
        self.pending.push(piece.start..middle);
        Verdict::Split
    }

    /// The size of request that the receiver accepts, if this batch has shown one that is smaller than before.
    pub(super) fn learned_max_points(&self) -> Option<usize> {
        (self.too_large && !self.isolated && self.has_accepted()).then_some(self.largest_accepted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sends all of a batch to a receiver that accepts what `accepts` says. Returns the points that failed alone, the number of
    /// those that were given up, and the number of requests.
    fn run(bisection: &mut Bisection, accepts: impl Fn(&Range<usize>) -> bool) -> (Vec<usize>, usize, usize) {
        let (mut alone, mut given_up, mut requests) = (Vec::new(), 0, 0);
        while let Some(piece) = bisection.next() {
            requests += 1;
            if accepts(&piece) {
                bisection.accept(piece.len());
            } else {
                match bisection.fail(piece.clone(), true) {
                    Verdict::Split => {}
                    Verdict::Alone => alone.push(piece.start),
                    Verdict::GiveUp => given_up += piece.len(),
                }
            }
        }
        (alone, given_up, requests)
    }

    #[test]
    fn one_bad_point_is_found_and_costs_itself_alone() {
        for bad in 0..150 {
            let mut bisection = Bisection::new(150, 150, 10_000);
            let (alone, rest, requests) = run(&mut bisection, |piece| !piece.contains(&bad));
            assert_eq!((alone, rest), (vec![bad], 0));
            assert!(requests <= 20, "{requests}");
            assert_eq!(bisection.learned_max_points(), None, "the size was not the reason");
        }
    }

    #[test]
    fn a_receiver_that_accepts_nothing_gets_some_requests() {
        let mut bisection = Bisection::new(10_000, 10_000, 10_000);
        let (_, rest, requests) = run(&mut bisection, |_| false);
        assert!(requests <= 50 && rest > 9_000, "{requests} {rest}");
    }

    #[test]
    fn a_limit_on_size_is_learned() {
        let mut bisection = Bisection::new(10_000, 10_000, 10_000);
        let (alone, rest, requests) = run(&mut bisection, |piece| piece.len() <= 700);
        assert_eq!((alone, rest), (vec![], 0));
        assert!(requests < 25, "{requests}");
        assert_eq!(bisection.learned_max_points(), Some(625));
    }

    #[test]
    fn kinds_are_separated_first() {
        let mut bisection = Bisection::new(100, 90, 10_000);
        let (alone, rest, requests) = run(&mut bisection, |piece| piece.end <= 90);
        assert!(alone.len() + rest == 10 && requests < 25, "{alone:?} {rest} {requests}");
    }

    proptest! {
        #[test]
        fn every_point_is_sent_in_order_isolated_or_given_up(
            len in 1..300_usize, bad in prop::collection::btree_set(0..300_usize, 0..5), max_points in 1..400_usize,
        ) {
            let mut bisection = Bisection::new(len, len, max_points);
            let (mut next, mut alone) = (0, Vec::new());
            while let Some(piece) = bisection.next() {
                prop_assert!(piece.len() <= max_points && !piece.is_empty());
                if bad.range(piece.clone()).next().is_none() {
                    prop_assert_eq!(piece.start, next);
                    next = piece.end;
                    bisection.accept(piece.len());
                } else {
                    match bisection.fail(piece.clone(), false) {
                        Verdict::Split => {}
                        Verdict::Alone => {
                            prop_assert_eq!(piece.start, next);
                            next = piece.end;
                            alone.push(piece.start);
                        }
                        Verdict::GiveUp => {
                            prop_assert_eq!(piece.start, next);
                            next = piece.end;
                        }
                    }
                }
            }
            prop_assert_eq!(next, len);
            prop_assert!(alone.iter().all(|point| bad.contains(point)));
        }
    }
}

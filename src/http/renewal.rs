//! Credentials that end after a time, and are fetched again before.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// Credentials are renewed so long before their end, or at half of a shorter life.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// Pause after a failure, in which nothing is fetched: the shards of a destination ask for the same credentials.
const PAUSE: Duration = Duration::from_secs(1);

/// Pause after a failure while the last credentials are still valid.
const PAUSE_WHILE_VALID: Duration = Duration::from_secs(15);

/// Credentials, and for how long they are valid.
#[derive(Debug, Clone)]
pub(super) struct Lease<T> {
    pub value: T,
    /// `None` for credentials without an end.
    pub valid_for: Option<Duration>,
}

/// The current credentials. A task that needs some while another one fetches them waits for these.
pub(super) struct Renewal<T>(Mutex<State<T>>);

struct State<T> {
    current: Option<Current<T>>,
    failed: Option<(Instant, String)>,
}

struct Current<T> {
    value: T,
    renew_at: Option<Instant>,
    ends_at: Option<Instant>,
}

impl<T> Default for Renewal<T> {
    fn default() -> Self {
        Self(Mutex::new(State { current: None, failed: None }))
    }
}

impl<T: Clone> Renewal<T> {
    /// Returns the current credentials. Those that end soon are fetched again; if this fails, they are used until their end.
    ///
    /// # Errors
    /// The error of `fetch`, if there are no valid credentials.
    pub async fn get(&self, fetch: impl AsyncFnOnce() -> Result<Lease<T>, String>) -> Result<T, String> {
        let mut state = self.0.lock().await;
        let now = Instant::now();
        if let Some(value) = state.valid(now, |current| current.renew_at) {
            return Ok(value);
        }
        let last = state.valid(now, |current| current.ends_at);
        let pause = if last.is_some() { PAUSE_WHILE_VALID } else { PAUSE };
        let error = match &state.failed {
            Some((at, error)) if now.duration_since(*at) < pause => error.clone(),
            _ => match fetch().await {
                Ok(lease) => {
                    state.failed = None;
                    // From before the request on, so that it does not end earlier than expected.
                    let value = lease.value.clone();
                    state.current = Some(Current::new(lease, now));
                    return Ok(value);
                }
                Err(error) => {
                    state.failed = Some((Instant::now(), error.clone()));
                    error
                }
            },
        };
        last.ok_or(error)
    }

    /// Forgets the current credentials if they are the `rejected` ones: others may have been fetched since.
    pub async fn discard(&self, rejected: impl Fn(&T) -> bool) {
        self.0.lock().await.current.take_if(|current| rejected(&current.value));
    }
}

impl<T: Clone> State<T> {
    /// Returns the current credentials if the time that `until` chooses has not come.
    fn valid(&self, now: Instant, until: impl Fn(&Current<T>) -> Option<Instant>) -> Option<T> {
        let current = self.current.as_ref()?;
        until(current).is_none_or(|until| now < until).then(|| current.value.clone())
    }
}

impl<T> Current<T> {
    fn new(lease: Lease<T>, now: Instant) -> Self {
        let renew_after = lease.valid_for.map(|valid_for| valid_for.saturating_sub(RENEW_BEFORE).max(valid_for / 2));
        // A time that the clock does not have is as none.
        Self {
            value: lease.value,
            renew_at: renew_after.and_then(|after| now.checked_add(after)),
            ends_at: lease.valid_for.and_then(|valid_for| now.checked_add(valid_for)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
    }

    async fn get(renewal: &Renewal<u32>, fetched: Result<(u32, Option<u64>), &str>) -> Result<u32, String> {
        let lease = fetched.map(|(value, valid_ms)| Lease { value, valid_for: valid_ms.map(Duration::from_millis) });
        renewal.get(async || lease.map_err(Into::into)).await
    }

    #[test]
    fn credentials_are_kept_until_half_of_a_short_life() {
        run(async {
            let renewal = Renewal::default();
            assert_eq!(get(&renewal, Ok((1, Some(400)))).await, Ok(1));
            assert_eq!(get(&renewal, Ok((2, None))).await, Ok(1));
            tokio::time::sleep(Duration::from_millis(250)).await;
            assert_eq!(get(&renewal, Err("down")).await, Ok(1), "still valid");
            assert_eq!(get(&renewal, Ok((2, None))).await, Ok(1), "not fetched again at once");
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert_eq!(get(&renewal, Ok((3, None))).await, Err("down".into()), "the pause after a failure");
        });
    }

    #[test]
    fn long_lived_credentials_are_renewed_a_minute_before_their_end() {
        let now = Instant::now();
        let after = |seconds| {
            let lease = Lease { value: (), valid_for: Some(Duration::from_secs(seconds)) };
            Current::new(lease, now).renew_at.map(|at| at.duration_since(now).as_secs())
        };
        assert_eq!([after(3600), after(100), after(0)], [Some(3540), Some(50), Some(0)]);
        assert_eq!(after(u64::MAX), None);
    }

    #[test]
    fn an_error_is_repeated_only_for_a_moment() {
        run(async {
            let renewal = Renewal::default();
            assert_eq!(get(&renewal, Err("down")).await, Err("down".into()));
            assert_eq!(get(&renewal, Ok((1, None))).await, Err("down".into()));
            tokio::time::sleep(PAUSE).await;
            assert_eq!(get(&renewal, Ok((1, None))).await, Ok(1));
        });
    }

    #[test]
    fn only_the_credentials_that_were_rejected_are_discarded() {
        run(async {
            let renewal = Renewal::default();
            assert_eq!(get(&renewal, Ok((1, None))).await, Ok(1));
            renewal.discard(|&value| value == 2).await;
            assert_eq!(get(&renewal, Ok((2, None))).await, Ok(1));
            renewal.discard(|&value| value == 1).await;
            assert_eq!(get(&renewal, Ok((3, None))).await, Ok(3));
        });
    }
}

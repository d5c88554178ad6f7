//! Host names → addresses, by the system, on a thread that is started with the client.
//!
//! The HTTP library would start a thread for a name when it needs one, and panic where the system has no more threads.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

use super::causes::BoxError;
use crate::threads;

/// Addresses, or the system's error, which all questions for one name share.
type Answer = Result<Vec<SocketAddr>, Arc<io::Error>>;

/// A name, and where its addresses go.
struct Question {
    name: String,
    answer: oneshot::Sender<Answer>,
}

/// Resolves names. Its thread ends when all of its clones are dropped.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    questions: Sender<Question>,
}

impl Resolver {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no more threads.
    pub fn start() -> io::Result<Self> {
        Self::with(|name| (name, 0).to_socket_addrs().map(Iterator::collect))
    }

    fn with(lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + 'static) -> io::Result<Self> {
        let (questions, asked) = unbounded();
        threads::spawn("k6rw-resolve", move || serve(&asked, lookup))?;
        Ok(Self { questions })
    }

    /// Returns the addresses of a name, without a port.
    pub async fn resolve(&self, name: &str) -> Result<Vec<SocketAddr>, BoxError> {
        Ok(self.ask(name).await??)
    }

    fn ask(&self, name: &str) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        // Fails only if the thread has ended; then dropping the question is the answer.
        let _ = self.questions.send(Question { name: name.into(), answer });
        answered
    }
}

/// A resolver for the HTTP library.
pub(super) struct Lookup {
    pub resolver: Resolver,
    /// The host whose addresses are returned whatever is asked for, if any.
    pub instead: Option<String>,
}

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let host = self.instead.as_deref().unwrap_or(name.as_str());
        let answered = self.resolver.ask(host.trim_start_matches('[').trim_end_matches(']'));
        Box::pin(async move { Ok(Box::new(answered.await??.into_iter()) as Addrs) })
    }
}

/// Answers questions until the resolver is dropped. One lookup answers all questions for its name that came meanwhile: a lookup
/// may take as long as a request, and the shards of a destination ask for one name.
fn serve(asked: &Receiver<Question>, lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>>) {
    let mut waiting: VecDeque<Question> = VecDeque::new();
    loop {
        waiting.extend(asked.try_iter());
        let Some(question) = waiting.pop_front().or_else(|| asked.recv().ok()) else { return };
        // A request that has reached its time limit does not wait any more.
        if question.answer.is_closed() {
            continue;
        }
        let answer = lookup(&question.name).map_err(Arc::new);
        waiting.extend(asked.try_iter());
        let (same, others): (VecDeque<_>, _) = waiting.into_iter().partition(|other| other.name == question.name);
        waiting = others;
        for question in same.into_iter().chain([question]) {
            let _ = question.answer.send(answer.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;

    /// A resolver whose lookups wait for the test, and fail for all names but "known". Each is announced.
    fn controlled() -> (Resolver, Receiver<String>, Sender<()>) {
        let (announce, looked_up) = unbounded();
        let (release, released) = bounded(0);
        let lookup = move |name: &str| {
            announce.send(name.into()).expect("the test listens");
            released.recv().expect("the test goes on");
            match name {
                "known" => Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))]),
                _ => Err(io::Error::other("unknown")),
            }
        };
        (Resolver::with(lookup).expect("starts"), looked_up, release)
    }

    #[test]
    #[cfg_attr(miri, ignore)] // has no resolver
    fn names_are_resolved_by_the_system() {
        let resolver = Resolver::start().expect("starts");
        let addresses = resolver.ask("localhost").blocking_recv().expect("answered").expect("known");
        assert!(addresses.iter().all(|address| address.ip().is_loopback()) && !addresses.is_empty());
        assert!(resolver.ask("no.such.name.invalid").blocking_recv().expect("answered").is_err());
    }

    #[test]
    fn one_lookup_answers_all_questions_for_its_name() {
        let (resolver, looked_up, release) = controlled();
        let asked = ["unknown", "known", "unknown", "known"].map(|name| resolver.ask(name));
        for name in ["unknown", "known"] {
            assert_eq!(looked_up.recv().as_deref(), Ok(name));
            release.send(()).expect("waits");
        }
        let known = asked.map(|answer| answer.blocking_recv().expect("answered").is_ok());
        assert_eq!(known, [false, true, false, true]);
        assert!(looked_up.try_recv().is_err());
    }

    #[test]
    fn a_question_that_is_not_waited_for_costs_no_lookup() {
        let (resolver, looked_up, release) = controlled();
        let first = resolver.ask("known");
        looked_up.recv().expect("begins");
        drop(resolver.ask("abandoned"));
        let last = resolver.ask("last");
        release.send(()).expect("waits");
        assert_eq!(looked_up.recv().as_deref(), Ok("last"));
        release.send(()).expect("waits");
        assert!(first.blocking_recv().expect("answered").is_ok() && last.blocking_recv().expect("answered").is_err());
    }
}

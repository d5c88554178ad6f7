//! Threads of the library: named, with signals blocked, and with a stack of stated size.

use std::io;
use std::panic::resume_unwind;
use std::thread::{self, Builder, JoinHandle};

/// The stack of each thread. The system's default may be far less: 128 KiB with musl.
const STACK_BYTES: usize = 2 << 20;

/// Starts a thread with signals blocked. The host handles signals in its own threads: a signal such as SIGPIPE or SIGXFSZ, which
/// a write raises, must not end the program, and the system must not choose this thread for one that is sent to the program.
///
/// Signals that report an error of the thread's own code, such as SIGSEGV, are not blocked.
///
/// # Errors
/// The system has no more threads.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    // A thread inherits the mask of the one that starts it, so it never runs with another one.
    let _blocked = BlockedSignals::new();
    Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn(body)
}

/// Runs `body` on such a thread and returns its result: for what may need more stack than the host's thread has left.
///
/// # Errors
/// The system has no more threads.
pub fn run<T: Send>(name: &str, body: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let blocked = BlockedSignals::new();
        let thread = Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn_scoped(scope, body)?;
        drop(blocked);
        Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Blocks signals in this thread until it is dropped. Miri and Windows have no signals.
struct BlockedSignals {
    #[cfg(all(unix, not(miri)))]
    before: Option<nix::sys::signal::SigSet>,
}

impl BlockedSignals {
    #[cfg(all(unix, not(miri)))]
    fn new() -> Self {
        use nix::sys::signal::{SigSet, SigmaskHow, Signal};
        let mut signals = SigSet::all();
        for signal in [
            Signal::SIGSEGV,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGILL,
            Signal::SIGTRAP,
            Signal::SIGABRT,
            Signal::SIGSYS,
        ] {
            signals.remove(signal);
        }
        // Fails only for a way to change the mask that does not exist.
        Self { before: signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok() }
    }

    #[cfg(not(all(unix, not(miri))))]
    fn new() -> Self {
        Self {}
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        #[cfg(all(unix, not(miri)))]
        if let Some(before) = &self.before {
            let _ = before.thread_set_mask();
        }
    }
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use crossbeam_channel::bounded;
    use nix::sys::signal::{SigSet, Signal};

    use super::*;

    #[test]
    fn a_thread_has_signals_blocked_and_the_one_that_starts_it_has_not() {
        let before = SigSet::thread_get_mask().expect("readable");
        let (sender, receiver) = bounded(1);
        let thread =
            spawn("test", move || sender.send(SigSet::thread_get_mask()).expect("is received")).expect("starts");
        let inside = receiver.recv().expect("is sent").expect("readable");
        thread.join().expect("ends");
        let blocked: Vec<_> = Signal::iterator().filter(|&signal| !inside.contains(signal)).collect();
        // Of all signals, the system blocks neither SIGKILL nor SIGSTOP.
        let expected = [
            Signal::SIGILL,
            Signal::SIGTRAP,
            Signal::SIGABRT,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGKILL,
            Signal::SIGSEGV,
            Signal::SIGSTOP,
            Signal::SIGSYS,
        ];
        assert!(blocked.iter().all(|signal| expected.contains(signal)), "{blocked:?}");
        assert!(!inside.contains(Signal::SIGSEGV) && inside.contains(Signal::SIGXFSZ));
        assert_eq!(SigSet::thread_get_mask().expect("readable"), before);
    }
}

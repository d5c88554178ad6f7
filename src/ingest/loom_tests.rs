//! Small runs in every order of their threads, with blocks of two samples: `make model`.

use loom::thread;

use super::*;
use crate::k6::MetricType;

/// Runs `run` in every order of its threads.
fn in_every_order(run: impl Fn(Arc<Inbox>, InboxReceiver, Arc<Reporter>) + Send + Sync + 'static) {
    loom::model(move || {
        let reporter = Arc::new(Reporter::default());
        let (inbox, receiver) = inbox(Registrar::default(), Arc::clone(&reporter));
        run(inbox, receiver, reporter);
    });
}

fn beside<T: 'static>(inbox: &Arc<Inbox>, body: impl FnOnce(&Inbox) -> T + 'static) -> thread::JoinHandle<T> {
    let inbox = Arc::clone(inbox);
    thread::spawn(move || body(&inbox))
}

fn register(inbox: &Inbox) -> Result<u64, Closed> {
    inbox.register(&SeriesDefinition::new("m", MetricType::Counter))
}

/// Pushes samples and returns how many were accepted.
fn push(inbox: &Inbox, series: u64, count: usize) -> usize {
    let samples = vec![Sample { series, time_ms: 0, value: 1.0 }; count];
    inbox.push(&samples).map_or(0, |unknown| count - unknown)
}

/// Pushes a sample with metadata.
fn push_with_metadata(inbox: &Inbox, series: u64) -> Result<usize, Closed> {
    let mut samples = SamplesWithMetadata::default();
    samples.push(Sample { series, time_ms: 0, value: 1.0 }, std::iter::empty());
    inbox.push_with_metadata(samples)
}

/// What the resampling thread has received so far.
#[derive(Default)]
struct Taken {
    samples: usize,
    with_metadata: usize,
    series: u64,
}

impl Taken {
    /// Receives one message. Returns false at the end.
    fn take(&mut self, receiver: &InboxReceiver) -> bool {
        let block = match receiver.receive(Duration::ZERO) {
            Received::Samples(block) => block,
            Received::Metadata(samples) => {
                self.with_metadata += samples.samples().len();
                return true;
            }
            Received::Nothing | Received::Closed => return false,
        };
        self.series += receiver.new_ids().count() as u64;
        assert!(block.iter().all(|sample| sample.series <= self.series), "a sample came before its series");
        self.samples += block.len();
        receiver.recycle(block);
        true
    }
}

#[test]
fn no_sample_comes_before_its_series_even_if_its_id_was_guessed() {
    in_every_order(|inbox, receiver, _| {
        let registering = beside(&inbox, register);
        let guessing = beside(&inbox, |inbox| push(inbox, 1, 1));
        let mut taken = Taken::default();
        for _ in 0..receiver.flush() {
            taken.take(&receiver);
        }
        assert_eq!(registering.join().expect("ends"), Ok(1));
        let pushed = guessing.join().expect("ends");
        inbox.close();
        while taken.take(&receiver) {}
        assert_eq!((taken.samples, taken.series), (pushed, 1));
    });
}

#[test]
fn a_window_has_a_sample_and_its_metadata_or_neither() {
    in_every_order(|inbox, receiver, _| {
        register(&inbox).expect("open");
        let pushing = beside(&inbox, |inbox| push_with_metadata(inbox, 1));
        let mut taken = Taken::default();
        for _ in 0..receiver.flush() {
            taken.take(&receiver);
        }
        assert_eq!(taken.samples, taken.with_metadata);
        assert_eq!(pushing.join().expect("ends"), Ok(0));
        inbox.close();
        while taken.take(&receiver) {}
        assert_eq!((taken.samples, taken.with_metadata), (1, 1));
        assert_eq!(inbox.waiting_metadata.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn what_is_pushed_before_the_close_is_received_and_nothing_else() {
    in_every_order(|inbox, receiver, _| {
        let pushing = beside(&inbox, |inbox| match register(inbox) {
            Ok(id) => (1, push(inbox, id, 2)),
            Err(Closed) => (0, 0),
        });
        let closing = beside(&inbox, |inbox| assert!(inbox.close()));
        let mut taken = Taken::default();
        while taken.take(&receiver) {}
        closing.join().expect("ends");
        assert_eq!((taken.series, taken.samples), pushing.join().expect("ends"));
        assert_eq!(inbox.waiting.load(Ordering::Relaxed), 0);
        assert!(receiver.new_ids().next().is_none() && receiver.messages.len() == 0);
    });
}

#[test]
fn one_of_two_closes_takes_effect_and_all_samples_of_both_are_received() {
    in_every_order(|inbox, receiver, _| {
        register(&inbox).expect("open");
        let push_and_close = |inbox: &Inbox| (push(inbox, 1, 1), inbox.close());
        let others = [beside(&inbox, push_and_close), beside(&inbox, push_and_close)];
        let mut taken = Taken::default();
        while taken.take(&receiver) {}
        let [(samples, closed), (more_samples, closed_too)] = others.map(|other| other.join().expect("ends"));
        assert!(closed != closed_too);
        assert_eq!(taken.samples, samples + more_samples);
    });
}

#[test]
fn samples_for_an_abandoned_inbox_are_counted_and_not_kept() {
    in_every_order(|inbox, receiver, reporter| {
        let pushing = beside(&inbox, |inbox| {
            let id = register(inbox).expect("open");
            push(inbox, id, 2) + push(inbox, id, 3)
        });
        let mut taken = Taken::default();
        taken.take(&receiver);
        receiver.abandon();
        assert_eq!(pushing.join().expect("ends"), 5);
        assert_eq!(taken.samples as u64 + reporter.counters().samples_dropped.get(), 5);
        assert_eq!(inbox.waiting.load(Ordering::Relaxed), 0);
        assert!(inbox.staged.lock().block.is_empty());
    });
}

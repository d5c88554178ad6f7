//! Small runs in every order in which their threads can take turns, with blocks of two samples: `make model`.

use loom::thread;

use super::*;
use crate::k6::{MetricType, ValueType};

/// Tries `run` in every order.
fn in_every_order(run: impl Fn(Arc<Inbox>, InboxReceiver, Arc<Reporter>) + Send + Sync + 'static) {
    loom::model(move || {
        let reporter = Arc::new(Reporter::default());
        let (inbox, outlet) = inbox(Arc::clone(&reporter));
        run(inbox, outlet, reporter);
    });
}

fn beside<T: 'static>(inbox: &Arc<Inbox>, body: impl FnOnce(&Inbox) -> T + 'static) -> thread::JoinHandle<T> {
    let inbox = Arc::clone(inbox);
    thread::spawn(move || body(&inbox))
}

fn register(inbox: &Inbox) -> Result<u64, Closed> {
    let definition = SeriesDefinition {
        metric: "m".into(),
        metric_type: MetricType::Counter,
        value_type: ValueType::Default,
        tags: vec![],
    };
    inbox.register(definition)
}

/// How many samples were taken in.
fn push(inbox: &Inbox, series: u64, count: usize) -> usize {
    let samples = vec![Sample { series, time_ms: 0, value: 1.0 }; count];
    inbox.push(&samples).map_or(0, |unknown| count - unknown)
}

/// What has come out so far, as the resampling thread sees it.
#[derive(Default)]
struct Taken {
    samples: usize,
    series: u64,
}

impl Taken {
    /// Takes one message. False at the end.
    fn take(&mut self, outlet: &InboxReceiver) -> bool {
        let Received::Samples(block) = outlet.receive(Duration::ZERO) else { return false };
        self.series += outlet.take_definitions().len() as u64;
        assert!(block.iter().all(|sample| sample.series <= self.series), "a sample came before its series");
        self.samples += block.len();
        outlet.recycle(block);
        true
    }
}

#[test]
fn no_sample_comes_before_its_series_even_if_its_id_was_guessed() {
    in_every_order(|inbox, outlet, _| {
        let registering = beside(&inbox, register);
        let guessing = beside(&inbox, |inbox| push(inbox, 1, 1));
        let mut taken = Taken::default();
        for _ in 0..outlet.flush() {
            taken.take(&outlet);
        }
        assert_eq!(registering.join().expect("ends"), Ok(1));
        let pushed = guessing.join().expect("ends");
        inbox.close();
        while taken.take(&outlet) {}
        assert_eq!((taken.samples, taken.series), (pushed, 1));
    });
}

#[test]
fn what_got_in_before_the_end_comes_out_and_nothing_else() {
    in_every_order(|inbox, outlet, _| {
        let pushing = beside(&inbox, |inbox| match register(inbox) {
            Ok(id) => (1, push(inbox, id, 2)),
            Err(Closed) => (0, 0),
        });
        let closing = beside(&inbox, |inbox| assert!(inbox.close()));
        let mut taken = Taken::default();
        while taken.take(&outlet) {}
        closing.join().expect("ends");
        assert_eq!((taken.series, taken.samples), pushing.join().expect("ends"));
        assert_eq!(inbox.waiting.load(Ordering::Relaxed), 0);
        assert!(outlet.take_definitions().is_empty() && outlet.messages.len() == 0);
    });
}

#[test]
fn one_of_two_that_close_does_and_all_samples_of_both_come_out() {
    in_every_order(|inbox, outlet, _| {
        register(&inbox).expect("open");
        let push_and_close = |inbox: &Inbox| (push(inbox, 1, 1), inbox.close());
        let others = [beside(&inbox, push_and_close), beside(&inbox, push_and_close)];
        let mut taken = Taken::default();
        while taken.take(&outlet) {}
        let [(samples, closed), (more_samples, closed_too)] = others.map(|other| other.join().expect("ends"));
        assert!(closed != closed_too);
        assert_eq!(taken.samples, samples + more_samples);
    });
}

#[test]
fn what_is_handed_to_an_abandoned_inbox_is_counted_and_not_kept() {
    in_every_order(|inbox, outlet, reporter| {
        let pushing = beside(&inbox, |inbox| {
            let id = register(inbox).expect("open");
            push(inbox, id, 2) + push(inbox, id, 3)
        });
        let mut taken = Taken::default();
        taken.take(&outlet);
        outlet.abandon();
        assert_eq!(pushing.join().expect("ends"), 5);
        assert_eq!(taken.samples as u64 + reporter.counters().samples_dropped.get(), 5);
        assert_eq!(inbox.waiting.load(Ordering::Relaxed), 0);
        assert!(inbox.definitions.lock().is_empty() && inbox.staged.lock().block.is_empty());
    });
}

//! The inbox: gathers samples and series of any thread, and hands them over in blocks.

#[cfg(all(test, k6rw_loom))]
#[path = "loom_tests.rs"]
mod loom_tests;

use std::sync::Arc;
use std::time::Duration;

use super::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use super::sync::channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use super::sync::{Mutex, MutexGuard};
use crate::k6::Sample;
use crate::report::{Level, Reporter, event};
use crate::resample::metadata::SamplesWithMetadata;
use crate::resample::registrar::{NewId, Registrar};
use crate::series::SeriesDefinition;

/// The number of samples in a block. Small for loom, so that few samples make several blocks.
const BLOCK_SAMPLES: usize = if cfg!(k6rw_loom) { 2 } else { 4096 };

/// The number of empty blocks that are kept: 1.5 MiB.
const SPARE_BLOCKS: usize = 16;

/// The number of samples that may wait for the background thread: 96 MiB, seconds at the highest rate that k6 reaches.
const MAX_WAITING_SAMPLES: usize = 4 << 20;

/// The bytes of metadata that may wait for it, that of some 200 000 samples with a trace id each. More is dropped.
const MAX_WAITING_METADATA: usize = 16 << 20;

/// The output has been closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed;

/// The sending end, for any thread.
pub struct Inbox {
    staged: Mutex<Staged>,
    registrar: Mutex<Registrar>,
    registered: AtomicU64,
    new_ids: Sender<NewId>,
    waiting: AtomicUsize,
    waiting_metadata: AtomicUsize,
    messages: Sender<Message>,
    spare_blocks: Receiver<Vec<Sample>>,
    reporter: Arc<Reporter>,
}

#[derive(Default)]
struct Staged {
    block: Vec<Sample>,
    closed: bool,
    abandoned: bool,
    overloaded: bool,
}

enum Message {
    Samples(Vec<Sample>),
    Metadata(SamplesWithMetadata),
    Close,
}

/// The receiving end, for the background thread.
pub struct InboxReceiver {
    inbox: Arc<Inbox>,
    messages: Receiver<Message>,
    new_ids: Receiver<NewId>,
    spare_blocks: Sender<Vec<Sample>>,
}

/// Result of [`InboxReceiver::receive`].
#[derive(Debug, PartialEq)]
pub enum Received {
    /// Samples, in the order in which they were pushed.
    Samples(Vec<Sample>),
    /// Samples with metadata. Blocks of [`Self::Samples`], from before or until the next [`InboxReceiver::flush`], have them, too.
    Metadata(SamplesWithMetadata),
    /// Nothing arrived in time.
    Nothing,
    /// The inbox is closed and empty.
    Closed,
}

/// Makes an empty inbox. `registrar` assigns ids, from its first on.
pub fn inbox(registrar: Registrar, reporter: Arc<Reporter>) -> (Arc<Inbox>, InboxReceiver) {
    let (messages, received) = unbounded();
    // Not a list behind a lock: one that grows is copied, and k6 would wait for it.
    let (new_ids, received_ids) = unbounded();
    let (spare_sender, spare_blocks) = bounded(SPARE_BLOCKS);
    let inbox = Arc::new(Inbox {
        staged: Mutex::default(),
        registrar: Mutex::new(registrar),
        registered: AtomicU64::new(0),
        new_ids,
        waiting: AtomicUsize::new(0),
        waiting_metadata: AtomicUsize::new(0),
        messages,
        spare_blocks,
        reporter,
    });
    let receiver = InboxReceiver {
        inbox: Arc::clone(&inbox),
        messages: received,
        new_ids: received_ids,
        spare_blocks: spare_sender,
    };
    (inbox, receiver)
}

impl Inbox {
    /// Returns the id of a series, from 1 on: that of [`Registrar::register`]. Takes some microseconds, in which other series wait,
    /// but no sample.
    pub fn register(&self, definition: &SeriesDefinition) -> Result<u64, Closed> {
        // Held to the end, so that new ids are sent in their order.
        let mut registrar = self.registrar.lock();
        let (id, new) = registrar.register(definition);
        // Held to the end, so that no id is returned after close.
        let staged = self.staged.lock();
        if staged.closed {
            return Err(Closed);
        }
        if let Some(new) = new {
            // Fails after `InboxReceiver::abandon`; then it is not needed.
            let _ = self.new_ids.send(new);
            // After sending, so that what every id stands for is there.
            self.registered.store(id, Ordering::Release);
        }
        Ok(id)
    }

    /// Pushes samples. Returns the number of those whose id [`Self::register`] did not return; they are left out.
    pub fn push(&self, samples: &[Sample]) -> Result<usize, Closed> {
        self.push_known(samples).map(|(unknown, _)| unknown)
    }

    /// Pushes samples with metadata, as [`Self::push`] does. A window has both a sample and its metadata, or neither.
    pub fn push_with_metadata(&self, samples: SamplesWithMetadata) -> Result<usize, Closed> {
        let (unknown, staged) = self.push_known(samples.samples())?;
        if !staged.abandoned && self.waiting_metadata.load(Ordering::Relaxed) < MAX_WAITING_METADATA {
            self.waiting_metadata.fetch_add(samples.bytes(), Ordering::Relaxed);
            self.send(Message::Metadata(samples));
        }
        Ok(unknown)
    }

    /// Pushes samples. Returns the number of those with an unknown id, and the lock, without which no window ends.
    fn push_known(&self, samples: &[Sample]) -> Result<(usize, MutexGuard<'_, Staged>), Closed> {
        let registered = self.registered.load(Ordering::Acquire);
        let is_known = |sample: &&Sample| (1..=registered).contains(&sample.series);
        // Before the lock, and all of them, which is faster than up to the first.
        let known = samples.iter().filter(is_known).count();
        let mut staged = self.staged.lock();
        if staged.closed {
            return Err(Closed);
        }
        if known == samples.len() {
            self.stage(&mut staged, samples);
        } else {
            samples.iter().filter(is_known).for_each(|sample| self.stage(&mut staged, std::slice::from_ref(sample)));
        }
        Ok((samples.len() - known, staged))
    }

    /// Closes the inbox; what is in it is still received. Returns false if it was closed before.
    pub fn close(&self) -> bool {
        let mut staged = self.staged.lock();
        if std::mem::replace(&mut staged.closed, true) {
            return false;
        }
        let rest = std::mem::take(&mut staged.block);
        self.send(Message::Samples(rest));
        self.send(Message::Close);
        true
    }

    /// Returns true if [`Self::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.staged.lock().closed
    }

    fn stage(&self, staged: &mut Staged, mut samples: &[Sample]) {
        while !samples.is_empty() {
            if staged.abandoned {
                return self.reporter.counters().samples_dropped.add(samples.len() as u64);
            }
            if self.waiting.load(Ordering::Relaxed) >= MAX_WAITING_SAMPLES {
                return self.drop_overload(staged, samples.len());
            }
            if staged.block.capacity() == 0 {
                staged.block = self.empty_block();
            }
            let (now, later) = samples.split_at(samples.len().min(BLOCK_SAMPLES - staged.block.len()));
            staged.block.extend_from_slice(now);
            self.waiting.fetch_add(now.len(), Ordering::Relaxed);
            samples = later;
            if staged.block.len() == BLOCK_SAMPLES {
                let full = std::mem::take(&mut staged.block);
                self.send(Message::Samples(full));
            }
        }
    }

    /// Drops samples that the background thread is too slow for, so that memory stays bounded.
    #[cold]
    fn drop_overload(&self, staged: &mut Staged, samples: usize) {
        self.reporter.counters().samples_dropped.add(samples as u64);
        if !std::mem::replace(&mut staged.overloaded, true) {
            self.reporter.log(
                event(Level::Error, "Samples arrive faster than they can be processed, dropping some")
                    .with("samples_waiting", MAX_WAITING_SAMPLES),
            );
        }
    }

    fn empty_block(&self) -> Vec<Sample> {
        self.spare_blocks.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK_SAMPLES))
    }

    fn send(&self, message: Message) {
        // Fails after `InboxReceiver::abandon`; then nothing waits here.
        let _ = self.messages.send(message);
    }
}

impl InboxReceiver {
    /// Waits up to `timeout` for the next block.
    pub fn receive(&self, timeout: Duration) -> Received {
        match self.messages.recv_timeout(timeout) {
            Ok(Message::Samples(block)) => {
                self.inbox.waiting.fetch_sub(block.len(), Ordering::Relaxed);
                Received::Samples(block)
            }
            Ok(Message::Metadata(samples)) => {
                self.inbox.waiting_metadata.fetch_sub(samples.bytes(), Ordering::Relaxed);
                Received::Metadata(samples)
            }
            Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => Received::Closed,
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
        }
    }

    /// Sends the block that is not full yet, and returns the number of messages that wait.
    pub fn flush(&self) -> usize {
        let mut staged = self.inbox.staged.lock();
        let block = std::mem::take(&mut staged.block);
        // Even if it is empty: series may have been registered without a sample.
        self.inbox.send(Message::Samples(block));
        self.messages.len()
    }

    /// Takes the ids that are new since the last call, in their order. To be called after a block is received and before it is
    /// read: then all of its ids are known.
    pub fn new_ids(&self) -> impl Iterator<Item = NewId> + '_ {
        std::iter::from_fn(|| self.new_ids.try_recv().ok())
    }

    /// Returns a block that has been read, to be used again.
    pub fn recycle(&self, mut block: Vec<Sample>) {
        block.clear();
        // A block that never held samples is not worth keeping; if enough are spare, this one is dropped.
        if block.capacity() >= BLOCK_SAMPLES {
            let _ = self.spare_blocks.try_send(block);
        }
    }

    /// Stops receiving: samples that wait, and all later ones, are counted as dropped and not kept.
    pub fn abandon(self) {
        let mut staged = self.inbox.staged.lock();
        staged.abandoned = true;
        staged.block = Vec::new();
        let lost = self.inbox.waiting.swap(0, Ordering::Relaxed);
        self.inbox.reporter.counters().samples_dropped.add(lost as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k6::MetricType;
    use crate::resample::catalog::{Catalog, Rules};
    use crate::series::view::View;

    const SOON: Duration = Duration::from_secs(5);

    fn inbox(reporter: Arc<Reporter>) -> (Arc<Inbox>, InboxReceiver) {
        let rules = Arc::new(Rules { max_series: 1 << 20, ..Rules::of_views(vec![View::everything()]) });
        let catalog = Catalog::new(rules, reporter.destination("http://host/w"));
        super::inbox(Registrar::new(vec![catalog]), reporter)
    }

    fn definition(metric: &str) -> SeriesDefinition {
        SeriesDefinition::new(metric, MetricType::Counter)
    }

    fn samples(series: u64, values: std::ops::Range<u32>) -> Vec<Sample> {
        values.map(|value| Sample { series, time_ms: 0, value: value.into() }).collect()
    }

    #[test]
    fn samples_are_received_in_order_whatever_the_sizes() {
        let (inbox, receiver) = inbox(Arc::default());
        let id = inbox.register(&definition("m")).expect("open");
        let mut next = 0;
        for len in [1, 4095, 1, 10_000, 3] {
            assert_eq!(inbox.push(&samples(id, next..next + len)), Ok(0));
            next += len;
        }
        assert!(inbox.close());
        let mut values = Vec::new();
        loop {
            match receiver.receive(SOON) {
                Received::Samples(block) => {
                    values.extend(block.iter().map(|sample| sample.value as u32));
                    receiver.recycle(block);
                }
                other @ (Received::Metadata(_) | Received::Nothing) => panic!("{other:?}"),
                Received::Closed => break,
            }
        }
        assert_eq!(values, (0..next).collect::<Vec<_>>());
        assert_eq!(inbox.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn samples_with_unknown_ids_are_left_out_and_counted() {
        let (inbox, receiver) = inbox(Arc::default());
        assert_eq!(inbox.register(&definition("m")), Ok(1));
        let mixed: Vec<_> = [0, 1, 2, u64::MAX, 1].into_iter().flat_map(|series| samples(series, 0..1)).collect();
        assert_eq!(inbox.push(&mixed), Ok(3));
        assert_eq!(receiver.flush(), 1);
        assert!(matches!(receiver.receive(SOON), Received::Samples(block) if block.len() == 2));
    }

    #[test]
    fn a_closed_inbox_accepts_nothing() {
        let (inbox, _receiver) = inbox(Arc::default());
        assert!(inbox.close());
        assert!(!inbox.close());
        assert_eq!(inbox.push(&[]), Err(Closed));
        assert_eq!(inbox.register(&definition("m")), Err(Closed));
    }

    #[test]
    fn memory_is_bounded_without_a_receiver() {
        let reporter = Arc::new(Reporter::default());
        let (inbox, _receiver) = inbox(Arc::clone(&reporter));
        let id = inbox.register(&definition("m")).expect("open");
        let many = samples(id, 0..1 << 20);
        for _ in 0..5 {
            assert_eq!(inbox.push(&many), Ok(0));
        }
        assert_eq!(reporter.counters().samples_dropped.get(), 1 << 20);
        assert!(reporter.poll().is_some() && reporter.poll().is_none());
    }

    #[test]
    fn the_memory_of_metadata_is_bounded_and_costs_no_sample() {
        let reporter = Arc::new(Reporter::default());
        let (inbox, receiver) = inbox(Arc::clone(&reporter));
        let id = inbox.register(&definition("m")).expect("open");
        let with_metadata = || {
            let mut with_metadata = SamplesWithMetadata::default();
            let text = "x".repeat(500);
            for sample in samples(id, 0..512) {
                with_metadata.push(sample, (0..10).map(|_| ("name", &*text)));
            }
            with_metadata
        };
        let pushes = 20;
        for _ in 0..pushes {
            assert_eq!(inbox.push_with_metadata(with_metadata()), Ok(0));
        }
        assert!(inbox.waiting_metadata.load(Ordering::Relaxed) < MAX_WAITING_METADATA + with_metadata().bytes());
        assert!(inbox.close());
        let (mut recorded, mut received) = (0, 0);
        loop {
            match receiver.receive(SOON) {
                Received::Samples(block) => recorded += block.len(),
                Received::Metadata(_) => received += 1,
                Received::Nothing => panic!("closed"),
                Received::Closed => break,
            }
        }
        assert_eq!((recorded, received), (pushes * 512, MAX_WAITING_METADATA.div_ceil(with_metadata().bytes())));
        assert_eq!(inbox.waiting_metadata.load(Ordering::Relaxed), 0);
        assert_eq!(reporter.counters().samples_dropped.get(), 0);
    }

    #[test]
    fn an_abandoned_inbox_keeps_nothing_and_counts_all_dropped_samples() {
        let reporter = Arc::new(Reporter::default());
        let (inbox, receiver) = inbox(Arc::clone(&reporter));
        let id = inbox.register(&definition("m")).expect("open");
        assert_eq!(inbox.push(&samples(id, 0..5000)), Ok(0));
        let Received::Samples(taken) = receiver.receive(SOON) else { panic!("a full block waits") };
        receiver.abandon();
        assert_eq!(inbox.push(&samples(id, 0..3)), Ok(0));
        assert_eq!(inbox.push(&samples(id + 1, 0..3)), Ok(3));
        assert_eq!(inbox.register(&definition("other")), Ok(2));
        assert_eq!(reporter.counters().samples_dropped.get(), 5000 - taken.len() as u64 + 3);
        assert_eq!(inbox.waiting.load(Ordering::Relaxed), 0);
        assert!(inbox.staged.lock().block.is_empty());
        assert!(inbox.close());
    }

    #[test]
    fn samples_from_many_threads_all_arrive() {
        // Miri takes a minute for what takes a millisecond.
        let rounds = if cfg!(miri) { 10 } else { 1000 };
        let (inbox, receiver) = inbox(Arc::default());
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let inbox = &inbox;
                scope.spawn(move || {
                    for round in 0..rounds {
                        let definition = definition("m").with_tags([("n", (thread * rounds + round).to_string())]);
                        let id = inbox.register(&definition).expect("open");
                        assert_eq!(inbox.push(&samples(id, 0..7)), Ok(0));
                    }
                });
            }
        });
        inbox.close();
        let mut count = 0;
        while let Received::Samples(block) = receiver.receive(SOON) {
            count += block.len();
        }
        assert_eq!((count, receiver.new_ids().count()), (8 * rounds * 7, 8 * rounds));
    }
}

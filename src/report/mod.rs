//! Events for k6's log, counters, and the report at the end of the run.
//!
//! Every stage of the pipeline writes here. Nothing here waits, and nothing here knows the stages. An event is a change of
//! state, so events are few; they are kept until the host polls them.

mod reporter;
mod summary;
mod counters;
mod event;

pub use self::counters::{Count, Counter, Counters, OutputCounters, Role, SelfMetric};
pub use self::event::{Event, Level, event};
pub use reporter::{DestinationReporter, Reporter};

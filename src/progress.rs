//! Bars on a terminal while runs go on; silent everywhere else.
//!
//! Must not know what a run does, only how far it is.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use fedsim_protocols::SimDuration;
use fedsim_sim::engine::RunControl;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How often bars move.
const REFRESH: Duration = Duration::from_millis(100);

const RUN_TEMPLATE: &str = "{prefix:<16} {wide_bar:.cyan/dim} {msg:>20}";
const SEEDS_TEMPLATE: &str = "{prefix:<16} {wide_bar:.green/dim} {pos:>9} / {len:<8}";

/// The bars of one command.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    bars: MultiProgress,
}

/// The bar of one run.
#[derive(Debug)]
pub(crate) struct RunBar {
    bar: ProgressBar,
    control: Arc<RunControl>,
    duration: SimDuration,
}

impl Progress {
    /// A bar for many seeds.
    pub(crate) fn seeds(&self, count: u64) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(count));
        bar.with_style(style(SEEDS_TEMPLATE)).with_prefix("seeds")
    }

    /// A bar for the run behind `control`, which ends at `duration` at the latest.
    pub(crate) fn run(
        &self,
        seed: u64,
        control: &Arc<RunControl>,
        duration: SimDuration,
    ) -> RunBar {
        let bar = self.bars.add(ProgressBar::new(duration.as_nanos()));
        RunBar {
            bar: bar
                .with_style(style(RUN_TEMPLATE))
                .with_prefix(format!("seed {seed}")),
            control: Arc::clone(control),
            duration,
        }
    }
}

impl RunBar {
    /// Shows how far the run is.
    pub(crate) fn refresh(&self) {
        let done = self.control.done().as_nanos();
        let seconds = |nanos: u64| nanos as f64 / 1e9;
        let whole = self.duration.as_nanos();
        self.bar.set_position(done.min(whole));
        self.bar
            .set_message(format!("{:.1} / {:.0} s", seconds(done), seconds(whole)));
    }
}

impl Drop for RunBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("BUG: a progress template is wrong")
        .progress_chars("━━─")
}

/// Waits for the next message and calls `refresh` meanwhile. `None` when all senders are gone.
pub(crate) fn next<T>(messages: &Receiver<T>, mut refresh: impl FnMut()) -> Option<T> {
    loop {
        match messages.recv_timeout(REFRESH) {
            Ok(message) => return Some(message),
            Err(RecvTimeoutError::Timeout) => refresh(),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

//! A bar on standard error while a calculation runs: deals decided, how many a second, the time left.
//!
//! Not counting (`calculation::progress`). Only where standard error is a terminal: a file of messages
//! has no use for it. Called by `calculate`.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use accredit_crediting::calculation::progress::CalculationProgress;
use indicatif::{HumanFloatCount, ProgressBar, ProgressState, ProgressStyle};

/// How often the bar is drawn anew.
const REDRAW_PAUSE: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{wide_bar} {human_pos}/{human_len} deals, {rate} a second, {eta} left";

/// Does `work`, which counts its deals, beside a bar; `quiet` leaves the bar out.
pub(crate) fn show_progress<T>(
    quiet: bool,
    progress: &CalculationProgress,
    work: impl FnOnce() -> T,
) -> T {
    if quiet || !io::stderr().is_terminal() {
        return work();
    }

    thread::scope(|scope| {
        let (working, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut bar: Option<ProgressBar> = None;
            while ended.recv_timeout(REDRAW_PAUSE) == Err(RecvTimeoutError::Timeout) {
                // While rows are read, nobody knows how many deals they are.
                let deals = progress.deals() as u64;
                if deals > 0 {
                    let bar =
                        bar.get_or_insert_with(|| ProgressBar::new(deals).with_style(style()));
                    bar.set_length(deals);
                    bar.set_position(progress.decided() as u64);
                }
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        });

        let done = work();
        // The bar ends when nothing can be sent any more, also where the work panics.
        drop(working);
        done
    })
}

fn style() -> ProgressStyle {
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        // A bar that cannot be drawn is no reason to stop.
        let _ = write!(out, "{:.0}", HumanFloatCount(state.per_sec()));
    };
    let style = ProgressStyle::with_template(TEMPLATE);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate)
}

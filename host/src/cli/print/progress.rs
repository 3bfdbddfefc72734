//! A bar on standard error while a calculation runs: deals decided, how many a second, the time left.
//!
//! Not counting (`calculation::progress`). Only where standard error is a terminal: a file of messages
//! has no use for it. Called by `calculate`.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use accredit_crediting::calculation::progress::CalculationProgress;
use indicatif::{ProgressBar, ProgressStyle};

/// How often the bar is drawn anew.
const REDRAW_PAUSE: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{bar:40} {human_pos}/{human_len} deals, {per_sec}, {eta} left";

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
            let style = ProgressStyle::with_template(TEMPLATE);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(0).with_style(style);

            while ended.recv_timeout(REDRAW_PAUSE) == Err(RecvTimeoutError::Timeout) {
                bar.set_length(progress.deals() as u64);
                bar.set_position(progress.decided() as u64);
            }
            bar.finish_and_clear();
        });

        let done = work();
        // The bar ends when nothing can be sent any more, also where the work panics.
        drop(working);
        done
    })
}

//! Blocks of work over worker threads, each with a machine; results are taken in the order of the blocks.
//!
//! Not what a block is. Workers run ahead of what was taken by a fixed number of blocks, so that a slow
//! reader of results costs no memory.
//!
//! **Architecture invariant:** results come in order, whatever the number of threads; workers share
//! where the blocks come from and the finished ones, and nothing else that is written.

use std::collections::BTreeMap;
use std::iter::Enumerate;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use accredit_script::Machine;
use accredit_workspace::Ruleset;

/// Stack of a worker: the deepest legal script needs a part of it.
pub(crate) const WORKER_STACK_BYTES: usize = 16 << 20;

/// Blocks that may be finished and not taken, for each worker.
const BLOCKS_AHEAD: usize = 8;

/// Results that wait to be taken.
struct FinishedBlocks<T> {
    waiting: BTreeMap<usize, T>,
    /// Blocks that were taken: the number of the next one.
    taken: usize,
    /// Workers that have not ended.
    alive: usize,
    /// Whether nothing more is begun or taken.
    stopped: bool,
}

/// What workers and the reader of results share.
struct Progress<I, T> {
    /// The blocks that are not begun, numbered from 0.
    blocks: Mutex<Enumerate<I>>,
    finished: Mutex<FinishedBlocks<T>>,
    /// A block was finished or taken, or a worker ended.
    changed: Condvar,
    ahead: usize,
}

/// Does `work` for each block on `threads` workers, and gives the results to `take` in the order of the
/// blocks, on the thread of the caller. Nothing is begun once `take` breaks. A block is got when a worker
/// is free for it, while the other workers wait: getting one should be little work.
pub(super) fn work_in_order<I, T>(
    ruleset: &Ruleset,
    threads: usize,
    blocks: I,
    work: &(dyn Fn(I::Item, &mut Machine) -> T + Sync),
    take: &mut dyn FnMut(T) -> ControlFlow<()>,
) where
    I: Iterator<Item: Send> + Send,
    T: Send,
{
    let blocks_max = blocks.size_hint().1.unwrap_or(usize::MAX);
    let threads = threads.clamp(1, blocks_max.max(1));
    let finished =
        FinishedBlocks { waiting: BTreeMap::new(), taken: 0, alive: threads, stopped: false };
    let progress = Progress {
        blocks: Mutex::new(blocks.enumerate()),
        finished: Mutex::new(finished),
        changed: Condvar::new(),
        ahead: threads.saturating_mul(BLOCKS_AHEAD),
    };

    thread::scope(|scope| {
        for _ in 0..threads {
            let builder = thread::Builder::new().stack_size(WORKER_STACK_BYTES);
            let worker = || {
                let _ended = EndedWorker(&progress);
                ruleset.with_machine(|machine| progress.work_on(work, machine));
            };
            // A worker that cannot be started is a worker less: the others take its blocks.
            if builder.spawn_scoped(scope, worker).is_err() {
                drop(EndedWorker(&progress));
            }
        }

        progress.take_all(take);
    });

    // Without a single worker the blocks are worked on here.
    ruleset.with_machine(|machine| {
        let left = std::iter::from_fn(|| progress.begin_block());
        let _ = { left }.try_for_each(|(_, block)| take(work(block, machine)));
    });
}

/// Counts a worker as ended, also when it panics.
struct EndedWorker<'a, I, T>(&'a Progress<I, T>);

impl<I, T> Drop for EndedWorker<'_, I, T> {
    fn drop(&mut self) {
        let mut finished = self.0.lock();
        finished.alive -= 1;
        // The block of a worker that panics never comes: the others must not wait for room behind it.
        if thread::panicking() {
            finished.stopped = true;
        }
        self.0.changed.notify_all();
    }
}

impl<I, T> Progress<I, T> {
    fn lock(&self) -> MutexGuard<'_, FinishedBlocks<T>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        finished: MutexGuard<'a, FinishedBlocks<T>>,
    ) -> MutexGuard<'a, FinishedBlocks<T>> {
        self.changed.wait(finished).unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes every block in order, as long as a worker is alive that could finish it.
    fn take_all(&self, take: &mut dyn FnMut(T) -> ControlFlow<()>) {
        let mut finished = self.lock();
        while !finished.stopped {
            let next = finished.taken;
            if let Some(result) = finished.waiting.remove(&next) {
                finished.taken += 1;
                drop(finished);
                self.changed.notify_all();
                let going_on = take(result);
                finished = self.lock();
                if going_on.is_break() {
                    finished.stopped = true;
                    self.changed.notify_all();
                }
            } else if finished.alive == 0 {
                return;
            } else {
                finished = self.wait(finished);
            }
        }
    }
}

impl<I: Iterator, T> Progress<I, T> {
    /// The next block with its number; none when there is none, or nothing more is to be begun.
    fn begin_block(&self) -> Option<(usize, I::Item)> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if self.lock().stopped { None } else { blocks.next() }
    }

    /// A worker: takes the next block until there is none.
    fn work_on(&self, work: &(dyn Fn(I::Item, &mut Machine) -> T + Sync), machine: &mut Machine) {
        while let Some((number, block)) = self.begin_block() {
            let mut finished = self.lock();
            while number >= finished.taken + self.ahead && !finished.stopped {
                finished = self.wait(finished);
            }
            drop(finished);

            let result = work(block, machine);
            self.lock().waiting.insert(number, result);
            self.changed.notify_all();
        }
    }
}

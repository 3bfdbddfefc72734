//! Blocks of work over worker threads, each with a machine; results are taken in the order of the blocks.
//!
//! Not what a block is. Workers run ahead of what was taken by a fixed number of blocks, so that a slow
//! reader of results costs no memory.
//!
//! **Architecture invariant:** results come in order, whatever the number of threads; workers share a
//! counter and the finished blocks, and nothing else that is written.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
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
}

/// What workers and the reader of results share.
struct Progress<T> {
    finished: Mutex<FinishedBlocks<T>>,
    /// A block was finished or taken, or a worker ended.
    changed: Condvar,
    next: AtomicUsize,
    blocks: usize,
    ahead: usize,
}

/// Does `work` for each of so many blocks on `threads` workers, and gives the results to `take` in the
/// order of the blocks, on the thread of the caller. Nothing is begun once `take` breaks.
pub(super) fn work_in_order<T: Send>(
    ruleset: &Ruleset,
    (blocks, threads): (usize, usize),
    work: &(dyn Fn(usize, &mut Machine) -> T + Sync),
    take: &mut dyn FnMut(T) -> ControlFlow<()>,
) {
    let threads = threads.clamp(1, blocks.max(1));
    let progress = Progress {
        finished: Mutex::new(FinishedBlocks { waiting: BTreeMap::new(), taken: 0, alive: threads }),
        changed: Condvar::new(),
        next: AtomicUsize::new(0),
        blocks,
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
    let left = progress.lock().taken;
    ruleset.with_machine(|machine| {
        let _ = (left..blocks).try_for_each(|block| take(work(block, machine)));
    });
}

/// Counts a worker as ended, also when it panics.
struct EndedWorker<'a, T>(&'a Progress<T>);

impl<T> Drop for EndedWorker<'_, T> {
    fn drop(&mut self) {
        let mut finished = self.0.lock();
        finished.alive -= 1;
        // The block of a worker that panics never comes: the others must not wait for room behind it.
        if thread::panicking() {
            self.0.stop(&mut finished);
        }
        self.0.changed.notify_all();
    }
}

impl<T> Progress<T> {
    fn lock(&self) -> MutexGuard<'_, FinishedBlocks<T>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        finished: MutexGuard<'a, FinishedBlocks<T>>,
    ) -> MutexGuard<'a, FinishedBlocks<T>> {
        self.changed.wait(finished).unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the work: nothing more is begun or taken.
    fn stop(&self, finished: &mut FinishedBlocks<T>) {
        self.next.store(self.blocks, Ordering::Relaxed);
        finished.taken = self.blocks;
    }

    /// A worker: takes the next block until there is none.
    fn work_on(&self, work: &(dyn Fn(usize, &mut Machine) -> T + Sync), machine: &mut Machine) {
        loop {
            let block = self.next.fetch_add(1, Ordering::Relaxed);
            if block >= self.blocks {
                return;
            }

            let mut finished = self.lock();
            while block >= finished.taken + self.ahead {
                finished = self.wait(finished);
            }
            drop(finished);

            let result = work(block, machine);
            self.lock().waiting.insert(block, result);
            self.changed.notify_all();
        }
    }

    /// Takes every block in order, as long as a worker is alive that could finish it.
    fn take_all(&self, take: &mut dyn FnMut(T) -> ControlFlow<()>) {
        let mut finished = self.lock();
        while finished.taken < self.blocks {
            let next = finished.taken;
            if let Some(result) = finished.waiting.remove(&next) {
                finished.taken += 1;
                drop(finished);
                self.changed.notify_all();
                let going_on = take(result);
                finished = self.lock();
                if going_on.is_break() {
                    self.stop(&mut finished);
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

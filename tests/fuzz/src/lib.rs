//! Fuzz targets: functions that are given bytes and must bear them, whatever they are.
//!
//! A target makes a text or a file of its bytes, most often by changing one that is right
//! ([`Mutator`]), gives it to a reader, and says what must hold of the answer. An ordinary run of the
//! tests gives each target the same bytes every time ([`run_rounds`]); `cargo bolero test` gives it
//! those that a fuzzer finds. Targets are in `tests/`, and in the crates whose readers nobody else can
//! call.
//!
//! **Architecture invariant:** what a target does depends on its bytes alone, so that the bytes of a
//! failure repeat it.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed round ends the test with what repeats it"
)]

mod mutator;
mod seeds;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub use bolero;
pub use mutator::{Choices, Mutator};
pub use seeds::{directory_files, repository, texts_below};

/// Rounds of each target in an ordinary run, unless `ACCREDIT_FUZZ` says how many.
const ROUNDS: u64 = 200;

/// Bytes of a round at most.
const ROUND_BYTES_MAX: u64 = 160;

/// A fuzz target: the body of a test function that is given bytes.
#[macro_export]
macro_rules! fuzz_target {
    ($target:expr) => {{
        let target = $target;
        $crate::run_rounds(&target);
        // Inputs that were kept, and all inputs where a fuzzer runs the test.
        $crate::bolero::check!().with_iterations(0).for_each(|bytes: &[u8]| target(bytes));
    }};
}

/// Gives a target the bytes of each round. `ACCREDIT_FUZZ` is the number of rounds, and `ACCREDIT_SEED`
/// the number of the first one.
///
/// # Panics
/// As the target does, once the number of the round was printed.
pub fn run_rounds(target: &impl Fn(&[u8])) {
    let (first, rounds) = (number("ACCREDIT_SEED", 1), number("ACCREDIT_FUZZ", ROUNDS));
    for round in first..first + rounds {
        let bytes = bytes_of_round(round);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&bytes))) {
            eprintln!("repeat it with ACCREDIT_SEED={round} ACCREDIT_FUZZ=1");
            resume_unwind(panic);
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, not a number")),
        Err(_) => otherwise,
    }
}

/// Random bytes that are the same for a number: SplitMix64.
fn bytes_of_round(round: u64) -> Vec<u8> {
    let mut state = round;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let length = usize::try_from(next() % ROUND_BYTES_MAX).unwrap();
    let mut bytes: Vec<u8> = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend(next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

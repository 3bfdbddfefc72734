//! `--memory`: how much of it the deals of a calculation may take.
//!
//! Not what is done with more deals (`directory::deals`). Called by `calculate`, `worker` and `ruleset`.

use std::env;
use std::path::Path;

use crate::cli::print::destination;
use crate::directory::deals::DealRoom;
use crate::server::memory::available_memory;

/// Units of a size: those of the metric system, and powers of 1,024.
const UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1000),
    ("mb", 1000 * 1000),
    ("gb", 1000 * 1000 * 1000),
    ("tb", 1000 * 1000 * 1000 * 1000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// What deals may take where the system does not say how much memory is free.
const UNKNOWN_MEMORY_BYTES: u64 = 1 << 30;

/// A size as a person writes it: a whole number and a unit, such as `512MB`.
///
/// # Errors
/// What is wrong, for the user.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim().chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.trim().split_at(digits);
    let unit = unit.trim().to_lowercase();

    let unit = UNITS.iter().find(|(known, _)| *known == unit);
    let (Ok(number), Some((_, bytes))) = (number.parse::<u64>(), unit) else {
        return Err("write a whole number and a unit, as 512MB, 4GB or 4GiB".to_owned());
    };
    let size = number.checked_mul(*bytes).ok_or("that is more than any machine has")?;
    if size == 0 { Err("deals need some memory".to_owned()) } else { Ok(size) }
}

/// What the deals may take: what was asked for, or half of the memory that is free. Temporary files go
/// where the results are written, or into the folder of the system.
pub(crate) fn room_for_deals(asked: Option<u64>, out: Option<&Path>) -> DealRoom {
    let free = || available_memory().map_or(UNKNOWN_MEMORY_BYTES, |free| free / 2);
    let folder = destination::begun_in(out).unwrap_or_else(env::temp_dir);
    DealRoom { bytes: asked.unwrap_or_else(free), folder }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_numbers_with_a_unit() {
        let size = |text: &str| parse_size(text).map_err(|_| ());
        assert_eq!(size("512MB"), Ok(512_000_000));
        assert_eq!(size(" 4 gib "), Ok(4 << 30));
        assert_eq!(size("1b"), Ok(1));
        for text in ["", "MB", "512", "1.5GB", "-1MB", "0MB", "5 parsecs", "99999999999TB"] {
            assert_eq!(size(text), Err(()), "{text}");
        }
    }
}

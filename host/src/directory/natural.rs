//! The natural order of file names: numbers in them count as numbers.
//!
//! Called by `directory`: rows of a later file are later versions where no clock orders them.

use std::path::Path;

/// A part of a name: digits by their value, other characters as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NamePart {
    /// A run of digits without leading zeros: the longer one is larger.
    Number(usize, String),
    /// A character.
    Sign(char),
}

/// What a file is sorted by: its name without the ending, so that `deals` comes before `deals (1)`,
/// then the whole name.
pub(super) fn sort_key(path: &Path) -> (Vec<NamePart>, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = plain.rsplit_once('.').map_or(plain, |(stem, _)| stem);
    (name_parts(stem), name.into_owned())
}

fn name_parts(mut text: &str) -> Vec<NamePart> {
    let mut parts = Vec::new();
    while let Some(first) = text.chars().next() {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let length = if digits > 0 { digits } else { first.len_utf8() };
        let (part, rest) = text.split_at(length);

        parts.push(if digits > 0 {
            let number = part.trim_start_matches('0');
            NamePart::Number(number.len(), number.to_owned())
        } else {
            NamePart::Sign(first)
        });

        text = rest;
    }

    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        // `export-10` came before `export-9`, so the older export won.
        let check = |names: &[&str]| {
            let mut sorted = names.to_vec();
            sorted.reverse();
            sorted.sort_by_key(|name| sort_key(Path::new(name)));
            assert_eq!(sorted, names);
        };
        check(&["export-9.csv", "export-10.csv", "export-011.csv"]);
        check(&["deals.csv", "deals (1).csv", "deals (2).csv", "deals (10).csv"]);
        check(&["deals.2026.9.csv.gz", "deals.2026.10.csv"]);
        check(&["2026-01.csv", "2026-01.ndjson", "2026-02.csv", "2026-10.csv"]);
    }
}

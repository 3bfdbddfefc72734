//! Which part a deal belongs to: the rule that a worker checks (`engine/SCALE.md`).
//!
//! Not which parts a credit belongs to, which follows from the rules: a worker with `--routes` says
//! it.

/// The natural key of a deal, as the engine joins its columns: trimmed, with `/` between them.
pub(crate) fn join_key(cells: &[&str]) -> String {
    let [only] = cells else {
        // A slash within a cell is not one between cells.
        let mut parts = cells.iter().map(|cell| cell.trim().replace('\\', "\\\\"));
        let first = parts.next().unwrap_or_default();
        return parts.fold(first, |key, part| key + "/" + &part.replace('/', "\\/"));
    };
    only.trim().to_owned()
}

/// The part of a key: the CRC-32 of its UTF-8 bytes, modulo the number of parts.
pub(crate) fn part_of(key: &str, parts: u32) -> u32 {
    crc32fast::hash(key.as_bytes()) % parts.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_joined_as_the_engine_joins_it() {
        let known: [(&[&str], &str); 4] = [
            (&[" D/1 "], "D/1"),
            (&["crm", "D1"], "crm/D1"),
            (&["a/b", "c/d\\"], "a/b/c\\/d\\\\"),
            (&["", ""], "/"),
        ];
        for (cells, key) in known {
            assert_eq!(join_key(cells), key);
        }
    }

    #[test]
    fn a_part_is_the_remainder_of_the_checksum() {
        // The check value of CRC-32, which every implementation has.
        assert_eq!(part_of("123456789", 1000), 0xcbf4_3926 % 1000);
        assert_eq!(part_of("", 7), 0);
    }
}

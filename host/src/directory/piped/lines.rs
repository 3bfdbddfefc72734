//! A stream of lines in blocks that end where a line ends.

use std::io::{self, ErrorKind, Read};

/// Bytes that are read at a time.
const BLOCK_BYTES: usize = 1 << 20;

/// Bytes of a line.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Lines of a stream.
pub(super) struct LineBlocks<R> {
    input: R,
    /// What was read: the block that was given away, then the beginning of the next one.
    buffer: Vec<u8>,
    given: usize,
    /// The number of the next block's first line.
    next_line: u64,
    ended: bool,
}

impl<R: Read> LineBlocks<R> {
    /// The lines of `input`.
    pub(super) fn new(input: R) -> LineBlocks<R> {
        LineBlocks { input, buffer: Vec::new(), given: 0, next_line: 1, ended: false }
    }

    /// Some whole lines, and the number of the first of them; none at the end.
    ///
    /// # Errors
    /// When the stream breaks, or a line is too long.
    pub(super) fn next_block(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        self.buffer.drain(..self.given);
        self.given = 0;

        let mut searched = 0;
        let end = loop {
            let fresh = self.buffer.get(searched..).unwrap_or_default();
            let last = fresh.iter().rposition(|byte| *byte == b'\n');
            if let Some(end) = last.map(|place| searched + place + 1) {
                break end;
            }
            if self.ended {
                break self.buffer.len();
            }
            searched = self.buffer.len();
            if searched > LINE_BYTES_MAX {
                let message =
                    format!("line {} is longer than {LINE_BYTES_MAX} bytes", self.next_line);
                return Err(io::Error::new(ErrorKind::InvalidData, message));
            }
            self.read_more()?;
        };

        self.given = end;
        let block = self.buffer.get(..end).unwrap_or_default();
        let first_line = self.next_line;
        self.next_line += block.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(Some((first_line, block)).filter(|(_, block)| !block.is_empty()))
    }

    fn read_more(&mut self) -> io::Result<()> {
        let limit = BLOCK_BYTES as u64;
        let read = self.input.by_ref().take(limit).read_to_end(&mut self.buffer)?;
        self.ended = read < BLOCK_BYTES;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut blocks = LineBlocks::new(text);
        let mut found = Vec::new();
        while let Some((first, block)) = blocks.next_block().unwrap() {
            let block = block.strip_suffix(b"\n").unwrap_or(block);
            found.extend((first..).zip(block.split(|byte| *byte == b'\n').map(<[u8]>::to_vec)));
        }
        found
    }

    #[test]
    fn lines_are_whole_and_numbered_wherever_blocks_end() {
        assert!(lines(b"").is_empty());
        assert_eq!(lines(b"a"), [(1, b"a".to_vec())]);

        let long = [b"x".repeat(3 * BLOCK_BYTES / 2), b"short".to_vec(), b"y".repeat(BLOCK_BYTES)];
        for end in [&b""[..], b"\n"] {
            let text = [long.join(&b'\n'), end.to_vec()].concat();
            let expected: Vec<(u64, Vec<u8>)> = (1..).zip(long.clone()).collect();
            assert!(lines(&text) == expected);
        }
    }
}

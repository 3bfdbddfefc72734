//! The bars: what accredit must reach, each with its text, in one table.

/// Which side of its limit a value must be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The value is at most the limit.
    AtMost,
    /// The value is at least the limit.
    AtLeast,
}

/// A bar over the finding of the same key.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    /// The key of the finding.
    pub key: &'static str,
    /// The side of the limit on which a value passes.
    pub side: Side,
    /// The limit.
    pub limit: f64,
    /// What must hold, in words.
    pub text: &'static str,
}

const fn at_most(key: &'static str, limit: f64, text: &'static str) -> Bar {
    Bar { key, side: Side::AtMost, limit, text }
}

const fn at_least(key: &'static str, limit: f64, text: &'static str) -> Bar {
    Bar { key, side: Side::AtLeast, limit, text }
}

/// Every bar.
pub const BARS: &[Bar] = &[
    at_most("whole/duckdb", 1.0, "CSV in, CSV out: at most DuckDB's whole process"),
    at_most("whole/bytes", 1024.0, "memory of `calculate`: at most 1 KB a deal"),
    at_most("decision/duckdb/2", 0.4, "decision alone on 2 threads: at most 0.4 of DuckDB's time"),
    at_most("decision/native/2", 3.0, "decision alone on 2 threads: at most 3 times native Rust"),
    at_most(
        "decision/postgres/2",
        0.04,
        "decision alone on 2 threads: at most 1/25 of PostgreSQL's",
    ),
    at_most("incremental/deals/1", 3.0, "1 changed deal: at most 3 bare commits of a row"),
    at_most("incremental/deals/1000", 3.0, "1,000 changed deals: at most 3 bare commits of as many"),
    at_most("incremental/deals/10000", 3.0, "10,000 changed deals: at most 3 bare commits of as many"),
    at_most("incremental/rollup", 0.5, "rollup policy changed: at most 1/2 of deciding all again"),
    at_least("decision/threads", 1.8, "2 threads: at least 1.8 times as fast as 1"),
];

impl Bar {
    /// Whether `value` passes.
    pub fn holds(&self, value: f64) -> bool {
        match self.side {
            Side::AtMost => value <= self.limit,
            Side::AtLeast => value >= self.limit,
        }
    }
}

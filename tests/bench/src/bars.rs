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
    at_most("whole/linear", 1.15, "ten times the deals: at most 1.15 times as long a deal"),
    at_most("decision/duckdb/2", 0.4, "decision alone on 2 threads: at most 0.4 of DuckDB's time"),
    at_most("decision/native/2", 3.0, "decision alone on 2 threads: at most 3 times native Rust"),
    at_most(
        "decision/postgres/2",
        0.04,
        "decision alone on 2 threads: at most 1/25 of PostgreSQL's",
    ),
    at_most("policy/native", 3.0, "a policy of ten lines: at most 3 times native Rust"),
    at_least("policy/luajit", 4.0, "a policy of ten lines: at least 4 times as fast as LuaJIT"),
    at_least("policy/zen-engine", 40.0, "a policy of ten lines: at least 40 times zen-engine"),
    at_least("policy/rhai", 40.0, "a policy of ten lines: at least 40 times plain Rhai"),
    at_least("policy/rate", 0.13, "a policy that is not compiled: at least 0.13 M deals a second"),
    at_most("import/duckdb", 2.0, "import until durable: at most twice as long as DuckDB's file"),
    at_most("import/bytes", 60.0, "compacted data file after an import: at most 60 bytes a credit"),
    at_most("incremental/deals/1", 3.0, "1 changed deal: at most 3 bare commits of a row"),
    at_most(
        "incremental/deals/1000",
        3.0,
        "1,000 changed deals: at most 3 bare commits of as many",
    ),
    at_most(
        "incremental/deals/10000",
        3.0,
        "10,000 changed deals: at most 3 bare commits of as many",
    ),
    at_most("incremental/alias", 0.1, "one alias more: at most 1/10 of deciding all again"),
    at_most("incremental/manager", 0.1, "another manager: at most 1/10 of deciding all again"),
    at_most("incremental/rollup", 0.5, "rollup policy changed: at most 1/2 of deciding all again"),
    at_least("decision/threads", 1.8, "2 threads: at least 1.8 times as fast as 1"),
    at_least("webhook/alone/16/rate", 0.8, "webhook, 16 clients: at least 0.8 of the bare loop"),
    at_most("webhook/alone/16/p99", 2.0, "webhook, 16 clients: p99 at most twice the bare loop's"),
    at_least("webhook/alone/256/rate", 0.8, "webhook, 256 clients: at least 0.8 of the bare loop"),
    at_most(
        "webhook/alone/256/p99",
        2.0,
        "webhook, 256 clients: p99 at most twice the bare loop's",
    ),
    at_least(
        "webhook/import/16/rate",
        0.5,
        "during an import, 16 clients: at least 0.5 of the bare loop",
    ),
    at_most("webhook/import/16/p99", 4.0, "during an import, 16 clients: p99 at most 4 times"),
    at_least("webhook/import/256/rate", 0.5, "during an import, 256 clients: at least 0.5"),
    at_most("webhook/import/256/p99", 4.0, "during an import, 256 clients: p99 at most 4 times"),
    at_least("webhook/swap/16/rate", 0.9, "swaps under full load: at most 10 % fewer answers"),
    at_most("webhook/swap/16/visible", 50.0, "a swap is visible at most 50 ms after its answer"),
    at_least("webhook/swap/256/rate", 0.9, "swaps under full load: at most 10 % fewer answers"),
    at_most("webhook/swap/256/visible", 50.0, "a swap is visible at most 50 ms after its answer"),
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

//! What a run has found, as a table in Markdown and as a plot, held against the bars.

use std::fmt::Write;
use std::path::Path;

use crate::bars::{BARS, Bar, Side};
use crate::rounds::Ratio;
use crate::settings;

/// What the figure of a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// The time of accredit as a multiple of a rival's.
    TimeRatio,
    /// How many times as fast something is.
    Speedup,
    /// The time that a deal takes as a multiple of what it takes among fewer deals.
    Growth,
    /// Bytes a deal.
    BytesPerDeal,
    /// Millions of deals a second.
    MillionsASecond,
    /// Bytes of a file a credit.
    BytesPerCredit,
    /// Milliseconds.
    Milliseconds,
}

/// A number with a comma between its thousands.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One figure of a run.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The name under which a bar may stand.
    pub key: String,
    /// What was measured, with its size.
    pub what: String,
    /// What it is compared with.
    pub rival: String,
    /// What the figure is.
    pub figure: Figure,
    /// The figure.
    pub value: f64,
    /// The smallest and the largest figure of a round.
    pub spread: Option<(f64, f64)>,
    /// Medians or rates behind the figure.
    pub detail: String,
}

impl Finding {
    /// A ratio of times.
    pub fn of_ratio(key: &str, what: &str, rival: &str, ratio: Ratio, detail: String) -> Finding {
        Finding {
            key: key.to_owned(),
            what: what.to_owned(),
            rival: rival.to_owned(),
            figure: Figure::TimeRatio,
            value: ratio.median,
            spread: Some((ratio.low, ratio.high)),
            detail,
        }
    }

    /// The bar over it.
    pub fn bar(&self) -> Option<&'static Bar> {
        BARS.iter().find(|bar| bar.key == self.key)
    }

    fn figure_text(&self) -> String {
        let number = |value: f64| match self.figure {
            Figure::BytesPerDeal | Figure::BytesPerCredit => format!("{value:.0}"),
            _ if value < 0.1 => format!("{value:.3}"),
            _ => format!("{value:.2}"),
        };
        let unit = match self.figure {
            Figure::TimeRatio => " × its time",
            Figure::Speedup => " × as fast",
            Figure::Growth => " × as long a deal",
            Figure::BytesPerDeal => " bytes a deal",
            Figure::MillionsASecond => " million deals a second",
            Figure::BytesPerCredit => " bytes a credit",
            Figure::Milliseconds => " ms",
        };
        let spread = self.spread.map(|(low, high)| format!(" ({}–{})", number(low), number(high)));
        format!("{}{unit}{}", number(self.value), spread.unwrap_or_default())
    }

    fn verdict(&self) -> String {
        let Some(bar) = self.bar() else { return String::new() };
        let side = if bar.side == Side::AtMost { "≤" } else { "≥" };
        let word = if bar.holds(self.value) { "holds" } else { "missed" };
        format!("{side} {}: {word}", bar.limit)
    }
}

/// The findings as a table with the machine above it.
pub fn markdown(findings: &[Finding], skipped: &[String]) -> String {
    let mut text = "# What the benchmark measured\n\n".to_owned();
    let _ = writeln!(
        text,
        "On {}. Medians of alternating rounds of one run, with the smallest and the largest ratio of a \
         round. All sides of a comparison gave the same rows, proved by their number, the sum of their \
         amounts and a checksum. Rivals may leave ids blank and write rows in any order; accredit computes \
         its ids and writes in the order that it promises.\n",
        settings::machine()
    );

    text.push_str("| measured | against | result | bar | medians |\n|---|---|---|---|---|\n");
    for finding in findings {
        let Finding { what, rival, detail, .. } = finding;
        let (figure, verdict) = (finding.figure_text(), finding.verdict());
        let _ = writeln!(text, "| {what} | {rival} | {figure} | {verdict} | {detail} |");
    }

    if !skipped.is_empty() {
        text.push_str("\nNot measured:\n\n");
        for line in skipped {
            let _ = writeln!(text, "- {line}");
        }
    }
    text
}

/// The bars that were missed, a sentence each.
pub fn missed_bars(findings: &[Finding]) -> Vec<String> {
    let bars = findings.iter().filter_map(|finding| Some((finding, finding.bar()?)));
    let missed = bars.filter(|(finding, bar)| !bar.holds(finding.value));
    missed
        .map(|(finding, bar)| format!("{}; measured {}", bar.text, finding.figure_text()))
        .collect()
}

/// The bars over which nothing was measured.
pub fn unmeasured_bars(findings: &[Finding]) -> Vec<&'static str> {
    let missing = BARS.iter().filter(|bar| findings.iter().all(|finding| finding.key != bar.key));
    missing.map(|bar| bar.text).collect()
}

/// Writes the table and the plot beside the benchmark.
pub fn write_results(table: &str, findings: &[Finding]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::write(folder.join("RESULTS.md"), table).unwrap();
    std::fs::write(folder.join("results.svg"), crate::plot::draw(findings)).unwrap();
}

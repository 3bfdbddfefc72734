//! The plot for the README: a bar a ratio, on a scale of powers of ten, as SVG.

use std::fmt::Write;

use crate::report::{Figure, Finding};

/// Where the scale begins and how wide it is, in the units of the picture.
const LEFT: f64 = 150.0;
const WIDTH: f64 = 520.0;

/// Height of a row, and of what is above the first one.
const ROW: f64 = 24.0;
const TOP: f64 = 50.0;

const FASTER: &str = "#2a7f62";
const SLOWER: &str = "#b5651d";

/// A row of the picture.
enum Line<'a> {
    /// What the ratios below it measure.
    Heading(&'a str),
    Ratio(&'a Finding),
}

/// Draws all ratios of times, those of one measure below each other.
pub fn draw(findings: &[Finding]) -> String {
    let shown: Vec<&Finding> =
        findings.iter().filter(|finding| finding.figure == Figure::TimeRatio).collect();
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut heading = "";
    for finding in &shown {
        if finding.what != heading {
            heading = &finding.what;
            lines.push(Line::Heading(heading));
        }
        lines.push(Line::Ratio(finding));
    }

    let (first, last) = powers(&shown);
    let place =
        |value: f64| LEFT + WIDTH * (value.log10() - f64::from(first)) / f64::from(last - first);
    let height = TOP + ROW * lines.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 {height:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"800\" height=\"{height:.0}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\">Time of accredit as a multiple of \
         the rival's time (left of 1: accredit is faster)</text>\n"
    );
    draw_scale(&mut svg, (first, last), height, &place);
    for (row, line) in lines.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        match line {
            Line::Heading(text) => {
                let (text, y) = (escaped(text), y + 15.0);
                let _ = writeln!(
                    svg,
                    "<text x=\"16\" y=\"{y:.0}\" font-weight=\"bold\" fill=\"#333333\">{text}</text>"
                );
            }
            Line::Ratio(finding) => draw_ratio(&mut svg, y, finding, &place),
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The powers of ten between which all ratios and their spreads are.
fn powers(findings: &[&Finding]) -> (i32, i32) {
    let ends = findings.iter().flat_map(|finding| {
        let (low, high) = finding.spread.unwrap_or((finding.value, finding.value));
        [low, high]
    });
    let (low, high) =
        ends.fold((0.1_f64, 10.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    (low.log10().floor() as i32, high.log10().ceil() as i32)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn draw_scale(
    svg: &mut String,
    (first, last): (i32, i32),
    height: f64,
    place: &dyn Fn(f64) -> f64,
) {
    for power in first..=last {
        let x = place(10_f64.powi(power));
        let (colour, bottom) = (if power == 0 { "#444444" } else { "#dddddd" }, height - 24.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.0}\" y2=\"{bottom:.0}\" stroke=\"{colour}\"/>\
             <text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#666666\">{}</text>",
            TOP - 8.0,
            height - 8.0,
            10_f64.powi(power),
        );
    }
}

fn draw_ratio(svg: &mut String, y: f64, finding: &Finding, place: &dyn Fn(f64) -> f64) {
    let (one, end) = (place(1.0), place(finding.value));
    let (left, width) = (one.min(end), (one - end).abs().max(1.0));
    let colour = if finding.value <= 1.0 { FASTER } else { SLOWER };
    let (label, text_y) = (escaped(&finding.rival), y + 14.0);
    let _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"{text_y:.0}\" text-anchor=\"end\">{label}</text>\
         <rect x=\"{left:.1}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"14\" fill=\"{colour}\"/>",
        LEFT - 10.0,
        y + 3.0,
    );
    if let Some((low, high)) = finding.spread {
        let (low, high, middle) = (place(low), place(high), y + 10.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle:.0}\" y2=\"{middle:.0}\" \
             stroke=\"#000000\"/>"
        );
    }

    let number = finding.value;
    let number = if number < 0.1 { format!("{number:.3}") } else { format!("{number:.2}") };
    let x = LEFT + WIDTH + 20.0;
    let _ = writeln!(svg, "<text x=\"{x:.0}\" y=\"{text_y:.0}\">{number} ×</text>");
}

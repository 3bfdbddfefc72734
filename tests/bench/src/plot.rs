//! The plot for the README: a bar a ratio, on a scale of powers of ten, as SVG.

use std::fmt::Write;

use crate::report::{Figure, Finding};

const LEFT: f64 = 330.0;
const WIDTH: f64 = 420.0;
const ROW: f64 = 26.0;
const TOP: f64 = 56.0;

/// Draws all ratios of times.
pub fn draw(findings: &[Finding]) -> String {
    let shown: Vec<&Finding> =
        findings.iter().filter(|finding| finding.figure == Figure::TimeRatio).collect();
    let all = shown.iter().flat_map(|finding| {
        let (low, high) = finding.spread.unwrap_or((finding.value, finding.value));
        [low, high, finding.value]
    });
    let (low, high) =
        all.fold((0.1_f64, 10.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let (first, last) = (low.log10().floor(), high.log10().ceil());
    let place = |value: f64| LEFT + WIDTH * (value.log10() - first) / (last - first);

    let height = TOP + ROW * shown.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"860\" height=\"{height:.0}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"22\" font-size=\"15\" font-weight=\"bold\">Time of accredit as a multiple of \
         a rival's: left of 1 it is faster</text>\n"
    );
    draw_scale(&mut svg, (first as i32, last as i32), height, &place);
    for (row, finding) in shown.iter().enumerate() {
        draw_ratio(&mut svg, TOP + ROW * row as f64, finding, &place);
    }
    svg.push_str("</svg>\n");
    svg
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
    let colour = if finding.value <= 1.0 { "#2a7f62" } else { "#b5651d" };
    let (middle, text_y) = (y + 8.0, y + 12.0);
    let label = format!("{} / {}", finding.what, finding.rival);
    let _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"{text_y:.0}\" text-anchor=\"end\" font-size=\"11\">{label}</text>\
         <rect x=\"{left:.1}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"16\" fill=\"{colour}\"/>",
        LEFT - 8.0,
    );
    if let Some((low, high)) = finding.spread {
        let (low, high) = (place(low), place(high));
        let _ = writeln!(
            svg,
            "<line x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle:.0}\" y2=\"{middle:.0}\" \
             stroke=\"#000000\"/>"
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"{text_y:.0}\">{:.3}</text>",
        LEFT + WIDTH + 12.0,
        finding.value
    );
}

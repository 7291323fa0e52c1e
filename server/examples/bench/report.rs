//! The figures, each with its bound, as a table in Markdown.

use std::fmt;

/// A figure, and whether it is what the design asks for.
#[derive(Debug)]
struct Line {
    what: String,
    measured: String,
    bound: String,
    verdict: &'static str,
}

/// All figures, in the order of their measurement.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
    repeats: Vec<&'static str>,
}

impl Report {
    /// A figure with a bound, both in `unit`.
    pub(crate) fn figure(&mut self, what: &str, measured: f64, bound: f64, unit: &str) {
        let verdict = if measured <= bound { "within" } else { "over" };
        self.add(what, format!("{} {unit}", figure(measured)), format!("{bound} {unit}"), verdict);
    }

    /// A figure whose bound is no number.
    pub(crate) fn judged(&mut self, what: &str, measured: String, bound: &str, is_within: bool) {
        self.add(what, measured, bound.to_owned(), if is_within { "within" } else { "over" });
    }

    /// A figure without a bound, which helps to read the others.
    pub(crate) fn shown(&mut self, what: &str, measured: String) {
        self.add(what, measured, String::new(), "");
    }

    /// Something that could not be measured.
    pub(crate) fn skip(&mut self, what: &str, why: &anyhow::Error) {
        say(&format!("skipped: {what}: {why:#}"));
        self.add(what, "skipped, see above".to_owned(), String::new(), "not measured");
    }

    /// How the figures just added are measured by hand.
    pub(crate) fn repeat(&mut self, how: &'static str) {
        self.repeats.push(how);
    }

    fn add(&mut self, what: &str, measured: String, bound: String, verdict: &'static str) {
        if verdict != "not measured" {
            say(&format!("  {what}: {measured}"));
        }
        self.lines.push(Line { what: what.to_owned(), measured, bound, verdict });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows =
            vec![["what", "measured", "bound", "verdict"].map(str::to_owned), ["-", "-", "-", "-"].map(str::to_owned)];
        for Line { what, measured, bound, verdict } in &self.lines {
            rows.push([what.clone(), measured.clone(), bound.clone(), (*verdict).to_owned()]);
        }
        let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        writeln!(f)?;
        for row in &rows {
            let fill = if row[0] == "-" { '-' } else { ' ' };
            for (cell, width) in row.iter().zip(widths) {
                let missing = width.saturating_sub(cell.chars().count());
                write!(f, "| {cell}{} ", fill.to_string().repeat(missing))?;
            }
            writeln!(f, "|")?;
        }
        writeln!(f, "\nkB and MB are 1,000 and 1,000,000 bytes. By hand:")?;
        self.repeats.iter().try_for_each(|how| writeln!(f, "- {how}"))
    }
}

/// Three digits at most after which nothing is certain.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Tells the person who started the benchmark.
#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

//! A sparkline: the last ten minutes in a few pixels.

use leptos::prelude::*;
use model::topic::Spark;

/// The drawing's own units; it is stretched to the size of its box.
const WIDTH: usize = Spark::SAMPLES - 1;
const HEIGHT: u32 = 20;

/// A line over the samples, the newest at the right edge, on a scale from zero to the highest.
#[component]
pub(crate) fn Sparkline(
    /// The samples.
    #[prop(into)]
    spark: Signal<Spark>,
    /// What it is of, for those who don't see it.
    label: &'static str,
) -> impl IntoView {
    let line = Memo::new(move |_| spark.with(|s| points(&s.0)));
    let area = move || line.with(|l| if l.is_empty() { String::new() } else { close(l) });
    let title = move || {
        spark.with(|s| match (s.0.last(), s.0.iter().max()) {
            (Some(last), Some(most)) => format!("{label}: {last} now, {most} at most in ten minutes"),
            _ => format!("{label}: no history yet"),
        })
    };
    view! {
        <svg class="spark" viewBox=format!("0 -1 {WIDTH} {}", HEIGHT + 2) preserveAspectRatio="none" role="img" aria-label=title>
            <path class="spark-area" d=area />
            <path class="spark-line" d=move || line.get() />
        </svg>
    }
}

fn points(samples: &[u32]) -> String {
    use std::fmt::Write;
    let most = u64::from(samples.iter().max().copied().unwrap_or(0).max(1));
    let left = (WIDTH + 1).saturating_sub(samples.len());
    let mut out = String::new();
    for (at, sample) in samples.iter().enumerate() {
        let height = u64::from(*sample) * u64::from(HEIGHT) * 10 / most;
        let y = u64::from(HEIGHT) * 10 - height;
        let command = if at == 0 { 'M' } else { 'L' };
        // Writing into a String can't fail.
        let _: std::fmt::Result = write!(out, "{command}{} {}.{}", left + at, y / 10, y % 10);
    }
    out
}

/// Closes a line to an area down to zero.
fn close(line: &str) -> String {
    let left = line.trim_start_matches('M').split(' ').next().unwrap_or("0");
    format!("{line}L{WIDTH} {HEIGHT}L{left} {HEIGHT}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_sample_is_at_the_right_edge_and_zero_at_the_bottom() {
        assert_eq!(points(&[]), "");
        assert_eq!(points(&[0, 2, 4]), "M57 20.0L58 10.0L59 0.0");
        assert_eq!(close("M57 20.0L58 10.0L59 0.0"), "M57 20.0L58 10.0L59 0.0L59 20L57 20Z");
        assert_eq!(points(&[u32::MAX]), "M59 0.0");
    }
}

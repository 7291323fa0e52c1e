//! The figures in Prometheus' own text format, version 0.0.4.
//!
//! `prometheus-client` writes OpenMetrics alone, which came from that format and differs in little: a counter is declared
//! there without the `_total` that its samples have, units have a line, the end has one, and types have other names.

/// OpenMetrics text as Prometheus' text. It is for what `prometheus-client` writes without exemplars.
pub(super) fn from_open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // It stands before the type, which says what it is called.
    let mut help = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let (suffix, kind) = declared(kind);
            out.push_str(&format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// What is declared for a type: what its samples' names end with, and the type.
fn declared(kind: &str) -> (&str, &str) {
    match kind {
        "counter" => ("_total", "counter"),
        // Its value is always 1.
        "info" => ("_info", "gauge"),
        "unknown" => ("", "untyped"),
        same => ("", same),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{
        encoding::text::encode,
        metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
        registry::{Registry, Unit},
    };

    use super::*;

    #[test]
    fn every_kind_of_figure_is_written_as_prometheus_reads_it() {
        let mut registry = Registry::with_prefix("x");
        let labelled = Family::<[(&str, &str); 1], Counter>::default();
        labelled.get_or_create(&[("path", "a \"b\"\\c\nd")]).inc_by(2);
        registry.register("polls", "Polls", labelled);
        registry.register_with_unit("sent", "Bytes that were sent", Unit::Bytes, Counter::<u64>::default());
        registry.register("never", "Without any sample", Family::<[(&str, &str); 1], Counter>::default());
        let gauge = Gauge::<i64>::default();
        gauge.set(-3);
        registry.register("rows", "Rows", gauge);
        let histogram = Histogram::new([0.5, 1.0]);
        histogram.observe(0.25);
        registry.register_with_unit("duration", "How long", Unit::Seconds, histogram);
        registry.register("build", "The build", Info::new([("version", "1.0")]));
        let mut text = String::new();
        encode(&mut text, &registry).expect("written");
        assert_eq!(
            from_open_metrics(&text),
            r##"# HELP x_polls_total Polls.
# TYPE x_polls_total counter
x_polls_total{path="a \"b\"\\c\nd"} 2
# HELP x_sent_bytes_total Bytes that were sent.
# TYPE x_sent_bytes_total counter
x_sent_bytes_total 0
# HELP x_rows Rows.
# TYPE x_rows gauge
x_rows -3
# HELP x_duration_seconds How long.
# TYPE x_duration_seconds histogram
x_duration_seconds_sum 0.25
x_duration_seconds_count 1
x_duration_seconds_bucket{le="0.5"} 1
x_duration_seconds_bucket{le="1.0"} 1
x_duration_seconds_bucket{le="+Inf"} 1
# HELP x_build_info The build.
# TYPE x_build_info gauge
x_build_info{version="1.0"} 1
"##
        );
    }

    #[test]
    fn a_type_without_a_name_in_prometheus_is_untyped_and_nothing_of_open_metrics_is_left() {
        let text = "# HELP x Help.\n# TYPE x unknown\n# UNIT x_seconds seconds\nx 1\n# EOF\n";
        assert_eq!(from_open_metrics(text), "# HELP x Help.\n# TYPE x untyped\nx 1\n");
        assert_eq!(from_open_metrics("# EOF\n"), "");
    }
}

//! What a browser loads before it shows everything: the page, and the files that it names.

use std::{collections::BTreeSet, net::SocketAddr, time::Instant};

use anyhow::ensure;

use crate::{
    http,
    report::{Report, figure, say},
};

const BOUND: f64 = 300.0; // kB

const PATH: &str = "/stats";

/// What the page's head can name.
const KINDS: [&str; 5] = [".css", ".js", ".wasm", ".svg", ".webmanifest"];

/// Everything that the first page of the demo loads.
pub(crate) async fn first(address: SocketAddr, report: &mut Report) -> anyhow::Result<()> {
    say("the first page of the demo");
    let named = named(&http::get(address, PATH).await?.text());
    for kind in KINDS {
        ensure!(named.iter().any(|path| path.ends_with(kind)), "the page names no {kind}: is the site built in?");
    }
    let (mut sum, mut parts) = (0.0, Vec::new());
    for path in [PATH.to_owned()].into_iter().chain(named) {
        let answer = http::get_brotli(address, &path).await?;
        let size = answer.wire as f64 / 1_000.0;
        sum += size;
        parts.push((path, size, answer.is_brotli));
    }
    report.figure("first page of the demo, everything it loads, brotli", sum, BOUND, "kB");
    for (path, size, is_brotli) in parts {
        let share = figure(size * 100.0 / sum);
        let plain = if is_brotli { "" } else { ", uncompressed" };
        report.shown(&format!("  {path}"), format!("{} kB, {share} %{plain}", figure(size)));
    }
    report.repeat(
        "first page: `curl -so /dev/null -H 'Accept-Encoding: br' -w '%{size_header} + %{size_download}\\n'` on \
         localhost:8080/stats and on each file that it names, under `make demo`",
    );
    Ok(())
}

/// The page of 1,000 servers.
pub(crate) async fn large(address: SocketAddr, report: &mut Report) -> anyhow::Result<()> {
    let plain = http::get(address, PATH).await?.body.len() as f64 / 1_000.0;
    let began = Instant::now();
    let wire = http::get_brotli(address, PATH).await?.wire as f64 / 1_000.0;
    let millis = began.elapsed().as_secs_f64() * 1_000.0;
    report.shown(
        "HTML of 1,000 servers, brotli (they differ little, and compress well)",
        format!("{} kB ({} kB uncompressed) in {} ms", figure(wire), figure(plain), figure(millis)),
    );
    Ok(())
}

/// The files of our own site that a page names between quotes.
fn named(html: &str) -> BTreeSet<String> {
    let quoted = html.split(['"', '\'']);
    quoted
        .filter(|text| text.starts_with('/') && KINDS.iter().any(|kind| text.ends_with(kind)))
        .map(str::to_owned)
        .collect()
}

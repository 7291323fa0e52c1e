//! `make bench`: the figures of the design, measured on this machine and printed with what they were measured on.
//!
//! It starts everything that it measures and ends it again: a HAProxy with 1,000 servers, the program itself as a child,
//! the demo. It asserts nothing: a figure over its bound is printed as such, one that can't be measured is skipped
//! aloud, and the exit code is 0.

mod actions;
mod files;
mod fixture;
mod http;
mod page;
mod ports;
mod process;
mod report;
mod scale;
mod sluice;
mod traffic;
mod viewer;
mod work;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use fixture::Fixture;
use lab::demo::LabArgs;
use report::Report;
use sluice::Sluice;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// As many as the program itself has.
const WORKERS: usize = 4;

/// Longer than anything that is measured on the demo.
const DEMO_TRAFFIC: Duration = Duration::from_secs(3_600);

fn main() -> anyhow::Result<()> {
    files::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // What runs is a child of the future that is dropped, and is killed with it.
        tokio::select! {
            () = bench() => {}
            _ = interrupt.recv() => report::say("interrupted"),
            _ = terminate.recv() => report::say("ended"),
        }
        Ok(())
    })
}

async fn bench() {
    let began = Instant::now();
    let mut report = Report::default();
    let program = match sluice::program() {
        Ok(program) => program,
        Err(error) => return report::say(&format!("nothing was measured: {error:#}")),
    };
    report::say(&process::machine(&program));
    if let Err(error) = thousand(&program, &mut report).await {
        report.skip("1,000 servers", &error);
    }
    if let Err(error) = demo(&program, &mut report).await {
        report.skip("the demo", &error);
    }
    report::say(&report.to_string());
    report::say(&format!("\nAll of it took {} s.", began.elapsed().as_secs()));
}

/// Everything that needs the 1,000 servers.
async fn thousand(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let dir = tempfile::tempdir().context("cannot make a temporary folder")?;
    report::say(&format!("starting HAProxy with {} servers", fixture::ALL_SERVERS));
    let fixture = Fixture::start().await?;
    let sluice = Sluice::serve(program, &fixture.socket(), dir.path()).await?;
    let measured = scale::measure(&fixture, &sluice, report).await;
    let page = page::large(sluice.address, report).await;
    sluice.stop().await;
    if let Err(error) = measured {
        report.skip("streams and CPU with 1,000 servers", &error);
    }
    if let Err(error) = page {
        report.skip("the page of 1,000 servers", &error);
    }
    if let Err(error) = work::measure(&fixture, report).await {
        report.skip("CPU from a poll's reply to its frames", &error);
    }
    Ok(())
}

/// Everything that is measured on the demo.
async fn demo(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let dir = tempfile::tempdir().context("cannot make a temporary folder")?;
    report::say("starting the demo");
    let args = LabArgs { dir: None, port: ports::for_demo()?, traffic_for: DEMO_TRAFFIC, haproxy: None };
    let lab = lab::demo::Lab::start(&args, CancellationToken::new()).await?;
    let sluice = Sluice::configured(program, lab.config_path(), dir.path()).await?;
    let acted = actions::measure(sluice.address, report).await;
    let loaded = page::first(sluice.address, report).await;
    sluice.stop().await;
    lab.stop().await;
    if let Err(error) = acted {
        report.skip("from Apply to the outcome", &error);
    }
    if let Err(error) = loaded {
        report.skip("the first page", &error);
    }
    Ok(())
}

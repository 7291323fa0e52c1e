//! The program `sluice-lab`: starts the demo's HAProxy pair with servers and traffic, and ends it again.

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdout},
    process::ExitCode,
};

use clap::Parser;
use lab::demo::{Lab, LabArgs};
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Two HAProxy processes with servers and traffic, for Sluice to look at.
#[derive(Debug, Parser)]
#[command(name = "sluice-lab", version)]
struct Cli {
    #[command(flatten)]
    lab: LabArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { lab } = Cli::parse();
    let filter = EnvFilter::try_from_env("SLUICE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(stderr).with_target(false).with_ansi(ansi).with_env_filter(filter).init();
    match run(&lab).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sluice-lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &LabArgs) -> anyhow::Result<()> {
    let (shutdown, mut term) = (CancellationToken::new(), signal(SignalKind::terminate())?);
    let ended = shutdown.clone();
    tokio::spawn(async move {
        // An error says that SIGINT can't be waited for; then SIGTERM ends it all the same.
        tokio::select! {
            _ = term.recv() => {}
            Ok(()) = ctrl_c() => {}
        }
        ended.cancel();
    });
    let lab = Lab::start(args, shutdown.clone()).await?;
    // On standard output, where a script reads the path of the configuration.
    let told = writeln!(stdout(), "the lab runs; sluice serve --config {}", lab.config_path().display());
    if told.is_ok() {
        shutdown.cancelled().await;
    }
    lab.stop().await;
    Ok(told?)
}

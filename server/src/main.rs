//! The program `sluice`: wiring only.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use server::{
    cli::{self, Cli, Command, ServeArgs},
    config::{ConfigError, ListenError},
    logging, program,
    tls::CertificateError,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rendering with nested suspense can starve on fewer, whatever the number of cores.
const WORKERS: usize = 4;

/// What ends the program when the configuration has to be another one: `EX_CONFIG` of sysexits.h. A supervisor need not
/// try again.
const MISCONFIGURED: u8 = 78;

/// What ends the program when it is asked for what it doesn't have, as clap does.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let result = runtime.context("cannot start the runtime").and_then(|runtime| runtime.block_on(run(command)));
    result.unwrap_or_else(|error| {
        tell(&format!("sluice: {error:#}"));
        let is_configuration = error.is::<ConfigError>() || error.is::<ListenError>() || error.is::<CertificateError>();
        if is_configuration { ExitCode::from(MISCONFIGURED) } else { ExitCode::FAILURE }
    })
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => serve(args).await,
        Command::Check(args) => {
            let good = cli::check(&args, &mut std::io::stdout().lock()).await?;
            Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::User(args) => {
            cli::user(&args, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Token(args) => {
            cli::token(&args, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Wall(args) => {
            cli::wall(&args, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(_) => {
            tell(&format!("sluice: {}", cli::DEMO_MOVED));
            Ok(ExitCode::from(MISUSED))
        }
        Command::Audit(args) => {
            let good = cli::audit(&args, &mut std::io::stdout().lock())?;
            Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let config = args.load()?;
    logging::start(config.log);
    program::serve(config, stop_signal()?, reload_signal()?).await?;
    Ok(ExitCode::SUCCESS)
}

/// A token that SIGTERM and SIGINT cancel.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("ending");
        token.cancel();
    });
    Ok(shutdown)
}

/// Counts each SIGHUP.
fn reload_signal() -> anyhow::Result<watch::Receiver<u64>> {
    let (count, reload) = watch::channel(0);
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("asked to read the certificate again");
            count.send_modify(|count| *count += 1);
        }
    });
    Ok(reload)
}

#[expect(clippy::print_stderr, reason = "for the person who started the program, whatever the log's format")]
fn tell(text: &str) {
    eprintln!("{text}");
}

//! How a program is told to end, and how it ends.

use std::process::ExitCode;

use anyhow::{Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and SIGTERM, from the moment at which this is made.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen.
    pub fn listen() -> Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one, and tells the exit code that a shell gives for it.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.terminate.recv() => 128 + 15,
            _ = self.interrupt.recv() => 128 + 2,
        }
    }
}

/// Works until it is done or told to end: then what runs is dropped, and so ends, too. Says why it failed.
#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
pub async fn finish(name: &str, work: impl Future<Output = Result<()>>) -> ExitCode {
    let told = async {
        Signals::listen()?.next().await;
        bail!("told to end")
    };
    let outcome = tokio::select! {
        outcome = Box::pin(work) => outcome,
        told = told => told,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

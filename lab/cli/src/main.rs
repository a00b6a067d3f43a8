//! `lab`: the command line. Parses arguments, resolves settings, runs a command,
//! renders its result or its error, and picks the exit code.

mod args;
mod commands;
mod existing;
mod output;
mod signals;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    // Every TLS client of this process uses it. Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(commands::execute(cli)).into(),
        Err(error) => output::bug(&error.to_string()).into(),
    }
}

//! `lab`: the command line. Parses arguments, resolves settings, runs a command,
//! renders its result or its error, and picks the exit code.

mod args;
mod commands;
mod output;
mod signals;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(commands::execute(cli)).into(),
        Err(error) => output::bug(&error.to_string()).into(),
    }
}

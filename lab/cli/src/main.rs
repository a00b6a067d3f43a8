//! `lab`: the command line. Parses arguments, resolves settings, runs a command,
//! renders its result or its error, and picks the exit code.

mod args;
mod commands;
mod help;
mod locale;
mod output;
mod settings;
mod signals;

use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = std::env::current_dir().unwrap_or_default();
    let settings = settings::Settings::nearest(&folder);
    let cli = args::parse(settings.as_ref().ok());
    // Every TLS client of this process uses it. Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(commands::execute(cli, settings)).into(),
        Err(error) => output::bug(&error.to_string()).into(),
    }
}

//! `lab completions` and `lab man`: the command line, told to a shell and to `man`.

use std::fs;

use clap::CommandFactory;
use lab_model::exit::Exit;
use serde_json::json;

use crate::{
    args::{Cli, CompletionsArgs, Global, ManArgs},
    output,
};

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lab", &mut script);
    output::text(&String::from_utf8_lossy(&script));
    Exit::Ok
}

/// Writes the man pages.
pub(super) fn pages(global: &Global, args: &ManArgs) -> Exit {
    let folder = &args.folder;
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    match written.map_err(output::doing(format!("write to `{}`", folder.display()))) {
        Ok(()) => {
            let text = folder.to_string_lossy();
            output::result(global, &json!({"folder": folder}), &text);
            Exit::Ok
        }
        Err(error) => {
            output::error(global, &error);
            Exit::SetupFailed
        }
    }
}

//! The command line as scripts see it, and the workspace's own rules.

mod arrows;
mod command_line;

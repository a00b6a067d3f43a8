//! Arguments of all commands that measure servers.

use std::path::PathBuf;

use clap::Args;

use super::StackArgs;

/// With which load servers are measured, and how they are found.
#[derive(Debug, Clone, Args)]
pub(crate) struct MeasureArgs {
    /// How servers with TLS are spoken to.
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Which stack is on the cluster.
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// The workload: a name under `fixtures/workloads`, or a `.toml` file.
    #[arg(long, default_value = "digits")]
    pub(crate) workload: String,
}

/// How servers with TLS are spoken to. Called as curl calls it.
#[derive(Debug, Clone, Args)]
pub(crate) struct TlsArgs {
    /// Also believe certificates that the authorities of this PEM file have signed, not only
    /// those of this machine's (`SSL_CERT_FILE`).
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Show the certificate of this PEM file, and those behind it that lead to its authority,
    /// to servers that ask for a client's.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of that certificate: a PEM file without a password.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

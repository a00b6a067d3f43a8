//! What can go wrong between a Debian mirror and a base image.

use std::io;

use miette::Diagnostic;
use thiserror::Error;

/// A base image that could not be made.
#[derive(Debug, Error, Diagnostic)]
pub enum BaseError {
    /// The engine's processor is none Debian is fetched for.
    #[error("no Debian packages are known for the architecture `{architecture}`")]
    #[diagnostic(
        code(lab::image::architecture),
        help("use an engine on x86_64 or aarch64")
    )]
    Architecture {
        /// As the engine names it.
        architecture: String,
    },
    /// The release file is not signed by Debian.
    #[error("the release file of `{url}` carries no valid signature of Debian's archive keys")]
    #[diagnostic(
        code(lab::image::signature),
        help(
            "something between here and Debian changes the file; set LAB_DEBIAN_MIRROR to a mirror you trust"
        )
    )]
    Signature {
        /// Where it was fetched.
        url: String,
    },
    /// The keys shipped cannot be read.
    #[error("the archive keys shipped with lab cannot be read: {message}")]
    #[diagnostic(
        code(lab::image::keyring),
        help("this is a bug of lab; please report it")
    )]
    Keyring {
        /// What the reader said.
        message: String,
    },
    /// An index or a release file says something unexpected.
    #[error("`{file}` cannot be understood: {message}")]
    #[diagnostic(
        code(lab::image::mirror_format),
        help(
            "the mirror may be changing right now; run the command again, or set LAB_DEBIAN_MIRROR"
        )
    )]
    Format {
        /// The file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// A package that others need is not in the index.
    #[error("package `{package}` is not in the mirror's index")]
    #[diagnostic(
        code(lab::image::package_missing),
        help("the mirror is incomplete; set LAB_DEBIAN_MIRROR to another one")
    )]
    PackageMissing {
        /// Its name, or the whole dependency.
        package: String,
    },
    /// A package cannot be unpacked.
    #[error("package `{package}` cannot be unpacked")]
    #[diagnostic(
        code(lab::image::unpack),
        help("run the command again; if it stays, please report it as a bug of lab")
    )]
    Unpack {
        /// Its file.
        package: String,
        /// What the reader said.
        #[source]
        source: io::Error,
    },
}

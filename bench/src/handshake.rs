//! Why TLS could not be spoken with a server.

use std::io;

use miette::Diagnostic;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use thiserror::Error;

/// Why TLS could not be spoken with a server, found before there was any load. Under load
/// each one is counted as a connection that could not be made.
#[derive(Debug, Error, Diagnostic)]
pub enum HandshakeError {
    /// Nobody who is believed has signed the certificate.
    #[error("no authority that is believed here has signed the certificate of `{url}`")]
    #[diagnostic(
        code(lab::bench::tls_unknown_authority),
        help("pass the certificate of the one that has: `--cacert FILE`, or `SSL_CERT_FILE=FILE`")
    )]
    UnknownAuthority {
        /// The address.
        url: String,
        /// In the library's own words.
        source: io::Error,
    },
    /// The certificate is another server's.
    #[error("the certificate of `{url}` is for another name")]
    #[diagnostic(
        code(lab::bench::tls_other_name),
        help(
            "ask the server by a name that its certificate has, or have this one put into its \
             `subjectAltName`"
        )
    )]
    OtherName {
        /// The address.
        url: String,
        /// In the library's own words.
        source: io::Error,
    },
    /// The certificate is too old, or too new.
    #[error("the certificate of `{url}` is not valid now")]
    #[diagnostic(
        code(lab::bench::tls_not_valid_now),
        help("the server needs a new one; `date` shows whether it is this machine's clock")
    )]
    NotValidNow {
        /// The address.
        url: String,
        /// In the library's own words.
        source: io::Error,
    },
    /// The certificate cannot be a server's.
    #[error("the certificate of `{url}` cannot be a server's")]
    #[diagnostic(
        code(lab::bench::tls_certificate),
        help(
            "a server's own has `CA:FALSE` and its names in `subjectAltName`; \
             `openssl s_client -connect HOST:PORT -showcerts` shows what it sends"
        )
    )]
    Certificate {
        /// The address.
        url: String,
        /// In the library's own words.
        source: io::Error,
    },
    /// Something else than TLS came.
    #[error("what answers at `{url}` does not speak TLS")]
    #[diagnostic(
        code(lab::bench::tls_not_spoken),
        help("pass the port that speaks it, or an address that begins with `{plain}`")
    )]
    NotSpoken {
        /// The address.
        url: String,
        /// How an address without TLS begins.
        plain: &'static str,
        /// In the library's own words.
        source: io::Error,
    },
    /// The server has no protocol that this one is.
    #[error("`{url}` does not want {protocol}")]
    #[diagnostic(
        code(lab::bench::tls_protocol),
        help("`https://` asks for HTTP/1.1, `grpcs://` for HTTP/2: pass the server's port for it")
    )]
    Protocol {
        /// The address.
        url: String,
        /// What was asked for.
        protocol: &'static str,
        /// In the library's own words.
        source: io::Error,
    },
    /// The server wants to know who speaks to it.
    #[error("`{url}` asks for a client's certificate, and there is none")]
    #[diagnostic(
        code(lab::bench::tls_client_wanted),
        help(
            "pass one that the server's authority for clients has signed, and its key: \
             `--cert FILE --key FILE`"
        )
    )]
    ClientWanted {
        /// The address.
        url: String,
        /// The server's alert.
        source: io::Error,
    },
    /// The server does not take the client.
    #[error("`{url}` does not take the client's certificate")]
    #[diagnostic(
        code(lab::bench::tls_client_refused),
        help(
            "`openssl verify -purpose sslclient -CAfile AUTHORITY CERT`, with the server's \
             authority for clients, shows why, and so may the server's log"
        )
    )]
    ClientRefused {
        /// The address.
        url: String,
        /// The server's alert.
        source: io::Error,
    },
    /// The server said no, or nothing.
    #[error("`{url}` refused to speak TLS")]
    #[diagnostic(
        code(lab::bench::tls_refused),
        help(
            "`openssl s_client -connect HOST:PORT` shows how far it comes, and the server's log why"
        )
    )]
    Refused {
        /// The address.
        url: String,
        /// In the library's own words; of an alert, the server's.
        source: io::Error,
    },
}

/// What a server that asks for it was shown of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It has not asked.
    No,
    /// Nothing.
    Nothing,
    /// A certificate.
    Certificate,
}

impl HandshakeError {
    /// Why hands could not be shaken with a server at this address.
    pub(crate) fn of(url: &str, asked: Asked, source: io::Error) -> Self {
        let url = url.to_owned();
        let is_grpc = url.starts_with("grpcs:");
        let inner = source.get_ref().and_then(|it| it.downcast_ref::<Error>());
        match inner {
            Some(Error::InvalidCertificate(why)) => match why {
                // One that is called like one of ours, but is another.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    Self::UnknownAuthority { url, source }
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    Self::OtherName { url, source }
                }
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Self::NotValidNow { url, source },
                _ => Self::Certificate { url, source },
            },
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Self::NotSpoken {
                url,
                plain: if is_grpc { "grpc://" } else { "http://" },
                source,
            },
            Some(
                Error::NoApplicationProtocol
                | Error::AlertReceived(AlertDescription::NoApplicationProtocol),
            ) => Self::Protocol {
                url,
                protocol: if is_grpc { "HTTP/2" } else { "HTTP/1.1" },
                source,
            },
            Some(Error::AlertReceived(_)) => match asked {
                Asked::No => Self::Refused { url, source },
                Asked::Nothing => Self::ClientWanted { url, source },
                Asked::Certificate => Self::ClientRefused { url, source },
            },
            _ => Self::Refused { url, source },
        }
    }
}

//! What can go wrong between the lab and the engine, told apart where a person or
//! a caller would act differently.

use std::{error::Error, io};

use miette::Diagnostic;
use thiserror::Error as ThisError;

/// What Linux programs say when the disk is full.
const FULL_DISK: &str = "no space left on device";

/// What engines say, and NVIDIA's hook for them, when a container cannot have GPUs.
const GPU_REFUSALS: [&str; 3] = [
    "could not select device driver",
    "nvidia-container-cli",
    "CDI device",
];

/// A request to the engine that failed.
#[derive(Debug, ThisError, Diagnostic)]
pub enum EngineError {
    /// Nothing answers at the engine's address.
    #[error("no Docker engine answers at `{address}`")]
    #[diagnostic(
        code(lab::engine::unreachable),
        help("start Docker, or point DOCKER_HOST at a running engine, then run `lab doctor`")
    )]
    Unreachable {
        /// The socket or address tried.
        address: String,
        /// What the system said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The socket is there, this user may not use it.
    #[error("not allowed to use the Docker engine at `{address}`")]
    #[diagnostic(
        code(lab::engine::permission),
        help(
            "run `sudo usermod -aG docker $USER` and log in again, or point DOCKER_HOST at a rootless engine"
        )
    )]
    Permission {
        /// The socket tried.
        address: String,
        /// What the system said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The host refuses `--privileged`.
    #[error("the engine refuses privileged containers: {message}")]
    #[diagnostic(
        code(lab::engine::privileged_refused),
        help("the host's own capability set is limited; ask for the capabilities it has instead")
    )]
    PrivilegedRefused {
        /// The engine's words.
        message: String,
    },
    /// The engine cannot give a container GPUs.
    #[error("the engine gives containers no GPU: {message}")]
    #[diagnostic(
        code(lab::engine::no_gpu),
        help("`lab doctor` tells what is missing; `--gpus none` goes without")
    )]
    NoGpu {
        /// The engine's words.
        message: String,
    },
    /// A port to publish is in use.
    #[error("a port on 127.0.0.1 is already taken: {message}")]
    #[diagnostic(
        code(lab::engine::port_taken),
        help(
            "stop what listens there (`ss -ltnp`), or leave the choice of the port to the engine"
        )
    )]
    PortTaken {
        /// The engine's words.
        message: String,
    },
    /// The engine's disk is full.
    #[error("the engine's disk is full while trying to {doing}")]
    #[diagnostic(
        code(lab::engine::no_space),
        help(
            "free some space, for example with `lab clean` or `docker image prune`, and try again"
        )
    )]
    NoSpace {
        /// What was being done.
        doing: String,
        /// The engine's words.
        message: String,
    },
    /// The thing is not there.
    #[error("failed to {doing}: not there")]
    #[diagnostic(
        code(lab::engine::not_found),
        help("see what there is with `lab list` and `lab images list`")
    )]
    NotFound {
        /// What was being done.
        doing: String,
        /// The engine's words.
        message: String,
    },
    /// The thing is there already, or in use.
    #[error("failed to {doing}: {message}")]
    #[diagnostic(
        code(lab::engine::conflict),
        help(
            "something of that name exists or is in use; `lab list` shows what, `lab down` removes it"
        )
    )]
    Conflict {
        /// What was being done.
        doing: String,
        /// The engine's words.
        message: String,
    },
    /// Any other refusal.
    #[error("failed to {doing}")]
    #[diagnostic(
        code(lab::engine::request),
        help("run `lab doctor`, and look at the engine's own log")
    )]
    Request {
        /// What was being done.
        doing: String,
        /// What the engine said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The engine ended, or was started again, in the middle of it.
    #[error("the engine broke off while trying to {doing}")]
    #[diagnostic(
        code(lab::engine::lost),
        help("see that Docker runs (`docker info`); then `lab clean` removes what is left")
    )]
    Lost {
        /// What was being done.
        doing: String,
        /// What the system said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A stream from or to the engine broke.
    #[error("the stream to the engine broke while trying to {doing}")]
    #[diagnostic(
        code(lab::engine::stream),
        help("run the command again; what was finished is kept")
    )]
    Stream {
        /// What was being done.
        doing: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl EngineError {
    /// Whether the thing asked for is not there.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the name is taken or the thing is in use.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// The error of a full disk, where a program's words tell of one.
    pub fn full_disk(doing: impl Into<String>, words: &str) -> Option<Self> {
        let told = words.lines().find(|line| line.contains(FULL_DISK))?;
        Some(Self::NoSpace {
            doing: doing.into(),
            message: told.trim().to_owned(),
        })
    }

    /// The error of a stream that broke: a full disk breaks them, too.
    pub(crate) fn from_stream(doing: String, source: io::Error) -> Self {
        Self::full_disk(&*doing, &source.to_string()).unwrap_or(Self::Stream { doing, source })
    }

    pub(crate) fn from_request(doing: impl Into<String>, error: bollard::errors::Error) -> Self {
        let doing = doing.into();
        match error {
            bollard::errors::Error::DockerResponseServerError {
                status_code,
                message,
            } => Self::from_answer(doing, status_code, message),
            bollard::errors::Error::DockerStreamError { error } => {
                Self::from_answer(doing, 500, error)
            }
            bollard::errors::Error::IOError { err } => Self::Stream { doing, source: err },
            // Without an answer there is no engine at the other end any more.
            lost @ (bollard::errors::Error::HyperResponseError { .. }
            | bollard::errors::Error::HyperLegacyError { .. }) => Self::Lost {
                doing,
                source: Box::new(lost),
            },
            other => Self::Request {
                doing,
                source: Box::new(other),
            },
        }
    }

    fn from_answer(doing: String, status: u16, message: String) -> Self {
        let says = |part: &str| message.contains(part);
        if says("unable to apply caps") || says("privileged mode is incompatible") {
            Self::PrivilegedRefused { message }
        } else if GPU_REFUSALS.iter().any(|it| says(it)) {
            Self::NoGpu { message }
        } else if says("port is already allocated") || says("address already in use") {
            Self::PortTaken { message }
        } else if says(FULL_DISK) {
            Self::NoSpace { doing, message }
        } else if status == 404 {
            Self::NotFound { doing, message }
        } else if status == 409 {
            Self::Conflict { doing, message }
        } else {
            Self::Request {
                doing,
                source: message.into(),
            }
        }
    }
}

/// Makes `not found` the success it is for a removal.
pub(crate) fn gone_is_fine(result: Result<(), EngineError>) -> Result<(), EngineError> {
    match result {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, message: &str) -> EngineError {
        EngineError::from_request(
            "start container `x`",
            bollard::errors::Error::DockerResponseServerError {
                status_code: status,
                message: message.to_owned(),
            },
        )
    }

    #[test]
    fn tells_a_refused_privileged_container() {
        let error = answer(
            500,
            "OCI runtime create failed: unable to apply caps: operation not permitted: unknown",
        );

        assert!(matches!(error, EngineError::PrivilegedRefused { .. }));
    }

    #[test]
    fn tells_an_engine_without_gpus() {
        for words in [
            "could not select device driver \"nvidia\" with capabilities: [[gpu compute utility]]",
            "OCI runtime create failed: error during container init: error running hook #0: \
             nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown",
            "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all",
        ] {
            assert!(
                matches!(answer(500, words), EngineError::NoGpu { .. }),
                "{words}"
            );
        }
    }

    #[test]
    fn tells_a_taken_port() {
        let error = answer(
            500,
            "driver failed programming external connectivity: Bind for 127.0.0.1:30500 failed: port is already allocated",
        );

        assert!(matches!(error, EngineError::PortTaken { .. }));
    }

    #[test]
    fn tells_a_full_disk() {
        let error = answer(500, "write /var/lib/docker/x: no space left on device");

        assert!(matches!(error, EngineError::NoSpace { .. }));
    }

    #[test]
    fn tells_a_stream_that_a_full_disk_broke() {
        let broken = |words: &str| {
            EngineError::from_stream("load".to_owned(), io::Error::other(words.to_owned()))
        };
        let full = broken("write /var/lib/docker/tmp/x: no space left on device");
        assert!(matches!(full, EngineError::NoSpace { .. }));
        assert!(matches!(broken("reset"), EngineError::Stream { .. }));
    }

    #[test]
    fn removal_of_what_is_not_there_succeeds() {
        let error = answer(404, "No such container: x");

        assert!(gone_is_fine(Err(error)).is_ok());
    }
}

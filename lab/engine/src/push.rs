//! Pushing an image into a container registry, as the person at this machine is logged
//! in there with `docker login`.

use std::{env, fs::File, path::PathBuf};

use bollard::{
    auth::DockerCredentials, errors::Error as DockerError, models::PushImageInfo,
    query_parameters::PushImageOptions,
};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use futures::{Stream, StreamExt};
use miette::Diagnostic;
use thiserror::Error as ThisError;
use tokio::task::spawn_blocking;

use crate::{
    Engine, EngineError,
    pull::words::{DENIED, NO_ANSWER, UNTRUSTED, presentable},
};

/// How far a push is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushProgress {
    /// What happens now.
    pub status: String,
    /// Layers that the registry has.
    pub layers_done: u64,
    /// Layers of the image, as far as they are known.
    pub layers: u64,
    /// Bytes sent of the layer that is told of.
    pub bytes: u64,
}

/// An image that did not get into its registry.
#[derive(Debug, ThisError, Diagnostic)]
pub enum PushError {
    /// Nothing answers.
    #[error("no registry answers for `{reference}`: {words}")]
    #[diagnostic(
        code(lab::engine::push_silent),
        help(
            "see that `--registry` (LAB_REGISTRY) is right and that the engine's host reaches it"
        )
    )]
    NoAnswer {
        /// What was to be pushed.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// The engine does not trust the registry's certificate, or it speaks no TLS.
    #[error("the engine does not trust the registry of `{reference}`: {words}")]
    #[diagnostic(
        code(lab::engine::push_untrusted),
        help(
            "put the registry's certificate authority into /etc/docker/certs.d/HOST/ca.crt on the engine's host, or name it in `insecure-registries` of daemon.json"
        )
    )]
    Untrusted {
        /// What was to be pushed.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// The registry wants to know who asks, or does not let them.
    #[error("the registry refuses `{reference}`: {words}")]
    #[diagnostic(
        code(lab::engine::push_denied),
        help(
            "run `docker login {registry}` as one who may push there; lab uses that login and keeps none"
        )
    )]
    Denied {
        /// What was to be pushed.
        reference: String,
        /// Its registry.
        registry: String,
        /// The engine's words.
        words: String,
    },
    /// The login that Docker keeps cannot be read.
    #[error("failed to read the login for `{registry}`")]
    #[diagnostic(
        code(lab::engine::push_login),
        help("run `docker login {registry}` again")
    )]
    Login {
        /// The registry.
        registry: String,
        /// Why.
        #[source]
        source: CredentialRetrievalError,
    },
    /// The registry takes nothing any more.
    #[error("the registry took nothing of `{reference}` for {seconds} s ({last})")]
    #[diagnostic(
        code(lab::engine::push_stalled),
        help("see that the registry is up and the network holds, then run the command again")
    )]
    Stalled {
        /// What was to be pushed.
        reference: String,
        /// How long nothing changed.
        seconds: u64,
        /// What the engine said last.
        last: String,
    },
    /// Anything else.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
}

impl PushError {
    fn from_request(reference: &str, error: DockerError) -> Self {
        let said = match &error {
            DockerError::DockerResponseServerError { message, .. } => message,
            DockerError::DockerStreamError { error } => error,
            _ => "",
        };
        let says = |any: &[&str]| any.iter().any(|part| said.contains(part));
        let words = presentable(said);
        let reference = reference.to_owned();
        if says(UNTRUSTED) {
            Self::Untrusted { reference, words }
        } else if says(NO_ANSWER) {
            Self::NoAnswer { reference, words }
        } else if says(DENIED) {
            let registry = registry(&reference).to_owned();
            Self::Denied {
                reference,
                registry,
                words,
            }
        } else {
            let doing = format!("push image `{reference}`");
            Self::Engine(EngineError::from_request(doing, error))
        }
    }
}

impl Engine {
    /// Pushes an image that has that reference, and tells how far it is.
    ///
    /// # Errors
    /// When the login that Docker keeps for the registry cannot be read.
    pub async fn push_image(
        &self,
        reference: &str,
    ) -> Result<impl Stream<Item = Result<PushProgress, PushError>> + Send + use<>, PushError> {
        let login = login(registry(reference)).await?;
        let (name, tag) = reference.rsplit_once(':').unwrap_or((reference, "latest"));
        let options = PushImageOptions {
            tag: Some(tag.to_owned()),
            ..Default::default()
        };
        let reference = reference.to_owned();
        let mut progress = PushProgress::default();
        let told = self.docker.push_image(name, Some(options), login);
        Ok(told.map(move |answer| {
            let answer = answer.map_err(|error| PushError::from_request(&reference, error))?;
            progress.take(answer);
            Ok(progress.clone())
        }))
    }
}

impl PushProgress {
    fn take(&mut self, told: PushImageInfo) {
        self.status = told.status.unwrap_or_default();
        match self.status.as_str() {
            "Preparing" => self.layers += 1,
            "Pushed" | "Layer already exists" => self.layers_done += 1,
            status if status.starts_with("Mounted from") => self.layers_done += 1,
            _ => {}
        }
        let sent = told.progress_detail.and_then(|it| it.current);
        self.bytes = sent.and_then(|it| it.try_into().ok()).unwrap_or_default();
    }
}

/// What Docker keeps for a registry; where it keeps nothing, it is asked without a name.
async fn login(registry: &str) -> Result<Option<DockerCredentials>, PushError> {
    let asked = registry.to_owned();
    // A credential helper is a program that is waited for.
    let kept = spawn_blocking(move || match logins() {
        Some(file) => docker_credential::get_credential_from_reader(file, &asked),
        None => Err(CredentialRetrievalError::ConfigNotFound),
    });
    let kept = kept.await;
    let kept = kept.unwrap_or(Err(CredentialRetrievalError::HelperCommunicationError));
    match kept {
        Ok(DockerCredential::UsernamePassword(name, password)) => Ok(Some(DockerCredentials {
            username: Some(name),
            password: Some(password),
            ..DockerCredentials::default()
        })),
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(DockerCredentials {
            identitytoken: Some(token),
            ..DockerCredentials::default()
        })),
        Err(
            CredentialRetrievalError::NoCredentialConfigured
            | CredentialRetrievalError::ConfigNotFound,
        ) => Ok(None),
        Err(source) => Err(PushError::Login {
            registry: registry.to_owned(),
            source,
        }),
    }
}

/// The file where Docker keeps logins or names who keeps them.
fn logins() -> Option<File> {
    let folder = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".docker")));
    File::open(folder?.join("config.json")).ok()
}

fn registry(reference: &str) -> &str {
    reference
        .split_once('/')
        .map_or(reference, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> PushError {
        let error = DockerError::DockerStreamError {
            error: words.to_owned(),
        };
        PushError::from_request("registry.example:5000/lab/mlflow:1", error)
    }

    #[test]
    fn what_registries_refuse_is_told_apart() {
        let denied = said("denied: requested access to the resource is denied");
        let unknown = said("no basic auth credentials");
        let silent = said(
            "Get \"http://127.0.0.1:9/v2/\": dial tcp 127.0.0.1:9: connect: connection refused",
        );
        let plain = said("http: server gave HTTP response to HTTPS client");

        assert!(matches!(denied, PushError::Denied { .. }), "{denied:?}");
        assert!(
            matches!(unknown, PushError::Denied { registry, .. } if registry == "registry.example:5000")
        );
        assert!(matches!(silent, PushError::NoAnswer { .. }), "{silent:?}");
        assert!(matches!(plain, PushError::Untrusted { .. }), "{plain:?}");
    }

    #[test]
    fn layers_are_counted() {
        let mut progress = PushProgress::default();
        for status in ["Preparing", "Preparing", "Layer already exists", "Pushed"] {
            progress.take(PushImageInfo {
                status: Some(status.to_owned()),
                ..PushImageInfo::default()
            });
        }
        assert_eq!((progress.layers_done, progress.layers), (2, 2));
    }
}

//! Contexts of kubeconfig files, found where kubectl finds them, and one of them taken
//! out: only what it needs, and right wherever it is kept.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use kube::config::{Kubeconfig, KubeconfigError, NamedContext};
use miette::Diagnostic;
use thiserror::Error;

/// A context that cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum ContextError {
    /// There is no kubeconfig.
    #[error("there is no kubeconfig `{files}`")]
    #[diagnostic(
        code(lab::context::no_file),
        help("name one with `--kubeconfig FILE` or in KUBECONFIG; who runs the cluster gives it")
    )]
    NoFile {
        /// Where it was looked for.
        files: String,
    },
    /// A kubeconfig cannot be read.
    #[error("failed to read the kubeconfig `{}`", file.display())]
    #[diagnostic(
        code(lab::context::read),
        help("`kubectl config view --kubeconfig {}` reads the same file", file.display())
    )]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: Box<KubeconfigError>,
    },
    /// No context has that name.
    #[error("there is no context `{name}` in `{files}`")]
    #[diagnostic(code(lab::context::unknown), help("contexts there: {known}"))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        files: String,
        /// What there is.
        known: String,
    },
    /// No context was named, and none is the current one.
    #[error("`{files}` has no current context")]
    #[diagnostic(
        code(lab::context::no_current),
        help("choose one with `--context NAME`: {known}")
    )]
    NoCurrent {
        /// Where it was looked for.
        files: String,
        /// What there is.
        known: String,
    },
    /// The context leads to no server.
    #[error("context `{name}` names no server: {what}")]
    #[diagnostic(
        code(lab::context::incomplete),
        help("`kubectl config view` shows it; who runs the cluster gives a whole one")
    )]
    Incomplete {
        /// The context.
        name: String,
        /// What is missing.
        what: String,
    },
    /// The server is behind a proxy.
    #[error("context `{name}` goes through a proxy (`proxy-url`), which lab cannot")]
    #[diagnostic(
        code(lab::context::proxy),
        help("forward its API server to this machine, and name that in a kubeconfig")
    )]
    Proxy {
        /// The context.
        name: String,
    },
}

/// The contexts of one or more kubeconfig files.
#[derive(Debug)]
pub struct Contexts {
    merged: Kubeconfig,
    files: String,
}

/// One context with all it needs and nothing else.
#[derive(Clone)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The address of its API server.
    pub server: String,
    kubeconfig: Kubeconfig,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("name", &self.name)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Contexts {
    /// Reads the file that is named, or those that kubectl would read: KUBECONFIG's, as
    /// far as they are there, or `~/.kube/config`.
    ///
    /// # Errors
    /// When there is none, or one cannot be read.
    pub fn read(named: Option<&Path>) -> Result<Self, ContextError> {
        Self::read_files(&named.map_or_else(usual_files, |file| vec![file.to_owned()]))
    }

    fn read_files(files: &[PathBuf]) -> Result<Self, ContextError> {
        let shown: Vec<_> = files.iter().map(|it| it.display().to_string()).collect();
        let shown = shown.join(":");
        let there: Vec<_> = files.iter().filter(|file| file.exists()).collect();
        if there.is_empty() {
            return Err(ContextError::NoFile { files: shown });
        }
        let mut merged = Kubeconfig::default();
        for file in there {
            let failed = |source: KubeconfigError| ContextError::Read {
                file: file.clone(),
                source: source.into(),
            };
            // What a file names beside it is found from its own folder.
            let whole = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            let read = Kubeconfig::read_from(whole).map_err(failed)?;
            merged = merged.merge(read).map_err(failed)?;
        }
        Ok(Self {
            merged,
            files: shown,
        })
    }

    /// Takes out the context of that name, or the current one.
    ///
    /// # Errors
    /// When there is none, or it leads to no server that can be reached from here.
    pub fn choose(&self, name: Option<&str>) -> Result<Context, ContextError> {
        let current = self.merged.current_context.as_deref();
        let name = name.or(current.filter(|name| !name.is_empty()));
        let name = name.ok_or_else(|| ContextError::NoCurrent {
            files: self.files.clone(),
            known: self.known(),
        })?;
        let context = self.merged.contexts.iter().find(|it| it.name == name);
        let context = context.ok_or_else(|| ContextError::Unknown {
            name: name.to_owned(),
            files: self.files.clone(),
            known: self.known(),
        })?;
        self.take(context)
    }

    fn take(&self, named: &NamedContext) -> Result<Context, ContextError> {
        let name = &named.name;
        let incomplete = |what: String| ContextError::Incomplete {
            name: name.clone(),
            what,
        };
        let context = named.context.as_ref();
        let context = context.ok_or_else(|| incomplete("it is empty".to_owned()))?;
        let cluster = &context.cluster;
        let entry = self.merged.clusters.iter().find(|it| it.name == *cluster);
        let entry = entry.ok_or_else(|| incomplete(format!("there is no cluster `{cluster}`")))?;
        let found = entry.cluster.as_ref();
        if found.is_some_and(|it| it.proxy_url.as_deref().is_some_and(|url| !url.is_empty())) {
            return Err(ContextError::Proxy { name: name.clone() });
        }
        let server = found.and_then(|it| it.server.clone());
        let server = server.ok_or_else(|| incomplete(format!("`{cluster}` has no `server`")))?;
        let user = context.user.as_ref();
        let users = self.merged.auth_infos.iter();
        let users = users.filter(|it| Some(&it.name) == user);
        Ok(Context {
            name: name.clone(),
            server,
            kubeconfig: Kubeconfig {
                api_version: Some("v1".to_owned()),
                kind: Some("Config".to_owned()),
                current_context: Some(name.clone()),
                contexts: vec![named.clone()],
                clusters: vec![entry.clone()],
                auth_infos: users.cloned().collect(),
                ..Kubeconfig::default()
            },
        })
    }

    fn known(&self) -> String {
        let names: Vec<_> = self.merged.contexts.iter().map(|it| &*it.name).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }
}

impl Context {
    /// A kubeconfig of this context alone. It names files where it did before, by their
    /// whole paths, so that a certificate that is renewed there is found.
    pub fn kubeconfig(&self) -> &Kubeconfig {
        &self.kubeconfig
    }
}

/// Where kubectl looks.
fn usual_files() -> Vec<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let listed = set("KUBECONFIG").map(|list| {
        env::split_paths(&list)
            .filter(|file| !file.as_os_str().is_empty())
            .collect()
    });
    listed.unwrap_or_else(|| {
        let home = set("HOME").map(PathBuf::from).unwrap_or_default();
        vec![home.join(".kube/config")]
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;

    const TWO: &str = r"
apiVersion: v1
kind: Config
current-context: study
contexts:
- {name: study, context: {cluster: group, user: me, namespace: mine}}
- {name: company, context: {cluster: prod, user: admin}}
- {name: lost, context: {cluster: nowhere}}
- {name: behind, context: {cluster: proxied}}
clusters:
- {name: group, cluster: {server: 'https://10.0.0.1:6443', certificate-authority: ca.crt}}
- {name: prod, cluster: {server: 'https://prod.example'}}
- {name: proxied, cluster: {server: 'https://x.example', proxy-url: 'http://proxy:3128'}}
users:
- {name: me, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [token], interactiveMode: Never}}}
- {name: admin, user: {token: secret}}
";

    fn two() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, TWO).unwrap();
        (folder, file)
    }

    #[test]
    fn a_context_is_taken_out_with_nothing_else() {
        let (folder, file) = two();

        let context = Contexts::read(Some(&file)).unwrap().choose(None).unwrap();

        let at = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(context.server, "https://10.0.0.1:6443");
        let kept: Value = serde_json::to_value(context.kubeconfig()).unwrap();
        assert_eq!(kept["current-context"], "study");
        assert_eq!(
            kept["clusters"],
            json!([{"name": "group", "cluster": {
                "server": "https://10.0.0.1:6443", "certificate-authority": at("ca.crt"),
            }}])
        );
        assert_eq!(kept["users"][0]["user"]["exec"]["command"], at("./login"));
        assert!(!kept.to_string().contains("secret"), "another's token");
    }

    #[test]
    fn an_unknown_context_names_those_there_are() {
        let (_folder, file) = two();

        let error = Contexts::read(Some(&file))
            .unwrap()
            .choose(Some("studdy"))
            .unwrap_err();

        let help = error.help().unwrap().to_string();
        assert_eq!(help, "contexts there: study, company, lost, behind");
    }

    #[test]
    fn a_context_that_leads_nowhere_says_why() {
        let (_folder, file) = two();
        let contexts = Contexts::read(Some(&file)).unwrap();

        let lost = contexts.choose(Some("lost")).unwrap_err();
        let behind = contexts.choose(Some("behind")).unwrap_err();

        assert_eq!(
            lost.to_string(),
            "context `lost` names no server: there is no cluster `nowhere`"
        );
        assert!(matches!(behind, ContextError::Proxy { .. }), "{behind:?}");
    }

    #[test]
    fn files_that_are_not_there_count_only_when_none_is() {
        let (folder, file) = two();
        let absent = folder.path().join("absent");

        let merged = Contexts::read_files(&[absent.clone(), file]).unwrap();
        let none = Contexts::read_files(&[absent]).unwrap_err();

        assert_eq!(merged.choose(Some("company")).unwrap().name, "company");
        assert!(matches!(none, ContextError::NoFile { .. }), "{none:?}");
    }

    #[test]
    fn what_is_no_kubeconfig_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, "contexts: 7").unwrap();

        let error = Contexts::read(Some(&file)).unwrap_err();

        assert!(matches!(error, ContextError::Read { .. }), "{error:?}");
    }
}

//! Looks at a cluster before anything is made on it: whose it is, whether it answers, and
//! what this user may do.

use std::{path::PathBuf, time::Duration};

use lab_k8s::{
    Kube, KubeError,
    access::Permission,
    context::{Context, Contexts},
};
use lab_model::name::ClusterName;
use tokio::time::timeout;

use super::ExistingError;
use crate::{ClusterError, folder::Folder};

/// A server across the world answers a question within a second.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// The oldest Kubernetes that the charts are written for.
const OLDEST: (u32, u32) = (1, 20);

/// Which cluster is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The kubeconfig; without it those that kubectl reads.
    pub kubeconfig: Option<PathBuf>,
    /// The context; without it the current one.
    pub context: Option<String>,
    /// Whether a cluster that lab did not make is agreed to.
    pub is_agreed: bool,
}

/// A cluster that can be worked on.
#[derive(Debug)]
pub struct Examined {
    pub(super) context: Context,
    pub(super) version: String,
}

/// Finds the cluster and sees that it can be worked on. Makes nothing.
///
/// # Errors
/// When there is no such context, nobody agreed to use it, its API server does not answer
/// or is too old, or this user may not do what has to be done: each with the next step.
pub async fn examine(name: &ClusterName, wish: &Wish) -> Result<Examined, ClusterError> {
    let contexts = Contexts::read(wish.kubeconfig.as_deref()).map_err(ExistingError::from)?;
    let context = contexts.choose(wish.context.as_deref());
    let context = context.map_err(ExistingError::from)?;
    if !wish.is_agreed && !is_ours(&context)? {
        return Err(ExistingError::NotAgreed {
            name: name.to_string(),
            context: context.name,
            server: context.server,
        }
        .into());
    }
    let asking = ask(&context);
    let (version, lacking) = answered(&context.name, &context.server, asking).await?;
    let context_name = context.name.clone();
    if is_too_old(&version) {
        return Err(ExistingError::TooOld {
            context: context_name,
            version,
        }
        .into());
    }
    if !lacking.is_empty() {
        return Err(ExistingError::Forbidden {
            context: context_name,
            lacking: lacking.join(", "),
        }
        .into());
    }
    Ok(Examined { context, version })
}

/// Waits for an answer, but not for ever.
pub(super) async fn answered<T>(
    context: &str,
    server: &str,
    asking: impl Future<Output = Result<T, KubeError>>,
) -> Result<T, ExistingError> {
    let (context, server) = (context.to_owned(), server.to_owned());
    match timeout(ANSWER_WITHIN, asking).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(source)) => Err(ExistingError::NoAnswer {
            context,
            server,
            source: source.into(),
        }),
        Err(_) => Err(ExistingError::Mute {
            context,
            server,
            seconds: ANSWER_WITHIN.as_secs(),
        }),
    }
}

/// The version, and what this user may not do.
async fn ask(context: &Context) -> Result<(String, Vec<String>), KubeError> {
    let kube = Kube::from_kubeconfig(context.kubeconfig().clone()).await?;
    tokio::try_join!(kube.version(), async { kube.lacking(&needed()).await })
}

/// Whether the context is that of a cluster that lab made for this user: its name is not
/// enough, it must lead to the same server.
fn is_ours(context: &Context) -> Result<bool, ClusterError> {
    let name = context.name.strip_prefix("lab-");
    let Some(name) = name.and_then(|name| name.parse::<ClusterName>().ok()) else {
        return Ok(false);
    };
    let folder = Folder::of(&name)?;
    let lease = folder.lease();
    if lease.is_none_or(|lease| lease.existing.is_some()) {
        return Ok(false);
    }
    let kept = Contexts::read(Some(&folder.kubeconfig())).and_then(|kept| kept.choose(None));
    Ok(kept.is_ok_and(|kept| kept.server == context.server))
}

/// What making, using and removing a stack takes.
fn needed() -> Vec<Permission> {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let mut needed: Vec<Permission> = ["clusterroles", "clusterrolebindings"]
        .into_iter()
        .flat_map(|it| Permission::each(RBAC, it, &["create", "get", "list", "delete"]))
        .collect();
    let in_namespaces = [
        ("", "services"),
        ("", "secrets"),
        ("", "configmaps"),
        ("", "serviceaccounts"),
        ("", "persistentvolumeclaims"),
        ("apps", "deployments"),
        (RBAC, "roles"),
        (RBAC, "rolebindings"),
    ];
    let helm = ["create", "get", "patch", "delete"];
    needed.extend(
        in_namespaces
            .into_iter()
            .flat_map(|(group, it)| Permission::each(group, it, &helm)),
    );
    let others: [(&str, &[&str]); 7] = [
        ("namespaces", &["create", "get", "list", "watch", "delete"]),
        ("nodes", &["list"]),
        // Prometheus reads the kubelets through it, and nobody grants what he has not.
        ("nodes/proxy", &["get"]),
        ("pods", &["create", "get", "list", "watch", "delete"]),
        ("pods/log", &["get"]),
        ("pods/portforward", &["get", "create"]),
        ("events", &["list"]),
    ];
    needed.extend(
        others
            .into_iter()
            .flat_map(|(it, verbs)| Permission::each("", it, verbs)),
    );
    needed
}

/// What cannot be read is left to Helm, which looks too.
fn is_too_old(version: &str) -> bool {
    let numbers = version.trim_start_matches('v').split('.');
    let mut numbers = numbers.map_while(|it| it.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) < OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use miette::Diagnostic;

    use super::*;

    const COMPANY: &str = r"
apiVersion: v1
kind: Config
contexts: [{name: prod, context: {cluster: prod}}, {name: lab-prod, context: {cluster: prod}}]
clusters: [{name: prod, cluster: {server: 'https://127.0.0.1:1'}}]
";

    fn company(context: &str, is_agreed: bool) -> (tempfile::TempDir, Wish) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, COMPANY).unwrap();
        let wish = Wish {
            kubeconfig: Some(file),
            context: Some(context.to_owned()),
            is_agreed,
        };
        (folder, wish)
    }

    #[tokio::test]
    async fn a_cluster_that_lab_did_not_make_is_left_alone() {
        for context in ["prod", "lab-prod"] {
            let (_folder, wish) = company(context, false);

            let error = examine(&"work".parse().unwrap(), &wish).await.unwrap_err();

            let told = format!(
                "lab did not make the cluster of context `{context}` (https://127.0.0.1:1)"
            );
            assert_eq!(error.to_string(), told);
            let help = error.help().unwrap().to_string();
            assert!(help.contains("lab.cluster=work"), "{help}");
        }
    }

    #[tokio::test]
    async fn an_api_server_that_does_not_answer_is_told() {
        let (_folder, wish) = company("prod", true);

        let error = examine(&"work".parse().unwrap(), &wish).await.unwrap_err();

        assert!(
            matches!(
                error,
                ClusterError::Existing(ExistingError::NoAnswer { .. })
            ),
            "{error:?}"
        );
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for old in ["v1.9.11", "v1.19.16-eks-1234"] {
            assert!(is_too_old(old), "{old}");
        }
        for fine in [
            "v1.20.2",
            "v1.33.1+k3s1",
            "v1.31.5-gke.1023000",
            "v2.0.0",
            "",
        ] {
            assert!(!is_too_old(fine), "{fine}");
        }
    }
}

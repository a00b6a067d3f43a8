//! Whether the nodes have the images that pods of ours need.

use std::collections::BTreeMap;

use lab_k8s::{Kube, nodes::NodeImages};

use super::{ExistingError, list::existing};
use crate::{Cluster, ClusterError};

/// Sees that every node has the images, and gives those of `optional` that one lacks.
/// Nodes that tell only of their largest images are believed to have the others.
///
/// # Errors
/// When a node lacks one of `needed`: then with all that are lacking.
pub async fn require_images(
    cluster: &Cluster,
    needed: &[String],
    optional: &[String],
) -> Result<Vec<String>, ClusterError> {
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
    let nodes = kube.node_images().await?;
    let lacking = lacking(&nodes, needed);
    if lacking.is_empty() {
        let lacking = self::lacking(&nodes, optional);
        return Ok(lacking.into_keys().map(str::to_owned).collect());
    }
    let lines: Vec<_> = lacking
        .iter()
        .map(|(image, nodes)| format!("  {image} on {}", nodes.join(", ")))
        .collect();
    let local: Vec<_> = lacking
        .keys()
        .map(|image| image.strip_prefix("docker.io/").unwrap_or(image))
        .collect();
    Err(ExistingError::NoImages {
        context: existing(&cluster.name)?.context,
        lacking: lines.join("\n"),
        local: local.join(" "),
    }
    .into())
}

/// Each image that is not everywhere, with the nodes that lack it.
fn lacking<'a>(nodes: &'a [NodeImages], wanted: &'a [String]) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for image in wanted {
        let without = nodes
            .iter()
            .filter(|it| it.is_whole && !it.references.contains(image));
        for node in without {
            lacking.entry(image).or_default().push(&node.node);
        }
    }
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, images: &[&str], is_whole: bool) -> NodeImages {
        NodeImages {
            node: name.to_owned(),
            references: images.iter().map(|&it| it.to_owned()).collect(),
            is_whole,
        }
    }

    #[test]
    fn an_image_must_be_on_every_node() {
        let nodes = [
            node("one", &["a", "b"], true),
            node("two", &["a"], true),
            node("three", &["a"], false),
        ];
        let wanted = ["a".to_owned(), "b".to_owned()];

        let lacking = lacking(&nodes, &wanted);

        assert_eq!(lacking, BTreeMap::from([("b", vec!["two"])]));
    }
}

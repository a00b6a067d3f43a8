//! What the Kubernetes API means when it refuses a manifest, in plain words.

/// Says in plain words why the API refused a manifest, for a learner who sees such
/// a message for the first time. Falls back to the API's own words.
pub fn explain_rejection(message: &str) -> String {
    list_expected(message)
        .or_else(|| required_field(message))
        .unwrap_or_else(|| format!("the API refused it: {message}"))
}

/// Says in plain words why an image did not come, from what the kubelet says of the pull.
pub fn explain_pull(message: &str) -> String {
    let registry = registry(message);
    let about = |what: &str| format!("the registry `{registry}` {what}");
    if message.contains("connection refused") {
        about(
            "refuses connections: is it running, and does a firewall or a proxy let the node out?",
        )
    } else if message.contains("no such host") {
        about("has no address: is its name right, and does the node's DNS know names outside?")
    } else if message.contains("i/o timeout") || message.contains("deadline exceeded") {
        about("does not answer: is there a way to it from the node?")
    } else if message.contains("not found") {
        about("has no such image: are its name and its tag right?")
    } else {
        format!("the image did not come: {message}")
    }
}

/// The registry that was asked, as containerd names it: `Head "https://REGISTRY/v2/…"`.
fn registry(message: &str) -> &str {
    let after = message.split_once("://").map(|(_, after)| after);
    after.and_then(|it| it.split('/').next()).unwrap_or("?")
}

/// A map (or text) where the API wants a list.
///
/// Kubernetes up to 1.22 says `v1.Container: decode slice: expect [ or n, but found {`,
/// later ones `cannot unmarshal object into Go struct field PodSpec.spec.containers of
/// type []v1.Container`.
fn list_expected(message: &str) -> Option<String> {
    let field = if message.contains("decode slice: expect [ or n, but found {") {
        // `v1.PodSpec.Containers: []v1.Container: decode slice`
        let before = message.split(": []v1.").next()?;
        let name = before.rsplit(['.', ' ']).next()?;
        let mut letters = name.chars();
        let first = letters.next()?.to_lowercase();
        format!("spec.{first}{}", letters.as_str())
    } else if message.contains("cannot unmarshal object") && message.contains("of type []") {
        let after = message.split("Go struct field ").nth(1)?;
        let path = after.split(' ').next()?;
        // `PodSpec.spec.containers`: the first part is the Go type.
        path.split_once('.')?.1.to_owned()
    } else {
        return None;
    };
    Some(format!(
        "`{field}` must be a list, but the manifest has a map there: \
         begin each item with `- `, as in `- name: web`"
    ))
}

/// A field that must be there and is not.
fn required_field(message: &str) -> Option<String> {
    let before = message.split(": Required value").next()?;
    if before.len() == message.len() {
        return None;
    }
    let field = before.rsplit(' ').next()?;
    Some(format!("`{field}` is missing: the API needs a value there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST_OF_CONTAINERS: &str = "`spec.containers` must be a list, but the manifest has a map \
         there: begin each item with `- `, as in `- name: web`";

    #[test]
    fn map_for_list_as_kubernetes_1_20_says_it() {
        let message = "Pod in version \"v1\" cannot be handled as a Pod: v1.Pod.Spec: \
            v1.PodSpec.Containers: []v1.Container: decode slice: expect [ or n, but found {, \
            error found in #10 byte of ...|tainers\":{\"image\":\"|...";
        assert_eq!(explain_rejection(message), LIST_OF_CONTAINERS);
    }

    #[test]
    fn map_for_list_as_later_kubernetes_says_it() {
        let message = "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal \
            object into Go struct field PodSpec.spec.containers of type []v1.Container";
        assert_eq!(explain_rejection(message), LIST_OF_CONTAINERS);
    }

    #[test]
    fn missing_field() {
        let message = "Pod \"web\" is invalid: spec.containers[0].name: Required value";
        assert_eq!(
            explain_rejection(message),
            "`spec.containers[0].name` is missing: the API needs a value there"
        );
    }

    #[test]
    fn a_registry_that_cannot_be_reached() {
        let message = |end: &str| {
            format!(
                "rpc error: code = Unknown desc = failed to pull and unpack image \
                 \"192.0.2.10:5000/nginx:1.27\": failed to resolve reference \
                 \"192.0.2.10:5000/nginx:1.27\": failed to do request: Head \
                 \"https://192.0.2.10:5000/v2/nginx/manifests/1.27\": dial tcp {end}"
            )
        };
        let refused = message("192.0.2.10:5000: connect: connection refused");
        assert!(
            explain_pull(&refused)
                .starts_with("the registry `192.0.2.10:5000` refuses connections: ")
        );
        let unknown = message("lookup registry.example: no such host");
        assert!(
            explain_pull(&unknown).starts_with("the registry `192.0.2.10:5000` has no address")
        );
        assert_eq!(
            explain_pull("the disk is full"),
            "the image did not come: the disk is full"
        );
    }

    #[test]
    fn other_messages_are_shown_as_they_are() {
        assert_eq!(
            explain_rejection("pods \"web\" already exists"),
            "the API refused it: pods \"web\" already exists"
        );
    }
}

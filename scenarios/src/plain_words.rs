//! What the Kubernetes API means when it refuses a manifest, in plain words.

/// Says in plain words why the API refused a manifest, for a learner who sees such
/// a message for the first time. Falls back to the API's own words.
pub fn explain_rejection(message: &str) -> String {
    list_expected(message)
        .or_else(|| required_field(message))
        .unwrap_or_else(|| format!("the API refused it: {message}"))
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
    fn other_messages_are_shown_as_they_are() {
        assert_eq!(
            explain_rejection("pods \"web\" already exists"),
            "the API refused it: pods \"web\" already exists"
        );
    }
}

//! Asks a component for its version, so that reports show what really answered.

use std::{collections::BTreeMap, time::Duration};

use lab_model::stack::VersionProbe;
use tokio::time::{sleep, timeout};

/// A component that takes longer to tell its version has more urgent troubles.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How long a ready component may take to be reached: kube-proxy writes its rules
/// after the pod is Ready, not before.
const REACHED_WITHIN: Duration = Duration::from_secs(20);
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The version a component tells, as soon as it can be reached from this machine;
/// `None` where it never answers with one.
pub(crate) async fn ask(
    client: &reqwest::Client,
    probe: &VersionProbe,
    endpoints: &BTreeMap<String, String>,
) -> Option<String> {
    let base = endpoints.get(&probe.endpoint)?;
    let url = format!("{base}{}", probe.path);
    let answered = async {
        loop {
            if let Some(text) = get(client, &url).await {
                return text;
            }
            sleep(ASK_EVERY).await;
        }
    };
    let text = timeout(REACHED_WITHIN, answered).await.ok()?;
    read(&text, probe.pointer.as_deref())
}

async fn get(client: &reqwest::Client, url: &str) -> Option<String> {
    let answer = client.get(url).timeout(ANSWER_LIMIT).send().await.ok()?;
    answer.error_for_status().ok()?.text().await.ok()
}

fn read(text: &str, pointer: Option<&str>) -> Option<String> {
    let Some(pointer) = pointer else {
        return Some(text.trim().to_owned());
    };
    let answer: serde_json::Value = serde_json::from_str(text).ok()?;
    answer.pointer(pointer)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_text_and_json() {
        assert_eq!(read("2.21.3\n", None).as_deref(), Some("2.21.3"));
        let answer = r#"{"data":{"version":"2.42.0"}}"#;
        assert_eq!(
            read(answer, Some("/data/version")).as_deref(),
            Some("2.42.0")
        );
        assert_eq!(read("<html>", Some("/version")), None);
    }
}

//! Alertmanager's v2 API.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;

use super::{ClientError, Http};

/// An Alertmanager.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    http: Http,
}

/// An alert it holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// What it says to people.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// Its state.
    pub status: AlertStatus,
}

/// Whether an alert is passed on.
#[derive(Debug, Clone, Deserialize)]
pub struct AlertStatus {
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
}

impl Alertmanager {
    /// The Alertmanager at `base`.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn new(base: Url) -> Result<Self, ClientError> {
        Ok(Self {
            http: Http::new(base)?,
        })
    }

    /// The alerts of this name that fire now.
    pub async fn firing(&self, name: &str) -> Result<Vec<Alert>, ClientError> {
        let filter = format!("alertname=\"{name}\"");
        let query = [("filter", filter.as_str()), ("active", "true")];
        self.http.get("/api/v2/alerts", &query).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_alerts() {
        let alerts: Vec<Alert> =
            serde_json::from_str(include_str!("recorded/alertmanager-alerts.json")).unwrap();
        assert_eq!(alerts[0].labels["alertname"], "ModelInputDrift");
        assert_eq!(alerts[0].status.state, "active");
        assert_eq!(alerts[0].starts_at.to_string(), "2026-11-22T07:41:03.512Z");
    }
}

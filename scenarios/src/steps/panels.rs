//! Grafana's dashboards as data: every panel's query must have an answer, whether
//! Grafana itself runs or not.

use cucumber::then;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    clients::Http,
    failure::{Failure, StepResult, ensure},
    lab::Lab,
    poll::{self, Look},
    world::World,
};

use std::{path::Path, time::Duration};

/// Longest time until a query has an answer: two scrapes, and a window of a rate.
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);

/// Prometheus's query API, asked by Grafana's data source.
const THROUGH_GRAFANA: &str = "/api/datasources/proxy/uid/prometheus/api/v1/query";

/// A dashboard, as far as the queries need it.
#[derive(Debug, Deserialize)]
struct Dashboard {
    #[serde(default)]
    title: String,
    #[serde(default)]
    panels: Vec<Panel>,
}

/// A panel; rows hold panels of their own.
#[derive(Debug, Deserialize)]
struct Panel {
    #[serde(default)]
    title: String,
    #[serde(default)]
    targets: Vec<Target>,
    #[serde(default)]
    panels: Vec<Panel>,
}

#[derive(Debug, Deserialize)]
struct Target {
    #[serde(default)]
    expr: String,
}

/// Each panel's title with its queries.
pub(crate) fn queries(dashboard: &str) -> Result<Vec<(String, Vec<String>)>, Failure> {
    fn collect(panels: Vec<Panel>, found: &mut Vec<(String, Vec<String>)>) {
        for panel in panels {
            let queries: Vec<String> = panel
                .targets
                .into_iter()
                .map(|target| target.expr)
                .filter(|query| !query.is_empty())
                .collect();
            if !queries.is_empty() {
                found.push((panel.title, queries));
            }
            collect(panel.panels, found);
        }
    }
    let dashboard: Dashboard = serde_json::from_str(dashboard)?;
    let mut found = Vec::new();
    collect(dashboard.panels, &mut found);
    Ok(found)
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::from(error).context(file.display()))
}

impl Lab {
    fn panel(&self, title: &str) -> Result<Vec<String>, Failure> {
        for file in self.dashboards()? {
            for (found, queries) in queries(&read(&file)?)? {
                if found == title {
                    return Ok(queries);
                }
            }
        }
        Err(Failure::new(format!("no dashboard has a panel `{title}`")))
    }
}

#[then(expr = "Prometheus has an answer to every query of the panel {string}")]
#[then(expr = "프로메테우스는 {string} 패널의 모든 쿼리에 답한다")]
async fn answered(world: &mut World, title: String) -> StepResult {
    let lab = world.lab()?;
    for query in lab.panel(&title)? {
        // Grafana replaces this by four scrapes at least.
        let query = query.replace("$__rate_interval", "1m");
        let what = format!("an answer to `{query}`");
        let samples = poll::until(&what, ANSWER_DEADLINE, || async {
            let samples = lab.prometheus.query(&query).await?;
            let is_answer = samples.iter().any(|sample| !sample.value.is_nan());
            Ok(if is_answer {
                Look::Ready(samples)
            } else {
                Look::NotYet(format!("{} values, none a number", samples.len()))
            })
        })
        .await?;
        let values: Vec<String> = samples
            .iter()
            .map(|sample| format!("{:.4}", sample.value))
            .collect();
        lab.saw(query, values.join(", "));
    }
    Ok(())
}

#[then("Grafana shows every dashboard of the chart")]
#[then("그라파나는 차트의 대시보드를 모두 보여 준다")]
async fn grafana_shows(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let mut login = lab.kubernetes.secret("grafana-admin").await?;
    let mut take = |key: &str| login.remove(key).unwrap_or_default();
    let grafana =
        Http::new(lab.endpoint("grafana")?)?.with_login((take("username"), take("password")));
    for file in lab.dashboards()? {
        let Dashboard { title, .. } = serde_json::from_str(&read(&file)?)?;
        // Grafana answers before it has read what it is to show.
        poll::until(&format!("dashboard `{title}`"), ANSWER_DEADLINE, || async {
            let wanted = [("type", "dash-db"), ("query", title.as_str())];
            let listed: Vec<Dashboard> = grafana.get("/api/search", &wanted).await?;
            Ok(if listed.iter().any(|it| it.title == title) {
                Look::Ready(())
            } else {
                Look::NotYet(format!("Grafana lists {} others", listed.len()))
            })
        })
        .await?;
        lab.saw("GET /api/search", title);
    }
    // A dashboard without data shows nothing.
    let answer: Value = grafana.get(THROUGH_GRAFANA, &[("query", "up")]).await?;
    lab.saw(
        format!("GET {THROUGH_GRAFANA}"),
        answer["status"].to_string(),
    );
    ensure!(
        answer["status"] == "success",
        "Prometheus does not answer Grafana: {answer}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_in_rows_are_found() {
        let found = queries(
            r#"{"title": "d", "panels": [
                {"title": "row", "type": "row", "panels": [
                    {"title": "Requests", "targets": [{"expr": "up"}, {"expr": ""}]}]},
                {"title": "text", "type": "text"},
                {"title": "Queue", "targets": [{"expr": "a"}, {"expr": "b"}]}]}"#,
        )
        .unwrap();
        assert_eq!(
            found,
            [
                ("Requests".to_owned(), vec!["up".to_owned()]),
                ("Queue".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
            ]
        );
    }
}

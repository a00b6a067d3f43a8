//! What each of a node's own programs says: every line, not only its errors.

use lab_engine::{Engine, ExecSpec};
use lab_model::name::ClusterName;

use super::list::{LogWish, container_with};
use crate::ClusterError;

/// Where a node keeps one log a program.
const LOGS: &str = "/var/log/lab";
const LOG: &str = ".log";
/// Follows a file until the one who asked is gone: then its input ends.
const FOLLOW: &str = r#"tail -n "$1" -F "$2" & read -r _; kill $!"#;

/// Names of the programs that a node runs, sorted; of the server's when `node` is none.
///
/// # Errors
/// When there is no such cluster or node, or the engine breaks off.
pub async fn programs(
    engine: &Engine,
    name: &ClusterName,
    node: Option<&str>,
) -> Result<Vec<String>, ClusterError> {
    let container = container_with(engine, name, node).await?;
    let listed = engine.run(&container, ExecSpec::new(["ls", LOGS])).await?;
    let names = listed.stdout.lines();
    Ok(names
        .filter_map(|file| file.strip_suffix(LOG))
        .map(str::to_owned)
        .collect())
}

/// Hands the lines of a program's log to `show`.
///
/// # Errors
/// When there is no such cluster or node, or the engine breaks off.
pub async fn program_log(
    engine: &Engine,
    name: &ClusterName,
    program: &str,
    wish: &LogWish,
    mut show: impl FnMut(&str),
) -> Result<(), ClusterError> {
    let container = container_with(engine, name, wish.node.as_deref()).await?;
    let (tail, file) = (wish.tail.to_string(), format!("{LOGS}/{program}{LOG}"));
    let command = if wish.follow {
        ExecSpec::new(["sh", "-c", FOLLOW, "sh", &tail, &file])
            .with_stream(Box::pin(futures::stream::pending()))
    } else {
        ExecSpec::new(["tail", "-n", &tail, &file])
    };
    let mut log = engine.exec(&container, command).await?;
    while let Some(line) = log.next_line().await? {
        show(&line.text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn logs_are_looked_for_where_the_node_keeps_them() {
        assert_eq!(super::LOGS, lab_node::LOGS);
    }
}

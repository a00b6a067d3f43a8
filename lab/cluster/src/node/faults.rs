//! Faults in a cluster. Each stands in the lease before it is made, so that it is
//! undone also when its maker dies: by the next `lab` of any kind.

use lab_engine::{Engine, ExecSpec, owner};
use lab_model::{fault::Fault, name::ClusterName};

use super::names;
use crate::{ClusterError, folder::Folder, lease::Injected};

/// Drops, or drops no more, all that comes from a node and its pods.
const CUT: &str = r#"
change=$1 address=$2
for source in "$address" $(ip route show via "$address" | cut -d' ' -f1); do
  for chain in INPUT FORWARD; do
    rule="$chain -s $source -m comment --comment lab-fault -j DROP"
    if [ "$change" = -I ]; then
      iptables -w $change $rule || exit 1
    else
      while iptables -w -C $rule 2>/dev/null; do iptables -w $change $rule || exit 1; done
    fi
  done
done"#;
/// The supervisor starts only what ended: what stands still stays. Not every node has
/// both programs that find a process.
const SIGNAL: &str = r#"kill "-$1" $(pidof kube-apiserver 2>/dev/null || pgrep -x kube-apiserver)"#;

/// Does it, after the lease says so.
///
/// # Errors
/// When there is no such cluster or node, or the node refuses. The fault is then undone.
pub async fn inject(
    engine: &Engine,
    cluster: &ClusterName,
    fault: &Fault,
) -> Result<(), ClusterError> {
    let claim = Injected {
        fault: fault.clone(),
        owner: owner::this_process(),
    };
    let is_leased = Folder::of(cluster)?.change(|lease| {
        lease.faults.push(claim);
        true
    })?;
    if !is_leased {
        return Err(ClusterError::Unknown {
            name: cluster.to_string(),
        });
    }
    let made = make(engine, cluster, fault).await;
    if made.is_err() {
        // The first cause is what counts; what cannot be undone stays leased.
        let _ = heal(engine, cluster, fault).await;
    }
    made
}

/// Undoes it. A cluster or a fault that is not there is success.
///
/// # Errors
/// When the node refuses; the lease then goes on naming the fault.
pub async fn heal(
    engine: &Engine,
    cluster: &ClusterName,
    fault: &Fault,
) -> Result<(), ClusterError> {
    let folder = Folder::of(cluster)?;
    if folder.lease().is_none() {
        return Ok(());
    }
    undo(engine, cluster, fault).await?;
    folder.change(|lease| {
        lease.faults.retain(|injected| injected.fault != *fault);
        true
    })?;
    Ok(())
}

/// Undoes what this process left in a cluster, for example because it was interrupted.
///
/// # Errors
/// When a node refuses.
pub async fn heal_own(engine: &Engine, cluster: &ClusterName) -> Result<(), ClusterError> {
    let own = owner::this_process();
    for fault in faults_of(cluster, |owner| owner == own)? {
        heal(engine, cluster, &fault).await?;
    }
    Ok(())
}

/// Undoes what processes that are dead left in any cluster; tells what it was.
///
/// # Errors
/// When a node refuses.
pub async fn heal_dead(engine: &Engine) -> Result<Vec<(ClusterName, Fault)>, ClusterError> {
    let mut healed = Vec::new();
    for cluster in Folder::all()? {
        for fault in faults_of(&cluster, |owner| !owner::lives(owner))? {
            heal(engine, &cluster, &fault).await?;
            healed.push((cluster.clone(), fault));
        }
    }
    Ok(healed)
}

/// Faults by their owners, the last one first: an earlier fault may stand in the way of
/// a later one.
fn faults_of(cluster: &ClusterName, by: impl Fn(&str) -> bool) -> Result<Vec<Fault>, ClusterError> {
    let lease = Folder::of(cluster)?.lease();
    let faults = lease.map(|lease| lease.faults).unwrap_or_default();
    let chosen = faults.into_iter().rev().filter(|it| by(&it.owner));
    Ok(chosen.map(|it| it.fault).collect())
}

async fn make(engine: &Engine, cluster: &ClusterName, fault: &Fault) -> Result<(), ClusterError> {
    let container = |node: &str| names::container_of(cluster, node);
    match fault {
        Fault::ApiServerStopped => signal(engine, cluster, "STOP").await,
        Fault::NodePaused { node } => Ok(engine.pause_container(&container(node)).await?),
        Fault::NodeKilled { node } => Ok(engine.kill_container(&container(node)).await?),
        Fault::NetworkCut { node, from } => cut(engine, cluster, "-I", node, from).await,
    }
}

async fn undo(engine: &Engine, cluster: &ClusterName, fault: &Fault) -> Result<(), ClusterError> {
    let container = |node: &str| names::container_of(cluster, node);
    match fault {
        Fault::ApiServerStopped => signal(engine, cluster, "CONT").await,
        Fault::NodePaused { node } => Ok(engine.unpause_container(&container(node)).await?),
        Fault::NodeKilled { node } => Ok(engine.start_container(&container(node)).await?),
        Fault::NetworkCut { node, from } => cut(engine, cluster, "-D", node, from).await,
    }
}

async fn signal(engine: &Engine, cluster: &ClusterName, signal: &str) -> Result<(), ClusterError> {
    let doing = format!("send SIG{signal} to the API server");
    let lease = Folder::of(cluster)?.lease();
    let server = lease.map_or_else(|| names::container(cluster), |lease| lease.container);
    run(engine, &server, &doing, SIGNAL, &[signal]).await
}

async fn cut(
    engine: &Engine,
    cluster: &ClusterName,
    change: &str,
    node: &str,
    from: &str,
) -> Result<(), ClusterError> {
    let doing = format!("change what {node} hears of {from}");
    let other = engine
        .container(&names::container_of(cluster, from))
        .await?;
    let address = other.and_then(|it| it.addresses.get(&names::network(cluster)).copied());
    let address = address.ok_or_else(|| ClusterError::Fault {
        doing: doing.clone(),
        words: format!("node {from} has no address"),
    })?;
    let node = names::container_of(cluster, node);
    run(engine, &node, &doing, CUT, &[change, &address.to_string()]).await
}

async fn run(
    engine: &Engine,
    container: &str,
    doing: &str,
    script: &str,
    words: &[&str],
) -> Result<(), ClusterError> {
    let command = ["sh", "-c", script, "lab"]
        .into_iter()
        .chain(words.iter().copied());
    let output = engine
        .run(container, ExecSpec::new(command.collect::<Vec<_>>()))
        .await?;
    if output.exit_code == 0 {
        return Ok(());
    }
    Err(ClusterError::Fault {
        doing: doing.to_owned(),
        words: output.stderr.trim().to_owned(),
    })
}

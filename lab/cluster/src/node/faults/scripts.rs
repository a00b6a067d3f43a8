//! What is run inside a node to make a fault or to undo it. Undoing twice, or what was
//! never made, is success.

use lab_engine::{Engine, ExecSpec};

use crate::ClusterError;

/// Drops all that comes from a node and its pods: `FROM ADDRESS`.
pub(super) const CUT: &str = r#"
for source in "$2" $(ip route show via "$2" | cut -d' ' -f1); do
  for chain in INPUT FORWARD; do
    iptables -w -I $chain -s $source -m comment --comment lab-fault-$1 -j DROP || exit 1
  done
done"#;

/// Drops no more: `FROM`. Found by the comment, for a node that was away may have come
/// back with another address.
pub(super) const JOIN: &str = r#"
iptables -w -S | sed -n "/ lab-fault-$1 -j /s/^-A/-D/p" | while read -r rule; do
  iptables -w $rule || exit 1
done"#;

/// Refuses every connection that the node's own programs open to what is no node and no
/// pod: `NODE...`, the nodes' addresses. What pods send is forwarded and not touched.
pub(super) const CUT_REGISTRIES: &str = r#"
iptables -w -N lab-registries || exit 1
for inside in "$@" $(ip route | awk '/ via / && $1 != "default" { print $1 }'); do
  iptables -w -A lab-registries -d $inside -j RETURN || exit 1
done
iptables -w -A lab-registries -p tcp --syn -j REJECT --reject-with tcp-reset || exit 1
iptables -w -I OUTPUT -o eth0 -j lab-registries"#;

/// Refuses them no more.
pub(super) const JOIN_REGISTRIES: &str = r"
while iptables -w -D OUTPUT -o eth0 -j lab-registries 2>/dev/null; do :; done
iptables -w -n -L lab-registries >/dev/null 2>&1 || exit 0
iptables -w -F lab-registries && iptables -w -X lab-registries";

/// Puts a queue before all that the node sends: its kind and its parameters. The engine
/// calls a container's first network eth0.
pub(super) const QUEUE: &str = r#"exec tc qdisc add dev eth0 root "$@""#;

/// Takes the queue of that kind away.
pub(super) const UNQUEUE: &str = r#"
tc qdisc show dev eth0 root | grep -q "^qdisc $1 " || exit 0
exec tc qdisc del dev eth0 root"#;

/// Whether the kernel has a kind of queue; tried where nothing is sent.
pub(super) const HAS_QUEUE: &str = r#"
tc qdisc add dev lo root "$@" && tc qdisc del dev lo root"#;

/// The supervisor starts only what ended: what stands still stays. Not every node has
/// both programs that find a process.
pub(super) const SIGNAL_API_SERVER: &str =
    r#"kill "-$1" $(pidof kube-apiserver 2>/dev/null || pgrep -x kube-apiserver)"#;

/// The supervisor starts it again, with what its configuration says by then.
pub(super) const RESTART_KUBELET: &str = r"
old=$(pidof kubelet) || exit 0
kill $old";

/// Runs a script in a node.
pub(super) async fn run(
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

/// Runs a script that undoes something. What does not run has nothing left to undo: its
/// network and its processes went with it.
pub(super) async fn run_if_there(
    engine: &Engine,
    container: &str,
    doing: &str,
    script: &str,
    words: &[&str],
) -> Result<(), ClusterError> {
    let details = engine.container(container).await?;
    if !details.is_some_and(|it| it.running) {
        return Ok(());
    }
    run(engine, container, doing, script, words).await
}

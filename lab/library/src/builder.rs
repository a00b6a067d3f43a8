//! What lab a test wants.

use std::{
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::{Lab, LabError, Room, program::Program};

/// What a node takes, with room for a few pods.
const NODE_MIB: u64 = 1024;
/// What a stack takes besides.
const STACK_MIB: u64 = 2048;
/// How long a shared cluster waits for its next user.
const STAYS: Duration = Duration::from_mins(5);

/// Numbers the clusters of this process.
static CLUSTERS: AtomicU32 = AtomicU32::new(1);

/// What lab a test wants.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `start`"]
pub struct LabBuilder {
    stack: Option<String>,
    shared: Option<String>,
    stays: Duration,
    nodes: u8,
    memory_mib: Option<u64>,
    program: Option<PathBuf>,
    root: Option<PathBuf>,
}

impl LabBuilder {
    pub(crate) const fn new() -> Self {
        Self {
            stack: None,
            shared: None,
            stays: STAYS,
            nodes: 1,
            memory_mib: None,
            program: None,
            root: None,
        }
    }

    /// Installs this stack, for example `lifecycle`.
    pub fn stack(mut self, stack: impl Into<String>) -> Self {
        self.stack = Some(stack.into());
        self
    }

    /// Uses one cluster of that name together with every other test that names it, in
    /// this process and in others. Without it the test has a cluster of its own.
    pub fn shared(mut self, name: impl Into<String>) -> Self {
        self.shared = Some(name.into());
        self
    }

    /// How long a shared cluster waits for its next user; five minutes by default.
    pub const fn stays(mut self, time: Duration) -> Self {
        self.stays = time;
        self
    }

    /// How many nodes; one by default.
    pub const fn nodes(mut self, nodes: u8) -> Self {
        self.nodes = nodes;
        self
    }

    /// How much memory it takes. It waits until the labs of other tests leave that much;
    /// by default 1 GiB a node, and 2 GiB for a stack.
    pub const fn memory_mib(mut self, mib: u64) -> Self {
        self.memory_mib = Some(mib);
        self
    }

    /// The program `lab`, where it is not to be looked for.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// The checkout whose stacks are used, where the program's own is not.
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// Joins the cluster or brings it up, with the stack on it, as soon as the machine has
    /// room for it. The first time on a machine its images are built, which takes minutes.
    ///
    /// # Errors
    /// When the program is not there or cannot do it: then with what it said. When other
    /// labs keep the memory, or the machine has too little of it.
    pub async fn start(self) -> Result<Lab, LabError> {
        let program = Program {
            path: Program::find(self.program.clone())?,
            root: self.root.clone(),
        };
        let name = self.shared.clone().unwrap_or_else(|| {
            let number = CLUSTERS.fetch_add(1, Ordering::Relaxed);
            format!("test-{}-{number}", process::id())
        });
        let room = Room::claim(&name, self.memory()).await?;
        program.run(&self.up(&name)).await?;
        Lab::open(program, name, self.shared.is_none(), room).await
    }

    fn memory(&self) -> u64 {
        let stack = self.stack.as_ref().map_or(0, |_| STACK_MIB);
        self.memory_mib
            .unwrap_or(u64::from(self.nodes) * NODE_MIB + stack)
    }

    fn up(&self, name: &str) -> Vec<String> {
        let mut words = vec!["up".to_owned(), name.to_owned(), "--quiet".to_owned()];
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        option("--while", process::id().to_string());
        option("--nodes", self.nodes.to_string());
        if let Some(stack) = &self.stack {
            option("--stack", stack.clone());
        }
        if self.shared.is_some() {
            option("--ttl", format!("{}s", self.stays.as_secs()));
            words.push("--shared".to_owned());
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_cluster_stays_for_its_next_user() {
        let builder = LabBuilder::new().stack("lifecycle").shared("tests");
        let words = builder.up("tests").join(" ");
        let words = words.replace(&process::id().to_string(), "PID");
        assert_eq!(
            words,
            "up tests --quiet --while PID --nodes 1 --stack lifecycle --ttl 300s --shared"
        );
    }

    #[test]
    fn memory_grows_with_nodes_and_a_stack() {
        let lab = LabBuilder::new();
        assert_eq!(lab.memory(), 1024);
        assert_eq!(lab.clone().nodes(3).stack("lifecycle").memory(), 5120);
        assert_eq!(lab.memory_mib(300).memory(), 300);
    }

    #[test]
    fn a_cluster_of_its_own_ends_with_the_process() {
        let words = LabBuilder::new().nodes(3).up("test-1-1").join(" ");
        let words = words.replace(&process::id().to_string(), "PID");
        assert_eq!(words, "up test-1-1 --quiet --while PID --nodes 3");
    }
}

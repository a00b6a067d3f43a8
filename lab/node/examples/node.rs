//! Runs a server node: `lab node server` without the rest of `lab`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(lab_node::serve(lab_node::NodeArgs::from_env(
        lab_node::Role::Server,
    )))?;
    Ok(())
}

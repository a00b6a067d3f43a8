//! Runs a node: `lab node` without the rest of `lab`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words = std::env::args().skip(1).collect();
    tokio::runtime::Runtime::new()?.block_on(lab_node::run(words))?;
    Ok(())
}

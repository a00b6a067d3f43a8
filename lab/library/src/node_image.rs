//! The image of a node, for those who start it themselves.

use std::path::PathBuf;

use serde::Deserialize;

use crate::{LabError, program::Program};

/// The recipe of a node's image.
const RECIPE: &str = "node";

/// The image of a node and the program that is its first process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeImage {
    /// The image, `name:tag`, which is on the engine.
    pub reference: String,
    /// The program `lab`: static, to be put where the image expects it.
    pub program: PathBuf,
}

/// An image in `lab images list --json`.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    reference: String,
}

impl NodeImage {
    /// Makes the image ready. The first time on a machine it is built, which takes minutes.
    ///
    /// # Errors
    /// When the program is not there or cannot make it: then with what it said.
    pub async fn ready() -> Result<Self, LabError> {
        let program = Program {
            path: Program::find(None)?,
            root: None,
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let build: Vec<String> = words(&["images", "build", RECIPE, "--quiet"]);
        program.run(&build).await?;
        let list: Vec<String> = words(&["images", "list"]);
        let images: Vec<Listed> = program.ask(&list).await?;
        let node = images.into_iter().find(|image| image.name == RECIPE);
        let node = node.ok_or_else(|| LabError::NoNodeImage {
            program: program.path.display().to_string(),
        })?;
        Ok(Self {
            reference: node.reference,
            program: program.path,
        })
    }
}

//! Python environments: every package by hash, compiled when it is installed.

use std::sync::LazyLock;

use lab_engine::{Engine, ExecSpec};
use lab_model::progress::Step;

use crate::{
    builder::{Builder, SCRATCH},
    error::ImageError,
    fetch::{FetchError, Fetcher, without_credentials},
    progress::Task,
    recipe::{Python, Recipe},
    site::Site,
    steps::{BROUGHT, REQUIREMENTS, UV_FOLDER, shell},
};

/// The installer, in builders only; raise the version together with the hashes.
const UV_VERSION: &str = "0.13.9";
const UV_WHEELS: [(&str, &str, &str); 2] = [
    (
        "amd64",
        "uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    (
        "arm64",
        "uv-0.13.9-py3-none-manylinux_2_28_aarch64.whl",
        "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
    ),
];
static UV: LazyLock<String> = LazyLock::new(|| format!("{UV_FOLDER}/bin/uv-{UV_VERSION}"));

const INSTALL_UV: &str = r#"
wheel="$1/uv.whl" unpacked="$1/uv"
cat > "$wheel"
python3 -m zipfile -e "$wheel" "$unpacked"
mkdir -p "$(dirname "$2")"
chmod 0755 "$unpacked"/uv-*.data/scripts/uv
mv "$unpacked"/uv-*.data/scripts/uv "$2.new"
mv "$2.new" "$2"
rm -r "$wheel" "$unpacked"
"#;
const SYNC: &str = r#"
uv="$1" venv="$2" requirements="$3"
[ -x "$venv/bin/python" ] || "$uv" venv --quiet --python /usr/bin/python3 "$venv"
exec "$uv" pip sync --python "$venv/bin/python" --require-hashes --compile-bytecode "$requirements"
"#;
const MISMATCH: &str = "Hash mismatch for `";

/// What making an environment works with.
pub(crate) struct Environments<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) site: &'a Site,
    pub(crate) fetcher: &'a Fetcher,
}

impl Environments<'_> {
    /// Makes a recipe's environment inside its builder.
    pub(crate) async fn make(
        &self,
        recipe: &Recipe,
        python: &Python,
        builder: &Builder,
        task: &Task<'_>,
    ) -> Result<(), ImageError> {
        self.provide_uv(recipe, builder, task).await?;
        let requirements = format!("{SCRATCH}/{BROUGHT}/{REQUIREMENTS}");
        let arguments = [UV.clone(), python.venv.clone(), requirements];
        let command = shell(self.site, SYNC, &arguments);
        let made = builder
            .step(Step::InstallPythonPackages, command, task)
            .await;
        made.map_err(|error| explain(error, python))
    }

    async fn provide_uv(
        &self,
        recipe: &Recipe,
        builder: &Builder,
        task: &Task<'_>,
    ) -> Result<(), ImageError> {
        let present = self
            .engine
            .run(builder.name(), ExecSpec::new(["test", "-x", UV.as_str()]))
            .await
            .map_err(|source| ImageError::engine(&recipe.name, source))?;
        if present.success() {
            return Ok(());
        }
        task.now(Step::DownloadUv);
        let wheel = self.uv_wheel().await?;
        let scratch = format!("{SCRATCH}/{BROUGHT}");
        let command = shell(self.site, INSTALL_UV, &[scratch, UV.clone()]);
        let command = command.with_input(wheel);
        builder.step(Step::UnpackUv, command, task).await
    }

    async fn uv_wheel(&self) -> Result<bytes::Bytes, ImageError> {
        let architecture = self.site.debian_architecture()?;
        let page_url = format!("{}/uv/", self.site.python_index);
        let page = self.fetcher.fetch(&page_url).await?;
        let page = String::from_utf8_lossy(&page);
        let wheel = UV_WHEELS
            .iter()
            .find(|(known, _, _)| *known == architecture);
        let found = wheel.and_then(|(_, file, sha256)| Some((link_to(&page, file)?, sha256)));
        let Some((link, sha256)) = found else {
            return Err(ImageError::NotInIndex {
                package: format!("uv {UV_VERSION}"),
                index: without_credentials(&self.site.python_index),
            });
        };
        let url = reqwest::Url::parse(&page_url)
            .and_then(|page| page.join(&link))
            .map_or(link, String::from);
        let fetched: Result<_, FetchError> = self.fetcher.checked(&url, sha256).await;
        Ok(fetched?)
    }
}

/// The address an index page links a file to, without its fragment.
fn link_to(page: &str, file: &str) -> Option<String> {
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter_map(|link| link.split('#').next())
        .find(|link| link.ends_with(file))
        .map(|link| link.replace("&amp;", "&"))
}

fn explain(error: ImageError, python: &Python) -> ImageError {
    match error {
        ImageError::Step { recipe, tail, .. } if tail.contains(MISMATCH) => {
            let after = tail.split(MISMATCH).nth(1).unwrap_or_default();
            ImageError::HashMismatch {
                recipe,
                file: python.requirements.clone(),
                package: after.split('`').next().unwrap_or_default().to_owned(),
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_file_in_an_index_page() {
        let page = r#"<a href="https://files.example/ab/uv-1.whl#sha256=00">uv-1.whl</a>
<a href="../../ab/uv-2.whl#sha256=01">uv-2.whl</a>"#;

        assert_eq!(
            link_to(page, "uv-2.whl").as_deref(),
            Some("../../ab/uv-2.whl")
        );
        assert_eq!(link_to(page, "uv-3.whl"), None);
    }

    #[test]
    fn a_wrong_hash_names_recipe_file_and_package() {
        let error = ImageError::Step {
            recipe: "mlflow".to_owned(),
            step: "install Python packages".to_owned(),
            exit_code: 1,
            tail: "  x Failed to download `blinker==1.9.0`\n  ╰─▶ Hash mismatch for `blinker==1.9.0`\n\n      Expected:".to_owned(),
            folder: String::new(),
        };
        let python = Python {
            venv: "/opt/mlflow".to_owned(),
            requirements: "requirements.txt".to_owned(),
        };

        assert_eq!(
            explain(error, &python).to_string(),
            "image `mlflow`: package `blinker==1.9.0` does not have the hash that `requirements.txt` pins"
        );
    }
}

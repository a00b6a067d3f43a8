//! Builds images from recipes: `cargo run -p lab-image --example build -- NAME…`.
//! The folder is `fixtures/images`, or what `LAB_RECIPES` names.

use std::{env, path::PathBuf};

use lab_engine::Engine;
use lab_image::{Images, Settings};
use lab_model::event::{Emitter, Fact};
use tokio_util::sync::CancellationToken;

struct Plain;

impl Emitter for Plain {
    #[expect(clippy::print_stderr, reason = "an example for the terminal")]
    fn emit(&self, fact: Fact) {
        match fact {
            Fact::Progressed(progress) => eprintln!(
                "{} [{}s, about {}s left] {}",
                progress.task,
                progress.done,
                progress.remaining_seconds.unwrap_or_default(),
                progress.now
            ),
            Fact::ImageReady(ready) => eprintln!(
                "READY {} {} {:?} {} MB {:.1} s",
                ready.name,
                ready.reference,
                ready.source,
                ready.bytes / 1_000_000,
                std::time::Duration::from_millis(ready.millis).as_secs_f64()
            ),
            _ => {}
        }
    }
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "an example for the terminal")]
async fn main() -> std::process::ExitCode {
    match build().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let mut cause: Option<&dyn std::error::Error> = Some(error.as_ref());
            while let Some(error) = cause {
                eprintln!("error: {error}");
                cause = error.source();
            }
            std::process::ExitCode::FAILURE
        }
    }
}

async fn build() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::var_os("LAB_RECIPES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/images"),
        PathBuf::from,
    );
    let names: Vec<String> = env::args().skip(1).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let engine = Engine::connect().await?;
    let images = Images::open(engine, &folder, Settings::from_env())?;
    let cancel = CancellationToken::new();
    let interrupted = async {
        // Without a signal handler the build goes on to its end.
        if tokio::signal::ctrl_c().await.is_ok() {
            cancel.cancel();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        built = images.ensure(&names, &Plain, &cancel) => built.map(drop)?,
        () = interrupted => {}
    }
    Ok(())
}

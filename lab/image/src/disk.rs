//! Whether the engine's disk holds what is to be built.

use lab_engine::EngineInfo;
use rustix::fs::statvfs;

use crate::error::ImageError;

/// Fails when what is free at the engine's folder is less than `needed_mb`.
///
/// An engine on another machine cannot be asked; then nothing is checked.
pub(crate) fn check(engine: &EngineInfo, needed_mb: u64, images: &str) -> Result<(), ImageError> {
    let Ok(disk) = statvfs(engine.root_dir.as_str()) else {
        return Ok(());
    };
    let free_mb = disk.f_bavail.saturating_mul(disk.f_frsize) / 1_000_000;
    if free_mb >= needed_mb {
        return Ok(());
    }
    Err(ImageError::Disk {
        path: engine.root_dir.clone(),
        free_mb,
        needed_mb,
        images: images.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(root_dir: &str) -> EngineInfo {
        EngineInfo {
            runtimes: Vec::new(),
            version: String::new(),
            os: String::new(),
            kernel: String::new(),
            architecture: String::new(),
            cpus: 1,
            memory_bytes: 0,
            storage_driver: String::new(),
            cgroup_version: String::new(),
            root_dir: root_dir.to_owned(),
        }
    }

    #[test]
    fn names_what_does_not_fit() {
        let error = check(&engine("/"), u64::MAX, "airflow").unwrap_err();

        assert!(error.to_string().contains("to build airflow"));
    }

    #[test]
    fn leaves_an_engine_elsewhere_alone() {
        assert!(check(&engine("/nowhere/at/all"), u64::MAX, "airflow").is_ok());
    }
}

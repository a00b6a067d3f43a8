//! Whether the engine's disk holds what is to come.

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
    fits(&engine.root_dir, free_mb, needed_mb, images)
}

fn fits(path: &str, free_mb: u64, needed_mb: u64, images: &str) -> Result<(), ImageError> {
    if free_mb >= needed_mb {
        return Ok(());
    }
    Err(ImageError::Disk {
        path: path.to_owned(),
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
            cdi_folders: Vec::new(),
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
    fn a_disk_that_is_too_small_is_told_with_what_it_is_for() {
        let error = fits("/var/lib/docker", 5_999, 6_000, "kubernetes").unwrap_err();

        assert_eq!(
            error.to_string(),
            "5999 MB are free at `/var/lib/docker`, about 6000 MB are needed for kubernetes"
        );
        assert_eq!(
            miette::Diagnostic::help(&error).unwrap().to_string(),
            "free some space, for example with `lab clean` or `docker image prune`"
        );
    }

    #[test]
    fn a_disk_that_just_holds_it_is_enough() {
        assert!(fits("/var/lib/docker", 6_000, 6_000, "kubernetes").is_ok());
    }

    #[test]
    fn the_disk_looked_at_is_the_engines() {
        let error = check(&engine("/"), u64::MAX, "airflow").unwrap_err();

        assert!(matches!(error, ImageError::Disk { path, .. } if path == "/"));
    }

    #[test]
    fn leaves_an_engine_elsewhere_alone() {
        assert!(check(&engine("/nowhere/at/all"), u64::MAX, "airflow").is_ok());
    }
}

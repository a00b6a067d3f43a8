//! The driver's libraries and programs in this node. The engine mounts them one by one
//! from its host, because they must be of the very version of the kernel's module. Pods
//! get the same files in the same places.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

const MOUNTS: &str = "/proc/self/mountinfo";
/// How the files of a driver that computes begin: CUDA, NVML and their helpers, and
/// programs such as `nvidia-smi`.
const BEGINNINGS: [&str; 4] = ["libcuda", "libnvidia-", "libnvcuvid", "nvidia-"];
const FOLDER: &str = "/usr";

/// Every path under which a file of the driver is found here, with the file itself:
/// programs ask for `libcuda.so.1`, a link to the file that has the version's name.
pub(crate) fn files() -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let mut found = Vec::new();
    for file in mounted(&fs::read_to_string(MOUNTS)?) {
        let links = links_to(&file).into_iter().map(|it| (it, file.clone()));
        found.extend(links);
        found.push((file.clone(), file));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The driver's files among a process's mounts (`proc_pid_mountinfo(5)`: the fifth word).
fn mounted(mounts: &str) -> Vec<PathBuf> {
    let paths = mounts.lines().filter_map(|it| it.split_whitespace().nth(4));
    paths
        .map(Path::new)
        .filter(|path| path.starts_with(FOLDER) && is_of_driver(path))
        .map(Path::to_owned)
        .collect()
}

fn is_of_driver(path: &Path) -> bool {
    let name = path.file_name().and_then(|it| it.to_str());
    name.is_some_and(|name| BEGINNINGS.iter().any(|it| name.starts_with(it)))
}

/// Links beside a file that lead to it, also by way of each other.
fn links_to(file: &Path) -> Vec<PathBuf> {
    let (Some(folder), Ok(real)) = (file.parent(), file.canonicalize()) else {
        return Vec::new();
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_symlink() && is_of_driver(path))
        .filter(|path| path.canonicalize().is_ok_and(|it| it == real))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_driver_is_what_was_mounted_of_it() {
        let mounts = "\
            612 590 0:52 / / rw,relatime - overlay overlay rw\n\
            631 612 254:1 /usr/bin/nvidia-smi /usr/bin/nvidia-smi ro,nosuid - ext4 /dev/vda1 rw\n\
            632 612 254:1 /usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15 \
            /usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15 ro,nosuid - ext4 /dev/vda1 rw\n\
            633 612 254:1 /lib/firmware/nvidia/550.54.15/gsp_ga10x.bin \
            /lib/firmware/nvidia/550.54.15/gsp_ga10x.bin ro - ext4 /dev/vda1 rw\n\
            634 612 0:60 / /var/lib/kubelet rw - ext4 /dev/vda1 rw\n";
        assert_eq!(
            mounted(mounts),
            [
                "/usr/bin/nvidia-smi",
                "/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15"
            ]
            .map(PathBuf::from)
        );
    }

    #[test]
    fn a_library_has_every_name_that_leads_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("libcuda.so.550.54.15"), "").unwrap();
        fs::write(at("libnvidia-ml.so.550.54.15"), "").unwrap();
        symlink("libcuda.so.550.54.15", at("libcuda.so.1")).unwrap();
        symlink("libcuda.so.1", at("libcuda.so")).unwrap();
        symlink("libnvidia-ml.so.550.54.15", at("libnvidia-ml.so.1")).unwrap();

        let mut links = links_to(&at("libcuda.so.550.54.15"));
        links.sort();

        assert_eq!(links, [at("libcuda.so"), at("libcuda.so.1")]);
    }
}

//! The GPUs of this node: NVIDIA's device files in it.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

/// Where the driver tells of its GPUs, one folder each.
const TOLD: &str = "/proc/driver/nvidia/gpus";
const DEV: &str = "/dev";
/// Device files that no GPU works without, where there are any: of the driver itself, of
/// unified memory, of its tools, of displays.
const SHARED: [&str; 4] = [
    "nvidiactl",
    "nvidia-uvm",
    "nvidia-uvm-tools",
    "nvidia-modeset",
];

/// The GPUs whose device files are here, by the driver's numbers for them.
pub(crate) fn files() -> io::Result<BTreeMap<u32, PathBuf>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(DEV)? {
        let entry = entry?;
        let minor = entry.file_name().to_str().and_then(minor_of);
        if let Some(minor) = minor
            && is_device(&entry.path())
        {
            files.insert(minor, entry.path());
        }
    }
    Ok(files)
}

/// The device files that every pod with a GPU gets.
pub(crate) fn shared() -> Vec<PathBuf> {
    let files = SHARED.map(|name| Path::new(DEV).join(name));
    files.into_iter().filter(|it| is_device(it)).collect()
}

fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.file_type().is_char_device())
}

/// `nvidia0` is GPU 0; `nvidiactl` and `nvidia-uvm` are none.
fn minor_of(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("nvidia")?;
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// What the GPU of that number is called for ever: as the driver says, where it says it
/// in here.
pub(crate) fn name_of(minor: u32) -> String {
    let told = fs::read_dir(TOLD).into_iter().flatten().flatten();
    told.filter_map(|it| fs::read_to_string(it.path().join("information")).ok())
        .find_map(|information| unique_name(&information, minor))
        .unwrap_or_else(|| format!("nvidia{minor}"))
}

/// The unique name in what the driver tells of a GPU, if it is the one of that number.
fn unique_name(information: &str, minor: u32) -> Option<String> {
    let value = |key: &str| {
        let lines = information.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(name, _)| name.trim() == key);
        values.next().map(|(_, value)| value.trim())
    };
    if value("Device Minor")?.parse() != Ok(minor) {
        return None;
    }
    let name = value("GPU UUID")?;
    // Question marks stand there until the GPU has been used.
    name.strip_prefix("GPU-")
        .is_some_and(|it| !it.contains('?'))
        .then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_has_a_number_and_nothing_else() {
        assert_eq!(minor_of("nvidia0"), Some(0));
        assert_eq!(minor_of("nvidia15"), Some(15));
        for other in ["nvidia", "nvidiactl", "nvidia-uvm", "nvidia+1", "null"] {
            assert_eq!(minor_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_gpu_is_called_what_the_driver_calls_it() {
        let information = "Model: \t\t Tesla T4\nIRQ:   \t\t 45\n\
            GPU UUID: \t GPU-8d4a1f0e-5b0c-7f3a-2f59-1f0e0d9c8b7a\nVideo BIOS: \t 90.04.38.00.03\n\
            Bus Type: \t PCIe\nBus Location: \t 0000:00:1e.0\nDevice Minor: \t 1\n\
            GPU Excluded:\t No\n";
        assert_eq!(
            unique_name(information, 1).as_deref(),
            Some("GPU-8d4a1f0e-5b0c-7f3a-2f59-1f0e0d9c8b7a")
        );
        assert_eq!(unique_name(information, 0), None);
        let unused = information.replace("8d4a1f0e-5b0c-7f3a-2f59-1f0e0d9c8b7a", "????????-????");
        assert_eq!(unique_name(&unused, 1), None);
    }
}

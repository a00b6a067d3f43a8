//! What this machine has of NVIDIA. The kernel's module tells of its GPUs in `/proc`;
//! only how much memory they have is asked of `nvidia-smi` (docs/decisions/0012-gpu.md).

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tokio::process::Command;

const VERSION: &str = "proc/driver/nvidia/version";
const GPUS: &str = "proc/driver/nvidia/gpus";
const PCI_DEVICES: &str = "sys/bus/pci/devices";
const NVIDIA_VENDOR: &str = "0x10de";
/// VGA and 3D controllers.
const DISPLAY_CLASS: &str = "0x03";
/// Device files without which no program computes, besides those of the GPUs.
const SHARED: [&str; 2] = ["dev/nvidiactl", "dev/nvidia-uvm"];
/// Programs of the NVIDIA Container Toolkit; either tells that it is installed.
const TOOLKIT: [&str; 2] = ["nvidia-ctk", "nvidia-container-runtime-hook"];

/// What this machine has of NVIDIA.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// Version of the driver, where the kernel has loaded it.
    pub driver: Option<String>,
    /// Whether a card is there, with its driver or without.
    pub has_card: bool,
    /// The GPUs that the driver has.
    pub gpus: Vec<Gpu>,
    /// Device files that programs need besides, and that are not there.
    pub missing: Vec<PathBuf>,
    /// Why `nvidia-smi` tells nothing, where it was asked.
    pub trouble: Option<String>,
    /// Whether the NVIDIA Container Toolkit is installed.
    pub has_toolkit: bool,
}

/// A GPU.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// Its model, for example `Tesla T4`.
    pub name: String,
    /// Its unique name; absent until it has been used once.
    pub uuid: Option<String>,
    /// Its memory, MiB, where `nvidia-smi` tells it.
    pub memory_mib: Option<u64>,
    /// The driver's number for it.
    pub minor: u32,
    /// Its device file.
    pub file: PathBuf,
    /// Whether that is there.
    pub has_file: bool,
}

impl Host {
    /// Looks at files only, which takes no time.
    pub fn look() -> Self {
        Self {
            has_toolkit: TOOLKIT.iter().any(|it| is_installed(it)),
            ..Self::below(Path::new("/"))
        }
    }

    /// Asks `nvidia-smi`, too, which may take seconds where there is a GPU.
    pub async fn examine() -> Self {
        let mut host = Self::look();
        if host.driver.is_some() {
            match memories().await {
                Ok(memories) => host.fill_in(&memories),
                Err(trouble) => host.trouble = Some(trouble),
            }
        }
        host
    }

    /// GPUs that a program could use.
    pub fn usable(&self) -> usize {
        self.gpus.iter().filter(|it| it.has_file).count()
    }

    fn below(root: &Path) -> Self {
        let version = fs::read_to_string(root.join(VERSION)).ok();
        let driver = version.map(|it| version_of(&it).unwrap_or_else(|| "unknown".to_owned()));
        let told = fs::read_dir(root.join(GPUS)).into_iter().flatten();
        let told = told
            .flatten()
            .filter_map(|it| fs::read_to_string(it.path().join("information")).ok());
        let mut gpus: Vec<_> = told.filter_map(|it| gpu(root, &it)).collect();
        gpus.sort_by_key(|it| it.minor);
        let missing = SHARED.map(|it| Path::new("/").join(it)).into_iter();
        Self {
            missing: missing
                .filter(|_| driver.is_some())
                .filter(|it| !below(root, it).exists())
                .collect(),
            has_card: driver.is_some() || has_card(&root.join(PCI_DEVICES)),
            driver,
            gpus,
            ..Self::default()
        }
    }

    fn fill_in(&mut self, memories: &BTreeMap<String, u64>) {
        for gpu in &mut self.gpus {
            let uuid = gpu.uuid.as_ref();
            gpu.memory_mib = uuid.and_then(|it| memories.get(it)).copied();
        }
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The version in a line like `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15
/// Tue Mar  5 22:23:56 UTC 2024`: the first word that is only digits and points.
fn version_of(text: &str) -> Option<String> {
    let mut words = text.lines().next()?.split_whitespace();
    let is_version = |word: &str| {
        let mut parts = word.split('.');
        word.contains('.')
            && parts.all(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
    };
    words.find(|it| is_version(it)).map(str::to_owned)
}

/// A GPU, from the lines that the driver tells of it.
fn gpu(root: &Path, information: &str) -> Option<Gpu> {
    let lines = information.lines().filter_map(|line| line.split_once(':'));
    let told: BTreeMap<_, _> = lines
        .map(|(key, value)| (key.trim(), value.trim()))
        .collect();
    let minor: u32 = told.get("Device Minor")?.parse().ok()?;
    let file = PathBuf::from(format!("/dev/nvidia{minor}"));
    // Question marks stand there until the GPU has been used.
    let uuid = told.get("GPU UUID").filter(|it| !it.contains('?'));
    Some(Gpu {
        name: told.get("Model").unwrap_or(&"GPU").to_string(),
        uuid: uuid.map(ToString::to_string),
        memory_mib: None,
        minor,
        has_file: below(root, &file).exists(),
        file,
    })
}

fn has_card(pci_devices: &Path) -> bool {
    let devices = fs::read_dir(pci_devices).into_iter().flatten().flatten();
    devices.map(|entry| entry.path()).any(|device| {
        let starts = |file: &str, with: &str| {
            fs::read_to_string(device.join(file)).is_ok_and(|text| text.starts_with(with))
        };
        starts("vendor", NVIDIA_VENDOR) && starts("class", DISPLAY_CLASS)
    })
}

fn is_installed(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|it| it.join(program).is_file())
}

/// Memory of each GPU by its unique name, MiB; or why it is not told.
async fn memories() -> Result<BTreeMap<String, u64>, String> {
    let asked = Command::new("nvidia-smi")
        .args([
            "--query-gpu=uuid,memory.total",
            "--format=csv,noheader,nounits",
        ])
        .output()
        .await;
    match asked {
        Ok(output) if output.status.success() => {
            Ok(memories_in(&String::from_utf8_lossy(&output.stdout)))
        }
        Ok(output) => Err(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("nvidia-smi is not installed".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn memories_in(lines: &str) -> BTreeMap<String, u64> {
    let pairs = lines.lines().filter_map(|line| line.split_once(','));
    pairs
        .filter_map(|(uuid, mib)| Some((uuid.trim().to_owned(), mib.trim().parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "GPU-8d4a1f0e-5b0c-7f3a-2f59-1f0e0d9c8b7a";

    /// A machine with these files.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn information(minor: u32, uuid: &str) -> String {
        format!(
            "Model: \t\t Tesla T4\nIRQ:   \t\t 45\nGPU UUID: \t {uuid}\n\
             Bus Location: \t 0000:00:1e.0\nDevice Minor: \t {minor}\nGPU Excluded:\t No\n"
        )
    }

    #[test]
    fn a_machine_without_nvidia_has_nothing() {
        let root = machine(&[]);
        assert_eq!(Host::below(root.path()), Host::default());
    }

    #[test]
    fn the_driver_tells_its_version_and_its_gpus() {
        let version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  \
            Tue Mar  5 22:23:56 UTC 2024\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n";
        let root = machine(&[
            (VERSION, version),
            (
                "proc/driver/nvidia/gpus/0000:00:1f.0/information",
                &information(1, "GPU-????????"),
            ),
            (
                "proc/driver/nvidia/gpus/0000:00:1e.0/information",
                &information(0, UUID),
            ),
            ("dev/nvidia0", ""),
            ("dev/nvidiactl", ""),
        ]);

        let mut host = Host::below(root.path());
        host.fill_in(&memories_in(&format!("{UUID}, 15360\nGPU-x, [N/A]\n")));

        assert_eq!(host.driver.as_deref(), Some("550.54.15"));
        assert_eq!(host.missing, [PathBuf::from("/dev/nvidia-uvm")]);
        assert!(host.has_card);
        assert_eq!(host.usable(), 1);
        let [first, second] = host.gpus.as_slice() else {
            panic!("two GPUs, not {:?}", host.gpus)
        };
        assert_eq!(
            (first.uuid.as_deref(), first.memory_mib),
            (Some(UUID), Some(15360))
        );
        assert_eq!((second.uuid.as_deref(), second.has_file), (None, false));
        assert_eq!(second.file, Path::new("/dev/nvidia1"));
    }

    #[test]
    fn the_open_module_tells_its_version_elsewhere_in_the_line() {
        let line = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  \
            Release Build  (dvs-builder@U16)";
        assert_eq!(version_of(line).as_deref(), Some("560.35.03"));
        assert_eq!(version_of("NVRM version: none"), None);
    }

    #[test]
    fn a_card_shows_without_its_driver() {
        let card = |class: &'static str| {
            machine(&[
                ("sys/bus/pci/devices/0000:00:1e.0/vendor", "0x10de\n"),
                ("sys/bus/pci/devices/0000:00:1e.0/class", class),
            ])
        };
        let has_card = |class| Host::below(card(class).path()).has_card;
        assert!(has_card("0x030200\n"));
        assert!(!has_card("0x040300\n"), "its sound is no GPU");
    }
}

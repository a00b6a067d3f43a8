//! NVIDIA GPUs: the driver, its devices, and whether containers can have them.
//!
//! Asked of `nvidia-smi`, which is NVML's own front end and comes with the driver: a
//! static program cannot load NVML's library (docs/decisions/0001-one-static-binary.md).

use std::{fs, io, path::Path};

use tokio::process::Command;

use super::Finding;

const CHECK: &str = "gpu";
const DRIVER: &str = "/proc/driver/nvidia/version";
const CDI: [&str; 2] = ["/etc/cdi/nvidia.yaml", "/var/run/cdi/nvidia.yaml"];
const PCI_DEVICES: &str = "/sys/bus/pci/devices";
const NVIDIA_VENDOR: &str = "0x10de";
/// VGA and 3D controllers.
const DISPLAY_CLASS: &str = "0x03";
const TOOLKIT: &str = "install the NVIDIA Container Toolkit, run \
    `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`, restart Docker";

/// What was found of GPUs.
#[derive(Debug, Default)]
struct Seen {
    /// `nvidia-smi`'s lines: name, driver version, memory in MiB.
    devices: Vec<String>,
    /// Why `nvidia-smi` told nothing.
    trouble: Option<String>,
    driver_loaded: bool,
    card_present: bool,
    for_containers: bool,
}

pub(super) async fn finding(runtimes: &[String]) -> Finding {
    let asked = Command::new("nvidia-smi")
        .args([
            "--query-gpu=name,driver_version,memory.total",
            "--format=csv,noheader",
        ])
        .output()
        .await;
    let (devices, trouble) = match asked {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            (text.lines().map(str::to_owned).collect(), None)
        }
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            (Vec::new(), Some(text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (Vec::new(), Some("nvidia-smi is not installed".to_owned()))
        }
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    judge(&Seen {
        devices,
        trouble,
        driver_loaded: Path::new(DRIVER).exists(),
        card_present: card_present(),
        for_containers: runtimes.iter().any(|it| it == "nvidia")
            || CDI.iter().any(|it| Path::new(it).exists()),
    })
}

fn judge(seen: &Seen) -> Finding {
    if !seen.devices.is_empty() {
        let found = seen.devices.join("; ");
        return if seen.for_containers {
            Finding::good(CHECK, found)
        } else {
            let found = format!("{found}; containers cannot have it");
            Finding::limited(CHECK, found, TOOLKIT)
        };
    }
    let trouble = seen.trouble.clone().unwrap_or_default();
    if seen.driver_loaded {
        return Finding::limited(
            CHECK,
            format!("the NVIDIA driver is loaded, but no device answers: {trouble}"),
            "see `nvidia-smi` and `dmesg`; a driver that was updated needs a restart of the machine",
        );
    }
    if seen.card_present {
        return Finding::limited(
            CHECK,
            "an NVIDIA card is there, its driver is not",
            "install the driver (Debian: `apt install nvidia-driver`), then the NVIDIA Container Toolkit",
        );
    }
    Finding::good(CHECK, "none: scenarios tagged @gpu will not run")
}

fn card_present() -> bool {
    let devices = fs::read_dir(PCI_DEVICES).into_iter().flatten().flatten();
    devices.map(|entry| entry.path()).any(|device| {
        let starts = |file: &str, with: &str| {
            fs::read_to_string(device.join(file)).is_ok_and(|text| text.starts_with(with))
        };
        starts("vendor", NVIDIA_VENDOR) && starts("class", DISPLAY_CLASS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_on_the_way_to_a_gpu_is_told() {
        let card = Seen {
            card_present: true,
            trouble: Some("nvidia-smi is not installed".to_owned()),
            ..Seen::default()
        };
        let broken = Seen {
            driver_loaded: true,
            trouble: Some("Driver/library version mismatch".to_owned()),
            ..Seen::default()
        };
        let host_only = Seen {
            devices: vec!["NVIDIA T4, 550.54.15, 15360 MiB".to_owned()],
            driver_loaded: true,
            ..Seen::default()
        };
        let told: Vec<_> = [Seen::default(), card, broken, host_only]
            .iter()
            .map(|seen| judge(seen).found)
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        none: scenarios tagged @gpu will not run
        an NVIDIA card is there, its driver is not
        the NVIDIA driver is loaded, but no device answers: Driver/library version mismatch
        NVIDIA T4, 550.54.15, 15360 MiB; containers cannot have it
        ");
    }

    #[test]
    fn a_gpu_is_never_a_reason_to_refuse() {
        assert!(judge(&Seen::default()).ok);
    }
}

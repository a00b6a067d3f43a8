//! NVIDIA GPUs: the driver, its devices, and whether containers can have them.

use lab_cluster::gpu::{Gpu, Host, Way};
use lab_engine::EngineInfo;
use lab_model::said::Said;

use super::Finding;

const DRIVER: &str = "gpu driver";
const DEVICE: &str = "gpu";
const CONTAINERS: &str = "gpu containers";
const TOOLKIT: &str =
    "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html";
const CONFIGURE: &str = "`nvidia-ctk runtime configure --runtime=docker`";
const RESTART: &str = "`systemctl restart docker`";
const DESCRIBE: &str = "`nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`";

pub(super) async fn findings(engine: &EngineInfo) -> Vec<Finding> {
    let host = Host::examine().await;
    judge(&host, Way::of(engine), !engine.cdi_folders.is_empty())
}

fn judge(host: &Host, way: Option<Way>, knows_cdi: bool) -> Vec<Finding> {
    if host.driver.is_none() && !host.has_card {
        return vec![Finding::good(
            DEVICE,
            Said::both(
                "none: scenarios tagged @gpu will not run",
                "없음: @gpu 시나리오는 실행하지 않습니다",
            ),
        )];
    }
    let mut findings = vec![driver(host)];
    findings.extend(host.gpus.iter().map(device));
    if !host.gpus.is_empty() {
        findings.push(containers(host, way, knows_cdi));
    }
    findings
}

fn driver(host: &Host) -> Finding {
    let Some(version) = &host.driver else {
        return Finding::limited(
            DRIVER,
            Said::both(
                "an NVIDIA card is there, its driver is not",
                "NVIDIA 카드는 있지만 드라이버가 없음",
            ),
            Said::both(
                "install the driver (Debian: `apt install nvidia-driver`), then the NVIDIA \
                 Container Toolkit",
                "드라이버를 설치하고(데비안: `apt install nvidia-driver`) NVIDIA Container Toolkit을 \
                 설치하십시오",
            ),
        );
    };
    if host.gpus.is_empty() {
        return Finding::limited(
            DRIVER,
            Said::both(
                format!("{version} is loaded, but has no GPU"),
                format!("{version}가 올라와 있지만 GPU가 없음"),
            ),
            Said::both(
                "see `dmesg`: it tells why the driver refuses the card",
                "`dmesg`에 드라이버가 카드를 거부한 까닭이 있습니다",
            ),
        );
    }
    match &host.trouble {
        Some(trouble) => Finding::limited(
            DRIVER,
            Said::both(
                format!("{version} is loaded, but its programs do not answer: {trouble}"),
                format!("{version}가 올라와 있지만 그 프로그램이 응답하지 않음: {trouble}"),
            ),
            Said::both(
                "install the driver's programs (Debian: `apt install nvidia-smi`); a driver that \
                 was updated needs a restart of the machine",
                "드라이버의 프로그램을 설치하십시오(데비안: `apt install nvidia-smi`). 드라이버를 \
                 올렸다면 머신을 다시 시작해야 합니다",
            ),
        ),
        None => Finding::good(DRIVER, version.as_str()),
    }
}

fn device(gpu: &Gpu) -> Finding {
    let file = gpu.file.display();
    let memory = gpu.memory_mib.map(|mib| format!(", {mib} MiB"));
    let uuid = gpu.uuid.as_ref().map(|it| format!(", {it}"));
    let found = format!(
        "{}{}{}, {file}",
        gpu.name,
        memory.unwrap_or_default(),
        uuid.unwrap_or_default()
    );
    let finding = if gpu.has_file {
        Finding::good(DEVICE, found)
    } else {
        Finding::limited(
            DEVICE,
            Said::both(format!("{found} is not there"), format!("{found} 없음")),
            Said::both(
                format!("`nvidia-modprobe -c {}` as root makes it", gpu.minor),
                format!(
                    "root로 `nvidia-modprobe -c {}`를 실행하면 생깁니다",
                    gpu.minor
                ),
            ),
        )
    };
    Finding {
        gpu: Some(gpu.clone()),
        ..finding
    }
}

fn install_toolkit() -> Said {
    Said::both(
        format!("install the NVIDIA Container Toolkit ({TOOLKIT}), then {CONFIGURE} and {RESTART}"),
        format!(
            "NVIDIA Container Toolkit을 설치하고({TOOLKIT}) {CONFIGURE}와 {RESTART}를 실행하십시오"
        ),
    )
}

fn tell_engine() -> Said {
    Said::both(
        format!("{CONFIGURE} and {RESTART}; or, with Docker 25 or later, {DESCRIBE}"),
        format!("{CONFIGURE}와 {RESTART}. Docker 25부터는 {DESCRIBE}도 됩니다"),
    )
}

fn containers(host: &Host, way: Option<Way>, knows_cdi: bool) -> Finding {
    let missing: Vec<_> = host
        .missing
        .iter()
        .map(|it| it.display().to_string())
        .collect();
    if !missing.is_empty() {
        return Finding::limited(
            CONTAINERS,
            Said::both(
                format!(
                    "{} not there: CUDA finds no GPU without",
                    missing.join(", ")
                ),
                format!(
                    "{} 없음: 없으면 CUDA가 GPU를 찾지 못합니다",
                    missing.join(", ")
                ),
            ),
            Said::both(
                "`nvidia-modprobe -u -c 0` as root makes them",
                "root로 `nvidia-modprobe -u -c 0`를 실행하면 생깁니다",
            ),
        );
    }
    match way {
        Some(Way::Hook) => Finding::good(
            CONTAINERS,
            Said::both(
                "by the engine's runtime `nvidia`",
                "엔진의 `nvidia` 런타임으로",
            ),
        ),
        Some(Way::Cdi) => Finding::good(
            CONTAINERS,
            Said::both(
                "by the Container Device Interface",
                "Container Device Interface로",
            ),
        ),
        None if !host.has_toolkit => Finding::limited(
            CONTAINERS,
            Said::both(
                "they cannot have it: the NVIDIA Container Toolkit is not installed",
                "쓸 수 없음: NVIDIA Container Toolkit이 설치되지 않음",
            ),
            install_toolkit(),
        ),
        None if knows_cdi => Finding::limited(
            CONTAINERS,
            Said::both(
                "they cannot have it: the engine has no runtime `nvidia`, and no description of GPUs",
                "쓸 수 없음: 엔진에 `nvidia` 런타임도 GPU 설명(CDI)도 없음",
            ),
            DESCRIBE,
        ),
        None => Finding::limited(
            CONTAINERS,
            Said::both(
                "they cannot have it: the engine does not know the NVIDIA Container Toolkit",
                "쓸 수 없음: 엔진이 NVIDIA Container Toolkit을 모름",
            ),
            tell_engine(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn gpu() -> Gpu {
        Gpu {
            name: "Tesla T4".to_owned(),
            uuid: Some("GPU-8d4a1f0e".to_owned()),
            memory_mib: Some(15360),
            minor: 0,
            file: PathBuf::from("/dev/nvidia0"),
            has_file: true,
        }
    }

    fn host() -> Host {
        Host {
            driver: Some("550.54.15".to_owned()),
            has_card: true,
            gpus: vec![gpu()],
            has_toolkit: true,
            ..Host::default()
        }
    }

    fn told(host: &Host, way: Option<Way>, knows_cdi: bool) -> String {
        let findings = judge(host, way, knows_cdi);
        assert!(
            findings.iter().all(|it| it.ok),
            "a GPU is never a reason to refuse"
        );
        let lines = findings.iter().map(|it| match &it.fix {
            None => format!("{}: {}", it.check, it.found),
            Some(fix) => format!("{}! {} -> {fix}", it.check, it.found),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_there_is_told() {
        insta::assert_snapshot!(told(&Host::default(), None, false), @"gpu: none: scenarios tagged @gpu will not run");
        insta::assert_snapshot!(told(&host(), Some(Way::Hook), false), @r"
        gpu driver: 550.54.15
        gpu: Tesla T4, 15360 MiB, GPU-8d4a1f0e, /dev/nvidia0
        gpu containers: by the engine's runtime `nvidia`
        ");
        let told = serde_json::to_value(&judge(&host(), Some(Way::Cdi), true)[1]).unwrap();
        insta::assert_json_snapshot!(told, @r#"
        {
          "check": "gpu",
          "ok": true,
          "found": "Tesla T4, 15360 MiB, GPU-8d4a1f0e, /dev/nvidia0",
          "fix": null,
          "gpu": {
            "name": "Tesla T4",
            "uuid": "GPU-8d4a1f0e",
            "memory_mib": 15360,
            "minor": 0,
            "file": "/dev/nvidia0",
            "has_file": true
          }
        }
        "#);
    }

    #[test]
    fn what_is_missing_of_the_driver_is_told() {
        let card = Host {
            has_card: true,
            ..Host::default()
        };
        let refused = Host {
            gpus: Vec::new(),
            ..host()
        };
        let updated = Host {
            trouble: Some("Driver/library version mismatch".to_owned()),
            ..host()
        };
        let without_files = Host {
            gpus: vec![Gpu {
                has_file: false,
                memory_mib: None,
                uuid: None,
                ..gpu()
            }],
            missing: vec![PathBuf::from("/dev/nvidia-uvm")],
            ..host()
        };
        let all =
            [card, refused, updated, without_files].map(|it| told(&it, Some(Way::Hook), false));
        insta::assert_snapshot!(all.join("\n\n"), @r"
        gpu driver! an NVIDIA card is there, its driver is not -> install the driver (Debian: `apt install nvidia-driver`), then the NVIDIA Container Toolkit

        gpu driver! 550.54.15 is loaded, but has no GPU -> see `dmesg`: it tells why the driver refuses the card

        gpu driver! 550.54.15 is loaded, but its programs do not answer: Driver/library version mismatch -> install the driver's programs (Debian: `apt install nvidia-smi`); a driver that was updated needs a restart of the machine
        gpu: Tesla T4, 15360 MiB, GPU-8d4a1f0e, /dev/nvidia0
        gpu containers: by the engine's runtime `nvidia`

        gpu driver: 550.54.15
        gpu! Tesla T4, /dev/nvidia0 is not there -> `nvidia-modprobe -c 0` as root makes it
        gpu containers! /dev/nvidia-uvm not there: CUDA finds no GPU without -> `nvidia-modprobe -u -c 0` as root makes them
        ");
    }

    #[test]
    fn what_is_missing_for_containers_is_told() {
        let bare = Host {
            has_toolkit: false,
            ..host()
        };
        let last = |told: String| told.lines().last().unwrap_or_default().to_owned();
        let all = [
            told(&bare, None, false),
            told(&host(), None, false),
            told(&host(), None, true),
        ]
        .map(last);
        insta::assert_snapshot!(all.join("\n"), @r"
        gpu containers! they cannot have it: the NVIDIA Container Toolkit is not installed -> install the NVIDIA Container Toolkit (https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html), then `nvidia-ctk runtime configure --runtime=docker` and `systemctl restart docker`
        gpu containers! they cannot have it: the engine does not know the NVIDIA Container Toolkit -> `nvidia-ctk runtime configure --runtime=docker` and `systemctl restart docker`; or, with Docker 25 or later, `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`
        gpu containers! they cannot have it: the engine has no runtime `nvidia`, and no description of GPUs -> `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`
        ");
    }
}

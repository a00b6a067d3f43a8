//! Commands that look further into a failure.

use lab_model::stage::Stage;

use crate::{
    lang::words,
    lessons::{Deed, Names},
    report::{Failure, Place, Report},
};

/// What to do next about a failure, most telling first.
pub(crate) fn further(report: &Report, failure: &Failure) -> Vec<Deed> {
    let names = Names::of(report);
    let cluster = &names.cluster;
    let mut deeds = match &failure.place {
        Place::Stage(Stage::Preflight) => return vec![doctor()],
        Place::Stage(Stage::Teardown) => vec![Deed {
            why: words("what is left, and remove it", "남은 것을 보고 지우기"),
            command: "lab clean --check || lab clean".to_owned(),
        }],
        Place::Stage(Stage::Provision | Stage::Load) => of_the_cluster(cluster),
        Place::Stage(_) => Vec::new(),
        Place::Component(title) => of_component(&names, title),
        Place::Scenario { scenario, .. } => {
            let feature = scenario.file.rsplit('/').next().unwrap_or_default();
            let feature = Names::plain(feature.trim_end_matches(".feature"), "train");
            vec![Deed {
                why: words(
                    "on a cluster that is kept: only this feature, with every step",
                    "남겨 둔 클러스터에서 이 기능만, 모든 단계를 보며",
                ),
                command: format!("lab test {cluster} --feature {feature} -v"),
            }]
        }
    };
    deeds.insert(
        0,
        Deed {
            why: words(
                "run again, and keep the cluster when it fails",
                "다시 실행하고, 실패하면 클러스터를 남기기",
            ),
            command: format!("lab run {} --keep-on-failure", names.stack),
        },
    );
    deeds.push(Deed {
        why: words(
            "what Kubernetes saw, in order of time",
            "쿠버네티스가 본 것, 시간 순서로",
        ),
        command: names.kubectl("get events --sort-by=.lastTimestamp"),
    });
    deeds.push(doctor());
    deeds
}

fn doctor() -> Deed {
    Deed {
        why: words("whether the machine is at fault", "컴퓨터의 문제인지"),
        command: "lab doctor".to_owned(),
    }
}

fn of_the_cluster(cluster: &str) -> Vec<Deed> {
    vec![Deed {
        why: words("what the node's kubelet says", "노드의 kubelet이 하는 말"),
        command: format!("lab logs {cluster} --component kubelet --tail 100"),
    }]
}

fn of_component(names: &Names, title: &str) -> Vec<Deed> {
    let Some((name, workload)) = names.component(title) else {
        return Vec::new();
    };
    vec![
        Deed {
            why: words("what it says", "구성 요소가 하는 말"),
            command: format!("lab logs {} --component {name} --tail 100", names.cluster),
        },
        Deed {
            why: words("why its pod is not ready", "파드가 왜 준비되지 않았는지"),
            command: names.kubectl(&format!("describe {workload}")),
        },
        Deed {
            why: words(
                "what the container said before it died",
                "컨테이너가 죽기 전에 한 말",
            ),
            command: names.kubectl(&format!("logs {workload} --all-containers --previous")),
        },
    ]
}

//! The cluster.

use super::{Deed, Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Bring up a cluster", "클러스터 만들기"),
    purpose: words(
        "A real Kubernetes: control plane, kubelet, containerd, network and DNS, in containers of \
         Docker. The stage ends when every node is Ready and a name can be resolved, not when a \
         program has returned.",
        "컨트롤 플레인, kubelet, containerd, 네트워크, DNS를 갖춘 진짜 쿠버네티스를 도커 컨테이너 \
         안에 띄웁니다. 프로그램이 끝났을 때가 아니라 모든 노드가 Ready이고 이름이 풀릴 때 이 단계가 \
         끝납니다.",
    ),
    tutorials: words(
        "MLOps for ALL offers k3s, minikube or kubeadm on a machine of its own, all at 1.21.7; \
         mlops-lifecycle takes whatever k3s is newest that day. Both change the host: systemd \
         units, swap, files under `/etc`.",
        "모두의 MLOps는 전용 컴퓨터에 k3s, minikube, kubeadm 중 하나를 1.21.7로 설치하고, \
         mlops-lifecycle은 그날의 최신 k3s를 씁니다. 둘 다 systemd, 스왑, `/etc` 아래 파일 등 호스트를 \
         바꿉니다.",
    ),
    by_hand: deeds,
    wrong: &[
        wrong(
            "MFA-S4",
            words(
                "takes kubeadm from apt.kubernetes.io, which was switched off in March 2024.",
                "kubeadm을 2024년 3월에 닫힌 apt.kubernetes.io에서 받습니다.",
            ),
        ),
        wrong(
            "MFA-S2",
            words(
                "starts k3s with `--docker`, which needs dockershim; Kubernetes dropped it in 1.24.",
                "1.24에서 없어진 dockershim이 필요한 `--docker`로 k3s를 시작합니다.",
            ),
        ),
        wrong(
            "ML-1",
            words(
                "pins no version of k3s, kubectl or Helm: two people get two clusters.",
                "k3s, kubectl, Helm의 버전을 고정하지 않아 사람마다 다른 클러스터가 됩니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "A node is Ready. Can pods reach each other by name now?",
                "노드가 Ready면 파드끼리 이름으로 통신할 수 있을까요?",
            ),
            words(
                "Not yet: Ready is said by the kubelet about itself. DNS runs in pods of its own and \
                 comes later, so it is asked separately.",
                "아직 모릅니다. Ready는 kubelet이 자신에 대해 하는 말입니다. DNS는 별도로 돌며 더 늦게 \
                 뜨므로 따로 확인해야 합니다.",
            ),
        ),
        question(
            words(
                "Why does the lab publish ports on 127.0.0.1 only?",
                "왜 포트를 127.0.0.1에만 열까요?",
            ),
            words(
                "A throwaway cluster has weak guards and real services. On loopback only this machine \
                 reaches them.",
                "잠깐 쓰는 클러스터는 보호가 약하지만 서비스는 진짜입니다. 루프백에만 열면 이 컴퓨터에서만 \
                 접속할 수 있습니다.",
            ),
        ),
        question(
            words(
                "What is lost when the node's container is removed?",
                "노드 컨테이너를 지우면 무엇이 사라질까요?",
            ),
            words(
                "Everything of the cluster: etcd's data, images, volumes. That is wanted here; on a \
                 cluster that stays, volumes need a home outside the node.",
                "etcd 데이터, 이미지, 볼륨 등 클러스터의 모든 것입니다. 여기서는 그것이 목적이지만, 계속 \
                 쓰는 클러스터라면 볼륨을 노드 밖에 두어야 합니다.",
            ),
        ),
    ],
};

fn deeds(names: &Names) -> Vec<Deed> {
    let Names {
        cluster,
        provider,
        stack,
        ..
    } = names;
    let mut deeds = vec![
        deed(
            words(
                "a cluster of the same name, kept, with the stack on it",
                "같은 이름의 클러스터를 만들어 두고 스택까지 설치",
            ),
            format!("lab up {cluster} --provider {provider} --stack {stack}"),
        ),
        deed(
            words(
                "kubectl and Helm, where this machine has none",
                "이 컴퓨터에 없을 때 쓸 kubectl과 Helm",
            ),
            "export PATH=\"$PATH:$(lab tools)\"".to_owned(),
        ),
        deed(
            words(
                "talk to it with kubectl and Helm",
                "kubectl과 Helm이 쓸 설정",
            ),
            format!("export KUBECONFIG=$(lab kubeconfig {cluster})"),
        ),
        deed(
            words("are the nodes ready", "노드가 준비되었는지"),
            "kubectl wait --for=condition=Ready node --all --timeout=120s".to_owned(),
        ),
        deed(
            words(
                "what runs of Kubernetes itself",
                "쿠버네티스 자신의 구성 요소",
            ),
            "kubectl get nodes -o wide && kubectl get pods -A".to_owned(),
        ),
    ];
    if provider != "existing" {
        deeds.push(deed(
            words("what it is for Docker", "도커에서 본 모습"),
            format!("docker ps --filter label=lab.cluster={cluster}"),
        ));
    }
    deeds
}

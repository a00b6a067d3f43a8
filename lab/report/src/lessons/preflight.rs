//! Before anything is started.

use super::{Lesson, deed, question, wrong};
use crate::lang::words;

pub(super) static LESSON: Lesson = Lesson {
    title: words("Look first", "사전 점검"),
    purpose: words(
        "Whether this machine can do it is asked before anything is made: memory, disk, kernel \
         limits, the container engine. Then every image is made ready, so that no later step can \
         fail for want of one.",
        "무언가를 만들기 전에 이 컴퓨터에서 실행할 수 있는지 먼저 확인합니다. 메모리, 디스크, 커널 \
         한도, 컨테이너 엔진을 살펴보고, 뒤의 단계가 이미지 때문에 실패하지 않도록 모든 이미지를 미리 \
         준비합니다.",
    ),
    tutorials: words(
        "The tutorials list what to install on Ubuntu (Docker, socat, swap off) and then go on; \
         what the machine lacks shows an hour later as a pod that never starts. Images come from \
         public registries at the moment a pod needs them.",
        "튜토리얼은 Ubuntu에 설치할 것(Docker, socat, 스왑 해제)을 나열한 뒤 바로 진행합니다. 부족한 \
         점은 한 시간 뒤 시작되지 않는 파드로 드러납니다. 이미지는 파드가 필요로 하는 순간 공개 \
         레지스트리에서 내려받습니다.",
    ),
    by_hand: |_| {
        vec![
            deed(
                words("what the lab looks at", "lab이 확인하는 것"),
                "lab doctor".to_owned(),
            ),
            deed(
                words(
                    "the engine's version, CPUs and memory",
                    "엔진의 버전, CPU, 메모리",
                ),
                "docker info --format '{{.ServerVersion}} {{.NCPU}} {{.MemTotal}}'".to_owned(),
            ),
            deed(
                words(
                    "how many programs may watch files; nodes need many",
                    "파일을 감시할 수 있는 프로그램 수. 노드에는 많이 필요합니다",
                ),
                "cat /proc/sys/fs/inotify/max_user_instances".to_owned(),
            ),
            deed(
                words("the images that are here", "이미 있는 이미지"),
                "docker images --filter reference='lab/*'".to_owned(),
            ),
        ]
    },
    wrong: &[
        wrong(
            "MFA-S1",
            words(
                "pins Docker 20.10.11 and Ubuntu 20.04 by name; both have left their support, and \
                 the packages of Kubernetes 1.21 are gone from their old address.",
                "Docker 20.10.11과 Ubuntu 20.04를 지정하지만 둘 다 지원이 끝났고, Kubernetes 1.21 \
                 패키지는 옛 주소에서 사라졌습니다.",
            ),
        ),
        wrong(
            "ML-1",
            words(
                "ends by saying that NVIDIA's driver was installed, although its script never does that.",
                "스크립트가 NVIDIA 드라이버를 설치하지 않는데도 설치했다는 말로 끝납니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "Why are images made ready before the cluster is there?",
                "왜 클러스터보다 이미지를 먼저 준비할까요?",
            ),
            words(
                "A pull that fails inside the cluster shows as `ImagePullBackOff` minutes later and \
                 far from its cause. Before the cluster it is one clear error.",
                "클러스터 안에서 이미지를 받지 못하면 몇 분 뒤 원인과 먼 곳에서 `ImagePullBackOff`로 \
                 나타납니다. 클러스터를 만들기 전이라면 분명한 오류 하나로 끝납니다.",
            ),
        ),
        question(
            words(
                "What does a tag like `lab/mlflow:3f2a…` say that `latest` does not?",
                "`lab/mlflow:3f2a…` 같은 태그는 `latest`가 말하지 않는 무엇을 말할까요?",
            ),
            words(
                "It is the hash of the recipe and of its parent: the same tag is always the same \
                 content, and a changed recipe has another tag.",
                "레시피와 부모 이미지의 해시이므로, 태그가 같으면 내용도 같고 레시피가 바뀌면 태그도 \
                 바뀝니다.",
            ),
        ),
        question(
            words(
                "Why do inotify limits matter to a cluster in containers?",
                "컨테이너 안의 클러스터에 inotify 한도가 왜 중요할까요?",
            ),
            words(
                "Kubelets and containerd watch many files, and all containers share the limit of the \
                 one kernel. When it is used up, watches fail and pods hang without a word.",
                "kubelet과 containerd는 많은 파일을 감시하는데, 모든 컨테이너가 커널 하나의 한도를 \
                 나누어 씁니다. 한도가 차면 감시가 실패하고 파드가 아무 말 없이 멈춥니다.",
            ),
        ),
    ],
};

//! Images into the cluster.

use super::{Deed, Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Load images", "이미지 넣기"),
    purpose: words(
        "A node starts containers from its own store of images. They are put there directly, \
         without a container registry between, and the chart is told to pull nothing that is there.",
        "노드는 자기 이미지 저장소에서 컨테이너를 시작합니다. 레지스트리를 거치지 않고 그곳에 직접 \
         넣으며, 차트에는 이미 있는 이미지를 다시 받지 않게 합니다.",
    ),
    tutorials: words(
        "mlops-lifecycle sets up Harbor inside the cluster and has the node trust it; MLOps for ALL \
         pulls from six public registries, some of which are gone.",
        "mlops-lifecycle은 클러스터 안에 Harbor를 두고 노드가 신뢰하게 하며, 모두의 MLOps는 여섯 곳의 \
         공개 레지스트리에서 받는데 그중 일부는 사라졌습니다.",
    ),
    by_hand: deeds,
    wrong: &[
        wrong(
            "MFA-C8",
            words(
                "needs images of gcr.io/ml-pipeline, which were removed in November 2025; no other \
                 place keeps these tags.",
                "2025년 11월에 삭제된 gcr.io/ml-pipeline 이미지가 필요하며, 이 태그를 보관하는 곳은 \
                 없습니다.",
            ),
        ),
        wrong(
            "ML-3",
            words(
                "names images under docker.io/bitnami; since August 2025 they are under bitnamilegacy, \
                 and the chart must be told `global.security.allowInsecureImages=true`.",
                "docker.io/bitnami의 이미지를 쓰지만 2025년 8월부터 bitnamilegacy로 옮겨졌고, 차트에 \
                 `global.security.allowInsecureImages=true`를 주어야 합니다.",
            ),
        ),
        wrong(
            "ML-5",
            words(
                "edits `/etc/hosts` and `registries.yaml` of the node by hand; the next node knows \
                 nothing of it.",
                "노드의 `/etc/hosts`와 `registries.yaml`을 손으로 고치므로 다음 노드는 그것을 모릅니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "`docker images` shows the image, and the pod says `ErrImagePull`. Why?",
                "`docker images`에는 이미지가 있는데 파드는 `ErrImagePull`입니다. 왜일까요?",
            ),
            words(
                "Docker's store and the node's containerd are two stores. The image must be in the \
                 second.",
                "도커의 저장소와 노드의 containerd 저장소는 별개입니다. 이미지는 후자에 있어야 합니다.",
            ),
        ),
        question(
            words(
                "What does `imagePullPolicy: IfNotPresent` do with the tag `latest`?",
                "`latest` 태그에 `imagePullPolicy: IfNotPresent`를 쓰면 어떻게 될까요?",
            ),
            words(
                "It keeps whatever the node has, however old: nodes may run different content under \
                 one name. Tags by content have no such trouble.",
                "노드에 있는 것을 아무리 오래되어도 그대로 씁니다. 같은 이름으로 노드마다 다른 내용이 돌 수 \
                 있습니다. 내용으로 정한 태그에는 이런 문제가 없습니다.",
            ),
        ),
        question(
            words(
                "Why is one tar stream of all images smaller than the sum of them?",
                "모든 이미지를 한 tar로 보내면 왜 합보다 작을까요?",
            ),
            words(
                "Images share layers, and each layer goes once.",
                "이미지는 레이어를 공유하고, 각 레이어는 한 번만 보내기 때문입니다.",
            ),
        ),
    ],
};

fn deeds(names: &Names) -> Vec<Deed> {
    let Names { server, images, .. } = names;
    let list = deed(
        words("which images the node has", "노드에 있는 이미지"),
        "kubectl get nodes -o jsonpath='{.items[*].status.images[*].names[-1:]}' | tr ' ' '\\n'"
            .to_owned(),
    );
    if names.provider == "existing" {
        return vec![list];
    }
    let send = images.iter().find(|(recipe, _)| recipe == "mlflow");
    let send = send.map(|(_, reference)| {
        deed(
            words(
                "put one into the node's store",
                "이미지 하나를 노드의 저장소에 넣기",
            ),
            format!(
                "docker save {reference} | docker exec -i {server} ctr -n k8s.io images import -"
            ),
        )
    });
    let listed = deed(
        words("containerd's own list", "containerd가 말하는 목록"),
        format!("docker exec {server} ctr -n k8s.io images ls -q"),
    );
    send.into_iter().chain([listed, list]).collect()
}

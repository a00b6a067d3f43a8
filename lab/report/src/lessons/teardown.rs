//! The end.

use super::{Lesson, deed, question, wrong};
use crate::lang::words;

pub(super) static LESSON: Lesson = Lesson {
    title: words("Leave nothing behind", "남김없이 지우기"),
    purpose: words(
        "Everything that was made is removed: containers, volumes, networks, ports. It is written \
         down before it is made, so that it is found again also after a crash.",
        "컨테이너, 볼륨, 네트워크, 포트 등 만든 것을 모두 지웁니다. 만들기 전에 적어 두기 때문에 갑자기 \
         죽어도 다시 찾아 지울 수 있습니다.",
    ),
    tutorials: words(
        "mlops-lifecycle has an `uninstall.sh` that runs k3s' own; where a finalizer hangs, it is \
         edited out by hand. MLOps for ALL does not say how to go back.",
        "mlops-lifecycle에는 k3s의 제거 스크립트를 부르는 `uninstall.sh`가 있고, finalizer에 걸리면 손으로 \
         고칩니다. 모두의 MLOps에는 되돌리는 방법이 없습니다.",
    ),
    by_hand: |names| {
        let cluster = &names.cluster;
        let mut deeds = vec![
            deed(
                words("only the stack", "스택만 제거"),
                format!("helm -n {} uninstall {}", names.namespace, names.release),
            ),
            deed(
                words(
                    "what is left of it: pods end by themselves",
                    "남은 것. 파드는 스스로 끝납니다",
                ),
                names.kubectl("get pods,persistentvolumeclaims"),
            ),
            deed(
                words("the cluster with all it owns", "클러스터와 그 모든 것"),
                format!("lab down {cluster}"),
            ),
        ];
        if names.provider != "existing" {
            deeds.push(deed(
                words("is anything left of it", "남은 것이 있는지"),
                format!("docker ps -aq --filter label=lab.cluster={cluster}"),
            ));
        }
        deeds.push(deed(
            words("or of any other", "다른 클러스터의 것은"),
            "lab clean --check".to_owned(),
        ));
        deeds
    },
    wrong: &[wrong(
        "ML-31",
        words(
            "namespaces may hang in `Terminating`: custom resources have finalizers, and what would \
             take them off was removed first.",
            "네임스페이스가 `Terminating`에 머물 수 있습니다. 커스텀 리소스의 finalizer를 떼어 줄 컨트롤러를 \
             먼저 지웠기 때문입니다.",
        ),
    )],
    questions: &[
        question(
            words(
                "Why is the undo written down before the deed?",
                "왜 만들기 전에 지우는 방법을 적을까요?",
            ),
            words(
                "Between making and writing a process can die. What is written and was never made \
                 costs nothing to remove.",
                "만들고 적는 사이에 프로세스가 죽을 수 있습니다. 적었으나 만들지 못한 것은 지우는 데 아무 비용이 \
                 들지 않습니다.",
            ),
        ),
        question(
            words(
                "What does Helm leave after `uninstall`?",
                "Helm `uninstall` 뒤에 무엇이 남을까요?",
            ),
            words(
                "The namespace, claims of StatefulSets, definitions of custom resources, and what a \
                 program made by itself, such as pods of an executor.",
                "네임스페이스, StatefulSet의 볼륨 클레임, CRD, 그리고 실행기의 파드처럼 프로그램이 스스로 만든 \
                 것입니다.",
            ),
        ),
        question(
            words(
                "Why does `not found` count as success here?",
                "여기서는 왜 `not found`가 성공일까요?",
            ),
            words(
                "The wish is that it is gone. Whoever removed it first, the wish is met, and the next \
                 item gets its turn.",
                "원하는 것은 사라진 상태입니다. 누가 먼저 지웠든 뜻은 이루어졌고 다음 것으로 넘어갑니다.",
            ),
        ),
    ],
};

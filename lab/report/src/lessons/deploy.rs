//! Deploy.

use super::{Deed, Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Deploy", "배포"),
    purpose: words(
        "The chosen version reaches the inference server by a rollout of Kubernetes: a new pod takes \
         requests when it says it is ready, the old one goes when it has answered its last. It can \
         be taken back.",
        "선택한 버전은 쿠버네티스 롤아웃으로 추론 서버에 올라갑니다. 새 파드는 준비되었다고 말한 뒤에 요청을 \
         받고, 옛 파드는 마지막 요청에 답한 뒤 사라집니다. 되돌릴 수도 있습니다.",
    ),
    tutorials: words(
        "mlops-lifecycle commits a new number to git, and Argo CD rolls Triton within three minutes; \
         its chart has no readiness probe. MLOps for ALL applies a SeldonDeployment with a path \
         copied by hand.",
        "mlops-lifecycle은 git에 새 번호를 커밋하고 Argo CD가 3분 안에 Triton을 롤아웃하지만 차트에 준비성 \
         검사가 없습니다. 모두의 MLOps는 손으로 복사한 경로로 SeldonDeployment를 적용합니다.",
    ),
    by_hand: deeds,
    wrong: &[
        wrong(
            "ML-16",
            words(
                "a push to git that fails ends the task with 0: the DAG is green and the old model \
                 goes on serving.",
                "git push가 실패해도 태스크가 0으로 끝나 DAG은 초록색이고 옛 모델이 계속 서빙합니다.",
            ),
        ),
        wrong(
            "MFA-A7",
            words(
                "prints `Virginica`; the model it trains answers `2`, and the URL is that of another \
                 deployment.",
                "`Virginica`를 출력한다고 하지만 학습한 모델은 `2`를 답하고, URL도 다른 배포의 것입니다.",
            ),
        ),
        wrong(
            "ML-22",
            words(
                "`Running` is taken for ready. Ask `/v2/models/onnx-model/ready` instead.",
                "`Running`을 준비 완료로 봅니다. 대신 `/v2/models/onnx-model/ready`를 물어야 합니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "Which two probes decide that a rollout loses no request?",
                "롤아웃이 요청을 잃지 않게 하는 두 가지는 무엇일까요?",
            ),
            words(
                "Readiness of the new pod, and the old pod's drain: it must still answer while Services \
                 forget it.",
                "새 파드의 준비성 검사와 옛 파드의 드레인입니다. 서비스가 옛 파드를 잊는 동안에도 답해야 \
                 합니다.",
            ),
        ),
        question(
            words(
                "`kubectl rollout undo` was done. What does the registry say now?",
                "`kubectl rollout undo`를 했습니다. 레지스트리는 뭐라고 할까요?",
            ),
            words(
                "Still the new champion: cluster and registry differ until somebody moves the alias, \
                 too.",
                "여전히 새 챔피언이라고 합니다. 누군가 별칭도 옮기기 전까지 클러스터와 레지스트리는 다릅니다.",
            ),
        ),
        question(
            words(
                "How do you know that the server's model is the trained one?",
                "서버의 모델이 학습한 그 모델인지 어떻게 알까요?",
            ),
            words(
                "Ask both for the same images and compare, number by number.",
                "같은 이미지를 양쪽에 묻고 숫자 하나하나를 비교합니다.",
            ),
        ),
    ],
};

fn deeds(names: &Names) -> Vec<Deed> {
    let triton = Names::url("triton");
    let mut deeds = vec![
        deed(
            words("which version is asked for", "지금 요청된 버전"),
            names.kubectl("get deployment triton -o jsonpath='{.spec.template.spec.containers[0].env[?(@.name==\"MODEL_VERSION\")].value}'"),
        ),
        deed(
            words("roll version 1 out", "버전 1을 롤아웃"),
            names.kubectl("patch deployment triton -p '{\"spec\": {\"replicas\": 1, \"template\": {\"spec\": {\\\n  \"initContainers\": [{\"name\": \"model\", \"env\": [{\"name\": \"MODEL_VERSION\", \"value\": \"1\"}]}],\\\n  \"containers\": [{\"name\": \"triton\", \"env\": [{\"name\": \"MODEL_VERSION\", \"value\": \"1\"}]}]}}}}'").replace("\\\n", "\n"),
        ),
        deed(
            words("wait until it serves", "서빙할 때까지 기다리기"),
            names.kubectl("rollout status deployment/triton --timeout=3m"),
        ),
    ];
    deeds.extend(names.addresses(&["triton"]));
    deeds.extend([
        deed(
            words("does Triton itself say so", "Triton 스스로 준비되었다고 하는지"),
            format!("curl -sf -o /dev/null -w '%{{http_code}}\\n' {triton}/v2/models/digits/ready"),
        ),
        deed(
            words("ask for an inference", "추론 요청"),
            format!(
                "curl -sf {triton}/v2/models/digits/infer -d \"{{\\\"inputs\\\": [{{\\\"name\\\": \\\"images\\\",\n  \
                 \\\"datatype\\\": \\\"FP32\\\", \\\"shape\\\": [1, 64], \\\"data\\\": [$(seq -s, 0 63)]}}]}}\""
            ),
        ),
        deed(
            words("the versions that were rolled out", "지금까지 롤아웃한 것"),
            names.kubectl("rollout history deployment/triton"),
        ),
    ]);
    deeds
}

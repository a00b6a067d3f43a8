//! Register.

use super::{Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Register", "등록"),
    purpose: words(
        "A candidate becomes a version only when it beats the one in use on the same held-out data. \
         An alias says which version is to be served, so that who serves needs no number.",
        "후보 모델은 같은 검증 데이터에서 현재 모델보다 나을 때만 버전이 됩니다. 별칭이 서빙할 버전을 \
         가리키므로 서빙하는 쪽은 번호를 몰라도 됩니다.",
    ),
    tutorials: words(
        "mlops-lifecycle registers in MLflow behind a gate; MLOps for ALL has no registry: one copies \
         the path of an artifact out of the browser.",
        "mlops-lifecycle은 조건을 두고 MLflow에 등록합니다. 모두의 MLOps에는 레지스트리가 없어 브라우저에서 \
         아티팩트 경로를 복사합니다.",
    ),
    by_hand: |names| {
        let mlflow = Names::url("mlflow");
        let mut deeds = names.addresses(&["mlflow"]);
        deeds.extend([
            deed(
                words("all versions of the model", "모델의 모든 버전"),
                format!("curl -sfG {mlflow}/api/2.0/mlflow/model-versions/search --data-urlencode \"filter=name='digits'\""),
            ),
            deed(
                words("which one is the champion", "지금의 챔피언"),
                format!("curl -sf \"{mlflow}/api/2.0/mlflow/registered-models/alias?name=digits&alias=champion\""),
            ),
        ]);
        deeds
    },
    wrong: &[
        wrong(
            "ML-15",
            words(
                "the gate asks that accuracy *and* milliseconds grow: a better model that is faster is \
                 refused, a slower one taken.",
                "정확도와 밀리초가 함께 커져야 통과합니다. 더 좋고 더 빠른 모델은 거절되고 느린 모델이 \
                 통과합니다.",
            ),
        ),
        wrong(
            "MFA-P17",
            words(
                "the run is never ended and has no metric: nothing says which of two models is better.",
                "실행을 끝내지 않고 지표도 없어 두 모델 중 어느 것이 나은지 알 수 없습니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "Why the same held-out data for both?",
                "왜 두 모델을 같은 검증 데이터로 비교할까요?",
            ),
            words(
                "Accuracies on two sets differ by chance and by the sets. On one set the difference is \
                 the models'.",
                "서로 다른 데이터의 정확도는 우연과 데이터에 따라 다릅니다. 같은 데이터라야 차이가 모델의 \
                 차이입니다.",
            ),
        ),
        question(
            words(
                "Two trainings end at once, and both beat the champion. What must not happen?",
                "두 학습이 동시에 끝나 둘 다 챔피언을 이겼습니다. 무엇을 막아야 할까요?",
            ),
            words(
                "That the worse of them ends as champion. Comparing and registering go through a pool \
                 of one.",
                "더 못한 쪽이 챔피언이 되는 일입니다. 비교와 등록은 한 번에 하나만 하는 풀을 거칩니다.",
            ),
        ),
        question(
            words(
                "Why an alias and not the stage `Production`?",
                "왜 `Production` 스테이지가 아니라 별칭일까요?",
            ),
            words(
                "MLflow has deprecated stages since 2.9: they were few, fixed, and allowed several \
                 versions at once.",
                "MLflow는 2.9부터 스테이지를 폐기 예정으로 두었습니다. 수가 적고 고정되어 있으며 한 \
                 스테이지에 여러 버전이 있을 수 있었습니다.",
            ),
        ),
    ],
};

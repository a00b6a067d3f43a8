//! Retrain.

use super::{Deed, Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Retrain", "재학습"),
    purpose: words(
        "The alert starts a training by itself, the better model takes over, and the alert ends: the \
         loop is closed without a hand in it.",
        "경보가 스스로 학습을 시작하고, 더 나은 모델이 교체되고, 경보가 끝납니다. 사람의 손 없이 순환이 \
         닫힙니다.",
    ),
    tutorials: words(
        "No tutorial closes this loop: retraining is a click everywhere. The one automatic loop trains \
         until an error is small, and looks at nothing outside.",
        "이 순환을 닫는 튜토리얼은 없습니다. 어디서나 재학습은 클릭입니다. 유일한 자동 반복도 오차가 작아질 \
         때까지 학습할 뿐 바깥을 보지 않습니다.",
    ),
    by_hand: deeds,
    wrong: &[
        wrong(
            "KT-14",
            words(
                "trains on and on while the error is above 0.01, without a bound: on data that it \
                 cannot learn it never ends.",
                "오차가 0.01보다 크면 끝없이 계속 학습합니다. 배울 수 없는 데이터에서는 끝나지 않습니다.",
            ),
        ),
        wrong(
            "ML-8, ML-9",
            words(
                "`schedule=None` and no sensor: nothing in the world starts this DAG but a person.",
                "`schedule=None`에 센서도 없어 사람만이 이 DAG을 시작할 수 있습니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "One alert is repeated every minute. Why is there one training?",
                "경보가 매분 반복되는데 왜 학습은 한 번일까요?",
            ),
            words(
                "The run's id is made of the alert's start: Airflow refuses a second run of the same \
                 id.",
                "실행 id를 경보의 시작 시각으로 만들어 Airflow가 같은 id의 두 번째 실행을 거절합니다.",
            ),
        ),
        question(
            words(
                "The retrained model is worse. What must the loop do?",
                "재학습한 모델이 더 나쁩니다. 순환은 어떻게 해야 할까요?",
            ),
            words(
                "Refuse it, keep the champion, and let the alert stand: now a person is needed.",
                "거절하고 챔피언을 유지하며 경보를 그대로 두어야 합니다. 이제 사람이 필요합니다.",
            ),
        ),
        question(
            words(
                "Why compare candidate and champion on the shifted data?",
                "왜 달라진 데이터에서 후보와 챔피언을 비교할까요?",
            ),
            words(
                "It is what is asked now. On the old data the old model wins and the world is missed.",
                "지금 들어오는 것이 그 데이터이기 때문입니다. 옛 데이터에서는 옛 모델이 이기고 현실을 \
                 놓칩니다.",
            ),
        ),
    ],
};

fn deeds(names: &Names) -> Vec<Deed> {
    let (triton, airflow) = (Names::url("triton"), Names::url("airflow"));
    let mut deeds = names.addresses(&["triton", "airflow"]);
    deeds.extend([
        deed(
            words(
                "send images with black and white swapped: 200 of them are a drift",
                "흑백이 바뀐 이미지를 보냅니다. 200장이면 변화로 봅니다",
            ),
            format!(
                "IMAGE=$(seq -s, 64 | sed 's/[0-9]*/16/g')\n\
                 for i in $(seq 200); do curl -sf -o /dev/null {triton}/v2/models/digits/infer \\\n  \
                 -d \"{{\\\"inputs\\\": [{{\\\"name\\\": \\\"images\\\", \\\"datatype\\\": \\\"FP32\\\", \
                 \\\"shape\\\": [1, 64], \\\"data\\\": [$IMAGE]}}]}}\"; done"
            ),
        ),
        deed(
            words("what the monitor makes of it", "모니터가 본 것"),
            names.kubectl("logs deployment/model-monitor --tail=20"),
        ),
        deed(
            words(
                "did the alert start a training (LOGIN as under Train)",
                "경보가 학습을 시작했는지 (LOGIN은 학습 장에서)",
            ),
            format!(
                "curl -sf -u \"$LOGIN\" \"{airflow}/api/v1/dags/train_digits/dagRuns?order_by=-start_date&limit=1\""
            ),
        ),
    ]);
    deeds
}

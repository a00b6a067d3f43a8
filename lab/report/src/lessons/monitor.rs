//! Monitor.

use super::{Deed, Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Monitor", "모니터링"),
    purpose: words(
        "Requests, times and the shape of the inputs are watched. A model does not say that it is \
         wrong; that its inputs no longer look like those it learned from is the first sign.",
        "요청 수, 응답 시간, 입력의 분포를 지켜봅니다. 모델은 틀렸다고 말하지 않습니다. 입력이 학습 때와 \
         달라진 것이 첫 신호입니다.",
    ),
    tutorials: words(
        "mlops-lifecycle watches its FastAPI gateway, and nobody scrapes Triton; MLOps for ALL shows \
         Seldon's dashboard. Neither looks at the inputs, and neither has an alert.",
        "mlops-lifecycle은 FastAPI 게이트웨이만 보고 Triton의 지표는 아무도 수집하지 않습니다. 모두의 \
         MLOps는 Seldon 대시보드를 보여 줍니다. 둘 다 입력을 보지 않고 경보도 없습니다.",
    ),
    by_hand: deeds,
    wrong: &[
        wrong(
            "ML-27",
            words(
                "the panel \"Average Duration(ms)\" shows seconds, and the average since the start, \
                 which moves less each day.",
                "\"Average Duration(ms)\" 패널은 초를 보여 주며, 시작부터의 평균이라 날이 갈수록 움직이지 \
                 않습니다.",
            ),
        ),
        wrong(
            "MFA-A4",
            words(
                "the dashboard filters on the label `status`, while the executor says `code`: Success \
                 is always 100 %, errors are never seen.",
                "대시보드는 `status` 레이블로 거르지만 실행기는 `code`를 씁니다. 성공률은 늘 100 %이고 오류는 \
                 보이지 않습니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "Latency and errors are fine. Can the model still be useless?",
                "지연과 오류가 괜찮으면 모델도 괜찮을까요?",
            ),
            words(
                "Yes: it answers fast and wrong. Only inputs and outputs show that.",
                "아닙니다. 빠르게 틀린 답을 할 수 있습니다. 입력과 출력을 보아야만 압니다.",
            ),
        ),
        question(
            words(
                "Why can Prometheus not tell p99 of 3 ms and 4 ms apart here?",
                "여기서 Prometheus는 왜 3 ms와 4 ms의 p99를 구별하지 못할까요?",
            ),
            words(
                "A histogram knows only its bucket bounds; between two bounds it guesses. So latency is \
                 measured at the client.",
                "히스토그램은 버킷 경계만 알고 그 사이는 추측합니다. 그래서 지연은 클라이언트에서 잽니다.",
            ),
        ),
        question(
            words(
                "Why does `rate(…[5s])` show nothing under a scrape of 15 s?",
                "15초마다 수집하는데 `rate(…[5s])`는 왜 비어 있을까요?",
            ),
            words(
                "A rate needs two samples in its window, and 5 s never hold two.",
                "rate에는 구간 안의 표본 두 개가 필요한데 5초에는 두 개가 들어가지 않습니다.",
            ),
        ),
    ],
};

fn deeds(names: &Names) -> Vec<Deed> {
    let metrics = Names::url("triton-metrics");
    let prometheus = Names::url("prometheus");
    let alertmanager = Names::url("alertmanager");
    let query = |query: &str| {
        format!("curl -sfG {prometheus}/api/v1/query --data-urlencode 'query={query}'")
    };
    let mut deeds = names.addresses(&["triton-metrics", "prometheus", "alertmanager"]);
    deeds.extend([
        deed(
            words("what Triton counts", "Triton이 세는 것"),
            format!("curl -sf {metrics}/metrics | grep nv_inference"),
        ),
        deed(
            words(
                "whom Prometheus asks, and whether they answer",
                "Prometheus의 수집 대상과 상태",
            ),
            query("up"),
        ),
        deed(
            words(
                "how far inputs are from those learned; above 0.2 is an alert",
                "입력이 학습 때와 얼마나 다른지. 0.2를 넘으면 경보",
            ),
            query("model_input_drift"),
        ),
        deed(
            words("alerts that fire", "울리는 경보"),
            format!("curl -sf {alertmanager}/api/v2/alerts"),
        ),
    ]);
    deeds
}

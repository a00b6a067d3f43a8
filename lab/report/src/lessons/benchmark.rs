//! Benchmark.

use super::{Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Measure inference", "추론 성능 재기"),
    purpose: words(
        "How many right answers a second the deployed model gives, and how long they take. It is \
         measured at the client, after a warm-up, and only answers that are right are timed.",
        "배포한 모델이 초당 몇 개의 올바른 답을 얼마나 빨리 주는지 잽니다. 예열 뒤 클라이언트에서 재며, 올바른 \
         답의 시간만 셉니다.",
    ),
    tutorials: words(
        "No tutorial measures inference: one repeats a curl by hand, the other starts idle pods and \
         calls it load. The figures here have no documented target to compare with.",
        "추론 성능을 재는 튜토리얼은 없습니다. 하나는 curl을 손으로 반복하고, 다른 하나는 쉬는 파드를 띄우고 \
         부하라고 부릅니다. 그래서 여기의 수치에는 비교할 문서상의 목표가 없습니다.",
    ),
    by_hand: |names| {
        let triton = Names::url("triton");
        let mut deeds = vec![deed(
            words("the same measurement", "같은 측정"),
            format!("lab bench {}", names.cluster),
        )];
        deeds.extend(names.addresses(&["triton"]));
        deeds.push(
            deed(
                words(
                    "20 single requests and their times, seconds",
                    "요청 20개와 각각의 시간(초)",
                ),
                format!(
                    "for i in $(seq 20); do curl -sf -o /dev/null -w '%{{time_total}}\\n' {triton}/v2/models/digits/infer \\\n  \
                     -d \"{{\\\"inputs\\\": [{{\\\"name\\\": \\\"images\\\", \\\"datatype\\\": \\\"FP32\\\", \
                     \\\"shape\\\": [1, 64], \\\"data\\\": [$(seq -s, 0 63)]}}]}}\"; done"
                ),
            ),
        );
        deeds
    },
    wrong: &[wrong(
        "ML-23",
        words(
            "the API downloads the image from the Internet inside the request: measured so, one \
             measures the Internet.",
            "API가 요청 안에서 인터넷의 이미지를 내려받습니다. 그대로 재면 인터넷을 재는 것입니다.",
        ),
    )],
    questions: &[
        question(
            words(
                "Throughput doubled with the number of clients. And now it does not. What does \
                 latency do?",
                "클라이언트를 늘려 처리량이 늘다가 이제 늘지 않습니다. 지연은 어떻게 될까요?",
            ),
            words(
                "It grows in step with the clients: what comes beyond the capacity waits in a queue.",
                "클라이언트 수에 비례해 늘어납니다. 용량을 넘는 요청은 줄에서 기다립니다.",
            ),
        ),
        question(
            words(
                "Why is a mean a bad summary of latency?",
                "왜 평균은 지연을 나타내기에 나쁠까요?",
            ),
            words(
                "A few slow answers hide in it, and they are what people remember. Quantiles show them.",
                "느린 답 몇 개가 그 안에 숨는데, 사람들은 바로 그것을 기억합니다. 분위수가 보여 줍니다.",
            ),
        ),
        question(
            words(
                "A closed loop sends its next request when the last was answered. What does it hide?",
                "닫힌 루프는 답을 받은 뒤 다음 요청을 보냅니다. 무엇을 숨길까요?",
            ),
            words(
                "When the server stands still, it stops asking: the requests that would have waited are \
                 never sent, and so never counted. That is called coordinated omission.",
                "서버가 멈추면 요청도 멈춥니다. 기다렸을 요청은 보내지지도 세어지지도 않습니다. 이를 coordinated \
                 omission이라고 합니다.",
            ),
        ),
    ],
};

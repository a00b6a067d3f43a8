//! The scenarios as a whole.

use super::{Lesson, deed, question, wrong};
use crate::lang::words;

pub(super) static LESSON: Lesson = Lesson {
    title: words("Run the scenarios", "시나리오 실행"),
    purpose: words(
        "Gherkin scenarios carry a model through its life. Each asserts on an effect that a person \
         could see: what a service answered, what an object became. The chapters of the features \
         follow below.",
        "Gherkin 시나리오가 모델의 생애를 따라갑니다. 각 시나리오는 서비스의 답, 객체의 변화처럼 사람이 볼 \
         수 있는 결과를 확인합니다. 기능별 장이 아래에 이어집니다.",
    ),
    tutorials: words(
        "The tutorials show screenshots and leave the comparing to the reader; the one script that \
         calls the API prints its answers and asserts nothing.",
        "튜토리얼은 화면 그림을 보여 주고 비교는 독자에게 맡깁니다. API를 부르는 스크립트 하나도 답을 \
         출력할 뿐 아무것도 확인하지 않습니다.",
    ),
    by_hand: |names| {
        let cluster = &names.cluster;
        vec![
            deed(
                words("all scenarios again", "모든 시나리오 다시 실행"),
                format!("lab test {cluster}"),
            ),
            deed(
                words("one feature, in Korean", "기능 하나를 한국어로"),
                format!("lab test {cluster} --feature api --lang ko"),
            ),
        ]
    },
    wrong: &[wrong(
        "ML-26",
        words(
            "a bad image URL answers 500 where the code means 400, because its own catch-all takes the \
             exception; a missing URL answers 200. Nobody noticed, for nothing is asserted.",
            "잘못된 이미지 URL에 400 대신 500을 답하고(자신의 예외 처리가 삼킴), URL이 없으면 200을 \
             답합니다. 확인하는 것이 없으니 아무도 몰랐습니다.",
        ),
    )],
    questions: &[
        question(
            words(
                "Why is a scenario that cannot run here not counted as passed?",
                "여기서 실행할 수 없는 시나리오를 왜 통과로 세지 않을까요?",
            ),
            words(
                "Green must mean that something was seen to work. What did not run says so, with the \
                 reason.",
                "초록색은 동작을 보았다는 뜻이어야 합니다. 실행되지 않은 것은 이유와 함께 그렇게 말합니다.",
            ),
        ),
        question(
            words(
                "A task in Airflow is green. What do you know?",
                "Airflow의 태스크가 초록색입니다. 무엇을 알 수 있을까요?",
            ),
            words(
                "That its process ended with 0. Whether a model is registered, and the right one, is \
                 seen in MLflow.",
                "프로세스가 0으로 끝났다는 것뿐입니다. 모델이, 그것도 올바른 모델이 등록되었는지는 MLflow에서 \
                 보아야 합니다.",
            ),
        ),
        question(
            words(
                "Why wait for a condition and never for a time?",
                "왜 시간이 아니라 조건을 기다려야 할까요?",
            ),
            words(
                "A time that is enough here is too short on a slower machine and wasted on a faster \
                 one.",
                "여기서 충분한 시간이 느린 컴퓨터에서는 모자라고 빠른 컴퓨터에서는 낭비이기 때문입니다.",
            ),
        ),
    ],
};

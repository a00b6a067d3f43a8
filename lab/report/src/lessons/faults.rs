//! Faults.

use super::{Lesson, deed, question, wrong};
use crate::lang::words;

pub(super) static LESSON: Lesson = Lesson {
    title: words("Break it on purpose", "일부러 고장 내기"),
    purpose: words(
        "Machines die, stand still and lose each other. That is done to real nodes while clients keep \
         asking, and undone. What a client sees meanwhile is the measure.",
        "컴퓨터는 죽고, 멈추고, 서로를 잃습니다. 클라이언트가 계속 요청하는 동안 진짜 노드에 그런 일을 \
         일으키고 되돌립니다. 그동안 클라이언트가 본 것이 기준입니다.",
    ),
    tutorials: words(
        "None of the tutorials breaks anything; their clusters have one node.",
        "튜토리얼은 아무것도 고장 내지 않으며, 클러스터의 노드는 하나입니다.",
    ),
    by_hand: |names| {
        let cluster = &names.cluster;
        if names.provider == "existing" {
            return vec![deed(
                words(
                    "faults are made only in clusters that lab made",
                    "고장은 lab이 만든 클러스터에서만 일으킵니다",
                ),
                format!("lab status {cluster}"),
            )];
        }
        vec![
            deed(
                words(
                    "a node stands still for 10 seconds",
                    "노드를 10초 동안 멈추기",
                ),
                format!(
                    "lab fault make {cluster} --for 10s node-paused {}",
                    names.agent
                ),
            ),
            deed(
                words("what is broken now", "지금 고장 난 것"),
                format!("lab fault list {cluster}"),
            ),
            deed(
                words("mend everything", "모두 고치기"),
                format!("lab fault heal {cluster}"),
            ),
        ]
    },
    wrong: &[wrong(
        "ML-29",
        words(
            "called a load test, it starts 100 idle nginx pods over SSH: it fills the node's list of \
             pods and asks no model anything.",
            "부하 시험이라고 하지만 SSH로 쉬는 nginx 파드 100개를 띄웁니다. 노드의 파드 수만 채울 뿐 모델에는 \
             아무것도 묻지 않습니다.",
        ),
    )],
    questions: &[
        question(
            words(
                "A node is dead. How long does Kubernetes not know it?",
                "노드가 죽었습니다. 쿠버네티스는 얼마 동안 모를까요?",
            ),
            words(
                "About 40 s until it is called NotReady, and by default five minutes more until its pods \
                 are made anew elsewhere.",
                "NotReady가 되기까지 약 40초, 기본값으로는 그 뒤 5분이 지나야 파드를 다른 곳에 다시 만듭니다.",
            ),
        ),
        question(
            words(
                "What must a client do that every request is answered in the end?",
                "모든 요청이 끝내 답을 받으려면 클라이언트가 무엇을 해야 할까요?",
            ),
            words(
                "Give up on one try soon, and try again elsewhere: a time-out and a retry, for requests \
                 that may be sent twice.",
                "한 번의 시도를 일찍 포기하고 다시 시도해야 합니다. 두 번 보내도 되는 요청에 시간 초과와 재시도를 \
                 둡니다.",
            ),
        ),
        question(
            words(
                "Why is a paused node harder than a dead one?",
                "왜 멈춘 노드가 죽은 노드보다 어려울까요?",
            ),
            words(
                "Its connections stay open and nothing answers: only a time-out tells, not a refusal.",
                "연결은 열린 채 답만 없기 때문입니다. 거절이 아니라 시간 초과로만 알 수 있습니다.",
            ),
        ),
    ],
};

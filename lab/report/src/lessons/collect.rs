//! Evidence.

use super::{Lesson, deed, question, wrong};
use crate::lang::words;

pub(super) static LESSON: Lesson = Lesson {
    title: words("Keep evidence", "증거 모으기"),
    purpose: words(
        "Before anything is removed, what could explain a failure is kept: states of pods, \
         Kubernetes' warnings, logs with times, the machine's own limits. Logs of a pod go with the \
         pod.",
        "지우기 전에 실패를 설명할 수 있는 것을 남깁니다. 파드 상태, 쿠버네티스 경고, 시간이 붙은 로그, \
         컴퓨터의 한도입니다. 파드의 로그는 파드와 함께 사라집니다.",
    ),
    tutorials: words(
        "MLOps for ALL shows how to read one step's log in the browser, while its pod lives; after \
         that only the `main-logs` artifact is left.",
        "모두의 MLOps는 파드가 살아 있는 동안 브라우저에서 로그를 보는 법을 알려 줍니다. 그 뒤에는 \
         `main-logs` 아티팩트만 남습니다.",
    ),
    by_hand: |names| {
        vec![
            deed(
                words("what happened, in order of time", "일어난 일을 시간 순서로"),
                names.kubectl("get events --sort-by=.lastTimestamp"),
            ),
            deed(
                words("why a pod is not ready", "파드가 왜 준비되지 않았는지"),
                names.kubectl("describe pods"),
            ),
            deed(
                words(
                    "the last lines of a part, also of a container that died",
                    "구성 요소의 마지막 로그",
                ),
                names.kubectl("logs deployment/triton --all-containers --timestamps --tail=60"),
            ),
            deed(
                words("the same through the lab", "lab으로 같은 일을"),
                format!("lab logs {} --component triton --tail 60", names.cluster),
            ),
        ]
    },
    wrong: &[wrong(
        "MFA-P14",
        words(
            "sends people to the Logs tab, which is empty once the pod is gone; that is told on another \
             page.",
            "Logs 탭을 보라고 하지만 파드가 사라지면 비어 있습니다. 그 사실은 다른 쪽에 적혀 있습니다.",
        ),
    )],
    questions: &[
        question(
            words(
                "A pod shows `CrashLoopBackOff`. Which log tells why?",
                "파드가 `CrashLoopBackOff`입니다. 어느 로그를 봐야 할까요?",
            ),
            words(
                "That of the container before: `kubectl logs POD --previous`. The present one waits, \
                 or has just begun.",
                "직전 컨테이너의 로그, 곧 `kubectl logs POD --previous`입니다. 지금 것은 기다리는 중이거나 \
                 막 시작했습니다.",
            ),
        ),
        question(
            words(
                "Why is the first warning worth more than the last error?",
                "왜 마지막 오류보다 첫 경고가 더 중요할까요?",
            ),
            words(
                "One lost database makes ten services complain. What came first had no cause among the \
                 others.",
                "데이터베이스 하나가 죽으면 서비스 열 개가 불평합니다. 가장 먼저 온 것은 다른 것의 결과일 수 \
                 없습니다.",
            ),
        ),
        question(
            words(
                "What does exit code 137 say?",
                "종료 코드 137은 무엇을 말할까요?",
            ),
            words(
                "128 + 9: killed by SIGKILL. With the reason `OOMKilled` the kernel did it because the \
                 memory limit was reached.",
                "128 + 9, 곧 SIGKILL로 죽었습니다. 이유가 `OOMKilled`면 메모리 한도를 넘어 커널이 죽인 \
                 것입니다.",
            ),
        ),
    ],
};

//! The Kubernetes API.

use super::{Lesson, deed, question, wrong};
use crate::lang::words;

/// A Pod whose containers are a map, as a note for beginners has it.
const MAP: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: by-hand}\nspec: {containers: {name: web, image: nginx}}";

pub(super) static LESSON: Lesson = Lesson {
    title: words("The API and a manifest's shape", "API와 매니페스트의 모양"),
    purpose: words(
        "Most first manifests fail on their shape: a map where a list belongs. The API says so in the \
         words of the program that reads it; here they are put into plain ones.",
        "처음 쓰는 매니페스트는 대개 모양에서 실패합니다. 목록 자리에 맵을 씁니다. API는 읽는 프로그램의 \
         말로 알려 주므로 여기서 쉬운 말로 옮깁니다.",
    ),
    tutorials: words(
        "One of the study notes shows a Pod with `containers` as a map; it was never applied.",
        "학습 노트 하나는 `containers`를 맵으로 쓴 파드를 보여 줍니다. 적용해 본 적이 없는 예입니다.",
    ),
    by_hand: |_| {
        let list = MAP
            .replace("{name: web, image: nginx}", "[{name: web, image: nginx}]")
            .replace("by-hand", "by-hand-list");
        vec![
            deed(
                words(
                    "refused: the containers are a map",
                    "거절됨: containers가 맵",
                ),
                format!(
                    "! kubectl create --dry-run=server --validate=false -f - <<'END'\n{MAP}\nEND"
                ),
            ),
            deed(
                words("accepted: they are a list", "허용됨: 목록"),
                format!("kubectl create --dry-run=server -f - <<'END'\n{list}\nEND"),
            ),
            deed(
                words("what the API expects", "API가 기대하는 것"),
                "kubectl explain pod.spec.containers".to_owned(),
            ),
        ]
    },
    wrong: &[wrong(
        "003",
        words(
            "its Pod has `containers` as a map, and its `docker run` line misspells the image.",
            "파드의 `containers`가 맵이고, `docker run` 줄의 이미지 이름이 틀렸습니다.",
        ),
    )],
    questions: &[
        question(
            words(
                "What does `--dry-run=server` do that `--dry-run=client` cannot?",
                "`--dry-run=server`는 `--dry-run=client`가 못 하는 무엇을 할까요?",
            ),
            words(
                "The API server decodes it, fills in defaults and asks its webhooks; only the last step, \
                 keeping it, is left out.",
                "API 서버가 해석하고 기본값을 채우고 웹훅에도 묻습니다. 저장하는 마지막 단계만 빠집니다.",
            ),
        ),
        question(
            words(
                "Why is `kind: pod` refused, too?",
                "`kind: pod`는 왜 거절될까요?",
            ),
            words(
                "Kinds are names, and names have their case: `Pod`.",
                "kind는 이름이고 이름은 대소문자를 구별합니다. `Pod`여야 합니다.",
            ),
        ),
        question(
            words(
                "A misspelt key is accepted without a word. Why?",
                "철자가 틀린 키는 왜 조용히 받아들여질까요?",
            ),
            words(
                "Unknown keys are dropped by the server; only kubectl's own check, or strict field \
                 validation of newer servers, tells.",
                "서버는 모르는 키를 버립니다. kubectl의 검사나 새 서버의 엄격한 필드 검증만이 알려 줍니다.",
            ),
        ),
    ],
};

//! The stack.

use super::{Deed, Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Install the stack", "스택 설치"),
    purpose: words(
        "One Helm release brings what a model's life needs: Airflow, MLflow, Triton, a monitor, \
         Prometheus and Alertmanager on PostgreSQL and S3. Passwords are made in the cluster. Each \
         component counts only when its readiness probe says so and it told its version.",
        "Helm 릴리스 하나로 모델의 생애에 필요한 Airflow, MLflow, Triton, 모니터, Prometheus, \
         Alertmanager를 PostgreSQL과 S3 위에 설치합니다. 비밀번호는 클러스터 안에서 만들어집니다. 각 구성 \
         요소는 준비성 검사를 통과하고 자기 버전을 말해야 설치된 것으로 봅니다.",
    ),
    tutorials: words(
        "mlops-lifecycle installs one umbrella chart with 28 workloads, passwords all `admin`; MLOps \
         for ALL applies 22 folders of Kubeflow manifests by hand, waits, and repeats what failed.",
        "mlops-lifecycle은 워크로드 28개짜리 차트 하나를 모두 `admin` 비밀번호로 설치하고, 모두의 \
         MLOps는 Kubeflow 매니페스트 22개 폴더를 손으로 적용하며 실패하면 기다렸다 반복합니다.",
    ),
    by_hand: deeds,
    wrong: &[
        wrong(
            "MFA-C1..C15",
            words(
                "the issuer is applied while cert-manager's webhook still starts: `connection \
                 refused`. The cure is a wait for the webhook, not a second try by hand.",
                "cert-manager 웹훅이 뜨기 전에 발급자를 적용해 `connection refused`가 납니다. 손으로 다시 \
                 하는 대신 웹훅을 기다려야 합니다.",
            ),
        ),
        wrong(
            "MFA-C17",
            words(
                "says MLflow 1.21.0, while the chart's image has 1.22.0.",
                "MLflow 1.21.0이라고 하지만 차트의 이미지는 1.22.0입니다.",
            ),
        ),
        wrong(
            "ML-4",
            words(
                "calls the GitHub secret optional; without it every Airflow pod stays in \
                 `CreateContainerConfigError`.",
                "GitHub 시크릿이 선택이라고 하지만 없으면 모든 Airflow 파드가 \
                 `CreateContainerConfigError`에 머뭅니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "Helm says `deployed`. Does the stack work?",
                "Helm이 `deployed`라고 하면 스택이 동작하는 걸까요?",
            ),
            words(
                "It says that the API server took the objects. Whether their pods start is another \
                 question: `kubectl rollout status` asks it.",
                "API 서버가 객체를 받았다는 뜻일 뿐입니다. 파드가 시작하는지는 `kubectl rollout \
                 status`로 따로 물어야 합니다.",
            ),
        ),
        question(
            words(
                "Why does MLflow need PostgreSQL and S3 both?",
                "MLflow에는 왜 PostgreSQL과 S3가 모두 필요할까요?",
            ),
            words(
                "Runs, metrics and the registry are rows; models are files. A database is bad at files \
                 and an object store bad at queries.",
                "실행 기록, 지표, 레지스트리는 행이고 모델은 파일입니다. 데이터베이스는 파일에, 객체 저장소는 \
                 질의에 약합니다.",
            ),
        ),
        question(
            words(
                "What does a second `helm upgrade --install` with a new random password break?",
                "무작위 비밀번호로 `helm upgrade --install`을 다시 하면 무엇이 깨질까요?",
            ),
            words(
                "The database keeps the old one, clients get the new one. So the chart looks the secret \
                 up and keeps what is there.",
                "데이터베이스는 옛 비밀번호를, 클라이언트는 새것을 갖게 됩니다. 그래서 차트는 이미 있는 \
                 시크릿을 찾아 그대로 씁니다.",
            ),
        ),
    ],
};

fn deeds(names: &Names) -> Vec<Deed> {
    let Names {
        namespace,
        release,
        chart,
        images,
        ..
    } = names;
    let mut install = format!(
        "helm upgrade --install {release} fixtures/charts/{chart} -n {namespace} --create-namespace"
    );
    for (recipe, reference) in images {
        install.push_str(&format!(" \\\n  --set images.{recipe}={reference}"));
    }
    vec![
        deed(
            words(
                "the release, as this run made it",
                "이 실행이 만든 릴리스 그대로",
            ),
            install,
        ),
        deed(
            words("wait for one of its parts", "구성 요소 하나를 기다리기"),
            names.kubectl("rollout status deployment/mlops-platform-mlflow-tracking --timeout=5m"),
        ),
        deed(
            words("what is there now", "지금 있는 것"),
            names.kubectl("get deployments,services,persistentvolumeclaims"),
        ),
        deed(
            words("what Helm remembers", "Helm이 기억하는 것"),
            format!("helm -n {namespace} list && helm -n {namespace} get values {release}"),
        ),
    ]
}

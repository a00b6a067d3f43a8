//! Train.

use super::{Deed, Lesson, deed, question, wrong};
use crate::{lang::words, lessons::Names};

pub(super) static LESSON: Lesson = Lesson {
    title: words("Train", "학습"),
    purpose: words(
        "Data is checked, a model is fitted in a pod of its own, and what it took is kept: \
         parameters, the data's hash, metrics, files. Somebody else can have the same result again.",
        "데이터를 검사하고 전용 파드에서 모델을 학습한 뒤, 파라미터, 데이터의 해시, 지표, 파일을 남깁니다. \
         다른 사람이 같은 결과를 다시 얻을 수 있습니다.",
    ),
    tutorials: words(
        "mlops-lifecycle trains YOLO11n for one epoch in six Airflow tasks, on a GPU that it asks for \
         also where there is none. MLOps for ALL fits an SVC in a Kubeflow pipeline and writes a run \
         without parameters or metrics.",
        "mlops-lifecycle은 Airflow 태스크 여섯 개로 YOLO11n을 한 에포크 학습하며, GPU가 없어도 GPU를 \
         요청합니다. 모두의 MLOps는 Kubeflow 파이프라인에서 SVC를 학습하고 파라미터와 지표가 없는 실행을 \
         남깁니다.",
    ),
    by_hand: deeds,
    wrong: &[
        wrong(
            "ML-11",
            words(
                "the task `validate` prints what is wrong with the data and ends with 0: broken data \
                 trains a model. Here it fails, and nothing after it gets a pod.",
                "`validate` 태스크는 데이터의 문제를 출력만 하고 0으로 끝나 망가진 데이터로도 학습합니다. \
                 여기서는 실패하고, 뒤의 태스크는 파드조차 얻지 못합니다.",
            ),
        ),
        wrong(
            "ML-12",
            words(
                "the split is not seeded: every run trains on other images, and two accuracies cannot \
                 be compared.",
                "분할에 시드가 없어 실행마다 다른 이미지로 학습하므로 정확도를 비교할 수 없습니다.",
            ),
        ),
        wrong(
            "MFA-P1",
            words(
                "`pip install kfp==1.8.9` works and `import kfp` fails today; it needs `urllib3<2`.",
                "오늘날 `pip install kfp==1.8.9`는 되지만 `import kfp`가 실패합니다. `urllib3<2`가 \
                 필요합니다.",
            ),
        ),
    ],
    questions: &[
        question(
            words(
                "Why one pod a task, and not one pod for all?",
                "왜 태스크마다 파드를 하나씩 쓸까요?",
            ),
            words(
                "Each asks for the memory it needs, dies alone, and can be seen alone. It costs a start \
                 of some seconds.",
                "각자 필요한 메모리를 요청하고, 혼자 죽고, 따로 관찰할 수 있습니다. 대신 시작에 몇 초가 \
                 듭니다.",
            ),
        ),
        question(
            words(
                "A pod asks for 64 GiB and stays Pending. What says why?",
                "64 GiB를 요청한 파드가 Pending입니다. 이유는 어디에 있을까요?",
            ),
            words(
                "Its condition `PodScheduled=False` with `Insufficient memory`: the scheduler knows at \
                 once; nothing needs to time out.",
                "`PodScheduled=False` 조건의 `Insufficient memory`입니다. 스케줄러는 바로 알기 때문에 \
                 시간 초과를 기다릴 필요가 없습니다.",
            ),
        ),
        question(
            words(
                "Same seed, same data, other accuracy. What did you forget?",
                "시드와 데이터가 같은데 정확도가 다릅니다. 무엇을 빠뜨렸을까요?",
            ),
            words(
                "Versions of the libraries, the number of threads, the order of the rows: all of it is \
                 part of the experiment.",
                "라이브러리 버전, 스레드 수, 행의 순서입니다. 모두 실험의 일부입니다.",
            ),
        ),
    ],
};

fn deeds(names: &Names) -> Vec<Deed> {
    let (airflow, mlflow) = (Names::url("airflow"), Names::url("mlflow"));
    let secret = names.kubectl("get secret airflow-admin");
    let mut deeds = names.addresses(&["airflow", "mlflow"]);
    deeds.extend([
        deed(
            words("Airflow's login, made in the cluster", "클러스터가 만든 Airflow 계정"),
            format!("LOGIN=$({secret} -o go-template='{{{{.data.username | base64decode}}}}:{{{{.data.password | base64decode}}}}')"),
        ),
        deed(
            words("start a training", "학습 시작"),
            format!(
                "curl -sf -u \"$LOGIN\" -H 'Content-Type: application/json' \\\n  \
                 -d '{{\"dag_run_id\": \"by-hand\", \"conf\": {{\"seed\": 7, \"max_iter\": 30}}}}' \\\n  \
                 {airflow}/api/v1/dags/train_digits/dagRuns"
            ),
        ),
        deed(
            words("its tasks' pods", "태스크의 파드"),
            names.kubectl("get pods -l dag_id=train_digits --show-labels"),
        ),
        deed(
            words("wait for its end", "끝날 때까지 기다리기"),
            format!(
                "for i in $(seq 90); do curl -sf -u \"$LOGIN\" \\\n  \
                 {airflow}/api/v1/dags/train_digits/dagRuns/by-hand | \\\n  \
                 grep -E '\"state\": \"(success|failed)\"' && break; sleep 2; done"
            ),
        ),
        deed(
            words("what MLflow keeps of it", "MLflow에 남은 기록"),
            format!("curl -sf \"{mlflow}/api/2.0/mlflow/experiments/get-by-name?experiment_name=digits\""),
        ),
    ]);
    deeds
}

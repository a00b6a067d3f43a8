//! Monitor: what Prometheus counts, and what it says of drifting inputs.

use std::time::Duration;

use cucumber::{given, then, when};

use super::held_out::inverted;
use crate::{
    failure::{Failure, StepResult, ensure},
    lab::{Lab, MODEL, TRITON},
    load::{Load, Offer},
    poll::{self, Look},
    runs::Purpose,
    world::{World, left_by},
};

/// How far the inputs are from what the served version was trained on.
const DRIFT: &str = "max(model_input_drift{model=\"digits\"})";
/// Longest time until a count has reached Prometheus: some scrapes.
const SCRAPE_DEADLINE: Duration = Duration::from_secs(40);
/// Images a request of drifting traffic.
const BATCH: usize = 10;
/// Longest time that shifted traffic goes on by itself.
const TRAFFIC_AT_MOST: Duration = Duration::from_mins(10);

impl Lab {
    /// What selects the series of the pods that serve now. Prometheus still has those
    /// of a pod that is on its way out or has just gone.
    async fn serving(&self) -> Result<String, Failure> {
        let deployment = self.kubernetes.deployment(TRITON).await?;
        let addresses: Vec<String> = self
            .kubernetes
            .pods_of(&deployment)
            .await?
            .into_iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_none())
            .filter_map(|pod| pod.status?.pod_ip)
            .map(|address| format!("{address}:.*"))
            .collect();
        Ok(format!(
            "{{model=\"{MODEL}\", instance=~\"{}\"}}",
            addresses.join("|")
        ))
    }

    /// The query for the count of successful inference requests.
    async fn count_query(&self) -> Result<String, Failure> {
        let serving = self.serving().await?;
        Ok(format!("sum(nv_inference_request_success{serving})"))
    }

    /// How far the inputs have drifted, by Prometheus.
    pub(crate) async fn drift(&self) -> Result<Option<f64>, Failure> {
        self.prometheus.value(DRIFT).await
    }

    /// Lets inverted images keep coming until the run's end.
    pub(crate) async fn keep_shifted_images_coming(&self) -> Result<(), Failure> {
        let mut traffic = self.shared.shifted_traffic.lock().await;
        if traffic.is_some() {
            return Ok(());
        }
        let images = self.held_out_for(Purpose::Better).await?.inputs;
        let offer = Offer {
            images: inverted(&images),
            batch: BATCH,
            labels: std::collections::BTreeMap::new(),
            pace: Duration::from_millis(500),
            at_most: TRAFFIC_AT_MOST,
            patience: None,
        };
        *traffic = Some(Load::start(&self.triton, offer)?);
        self.saw(
            "traffic",
            format!("inverted images keep coming, {BATCH} a request"),
        );
        Ok(())
    }
}

#[given("Prometheus has counted every inference so far")]
#[given("프로메테우스가 지금까지의 추론을 모두 세었다")]
async fn settled(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let query = lab.count_query().await?;
    let count = poll::until("Prometheus's count", SCRAPE_DEADLINE, || async {
        let own = lab.triton.success_count(MODEL).await?;
        let counted = lab.prometheus.value(&query).await?;
        Ok(match counted {
            Some(counted) if same(counted, own) => Look::Ready(counted),
            _ => Look::NotYet(format!("Triton counts {own}, Prometheus {counted:?}")),
        })
    })
    .await?;
    lab.saw(query, count.to_string());
    world.count_before = Some(count);
    Ok(())
}

#[when(expr = "{int} held-out images are sent, one a request")]
#[when(expr = "평가용 이미지 {int}장을 한 요청에 한 장씩 보낸다")]
async fn send_images(world: &mut World, count: usize) -> StepResult {
    let lab = world.lab()?;
    let images = lab.held_out_for(Purpose::Better).await?.inputs;
    for image in images.iter().cycle().take(count) {
        lab.triton.infer(MODEL, std::slice::from_ref(image)).await?;
    }
    lab.saw(
        format!("{count} × POST /v2/models/{MODEL}/infer"),
        "all answered with 200",
    );
    Ok(())
}

#[then(expr = "Prometheus's count of successful inferences has grown by exactly {int}")]
#[then(expr = "프로메테우스의 추론 성공 횟수는 정확히 {int}만큼 늘었다")]
async fn grown_by(world: &mut World, sent: u32) -> StepResult {
    let lab = world.lab()?;
    let before = left_by(world.count_before, "waited for the count")?;
    let wanted = before + f64::from(sent);
    let query = lab.count_query().await?;
    poll::until("Prometheus's count", SCRAPE_DEADLINE, || async {
        let counted = lab.prometheus.value(&query).await?.unwrap_or_default();
        ensure!(
            counted < wanted + 0.5,
            "it has grown by {}",
            counted - before
        );
        Ok(if same(counted, wanted) {
            Look::Ready(())
        } else {
            Look::NotYet(format!("grown by {}", counted - before))
        })
    })
    .await?;
    lab.saw(query, format!("{before} → {wanted}"));
    Ok(())
}

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.5
}

#[then("Prometheus knows how long requests took and how long they queued")]
#[then("프로메테우스는 요청의 처리 시간과 대기 시간을 알고 있다")]
async fn latency_and_queue(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let serving = lab.serving().await?;
    let count = lab.count_query().await?;
    for (name, metric) in [
        ("a request", "nv_inference_request_duration_us"),
        ("in the queue", "nv_inference_queue_duration_us"),
    ] {
        let query = format!("sum({metric}{serving}) / {count}");
        let mean = lab
            .prometheus
            .value(&query)
            .await?
            .ok_or_else(|| Failure::new(format!("nothing answers `{query}`")))?;
        lab.saw(query, format!("{mean:.0} µs on average {name}"));
        ensure!(mean > 0.0, "the average is {mean}");
    }
    Ok(())
}

#[then(expr = "Prometheus scrapes {string} without error")]
#[then(expr = "프로메테우스는 {string}에서 오류 없이 지표를 가져온다")]
async fn scrapes(world: &mut World, job: String) -> StepResult {
    let lab = world.lab()?;
    // The best of its targets: one that has just gone is down until it is forgotten.
    let query = format!("max(up{{job=\"{job}\"}})");
    poll::until(&query, SCRAPE_DEADLINE, || async {
        let up = lab.prometheus.value(&query).await?;
        Ok(if up == Some(1.0) {
            Look::Ready(())
        } else {
            Look::NotYet(format!("{up:?}"))
        })
    })
    .await?;
    lab.saw(&query, "1");
    Ok(())
}

#[when(expr = "{int} requests of ordinary images are sent, {int} images each")]
#[when(expr = "평소와 같은 이미지를 담은 요청 {int}개를, 한 번에 {int}장씩 보낸다")]
async fn ordinary(world: &mut World, requests: usize, batch: usize) -> StepResult {
    let lab = world.lab()?;
    let images = lab.held_out_for(Purpose::Better).await?.inputs;
    let batch = batch.min(images.len());
    let places = images.len() - batch + 1;
    for turn in 0..requests {
        let first = (turn * batch) % places;
        lab.triton
            .infer(MODEL, &images[first..first + batch])
            .await?;
    }
    lab.saw(
        format!("{requests} × POST /v2/models/{MODEL}/infer"),
        format!("{batch} ordinary images each"),
    );
    Ok(())
}

#[then(expr = "the input drift settles below {float}")]
#[then(expr = "입력 드리프트는 {float} 아래로 내려간다")]
async fn drift_below(world: &mut World, most: f64) -> StepResult {
    let lab = world.lab()?;
    let drift = poll::until("a small drift", SCRAPE_DEADLINE, || async {
        Ok(match lab.drift().await? {
            Some(drift) if drift < most => Look::Ready(drift),
            other => Look::NotYet(format!("{other:?}")),
        })
    })
    .await?;
    lab.saw(DRIFT, format!("{drift:.3}"));
    Ok(())
}

#[given("no drift alert fires")]
#[given("울리고 있는 드리프트 경보가 없다")]
async fn no_alert(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let firing = lab.alertmanager.firing(super::retrain::ALERT).await?;
    lab.saw("GET /api/v2/alerts", format!("{} firing", firing.len()));
    ensure!(firing.is_empty(), "{} fires already", super::retrain::ALERT);
    Ok(())
}

#[when("images keep coming with black and white swapped")]
#[when("흑백이 뒤바뀐 이미지가 계속 들어온다")]
async fn shifted(world: &mut World) -> StepResult {
    world.lab()?.keep_shifted_images_coming().await
}

#[then(expr = "the input drift rises above {float}")]
#[then(expr = "입력 드리프트는 {float} 위로 올라간다")]
async fn drift_above(world: &mut World, least: f64) -> StepResult {
    let lab = world.lab()?;
    let drift = poll::until("a large drift", SCRAPE_DEADLINE, || async {
        Ok(match lab.drift().await? {
            Some(drift) if drift > least => Look::Ready(drift),
            other => Look::NotYet(format!("{other:?}")),
        })
    })
    .await?;
    lab.saw(DRIFT, format!("{drift:.3}"));
    Ok(())
}

#[then(expr = "Alertmanager holds the alert {string}")]
#[then(expr = "Alertmanager에 {string} 경보가 올라와 있다")]
async fn alert_held(world: &mut World, name: String) -> StepResult {
    let lab = world.lab()?;
    let alert = poll::until(&format!("the alert `{name}`"), SCRAPE_DEADLINE, || async {
        let firing = lab.alertmanager.firing(&name).await?;
        Ok(firing
            .into_iter()
            .next()
            .map_or_else(|| Look::NotYet("it does not fire".to_owned()), Look::Ready))
    })
    .await?;
    lab.saw(
        "GET /api/v2/alerts",
        format!("{:?} since {}", alert.labels, alert.starts_at),
    );
    ensure!(
        alert
            .labels
            .get("model")
            .is_some_and(|model| model == MODEL),
        "it names the model {:?}",
        alert.labels.get("model")
    );
    Ok(())
}

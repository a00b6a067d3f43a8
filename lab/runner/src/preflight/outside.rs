//! The places outside the machine: package mirrors and container registries, and what
//! stands between: proxy and certificates.

use std::{env, time::Duration};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use lab_model::said::Said;
use reqwest::{Client, header::DATE};

use super::Finding;

const DOCKER_HUB: &str = "https://registry-1.docker.io/v2/";
const BUILT: &str = "images are built, Grafana will not run";
const BUILT_KOREAN: &str = "이미지는 직접 만들고, Grafana는 실행하지 않습니다";
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// A server's clock and ours may differ by the way between them, not by more than this.
const CLOCKS_DIFFER_AT_MOST: SignedDuration = SignedDuration::from_mins(5);
const PROXY_VARIABLES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

/// Where packages come from on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Debian's mirror.
    pub debian_mirror: String,
    /// Python's package index.
    pub python_index: String,
}

/// What a place said.
struct Answer {
    /// HTTP status, or why there is none.
    status: Result<u16, String>,
    /// The server's time and ours when it answered.
    date: Option<(Timestamp, Timestamp)>,
}

pub(super) async fn findings(places: &Places) -> Vec<Finding> {
    let mut findings = vec![surroundings()];
    let Ok(client) = Client::builder().timeout(ANSWERS_WITHIN).build() else {
        return findings;
    };
    let urls = [
        format!("{}/dists/", places.debian_mirror),
        format!("{}/pip/", places.python_index),
        DOCKER_HUB.to_owned(),
    ];
    let answers = join_all(urls.iter().map(|url| ask(&client, url))).await;
    let [debian, python, hub] = &answers[..] else {
        return findings;
    };
    findings.push(mirror("debian packages", &urls[0], &debian.status));
    findings.push(mirror("python packages", &urls[1], &python.status));
    findings.push(registry(&hub.status));
    findings.extend(answers.iter().find_map(|it| it.date).map(clocks));
    findings
}

async fn ask(client: &Client, url: &str) -> Answer {
    match client.head(url).send().await {
        Ok(response) => {
            let date = response.headers().get(DATE).and_then(|it| it.to_str().ok());
            let date = date.and_then(|it| rfc2822::parse(it).ok());
            Answer {
                status: Ok(response.status().as_u16()),
                date: date.map(|it| (it.timestamp(), Timestamp::now())),
            }
        }
        Err(error) => Answer {
            status: Err(last_cause(&error)),
            date: None,
        },
    }
}

fn last_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => last_cause(source),
        None => error.to_string(),
    }
}

/// What is built already needs no mirror: it is never a reason to refuse.
fn mirror(check: &'static str, url: &str, status: &Result<u16, String>) -> Finding {
    match status {
        Ok(code) if *code < 500 => Finding::good(
            check,
            Said::both(format!("{url} answers"), format!("{url} 응답함")),
        ),
        Ok(code) => Finding::limited(
            check,
            Said::both(
                format!("{url} answers with HTTP {code}"),
                format!("{url} HTTP {code}로 응답함"),
            ),
            Said::both(
                "images that are not there yet cannot be built now; try later or name another \
                 mirror",
                "아직 없는 이미지는 지금 만들 수 없습니다. 나중에 하거나 다른 미러를 적으십시오",
            ),
        ),
        Err(cause) => Finding::limited(
            check,
            Said::both(
                format!("{url} does not answer: {cause}"),
                format!("{url} 응답 없음: {cause}"),
            ),
            Said::both(
                "images that are not there yet cannot be built; see the network, the proxy \
                 variables, LAB_DEBIAN_MIRROR and UV_DEFAULT_INDEX",
                "아직 없는 이미지는 만들 수 없습니다. 네트워크와 프록시 변수, LAB_DEBIAN_MIRROR, \
                 UV_DEFAULT_INDEX를 보십시오",
            ),
        ),
    }
}

fn registry(status: &Result<u16, String>) -> Finding {
    match status {
        // Who is not logged in is told so: that is an answer.
        Ok(200 | 401) => Finding::good(
            "registry",
            Said::both("Docker Hub answers", "Docker Hub 응답함"),
        ),
        Ok(code) => Finding::good(
            "registry",
            Said::both(
                format!("Docker Hub answers with HTTP {code}: {BUILT}"),
                format!("Docker Hub이 HTTP {code}로 응답함: {BUILT_KOREAN}"),
            ),
        ),
        Err(cause) => Finding::good(
            "registry",
            Said::both(
                format!("Docker Hub does not answer ({cause}): {BUILT}"),
                format!("Docker Hub 응답 없음({cause}): {BUILT_KOREAN}"),
            ),
        ),
    }
}

/// Certificates and package lists are refused by a machine that lives at another time.
fn clocks((theirs, ours): (Timestamp, Timestamp)) -> Finding {
    let apart = ours.duration_since(theirs).abs();
    if apart <= CLOCKS_DIFFER_AT_MOST {
        return Finding::good("clock", Said::both("as a server's", "서버와 같음"));
    }
    Finding::bad(
        "clock",
        Said::both(
            format!("it is {apart:#} away from a server's"),
            format!("서버와 {apart:#} 차이 남"),
        ),
        Said::both(
            "set the clock, for example with `timedatectl set-ntp true`",
            "시계를 맞추십시오. 예: `timedatectl set-ntp true`",
        ),
    )
}

/// Proxy and certificates. Proxies may hold passwords: only their names are told.
fn surroundings() -> Finding {
    let is_set = |name: &str| {
        [name.to_owned(), name.to_ascii_uppercase()]
            .iter()
            .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
    };
    let proxies: Vec<_> = PROXY_VARIABLES
        .into_iter()
        .filter(|it| is_set(it))
        .collect();
    let (proxy, proxy_korean) = if proxies.is_empty() {
        ("no proxy".to_owned(), "프록시 없음".to_owned())
    } else {
        let names = proxies.join(", ");
        (format!("{names} set"), format!("{names} 설정됨"))
    };
    let (whose, whose_korean) = if is_set("ssl_cert_file") {
        ("SSL_CERT_FILE", "SSL_CERT_FILE")
    } else {
        ("the system", "시스템")
    };
    Finding::good(
        "network",
        Said::both(
            format!("{proxy}; certificates of {whose}"),
            format!("{proxy_korean}; {whose_korean}의 인증서"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_outside_is_a_reason_to_refuse() {
        let away = Err("connection refused".to_owned());
        assert!(mirror("debian packages", "http://deb.example", &away).ok);
        assert!(registry(&away).ok);
        assert!(registry(&Ok(429)).ok);
    }

    #[test]
    fn a_clock_that_is_wrong_by_an_hour_is() {
        let ours = Timestamp::UNIX_EPOCH;
        let theirs = ours + SignedDuration::from_hours(1);
        assert!(clocks((ours, ours)).ok);
        assert_eq!(
            clocks((theirs, ours)).found.to_string(),
            "it is 1h away from a server's"
        );
    }
}

//! Reads a workload file: every problem is told, with its place and key.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE};
use lab_model::definition::{DefinitionError, Reader, read};
use toml::Spanned;

use super::{Closed, Protocol, Said, SaidOpen, Search, Tensors, header, inference};
use crate::{
    grpc::MODEL_INFER,
    load::Arrivals,
    target::{Expect, Output},
    verdict::Budget,
};

/// Connections of an open loop that says nothing of them.
const CONNECTIONS: u32 = 256;
/// The highest rate one generator is asked for, requests a second.
const MOST_RATE: f64 = 1e6;

pub(super) fn parse(path: &str, text: &str) -> Result<Said, DefinitionError> {
    let said = read(path, text, "workload", said);
    said.map_err(|problems| DefinitionError::of(path, problems))
}

fn said(top: &mut Reader<'_, '_>) -> Said {
    let name = top.needed::<String>("name");
    if let Some(empty) = name.as_ref().filter(|it| it.get_ref().trim().is_empty()) {
        top.problem(empty.span(), "key `name` must not be empty");
    }
    let protocol = protocol(top);
    let model = model(top, protocol);
    let warm_up = seconds(top, "warm_up_seconds", 0.0, None);
    let closed = Closed {
        concurrency: concurrency(top),
    };
    let open = top.table("open", open);
    let search = top.table("search", search);
    if closed.concurrency.is_empty() && open.is_none() && search.is_none() {
        let message = "key `concurrency`, `[open]` or `[search]` must say which load is offered";
        top.problem(top.span(), message);
    }
    let (input, outputs) = tensors(top, protocol);
    Said {
        name: plain(name),
        protocol,
        expect: expect(top, protocol, &model, &outputs),
        samples: plain(top.needed::<String>("samples")),
        batch_size: u32::try_from(whole(top, "batch_size", 1, 4096, 1)).unwrap_or(1),
        tensors: Tensors {
            model: model.clone(),
            input,
            outputs,
        },
        min_agreement_percent: u8::try_from(whole(top, "min_agreement_percent", 0, 100, 0))
            .unwrap_or_default(),
        settle: seconds(top, "settle_seconds", 0.0, Some(warm_up * 5)),
        warm_up,
        window: seconds(top, "window_seconds", 0.1, None),
        timeout: seconds(top, "timeout_seconds", 0.01, Some(Duration::from_secs(10))),
        max_requests: whole(top, "max_requests", 1, u64::MAX, u64::MAX),
        seed: whole(top, "seed", 0, u64::MAX, 1),
        closed,
        open,
        search,
        budgets: top.tables("budgets", Budget::read),
        method: method(top, protocol),
        path: path(top, protocol, &model),
        headers: headers(top, protocol),
        model,
    }
}

fn protocol(top: &mut Reader<'_, '_>) -> Protocol {
    let Some(said) = top.get::<String>("protocol") else {
        return Protocol::V2Json;
    };
    let known = Protocol::ALL
        .iter()
        .find(|(name, _)| name == said.get_ref());
    known.map_or_else(
        || {
            let names = Protocol::ALL.map(|(name, _)| name).join(", ");
            top.problem(
                said.span(),
                format!("key `protocol` must be one of {names}"),
            );
            Protocol::V2Json
        },
        |(_, protocol)| *protocol,
    )
}

fn model(top: &mut Reader<'_, '_>, protocol: Protocol) -> String {
    if !protocol.is_v2() {
        return plain(top.get("model"));
    }
    let model = top.needed::<String>("model");
    if let Some(wrong) = model.as_ref().filter(|it| {
        let name = it.get_ref();
        name.is_empty() || name.contains(['/', '?', '#', ' '])
    }) {
        let message = "key `model` must be the model's name as the server knows it";
        top.problem(wrong.span(), message);
    }
    plain(model)
}

fn concurrency(top: &mut Reader<'_, '_>) -> Vec<u32> {
    let Some(all) = top.list::<u64>("concurrency") else {
        return Vec::new();
    };
    let fitting: Vec<_> = all
        .iter()
        .filter_map(|one| u32::try_from(*one.get_ref()).ok())
        .filter(|one| (1..=4096).contains(one))
        .collect();
    if all.is_empty() || fitting.len() < all.len() {
        let message = "key `concurrency` must hold numbers from 1 to 4096, at least one";
        top.problem(top.place("concurrency"), message);
    }
    fitting
}

fn open(table: &mut Reader<'_, '_>) -> SaidOpen {
    let kind = table.needed::<String>("arrivals");
    let mut trace = None;
    let arrivals = match kind.as_ref().map(|it| it.get_ref().as_str()) {
        Some("constant") => rates(table, |rate| Arrivals::Constant { rate }),
        Some("poisson") => rates(table, |rate| Arrivals::Poisson { rate }),
        Some("ramp") => vec![Arrivals::Ramp {
            from: number(table, "from", 0.0, MOST_RATE),
            to: number(table, "to", 1.0, MOST_RATE),
        }],
        Some("replay") => {
            trace = table.needed::<String>("trace").map(Spanned::into_inner);
            Vec::new()
        }
        Some(_) => {
            let message = "key `arrivals` must be one of constant, poisson, ramp, replay";
            table.problem(table.place("arrivals"), message);
            rates(table, |rate| Arrivals::Constant { rate })
        }
        None => Vec::new(),
    };
    SaidOpen {
        arrivals,
        trace,
        connections: connections(table),
    }
}

fn rates(table: &mut Reader<'_, '_>, arrivals: impl Fn(f64) -> Arrivals) -> Vec<Arrivals> {
    table.require("rates");
    let Some(rates) = table.list::<f64>("rates") else {
        return Vec::new();
    };
    let fits = |rate: &f64| (0.1..=MOST_RATE).contains(rate);
    if rates.is_empty() || !rates.iter().all(|rate| fits(rate.get_ref())) {
        let message =
            format!("key `rates` must hold numbers from 0.1 to {MOST_RATE}, at least one");
        table.problem(table.place("rates"), message);
    }
    rates
        .into_iter()
        .map(|rate| arrivals(rate.into_inner()))
        .collect()
}

fn connections(table: &mut Reader<'_, '_>) -> u32 {
    u32::try_from(whole(table, "connections", 1, 4096, u64::from(CONNECTIONS)))
        .unwrap_or(CONNECTIONS)
}

fn search(table: &mut Reader<'_, '_>) -> Search {
    Search {
        p99_micros: 1e3 * number(table, "p99_ms", 0.001, 3_600_000.0),
        window: seconds(table, "window_seconds", 0.1, Some(Duration::from_secs(2))),
        limit: seconds(table, "limit_seconds", 1.0, Some(Duration::from_secs(30))),
        connections: connections(table),
    }
}

/// The input tensor and the outputs, of protocols that send samples.
fn tensors(top: &mut Reader<'_, '_>, protocol: Protocol) -> (Output, Vec<Output>) {
    if protocol == Protocol::Http {
        return (Output::default(), Vec::new());
    }
    top.require("input");
    let input = top
        .table("input", |table| tensor(table, protocol))
        .unwrap_or_default();
    let outputs = top.tables("outputs", |table| tensor(table, protocol));
    if protocol.is_v2() && outputs.is_empty() {
        let message = "key `outputs` must name at least the output that holds the label";
        top.problem(top.place("outputs"), message);
    }
    (input, outputs)
}

fn tensor(table: &mut Reader<'_, '_>, protocol: Protocol) -> Output {
    table.require("shape");
    let shape = table.list("shape").unwrap_or_default();
    let (name, datatype) = if protocol.is_v2() {
        (table.needed("name"), table.needed("datatype"))
    } else {
        (table.get("name"), table.get("datatype"))
    };
    Output {
        name: plain(name),
        datatype: plain(datatype),
        shape: shape.into_iter().map(Spanned::into_inner).collect(),
    }
}

/// Which answers are right: `answer` says it where the protocol does not.
fn expect(top: &mut Reader<'_, '_>, protocol: Protocol, model: &str, outputs: &[Output]) -> Expect {
    let said = match protocol {
        protocol if protocol.is_v2() => return inference(model, outputs),
        _ => top.get::<String>("answer"),
    };
    let own = match protocol {
        Protocol::SeldonV1 => "/data/ndarray",
        Protocol::Mlflow => "/predictions",
        _ => "same",
    };
    match said.as_ref().map_or(own, |it| it.get_ref().as_str()) {
        "status" => Expect::Status,
        "same" => Expect::Same,
        pointer if pointer.starts_with('/') => Expect::Json(pointer.to_owned()),
        _ => {
            let message =
                "key `answer` must be `status`, `same`, or a JSON pointer such as `/predictions`";
            top.problem(top.place("answer"), message);
            Expect::Status
        }
    }
}

fn method(top: &mut Reader<'_, '_>, protocol: Protocol) -> Method {
    if protocol != Protocol::Http {
        return Method::POST;
    }
    let Some(said) = top.get::<String>("method") else {
        return Method::POST;
    };
    said.get_ref().parse().unwrap_or_else(|_| {
        top.problem(said.span(), "key `method` must be an HTTP method");
        Method::POST
    })
}

fn path(top: &mut Reader<'_, '_>, protocol: Protocol, model: &str) -> String {
    let own = match protocol {
        Protocol::V2Json | Protocol::V2Binary => return format!("/v2/models/{model}/infer"),
        Protocol::V2Grpc => return MODEL_INFER.to_owned(),
        Protocol::SeldonV1 => "/api/v1.0/predictions",
        Protocol::Mlflow => "/invocations",
        Protocol::Http => "/",
    };
    let Some(said) = top.get::<String>("path") else {
        return own.to_owned();
    };
    if !said.get_ref().starts_with('/') || said.get_ref().contains([' ', '#']) {
        top.problem(said.span(), "key `path` must begin with `/`");
    }
    said.into_inner()
}

fn headers(top: &mut Reader<'_, '_>, protocol: Protocol) -> HeaderMap {
    let own = match protocol {
        // gRPC's own are written with the call.
        Protocol::V2Grpc => return HeaderMap::new(),
        Protocol::V2Binary => "application/octet-stream",
        _ => "application/json",
    };
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(own))]);
    if protocol.is_v2() {
        return headers;
    }
    for (name, value) in top.map("headers") {
        match header(&name, value.get_ref()) {
            Some((name, value)) => drop(headers.insert(name, value)),
            None => top.problem(value.span(), format!("`{name}` is no header of HTTP")),
        }
    }
    headers
}

fn seconds(
    table: &mut Reader<'_, '_>,
    key: &'static str,
    least: f64,
    or: Option<Duration>,
) -> Duration {
    let said = match or {
        Some(_) => table.get::<f64>(key),
        None => table.needed::<f64>(key),
    };
    match said {
        Some(said) if within(table, key, &said, least, 3600.0) => {
            Duration::from_secs_f64(said.into_inner())
        }
        _ => or.unwrap_or_default(),
    }
}

fn number(table: &mut Reader<'_, '_>, key: &'static str, least: f64, most: f64) -> f64 {
    match table.needed::<f64>(key) {
        Some(said) if within(table, key, &said, least, most) => said.into_inner(),
        _ => least,
    }
}

fn within(
    table: &mut Reader<'_, '_>,
    key: &str,
    said: &Spanned<f64>,
    least: f64,
    most: f64,
) -> bool {
    let fits = (least..=most).contains(said.get_ref());
    if !fits {
        let most = if most < f64::MAX {
            format!(" to {most}")
        } else {
            String::new()
        };
        table.problem(
            said.span(),
            format!("key `{key}` must be from {least}{most}"),
        );
    }
    fits
}

/// A whole number between two others.
fn whole(table: &mut Reader<'_, '_>, key: &'static str, least: u64, most: u64, or: u64) -> u64 {
    let Some(said) = table.get::<u64>(key) else {
        return or;
    };
    if !(least..=most).contains(said.get_ref()) {
        let most = if most == u64::MAX {
            String::new()
        } else {
            format!(" to {most}")
        };
        table.problem(
            said.span(),
            format!("key `{key}` must be from {least}{most}"),
        );
        return or;
    }
    said.into_inner()
}

/// What stands for a value that is missing; its problem is kept already.
fn plain<T: Default>(value: Option<Spanned<T>>) -> T {
    value.map(Spanned::into_inner).unwrap_or_default()
}

//! Where the time of a request went: in the server's own parts, and outside it.

use lab_model::benchmark::{Point, ServerTimes};
use maud::{Markup, html};

use super::{
    super::chart::{Frame, HEIGHT, Scale, px, x_mark, x_title},
    lines::mark_of_micros,
    picture::Picture,
};
use crate::{
    figures::micros,
    lang::{Lang, Words, told, words},
    words::offered,
};

const FRAME: Frame = Frame {
    left: 112.0,
    right: 26.0,
    top: 54.0,
    bottom: 44.0,
};
/// The most windows that have room.
const MOST_ROWS: usize = 8;
/// The highest a bar gets, user units.
const MOST_HEIGHT: f64 = 24.0;

/// A part of a request's time: class, name.
static PARTS: [(&str, Words); 6] = [
    ("queue", words("queue", "대기")),
    ("input", words("input", "입력")),
    ("infer", words("model", "모델")),
    ("output", words("output", "출력")),
    ("rest", words("rest of server", "서버의 나머지")),
    (
        "outside",
        words("network, client ≈", "네트워크, 클라이언트 ≈"),
    ),
];

/// The time of a request of a window by its parts, microseconds: queue, input, model,
/// output, rest of the server, network and client.
///
/// The server tells means, the generator a median: what lies outside the server, the
/// median less the server's mean, is an approximation, and never below 0.
pub(crate) fn parts(point: &Point, server: &ServerTimes) -> [f64; 6] {
    let sound = |value: f64| {
        if value.is_finite() {
            value.max(0.0)
        } else {
            0.0
        }
    };
    let known = [
        server.queue,
        server.compute_input,
        server.compute_infer,
        server.compute_output,
    ]
    .map(sound);
    let request = sound(server.request);
    let [queue, input, infer, output] = known;
    [
        queue,
        input,
        infer,
        output,
        (request - known.iter().sum::<f64>()).max(0.0),
        (sound(point.latency.p50) - request).max(0.0),
    ]
}

/// The picture; none where no server told its times.
pub(super) fn picture(points: &[&Point]) -> Option<Picture> {
    let all: Vec<_> = points
        .iter()
        .filter_map(|point| Some((*point, parts(point, point.server.as_ref()?))))
        .collect();
    // The last windows are those of the highest load.
    let rows = &all[all.len().saturating_sub(MOST_ROWS)..];
    if rows.is_empty() {
        return None;
    }
    let most = rows
        .iter()
        .map(|(_, parts)| parts.iter().sum())
        .fold(0.0, f64::max);
    let scale = Scale::round(most, 4.0);
    let spoken = |lang| {
        let rows: Vec<_> = rows.iter().map(|row| spoken(row, lang)).collect();
        rows.join("; ")
    };
    let drawing = html! {
        (legend())
        @for value in scale.marks() {
            @let x = FRAME.x(scale.share(value));
            line.grid x1=(px(x)) x2=(px(x)) y1=(px(FRAME.top)) y2=(px(HEIGHT - FRAME.bottom)) {}
            (x_mark(FRAME, x, &mark_of_micros(value)))
        }
        @for (at, row) in rows.iter().enumerate() { (bar(row, scale, at, rows.len())) }
        (x_title(FRAME, &words("time of a request", "요청 하나의 시간")))
    };
    Some(Picture {
        file: "stages",
        caption: words("Where the time went", "요청 시간의 구성"),
        note: Some(note(all.len() - rows.len())),
        told: told(spoken(Lang::English), spoken(Lang::Korean)),
        drawing,
    })
}

fn note(left_out: usize) -> Words {
    let mut english = "The server's parts are means of its own counters; network and client is an \
        approximation: the median latency less the server's mean."
        .to_owned();
    let mut korean = "서버의 부분들은 서버 자체 계수기의 평균이고, 네트워크와 클라이언트는 \
        응답 시간의 중앙값에서 서버 평균을 뺀 근사값입니다."
        .to_owned();
    if left_out > 0 {
        english.push_str(&format!(
            " {left_out} earlier windows are in the table only."
        ));
        korean.push_str(&format!(" 앞선 구간 {left_out}개는 표에만 있습니다."));
    }
    told(english, korean)
}

fn spoken((point, parts): &(&Point, [f64; 6]), lang: Lang) -> String {
    let parts: Vec<_> = PARTS
        .iter()
        .zip(parts)
        .map(|((_, name), value)| format!("{} {}", name.of(lang), micros(*value)))
        .collect();
    format!("{}: {}", offered(point.offered).of(lang), parts.join(", "))
}

/// Names with their colours, three in a line.
fn legend() -> Markup {
    html! {
        @for (at, (class, name)) in (0_u32..).zip(&PARTS) {
            @let x = 12.0 + 140.0 * f64::from(at % 3);
            @let y = 10.0 + 20.0 * f64::from(at / 3);
            rect class={ "share " (class) } x=(px(x)) y=(px(y)) width="12" height="12" rx="2" {}
            text.tick x=(px(x + 18.0)) y=(px(y + 10.5)) { (name.in_plot()) }
        }
    }
}

fn bar((point, parts): &(&Point, [f64; 6]), scale: Scale, at: usize, rows: usize) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "at most 8 rows")]
    let (at, rows) = (at as f64, rows as f64);
    let room = (HEIGHT - FRAME.top - FRAME.bottom) / rows;
    let height = (room * 0.66).min(MOST_HEIGHT);
    let middle = FRAME.top + room * (at + 0.5);
    let mut from = 0.0;
    let placed = PARTS.iter().zip(parts).map(|((class, _), value)| {
        let left = FRAME.x(scale.share(from));
        from += value;
        (class, left, FRAME.x(scale.share(from)) - left)
    });
    html! {
        text.tick x=(px(FRAME.left - 7.0)) y=(px(middle + 4.0)) text-anchor="end" {
            (offered(point.offered).in_plot())
        }
        @for (class, left, width) in placed {
            @if width > 0.05 {
                rect class={ "share " (class) } x=(px(left)) y=(px(middle - height / 2.0))
                    width=(px(width)) height=(px(height)) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::html::benchmark::samples::{point, server};

    proptest! {
        #[test]
        fn parts_add_up_to_the_longer_of_median_and_request(
            times in prop::array::uniform5(0.0_f64..1e6),
            p50 in 0.0_f64..1e7,
        ) {
            let mut point = point(100.0);
            point.latency.p50 = p50;
            let server = server(times);
            let sum: f64 = parts(&point, &server).iter().sum();
            prop_assert!((sum - p50.max(server.request)).abs() < 1e-6 * sum.max(1.0));
        }
    }
}

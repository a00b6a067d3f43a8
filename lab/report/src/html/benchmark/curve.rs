//! Open loops: latency over the load that was offered, with the knee marked.

use lab_model::benchmark::{Offered, Point};
use maud::html;

use super::{
    super::chart::{Frame, Scale, x_mark, x_title, y_lines},
    axis::Axis,
    closed::told,
    knee::{LEAST_POINTS, LEAST_RISE, knee},
    lines::{QUANTILES, labels, line, mark_of_rate, upright},
    picture::Picture,
};
use crate::{
    figures::rate,
    lang::{Words, told as told_in, words},
};

const FRAME: Frame = Frame {
    left: 66.0,
    right: 96.0,
    top: 26.0,
    bottom: 44.0,
};

/// The windows of open loops by the rate they offered.
pub(super) struct Curve<'a> {
    /// Rate and window, rising.
    points: Vec<(f64, &'a Point)>,
    knee: Option<usize>,
}

impl<'a> Curve<'a> {
    /// Of the windows of open loops that say something of the server.
    pub(super) fn of(points: &[&'a Point]) -> Self {
        let mut points: Vec<_> = points
            .iter()
            .filter_map(|point| match point.offered {
                Offered::Open { rate, .. } if rate.is_finite() => Some((rate, *point)),
                _ => None,
            })
            .collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let latencies: Vec<_> = points
            .iter()
            .map(|(rate, point)| (*rate, point.latency.p99))
            .collect();
        let knee = knee(&latencies);
        Self { points, knee }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The window at the knee.
    pub(super) fn knee(&self) -> Option<&'a Point> {
        self.knee.map(|at| self.points[at].1)
    }

    pub(super) fn picture(&self) -> Picture {
        let points = &self.points;
        let values = points
            .iter()
            .flat_map(|(_, point)| QUANTILES.map(|(_, quantile)| quantile(point.latency)));
        let axis = Axis::holding(values);
        let most = points.last().map_or(0.0, |(rate, _)| *rate);
        // To the last point and no further: the labels stand beside it.
        let scale = Scale {
            top: most.max(1.0),
            ..Scale::round(most, 4.0)
        };
        let windows = points.iter().map(|(_, point)| *point);
        let ends = QUANTILES.iter().filter_map(|(label, quantile)| {
            let value = quantile(points.last()?.1.latency);
            Some((*label, value, FRAME.y(axis.share(value))))
        });
        let drawing = html! {
            (y_lines(FRAME, axis.marks().into_iter()))
            @if let Some(at) = self.knee { (upright(FRAME, scale.share(points[at].0), &knee_at(points[at].0))) }
            @for (label, quantile) in QUANTILES { (line(label, &self.places(axis, scale, quantile))) }
            (labels(FRAME.x(scale.share(most)) + 9.0, ends))
            @for value in scale.marks() {
                (x_mark(FRAME, FRAME.x(scale.share(value)), &mark_of_rate(value)))
            }
            (x_title(FRAME, &words("requests offered a second", "초당 제시한 요청")))
        };
        Picture {
            file: "latency",
            caption: axis.caption("Latency over load", "부하별 응답 시간"),
            note: Some(self.note()),
            told: told(windows),
            drawing,
        }
    }

    fn places(
        &self,
        axis: Axis,
        scale: Scale,
        quantile: fn(lab_model::benchmark::LatencyMicros) -> f64,
    ) -> Vec<(f64, f64)> {
        self.points
            .iter()
            .map(|(rate, point)| {
                let share = axis.share(quantile(point.latency));
                (FRAME.x(scale.share(*rate)), FRAME.y(share))
            })
            .collect()
    }

    /// How the knee was found, or why there is none.
    fn note(&self) -> Words {
        if self.knee.is_some() {
            words(
                "Knee: the load whose p99 lies furthest below the straight line from the first \
                 point to the highest, both axes even (Kneedle, Satopää et al. 2011).",
                "꺾이는 점(knee): 처음 점과 가장 높은 점을 이은 직선에서 p99가 가장 아래로 떨어진 \
                 부하, 두 축 모두 고른 눈금일 때 (Kneedle, Satopää 외 2011).",
            )
        } else if self.points.len() < LEAST_POINTS {
            told_in(
                format!("Fewer than {LEAST_POINTS} loads cannot show a knee."),
                format!("부하가 {LEAST_POINTS}개보다 적으면 꺾이는 점을 알 수 없습니다."),
            )
        } else {
            told_in(
                format!("No knee: p99 rises by less than {LEAST_RISE} times, or evenly."),
                format!("꺾이는 점 없음: p99가 {LEAST_RISE}배보다 적게, 또는 고르게 오릅니다."),
            )
        }
    }
}

fn knee_at(load: f64) -> Words {
    let load = rate(load);
    told_in(format!("knee at {load}/s"), format!("꺾이는 점 {load}/s"))
}

//! What the plots have in common: a frame, scales with round steps, axes.
//! Drawn by hand as inline SVG, so that they take the page's colors and fonts.

use maud::{Markup, html};

use crate::lang::Words;

/// A frame in user units; the page scales it to the width there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// Width of every plot, user units.
pub(super) const WIDTH: f64 = 440.0;
/// Height of every plot, user units.
pub(super) const HEIGHT: f64 = 250.0;

impl Frame {
    /// Horizontal place of a share from 0 to 1.
    pub(super) fn x(self, share: f64) -> f64 {
        self.left + share.clamp(0.0, 1.0) * (WIDTH - self.left - self.right)
    }

    /// Vertical place of a share from 0 (below) to 1 (above).
    pub(super) fn y(self, share: f64) -> f64 {
        HEIGHT - self.bottom - share.clamp(0.0, 1.0) * (HEIGHT - self.top - self.bottom)
    }
}

/// A scale from 0 to a round number that holds every value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) step: f64,
    pub(super) top: f64,
}

/// Steps of a time axis, seconds.
const TIME_STEPS: [f64; 14] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
];

impl Scale {
    /// A scale for values up to `most`, with about `steps` steps of 1, 2 or 5.
    pub(super) fn round(most: f64, steps: f64) -> Self {
        Self::of_steps(most, steps, &[1.0, 2.0, 5.0, 10.0], 10.0)
    }

    /// A scale of time, seconds: steps of 1, 2, 5, 10, 15, 30 seconds, of minutes, of hours.
    pub(super) fn time(most: f64, steps: f64) -> Self {
        let most = if most.is_finite() && most > 0.0 {
            most
        } else {
            1.0
        };
        match TIME_STEPS.iter().find(|step| most / **step <= steps) {
            Some(step) if most >= 2.0 => Self {
                step: *step,
                top: most,
            },
            _ => Self {
                top: most,
                ..Self::round(most, 4.0)
            },
        }
    }

    fn of_steps(most: f64, steps: f64, mantissas: &[f64], base: f64) -> Self {
        if !most.is_finite() || most <= 0.0 {
            return Self {
                step: 1.0,
                top: 1.0,
            };
        }
        let raw = most / steps;
        let power = base.powf(raw.log(base).floor());
        let step = mantissas
            .iter()
            .map(|mantissa| mantissa * power)
            .find(|step| *step >= raw * 0.999)
            .unwrap_or(base * power);
        Self {
            step,
            top: (most / step).ceil() * step,
        }
    }

    /// The value's share of the scale.
    pub(super) fn share(self, value: f64) -> f64 {
        if value.is_finite() {
            value / self.top
        } else {
            1.0
        }
    }

    /// Values to mark, from 0.
    pub(super) fn marks(self) -> impl Iterator<Item = f64> {
        // Never more than a plot can hold, whatever the values.
        (0..=24_u32)
            .map(move |index| f64::from(index) * self.step)
            .take_while(move |value| *value <= self.top * 1.0001)
    }
}

/// Horizontal lines with their values at the left.
pub(super) fn y_axis(frame: Frame, scale: Scale, label: impl Fn(f64) -> String) -> Markup {
    y_lines(
        frame,
        scale
            .marks()
            .map(|value| (scale.share(value), label(value))),
    )
}

/// Horizontal lines at shares of the frame's height, each with its label at the left.
pub(super) fn y_lines(frame: Frame, lines: impl Iterator<Item = (f64, String)>) -> Markup {
    html! {
        @for (share, label) in lines {
            @let y = frame.y(share);
            line.grid x1=(px(frame.left)) x2=(px(WIDTH - frame.right)) y1=(px(y)) y2=(px(y)) {}
            text.tick x=(px(frame.left - 7.0)) y=(px(y + 4.0)) text-anchor="end" { (label) }
        }
    }
}

/// A value below the horizontal axis.
pub(super) fn x_mark(frame: Frame, x: f64, label: &str) -> Markup {
    html! {
        text.tick x=(px(x)) y=(px(HEIGHT - frame.bottom + 17.0)) text-anchor="middle" { (label) }
    }
}

/// What the horizontal axis counts.
pub(super) fn x_title(frame: Frame, title: &Words) -> Markup {
    html! {
        text.axis x=(px(frame.x(0.5))) y=(px(HEIGHT - 5.0)) text-anchor="middle" { (title.in_plot()) }
    }
}

/// A plot with its caption.
pub(super) fn figure(caption: &Words, told: &Words, drawing: &Markup) -> Markup {
    html! {
        figure {
            figcaption { (caption) }
            (plot(told, drawing))
        }
    }
}

/// A plot alone, with its figures in words for those who do not see it.
pub(super) fn plot(told: &Words, drawing: &Markup) -> Markup {
    html! {
        svg.plot viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } aria-hidden="true" {
            (drawing)
        }
        p.unseen { (told) }
    }
}

/// A length with a tenth of a unit.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(
            Scale::round(8.7, 5.0),
            Scale {
                step: 2.0,
                top: 10.0
            }
        );
        assert_eq!(
            Scale::round(412.0, 5.0),
            Scale {
                step: 100.0,
                top: 500.0
            }
        );
        assert_eq!(
            Scale::time(252.0, 6.0),
            Scale {
                step: 60.0,
                top: 252.0
            }
        );
    }

    proptest! {
        #[test]
        fn every_value_is_on_its_scale(most in prop::num::f64::ANY, share in 0.0_f64..=1.0) {
            let scale = Scale::round(most, 5.0);
            prop_assert!(scale.step > 0.0);
            prop_assert!(scale.marks().count() <= 25);
            if most.is_finite() && most > 1e-200 && most < 1e200 {
                prop_assert!(scale.share(most * share) <= 1.001);
                prop_assert!(scale.marks().count() >= 2);
            }
        }

        #[test]
        fn time_scales_have_few_marks(most in prop::num::f64::ANY) {
            prop_assert!(Scale::time(most, 6.0).marks().count() <= 25);
        }
    }
}

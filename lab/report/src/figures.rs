//! Figures as people write them.

use std::time::Duration;

/// A length of time: `850 ms`, `12.3 s`, `4 min 12 s`, `1 h 02 min`.
pub(crate) fn duration(length: Duration) -> String {
    let millis = length.as_millis();
    let seconds = length.as_secs();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..59_950 => format!("{:.1} s", length.as_secs_f64()),
        59_950..3_599_500 => {
            let seconds = (millis + 500) / 1000;
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A rough length of time: `40 s`, `3 min`.
pub(crate) fn rough(seconds: u64) -> String {
    if seconds < 100 {
        format!("{seconds} s")
    } else {
        format!("{} min", seconds.div_ceil(60))
    }
}

/// A moment of a run: `4:12`, or `1:04:12` past the first hour.
pub(crate) fn moment(at: Duration) -> String {
    let seconds = at.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A size: `512 B`, `1.5 MiB`, `3.2 GiB`.
#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut value = size as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 9.95 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// A time of a request: `8.5 µs`, `850 µs`, `6.1 ms`, `1.20 s`.
pub(crate) fn micros(value: f64) -> String {
    match value {
        value if value < 9.95 => format!("{value:.1} µs"),
        value if value < 999.5 => format!("{value:.0} µs"),
        value if value < 9_950.0 => format!("{:.1} ms", value / 1e3),
        value if value < 999_500.0 => format!("{:.0} ms", value / 1e3),
        value => format!("{:.2} s", value / 1e6),
    }
}

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate a second: `0.5`, `42.1`, `1,234`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative and endless rates are caught before"
)]
pub(crate) fn rate(value: f64) -> String {
    if !value.is_finite() || value < 0.0 {
        "–".to_owned()
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        count(value.round() as u64)
    }
}

/// `1 scenario`, `2 scenarios`.
pub(crate) fn counted(number: usize, one: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {one}{ending}", count(number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_naturally() {
        let cases = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (59_949, "59.9 s"),
            (59_950, "1 min 00 s"),
            (252_000, "4 min 12 s"),
            (3_599_499, "59 min 59 s"),
            (3_720_000, "1 h 02 min"),
        ];
        for (millis, text) in cases {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn moments_read_like_a_clock() {
        assert_eq!(moment(Duration::from_secs(252)), "4:12");
        assert_eq!(moment(Duration::from_secs(3852)), "1:04:12");
    }

    #[test]
    fn sizes_have_two_or_three_digits() {
        let cases = [
            (512, "512 B"),
            (1536, "1.5 KiB"),
            (10 << 20, "10 MiB"),
            (3_435_973_837, "3.2 GiB"),
            (u64::MAX, "16777216 TiB"),
        ];
        for (size, text) in cases {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn request_times_have_three_digits() {
        let cases = [
            (8.54, "8.5 µs"),
            (850.0, "850 µs"),
            (6120.0, "6.1 ms"),
            (45_300.0, "45 ms"),
            (1_200_000.0, "1.20 s"),
        ];
        for (value, text) in cases {
            assert_eq!(micros(value), text);
        }
    }

    #[test]
    fn counts_and_rates_have_their_thousands_apart() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(rate(1234.4), "1,234");
        assert_eq!(rate(42.12), "42.1");
        assert_eq!(rate(f64::NAN), "–");
        assert_eq!(counted(1, "scenario"), "1 scenario");
        assert_eq!(counted(0, "scenario"), "0 scenarios");
    }
}

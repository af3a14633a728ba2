//! Times and numbers as people read them.

use chrono::{DateTime, TimeDelta, Utc};

/// How long after the event: to the millisecond as long as that is of use.
pub(super) fn offset(since: TimeDelta) -> String {
    let sign = if since < TimeDelta::zero() { '-' } else { '+' };
    let since = since.abs();
    let (hours, minutes, seconds) = (since.num_hours(), since.num_minutes() % 60, since.num_seconds() % 60);
    let ms = since.num_milliseconds() % 1000;
    match (since.num_minutes(), hours) {
        (0..=1, _) => format!("{sign}{}.{ms:03} s", since.num_seconds()),
        (_, 0) => format!("{sign}{minutes}:{seconds:02}.{ms:03} min"),
        _ => format!("{sign}{hours}:{minutes:02}:{seconds:02} h"),
    }
}

/// A moment to the minute.
pub(crate) fn minute(time: DateTime<Utc>) -> String {
    between(time, time)
}

/// A moment to the minute, or two of them.
pub(super) fn between(first: DateTime<Utc>, last: DateTime<Utc>) -> String {
    const DATE_AND_MINUTE: &str = "%Y-%m-%d %H:%M";
    let from = first.format(DATE_AND_MINUTE).to_string();
    let format = if first.date_naive() == last.date_naive() { "%H:%M" } else { DATE_AND_MINUTE };
    let to = last.format(format).to_string();
    if from.ends_with(&to) { format!("{from} UTC") } else { format!("{from} to {to} UTC") }
}

pub(super) fn milliseconds(duration: TimeDelta) -> String {
    match duration.num_milliseconds() {
        ..=0 => "<1 ms".to_owned(),
        ms => format!("{ms} ms"),
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_told_in_the_unit_that_fits() {
        let told = |ms| offset(TimeDelta::milliseconds(ms));
        assert_eq!(told(412), "+0.412 s");
        assert_eq!(told(-1_500), "-1.500 s");
        assert_eq!(told(119_999), "+119.999 s");
        assert_eq!(told(902_345), "+15:02.345 min");
        assert_eq!(told(24_012_412), "+6:40:12 h");
    }

    #[test]
    fn two_moments_are_told_to_the_minute_and_a_date_once() {
        let between = |first: &str, last: &str| between(first.parse().unwrap(), last.parse().unwrap());
        let time = "2026-11-23T00:03:59Z";
        assert_eq!(between(time, "2026-11-23T00:03:01Z"), "2026-11-23 00:03 UTC");
        assert_eq!(between(time, "2026-11-23T00:14:00Z"), "2026-11-23 00:03 to 00:14 UTC");
        assert_eq!(between(time, "2026-11-24T00:03:00Z"), "2026-11-23 00:03 to 2026-11-24 00:03 UTC");
    }

    #[test]
    fn large_numbers_are_told_in_groups_of_three() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}

//! EventBridge's schedules: cron and rate expressions
//! (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>). What EventBridge leaves
//! open, such as a range that runs backwards, is left to it.

use super::checks::whole;

/// What [`is_schedule`] accepts.
pub(super) const LOOKS_LIKE: &str = "an EventBridge schedule in UTC such as cron(0 12 * * ? *) or rate(1 day); a rate \
                                     of less than seven days, which is how far the alarm for a late run looks back";

/// CloudWatch looks back seven days at most, see the alarm's setting.
const RATE_LIMIT_MINUTES: u32 = 7 * 24 * 60;

pub(super) fn is_schedule(text: &str) -> bool {
    inside(text, "cron").is_some_and(is_cron) || rate_minutes(text).is_some_and(|minutes| minutes < RATE_LIMIT_MINUTES)
}

fn inside<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// The minutes between two runs of a rate; nothing for what is no rate. One takes the unit in the singular.
pub(super) fn rate_minutes(text: &str) -> Option<u32> {
    let (number, unit) = inside(text, "rate")?.split_once(' ')?;
    let number = whole(number).filter(|number| *number > 0)?;
    let unit = if number == 1 { unit } else { unit.strip_suffix('s')? };
    let (_, minutes) = [("minute", 1), ("hour", 60), ("day", 24 * 60)].into_iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(minutes)
}

/// A field of a cron expression: its least and greatest value, and the words for them from the least on.
struct Field(u32, u32, &'static [&'static str]);

const MINUTE: Field = Field(0, 59, &[]);
const HOUR: Field = Field(0, 23, &[]);
const DAY: Field = Field(1, 31, &[]);
const MONTH: Field =
    Field(1, 12, &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]);
const WEEKDAY: Field = Field(1, 7, &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]);
const YEAR: Field = Field(1970, 2199, &[]);

/// Six fields; of day of month and day of week exactly one says `?`.
fn is_cron(text: &str) -> bool {
    let [minute, hour, day, month, weekday, year] = text.split(' ').collect::<Vec<_>>()[..] else { return false };
    let are_days = match (day, weekday) {
        ("?", weekday) => is_weekday(weekday),
        (day, "?") => day.split(',').all(is_day),
        _ => false,
    };
    are_days && MINUTE.steps(minute) && HOUR.steps(hour) && MONTH.steps(month) && YEAR.steps(year)
}

impl Field {
    /// `*`, values, ranges, each with a step if there is one.
    fn steps(&self, text: &str) -> bool {
        text.split(',').all(|item| self.step(item))
    }

    fn step(&self, item: &str) -> bool {
        let (from, step) = item.split_once('/').map_or((item, None), |(from, step)| (from, Some(step)));
        let is_step = |step| whole(step).is_some_and(|step| (1..=self.1).contains(&step));
        self.range(from) && step.is_none_or(is_step)
    }

    fn range(&self, item: &str) -> bool {
        item == "*" || item.split_once('-').map_or_else(|| self.value(item), |(a, b)| self.value(a) && self.value(b))
    }

    fn value(&self, text: &str) -> bool {
        self.2.contains(&text) || digits(text).is_some_and(|value| (self.0..=self.1).contains(&value))
    }
}

/// Other than elsewhere, `05` is a number: people write times so.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `L` is the last day, `15W` the weekday nearest to the 15th, `LW` the last weekday.
fn is_day(item: &str) -> bool {
    ["L", "LW"].contains(&item) || DAY.step(item) || item.strip_suffix('W').is_some_and(|day| DAY.value(day))
}

/// `L` is the last day of the week, `6L` the last Friday of the month, `6#2` its second, which stands alone.
fn is_weekday(text: &str) -> bool {
    let is_nth = |(day, nth): (&str, &str)| WEEKDAY.value(day) && whole(nth).is_some_and(|nth| (1..=5).contains(&nth));
    let is_last = |item: &str| item.strip_suffix('L').is_some_and(|day| day.is_empty() || WEEKDAY.value(day));
    text.split_once('#').is_some_and(is_nth) || text.split(',').all(|item| WEEKDAY.range(item) || is_last(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_a_cron_or_rate_expression() {
        for accepted in [
            "cron(0 12 * * ? *)",
            "cron(0/15 8-17 ? * MON-FRI *)",
            "cron(05,35 23 1,15-20/2 JAN,6-12 ? 2026-2030)",
            "cron(*/59 * L * ? *)",
            "cron(0 9 LW * ? 1970/2)",
            "cron(0 9 3W * ? 2199)",
            "cron(0 9 ? * 6L *)",
            "cron(0 9 ? * L *)",
            "cron(0 9 ? * FRI#5 *)",
            "rate(1 minute)",
            "rate(1 day)",
            "rate(5 minutes)",
            "rate(167 hours)",
            "rate(6 days)",
        ] {
            assert!(is_schedule(accepted), "{accepted}");
        }
        for refused in ["", "daily", "cron(0 12 * * ? *", "at(2026-01-01T00:00:00)", "cron()", "rate()"] {
            assert!(!is_schedule(refused), "{refused}");
        }
    }

    #[test]
    fn a_cron_expression_has_six_fields_of_which_one_day_is_open() {
        for refused in ["0 12 * * *", "0 12 * * * *", "0 12 ? * ? *", "0 12 * * ? * *", "0 12 * * ?  *", "? 12 * * ? *"]
        {
            assert!(!is_cron(refused), "{refused}");
        }
    }

    #[test]
    fn each_field_of_a_cron_expression_is_held_to_its_values() {
        let usual = ["0", "12", "1", "1", "?", "*"];
        for (at, wrong) in [
            (0, &["60", "99", "-1", "1-", "1-60", "1,", "a", "*/0", "*/60", "0//2", "*5", "1#2", "L"][..]),
            (1, &["24", "99", "0-24", "+1", "*/24", "MON"]),
            (2, &["0", "32", "99", "32W", "W", "L1", "1#1", "*/32", "MON"]),
            (3, &["0", "13", "JANUARY", "MON", "?", "L"]),
            (5, &["1969", "2200", "26", "?", "*/2200"]),
        ] {
            for wrong in wrong {
                let mut fields = usual;
                fields[at] = wrong;
                assert!(is_cron(&usual.join(" ")) && !is_cron(&fields.join(" ")), "{fields:?}");
            }
        }
        for wrong in ["0", "8", "SAN", "8L", "1#6", "1#0", "#1", "3#1,6#3", "MON/2", "1W"] {
            assert!(!is_cron(&format!("0 12 ? * {wrong} *")), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_a_number_and_its_unit_below_seven_days() {
        for refused in [
            "rate(1 days)",
            "rate(5 day)",
            "rate(0 days)",
            "rate(01 day)",
            "rate(1 second)",
            "rate(1  day)",
            "rate(day)",
            "rate(7 days)",
            "rate(168 hours)",
            "rate(10080 minutes)",
            "rate(999999999 days)",
            "rate(99999999999 days)",
        ] {
            assert!(!is_schedule(refused), "{refused}");
        }
        assert_eq!(rate_minutes("rate(12 hours)"), Some(720));
        assert_eq!(rate_minutes("cron(0 12 * * ? *)"), None);
    }
}

//! Wildcards: `*` stands for any text, `?` for any one character
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>).

/// The parts of an ARN: `arn`, partition, service, region, account, and the resource, which may have colons of its own.
const ARN_PARTS: usize = 6;

/// Whether text is what a pattern describes. Case matters.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where the last star stands, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[at_text] => {
                (at_pattern, at_text) = (at_pattern + 1, at_text + 1);
            }
            _ => {
                // Only the last star can take more: whatever an earlier one could take, this one can.
                let Some((at_star, taken)) = star else { return false };
                star = Some((at_star, taken + 1));
                (at_pattern, at_text) = (at_star + 1, taken + 1);
            }
        }
    }
    pattern[at_pattern..].iter().all(|&rest| rest == '*')
}

/// Whether an ARN is what a pattern describes. Each part is compared by itself, so a wildcard does not reach beyond
/// its part; `*` alone describes everything.
pub(crate) fn arn_matches(pattern: &str, arn: &str) -> bool {
    let (patterns, parts) = (pattern.splitn(ARN_PARTS, ':'), arn.splitn(ARN_PARTS, ':'));
    let same_parts = patterns.clone().count() == parts.clone().count();
    pattern == "*" || (same_parts && patterns.zip(parts).all(|(pattern, part)| matches(pattern, part)))
}

/// Whether text can describe ARNs.
pub(crate) fn is_arn(pattern: &str) -> bool {
    pattern == "*" || (pattern.starts_with("arn:") && pattern.splitn(ARN_PARTS, ':').count() == ARN_PARTS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The meaning of a pattern, word by word; too slow for long ones.
    fn means(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => means(rest, text) || (!text.is_empty() && means(pattern, &text[1..])),
            (Some((wanted, rest)), Some((letter, text))) => (*wanted == '?' || wanted == letter) && means(rest, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_its_letters_mean(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), means(&letters(&pattern), &letters(&text)));
        }

        #[test]
        fn any_text_matches_itself_and_itself_with_a_star_for_a_part(text in "[a-zé/:-]{1,20}", at in 0.0..1.0, to in 0.0..1.0) {
            prop_assert!(matches(&text, &text));
            let letters: Vec<_> = text.chars().collect();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a length")]
            let place = |share: f64| (share * letters.len() as f64) as usize;
            let (first, last) = (place(at).min(place(to)), place(at).max(place(to)));
            let starred: String = letters[..first].iter().chain(&['*']).chain(&letters[last..]).collect();
            prop_assert!(matches(&starred, &text), "{} {}", starred, text);
        }
    }

    #[test]
    fn a_wildcard_stays_within_its_part_of_an_arn() {
        assert!(arn_matches("arn:aws:logs:*:1:log-group:/a:*", "arn:aws:logs:eu:1:log-group:/a:log-stream:s"));
        assert!(!arn_matches("arn:aws:s3:*:b", "arn:aws:s3:::b"));
        assert!(!arn_matches("arn:aws:sqs:*:q", "arn:aws:sqs:eu:1:q"));
        assert!(!arn_matches("arn:aws:s3:::b/k", "arn:aws:s3:::b/K"));
        assert!(arn_matches("*", "*") && !arn_matches("arn:aws:s3:::*", "*"));
    }
}

//! What texts in the configuration may look like.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest stack name: the longest name made from it, the bucket's, has 35 more characters of its 63
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
pub(super) const MAX_STACK_NAME_LENGTH: usize = 28;

/// Lower-case letters and digits, as bucket names want them. No hyphen: policies mean all alarms of the stack `dev` by
/// `movie-pipeline-dev-*`, which would mean those of a stack `dev-2` as well.
pub(super) fn is_stack_name(text: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=MAX_STACK_NAME_LENGTH).contains(&text.len())
        && text.bytes().all(of_name)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// A whole number as people and Pulumi write it: `010` might mean ten, eight or a text.
pub(super) fn whole(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(super) fn is_bucket_name(text: &str) -> bool {
    let at_the_ends = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|&byte| at_the_ends(byte) || byte == b'-' || byte == b'.')
        && bytes.first().is_some_and(|&byte| at_the_ends(byte))
        && bytes.last().is_some_and(|&byte| at_the_ends(byte))
        && !text.contains("..")
        && text.parse::<Ipv4Addr>().is_err()
}

/// `*`, `?` and `${` are legal in a key, yet in a policy's resource they would stand for other objects as well.
pub(super) fn is_object_key(text: &str) -> bool {
    let is_special = |character: char| character.is_control() || "*?".contains(character);
    (1..=1024).contains(&text.len()) && !text.contains(is_special) && !text.contains("${")
}

/// How the regions of the partition `aws` begin, and what follows: the `regionRegex` of botocore's
/// [partitions.json](https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json), and the winds in use.
const AREAS: [&str; 9] = ["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"];
const WINDS: [&str; 9] =
    ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];

/// What [`is_region`] accepts.
pub(super) const REGION_LOOKS_LIKE: &str = "a region of the partition aws such as eu-central-1; this has not been \
                                            built for China, the US government or a sovereign cloud";

/// Such as `eu-central-1`. Elsewhere than in the partition `aws` other domains than `amazonaws.com` stand in conditions
/// and addresses, and nobody has tried ours there.
pub(super) fn is_region(text: &str) -> bool {
    let [area, wind, number] = text.split('-').collect::<Vec<_>>()[..] else { return false };
    AREAS.contains(&area) && WINDS.contains(&wind) && whole(number).is_some_and(|number| (1..=99).contains(&number))
}

/// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>
pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Such as `arn:aws:iam::123456789012:role/deployer`.
pub(super) fn is_role_arn(text: &str) -> bool {
    let of_role = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&byte);
    let parts = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
    parts.is_some_and(|(account, role)| is_account_id(account) && !role.is_empty() && role.bytes().all(of_role))
}

/// Alarms put it into their descriptions, which have 1,024 characters, and add `#` and a section.
pub(super) fn is_runbook_url(text: &str) -> bool {
    (1..=300).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// A plain address: names with dots on both sides, without the quotes and comments that a mail may also have
/// (<https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1>).
pub(super) fn is_empty_or_email(text: &str) -> bool {
    let of_user = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_user = |name: &str| !name.is_empty() && name.bytes().all(of_user);
    let is_label = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-')
    };
    let is_address = |(user, host): (&str, &str)| {
        user.split('.').all(is_user) && host.contains('.') && host.split('.').all(is_label)
    };
    text.is_empty() || text.split_once('@').is_some_and(is_address)
}

pub(super) fn is_otlp_endpoint(text: &str) -> bool {
    text.is_empty() || text == super::XRAY || is_safe_url(text)
}

/// HTTPS, or HTTP that does not leave the machine. Parsers disagree about backslashes, so there may be none.
pub(super) fn is_safe_url(text: &str) -> bool {
    if text.contains(|character: char| character.is_whitespace() || character.is_control() || character == '\\') {
        return false;
    }
    match text.split_once("://") {
        Some(("https", rest)) => host(rest).is_some(),
        Some(("http", rest)) => host(rest).is_some_and(is_loopback),
        _ => false,
    }
}

/// The host of what follows `://`, in brackets if it is an IPv6 address. Nothing if there is a user name: what stands
/// before an `@` only looks like the host.
fn host(rest: &str) -> Option<&str> {
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.contains('@'))?;
    let host = match authority.find(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let ipv6 = || host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || ipv6().is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_name_fits_into_a_bucket_name() {
        assert!(["dev", "prod2", "a"].into_iter().all(is_stack_name));
        let refused = ["", "Dev", "2nd", "-dev", "dev-", "de v", "dev.eu", "astacknamethatisfarlongerthan28"];
        assert!(!refused.into_iter().any(is_stack_name));
    }

    #[test]
    fn no_stack_name_followed_by_a_hyphen_begins_another() {
        assert!(!["dev-2", "dev-movies", "dev-alarms"].into_iter().any(is_stack_name));
    }

    #[test]
    fn a_role_is_known_by_its_account_and_name() {
        let role = "arn:aws:iam::123456789012:role/teams/deployer";
        assert!(is_role_arn(role));
        let refused = [
            "deployer",
            "arn:aws-cn:iam::123456789012:role/x",
            "arn:aws:iam::12345:role/x",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/a b",
            "arn:aws:iam::123456789012:user/x",
        ];
        assert!(!refused.into_iter().any(is_role_arn));
    }

    #[test]
    fn regions_of_other_partitions_are_refused() {
        let refused = [
            "cn-north-1",
            "cn-northwest-1",
            "us-gov-west-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "us-isof-south-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
        ];
        assert!(!refused.into_iter().any(is_region));
        assert!(["us-east-1", "eu-south-2", "ap-southeast-7", "il-central-1"].into_iter().all(is_region));
    }

    #[test]
    fn a_runbook_is_an_address_or_path_that_a_section_can_be_added_to() {
        assert!(
            ["dashboards/runbook.md", "https://git.example/movies/runbook.md?plain=1"].into_iter().all(is_runbook_url)
        );
        assert!(!["", "run book.md", "runbook.md#top", "rünbuch.md", &"x".repeat(301)].into_iter().any(is_runbook_url));
    }

    #[test]
    fn a_whole_number_has_no_zero_in_front() {
        assert_eq!(["0", "7", "10"].map(whole), [Some(0), Some(7), Some(10)]);
        assert_eq!(["", "00", "010", "+1", "1.0", "4294967296"].map(whole), [None; 6]);
    }

    #[test]
    fn plain_http_does_not_leave_the_machine() {
        let accepted = [
            "https://www.omdbapi.com/",
            "https://omdb.example:8443/x?y=z",
            "http://127.0.0.1:8080/",
            "http://localhost/",
            "http://[::1]:80/",
        ];
        assert!(accepted.into_iter().all(is_safe_url));
        let refused = [
            "",
            "www.omdbapi.com",
            "http://www.omdbapi.com/",
            "ftp://127.0.0.1/",
            "http://127.0.0.1.example.com/",
            "http://localhost@example.com/",
            "http://localhost:80@example.com/",
            "http://localhost\\@example.com/",
            "https://",
            "https:// ",
            "http://[::2]/",
            "HTTP://localhost",
        ];
        for url in refused {
            assert!(!is_safe_url(url), "{url}");
        }
    }

    #[test]
    fn traces_go_nowhere_to_x_ray_or_to_an_address() {
        assert!(
            ["", "xray", "https://collector.example:4318", "http://127.0.0.1:4318"].into_iter().all(is_otlp_endpoint)
        );
        assert!(!["XRay", "none", "http://collector.example:4318"].into_iter().any(is_otlp_endpoint));
    }

    #[test]
    fn names_of_aws_are_recognised() {
        assert!(["top-movies", "abc", "a.b-c"].into_iter().all(is_bucket_name));
        assert!(!["ab", "Top", "-top", "top-", "a..b", "top movies", "192.168.0.1"].into_iter().any(is_bucket_name));
        assert!(["eu-central-1", "mx-central-1"].into_iter().all(is_region));
        let refused =
            ["", "eu", "eu-1", "eu-central", "EU-central-1", "eu--1", "eu-central-1a", "xx-yy-1", "eu-middle-1"];
        assert!(!refused.into_iter().any(is_region));
        assert!(!["eu-central-0", "eu-central-01", "eu-central-1-1"].into_iter().any(is_region));
        assert!(["Top250Movies.json", "a b/$ö.json"].into_iter().all(is_object_key));
        assert!(!["", "a*", "a?", "a\n", "${aws:username}"].into_iter().any(is_object_key));
        assert!(["", "on-call@example.com", "o'hara+alarms@mail.example.com"].into_iter().all(is_empty_or_email));
        let refused = ["on-call", "@example.com", "a@b", "a b@example.com", "a@b@c.d", "a@b..c", "a@.b.c", "a@b.c."];
        assert!(!refused.into_iter().any(is_empty_or_email));
        assert!(![".a@b.c", "a..b@c.d", "a@-b.c", "[\"a@b.c\"]", "<a@b.c>"].into_iter().any(is_empty_or_email));
    }
}

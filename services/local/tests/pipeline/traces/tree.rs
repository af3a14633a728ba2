//! Spans as text that a person can review: one line a span, children below their parent and indented, siblings in order
//! of name and attributes. Ids, times and whatever else differs from run to run is left out.

use std::collections::BTreeMap;
use std::fmt::Write;

use local::Span;

/// What a line shows of a span's attributes. The rest is held against the conventions elsewhere, or differs each time.
const SHOWN: [&str; 11] = [
    "run",
    "position",
    "imdb_id",
    "receive_count",
    "faas.coldstart",
    "messaging.batch.message_count",
    "aws.s3.key",
    "http.request.resend_count",
    "http.response.status_code",
    "error.type",
    "attempt",
];

/// What an event shows besides.
const SHOWN_OF_EVENTS: [&str; 2] = ["attempt", "reason"];

/// Spans whose parent is one of several that are alike, as it happens: the first sender of a batch, the first movie that
/// needs the key. They stand below all of these together.
const BELOW_ANY: [(&str, &str); 2] =
    [("movie-pipeline-local-enricher", "create movie"), ("SSM.GetParameter", "process movie")];

/// The traces of these spans, each beginning with a line `trace`.
///
/// # Panics
/// When a span's parent is missing, or a span of [`BELOW_ANY`] has another parent than it may.
pub(crate) fn trees(spans: &[Span]) -> String {
    let spans: Vec<_> = spans.iter().filter(|span| !counts_requests(span)).cloned().collect();
    let forest = Forest::new(&spans);
    let mut traces = BTreeMap::<&str, Vec<&Span>>::new();
    for span in &spans {
        traces.entry(&span.trace_id).or_default().push(span);
    }
    let mut texts: Vec<_> = traces.values().map(|spans| forest.trace(spans)).collect();
    texts.sort();
    texts.concat()
}

struct Forest<'a> {
    by_id: BTreeMap<&'a str, &'a Span>,
    children: BTreeMap<&'a str, Vec<&'a Span>>,
}

impl<'a> Forest<'a> {
    fn new(spans: &'a [Span]) -> Self {
        let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
        let mut children = BTreeMap::<_, Vec<_>>::new();
        for span in spans {
            let Some(parent) = &span.parent_span_id else { continue };
            let found = by_id.get(parent.as_str());
            let found = found.unwrap_or_else(|| panic!("the parent of {span:?} did not arrive"));
            assert_eq!(found.trace_id, span.trace_id, "{span:?} is in another trace than its parent");
            if let Some((_, allowed)) = BELOW_ANY.iter().find(|(name, _)| *name == span.name) {
                assert_eq!(&found.name, allowed, "the parent of {span:?}");
            }
            children.entry(parent.as_str()).or_default().push(span);
        }
        Self { by_id, children }
    }

    fn trace(&self, spans: &[&Span]) -> String {
        let roots = spans.iter().copied().filter(|span| span.parent_span_id.is_none());
        let floats = spans.iter().copied().filter(|span| span.parent_span_id.is_some() && floats(span));
        let mut text = "trace\n".to_owned();
        self.write_all(&mut text, roots, 1);
        for (name, parent) in BELOW_ANY {
            let below: Vec<_> = floats.clone().filter(|span| span.name == name).collect();
            if !below.is_empty() {
                let _ = writeln!(text, "  below one of: {parent}");
                self.write_all(&mut text, below.into_iter(), 2);
            }
        }
        text
    }

    fn write_all(&self, text: &mut String, spans: impl Iterator<Item = &'a Span>, depth: usize) {
        let mut siblings: Vec<_> = spans.map(|span| self.subtree(span, depth)).collect();
        siblings.sort();
        text.push_str(&siblings.concat());
    }

    fn subtree(&self, span: &'a Span, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let attributes = shown(&span.attributes, &SHOWN);
        let mut text = format!("{indent}{} · {} · {}{attributes}\n", span.service, span.name, kind(span.kind));
        if span.status == 2 {
            let _ = writeln!(text, "{indent}    error: {}", span.status_message);
        }
        for event in &span.events {
            let _ = writeln!(text, "{indent}    event: {}{}", event.name, shown(&event.attributes, &SHOWN_OF_EVENTS));
        }
        let mut links: Vec<_> = span.links.iter().map(|(_, id)| self.link(id)).collect();
        links.sort();
        if !links.is_empty() {
            let _ = writeln!(text, "{indent}    links: {}", links.join(", "));
        }
        let children = self.children.get(span.span_id.as_str()).into_iter().flatten();
        self.write_all(&mut text, children.copied().filter(|child| !floats(child)), depth + 1);
        text
    }

    fn link(&self, id: &str) -> String {
        let to = self.by_id.get(id).unwrap_or_else(|| panic!("nothing known of the linked span {id}"));
        format!("{}{}", to.name, shown(&to.attributes, &["position"]))
    }
}

/// Reading and writing the day's count of requests: who waits for it at the same moment shares it, so how often that is
/// differs from run to run.
fn counts_requests(span: &Span) -> bool {
    span.attributes.get("aws.s3.key").is_some_and(|key| key.starts_with(domain::quota::PREFIX))
}

fn floats(span: &Span) -> bool {
    BELOW_ANY.iter().any(|(name, _)| *name == span.name)
}

fn shown(attributes: &BTreeMap<String, String>, names: &[&str]) -> String {
    let shown = names.iter().filter_map(|name| Some(format!(" {name}={}", attributes.get(*name)?)));
    shown.collect()
}

fn kind(number: i32) -> &'static str {
    ["unspecified", "internal", "server", "client", "producer", "consumer"][usize::try_from(number).unwrap()]
}

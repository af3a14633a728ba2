//! The parts of a Markdown text.

use std::collections::BTreeSet;

/// What a text consists of.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Of the third level.
    pub(super) sections: Vec<Section>,
    /// Where links within it can lead.
    pub(super) anchors: BTreeSet<String>,
    /// Where links within it lead.
    pub(super) links: BTreeSet<String>,
    /// The lines of each block of shell.
    pub(super) blocks: Vec<Vec<String>>,
    /// All blocks of log queries.
    pub(super) queries: Vec<String>,
    /// What stands in code type within the text.
    pub(super) code: BTreeSet<String>,
}

/// A section and the heading above its own.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) under: String,
    pub(super) heading: String,
    /// Its lines, those of its blocks included.
    pub(super) body: String,
}

impl Document {
    pub(super) fn read(text: &str) -> Self {
        let mut document = Self::default();
        let mut under = String::new();
        let mut block: Option<(&str, Vec<&str>)> = None;
        for line in text.lines() {
            match (line.trim().strip_prefix("```"), &mut block) {
                (Some(_), Some(_)) => document.close(block.take()),
                (Some(language), None) => block = Some((language, Vec::new())),
                (None, Some((_, lines))) => {
                    lines.push(line.trim());
                    document.add_to_section(line);
                }
                (None, None) => document.line(line, &mut under),
            }
        }
        document
    }

    fn close(&mut self, block: Option<(&str, Vec<&str>)>) {
        match block {
            Some(("sh", lines)) => self.blocks.push(lines.into_iter().map(str::to_owned).collect()),
            Some(("logs", lines)) => self.queries.push(lines.join("\n")),
            other => panic!("a block that is neither sh nor logs: {other:?}"),
        }
    }

    fn line(&mut self, line: &str, under: &mut String) {
        if let Some((level, heading)) = line.split_once("# ").filter(|(level, _)| level.chars().all(|one| one == '#')) {
            self.anchors.insert(anchor(heading));
            match level.len() {
                1 => heading.clone_into(under),
                2 => self.sections.push(Section {
                    under: under.clone(),
                    heading: heading.to_owned(),
                    body: String::new(),
                }),
                _ => {}
            }
            return;
        }
        self.add_to_section(line);
        let links = line.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
        self.links.extend(links.map(str::to_owned));
        self.code.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
    }

    fn add_to_section(&mut self, line: &str) {
        if let Some(section) = self.sections.last_mut() {
            section.body += line;
            section.body.push('\n');
        }
    }
}

/// The address of a heading on GitHub.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || "- ".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

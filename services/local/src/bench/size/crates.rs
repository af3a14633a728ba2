//! What a binary with its symbols is made of.
//!
//! Code is counted for the crate whose function it is; that of a generic function for the crate that defines it, though
//! others make it large. So these figures tell where to look, not what leaving a crate out would save.

use std::collections::BTreeMap;

use anyhow::Context;
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind, elf};

/// Bytes, largest first.
#[derive(Debug)]
pub(super) struct Parts {
    /// Of each section that is loaded.
    pub(super) sections: Vec<(String, u64)>,
    /// Of the code of each crate.
    pub(super) crates: Vec<(String, u64)>,
}

/// Smaller sections are not worth a line.
const LEAST_SECTION_BYTES: u64 = 100_000;

pub(super) fn parts_of(binary: &[u8]) -> anyhow::Result<Parts> {
    let file = object::File::parse(binary).context("reading a binary")?;
    let mut sections = BTreeMap::<_, u64>::new();
    for section in file.sections().filter(|section| is_loaded(section.flags()) && section.size() >= LEAST_SECTION_BYTES)
    {
        *sections.entry(section.name()?.to_owned()).or_default() += section.size();
    }
    let mut crates = BTreeMap::<_, u64>::new();
    // One function may have several names; its bytes count once.
    let code = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
    let by_address: BTreeMap<_, _> = code.map(|symbol| (symbol.address(), symbol)).collect();
    for symbol in by_address.values() {
        *crates.entry(crate_of(symbol.name()?)).or_default() += symbol.size();
    }
    Ok(Parts { sections: largest_first(sections), crates: largest_first(crates) })
}

/// As opposed to symbols and the like, which are stripped from what ships.
fn is_loaded(flags: SectionFlags) -> bool {
    matches!(flags, SectionFlags::Elf { sh_flags, .. } if sh_flags & elf::SHF_ALLOC == elf::SHF_ALLOC)
}

fn largest_first(parts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    parts
}

/// The crate in a symbol's name: of `<aws_sdk_s3::Client as core::clone::Clone>::clone`, the first.
fn crate_of(symbol: &str) -> String {
    let Ok(path) = rustc_demangle::try_demangle(symbol) else { return "C and assembly".to_owned() };
    let path = path.to_string();
    let mut rest = path.as_str();
    loop {
        let shorter = rest.trim_start_matches(['<', '&', '*', '(', '[', ' ']);
        let shorter = ["dyn ", "impl ", "mut ", "const "]
            .iter()
            .fold(shorter, |text, word| text.strip_prefix(word).unwrap_or(text));
        if shorter.len() == rest.len() {
            break;
        }
        rest = shorter;
    }
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
    if rest[end..].starts_with("::") || rest[end..].starts_with('[') {
        rest[..end].to_owned()
    } else {
        // A trait implemented for a type of the language or of any type: `<T as tower::Service>::call`.
        rest.split_once(" as ")
            .map_or_else(|| "other".to_owned(), |(_, of)| of.split("::").next().unwrap_or(of).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_is_found_in_both_kinds_of_symbols() {
        let crates = [
            (
                "_ZN10aws_config6loader12ConfigLoader4load28_$u7b$$u7b$closure$u7d$$u7d$17hd3242a13b13b565fE",
                "aws_config",
            ),
            (
                "_ZN91_$LT$tracing..instrument..Instrumented$LT$T$GT$$u20$as$u20$core..future..future..Future$GT$4poll17h7c55b5a6beab2347E",
                "tracing",
            ),
            ("_ZN45_$LT$T$u20$as$u20$tower..util..BoxService$GT$4call17h7c55b5a6beab2347E", "tower"),
            ("_RNvCs1234_7mycrate3foo", "mycrate"),
            ("ecp_nistz256_precomputed", "C and assembly"),
        ];
        for (symbol, name) in crates {
            assert_eq!(crate_of(symbol), name, "{symbol}");
        }
    }

    #[test]
    fn this_test_has_code_of_its_own_crate_and_of_the_standard_library() {
        let parts = parts_of(&std::fs::read(std::env::current_exe().unwrap()).unwrap()).unwrap();
        let bytes = |name: &str| parts.crates.iter().find(|(found, _)| found == name).map_or(0, |(_, bytes)| *bytes);
        assert!(bytes("local") > 10_000 && bytes("core") > 10_000, "{:?}", &parts.crates[..20.min(parts.crates.len())]);
        assert!(parts.sections.iter().any(|(name, _)| name == ".text"), "{:?}", parts.sections);
    }
}

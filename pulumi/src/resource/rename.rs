//! Names that resources once had. Pulumi knows a resource by its name: under a new one it would be removed and made
//! again, with all that it holds, unless the new one says what it was called
//! (<https://www.pulumi.com/docs/iac/concepts/resources/options/aliases/>).
//!
//! To rename a resource, change its name where it is added and write the old one into [`RENAMES`];
//! `tests/first-names.json` stays as it is, and tests hold the program against it. An entry may go once no stack is left
//! that was last deployed before the renaming: then that file takes the new name.

use serde_json::{Value, json};

/// A resource that was renamed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rename {
    /// The name of today.
    pub(crate) name: &'static str,
    /// The names before, oldest first.
    pub(crate) former: &'static [&'static str],
}

/// Every renaming so far: none.
pub(crate) const RENAMES: &[Rename] = &[];

/// The option `aliases` of a resource, if it was ever renamed.
pub(super) fn aliases(renames: &[Rename], name: &str) -> Option<Value> {
    let former = renames.iter().find(|rename| rename.name == name)?.former;
    Some(former.iter().map(|name| json!({"name": name})).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Queue, Resources, Topic};
    use super::*;
    use crate::{Config, program};

    const RENAMED: &[Rename] = &[Rename { name: "moviesQueue", former: &["queue", "movieQueue"] }];

    #[test]
    fn a_renamed_resource_says_what_it_was_called_and_others_do_not() {
        let mut resources = Resources::new(false, RENAMED);
        resources.add::<Queue>("moviesQueue", json!({}));
        resources.add::<Topic>("moviesTopic", json!({}));
        let resources = resources.into_vec();
        assert_eq!(resources[0].options["aliases"], json!([{"name": "queue"}, {"name": "movieQueue"}]));
        assert!(!resources[1].options.contains_key("aliases"));
    }

    /// What is wrong with a table of renamings, seen from a program with these names.
    fn faults(renames: &[Rename], names: &BTreeSet<&str>) -> Vec<String> {
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        for rename in renames {
            if !names.contains(rename.name) || !seen.insert(rename.name) {
                faults.push(format!("{} is no resource, or stands twice", rename.name));
            }
            for former in rename.former {
                if names.contains(former) || !seen.insert(former) {
                    faults.push(format!("{former} is the name of another resource, too"));
                }
            }
        }
        faults
    }

    #[test]
    fn every_renaming_leads_from_names_nobody_has_to_one_that_a_resource_has() {
        let program = program(&Config::read("dev", None).unwrap());
        let names: BTreeSet<_> = program.resources().iter().map(|resource| resource.name).collect();
        assert!(faults(RENAMES, &names).is_empty());
        assert!(faults(RENAMED, &names).is_empty());
        let wrong = [
            Rename { name: "nobody", former: &["queue"] },
            Rename { name: "moviesQueue", former: &["moviesTopic", "queue"] },
        ];
        assert_eq!(faults(&wrong, &names).len(), 3);
    }
}

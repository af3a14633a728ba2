//! The profiles of this machine's AWS configuration, for whoever names one that it does not have. The SDK reads them
//! for itself, but it says the same of a profile that is missing and of one without credentials.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::EndpointFault;

/// A file with profiles (<https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html>).
struct ProfileFile {
    /// The variable that names another place for it.
    variable: &'static str,
    /// Its name in `~/.aws`.
    name: &'static str,
    /// Whether `[profile NAME]` is written there, since other sections stand besides, and not `[NAME]`
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>).
    has_prefix: bool,
}

const FILES: [ProfileFile; 2] = [
    ProfileFile { variable: "AWS_CONFIG_FILE", name: "config", has_prefix: true },
    ProfileFile { variable: "AWS_SHARED_CREDENTIALS_FILE", name: "credentials", has_prefix: false },
];

/// The fault of naming this profile, if there is none of that name. While the files cannot be read, nobody knows.
pub(super) fn missing(profile: &str) -> Option<EndpointFault> {
    let paths = FILES.each_ref().map(ProfileFile::path);
    let mut existing = BTreeSet::new();
    for (file, path) in FILES.iter().zip(&paths) {
        match std::fs::read_to_string(path.as_ref()?) {
            Ok(text) => existing.extend(file.profiles(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return None,
        }
    }
    let places: Vec<_> = paths.iter().flatten().map(|path| path.display().to_string()).collect();
    (!existing.contains(profile)).then(|| EndpointFault::NoSuchProfile {
        profile: profile.to_owned(),
        existing: if existing.is_empty() {
            format!("none is defined in {}; `aws configure --profile {profile}` makes one", places.join(" or "))
        } else {
            format!("there are: {}", existing.into_iter().collect::<Vec<_>>().join(", "))
        },
    })
}

impl ProfileFile {
    fn path(&self) -> Option<PathBuf> {
        let path = std::env::var_os(self.variable).map_or_else(|| Path::new("~/.aws").join(self.name), PathBuf::from);
        match path.strip_prefix("~") {
            Ok(in_home) => Some(std::env::home_dir()?.join(in_home)),
            Err(_) => Some(path),
        }
    }

    fn profiles(&self, text: &str) -> Vec<String> {
        let sections = text.lines().filter_map(|line| line.trim_start().strip_prefix('[')?.split_once(']'));
        sections.filter_map(|(section, _)| self.profile(section.trim())).map(str::to_owned).collect()
    }

    /// The profile that a section is of, if it is one's.
    fn profile<'a>(&self, section: &'a str) -> Option<&'a str> {
        if !self.has_prefix || section == "default" {
            return Some(section);
        }
        section.strip_prefix("profile").filter(|name| name.starts_with([' ', '\t'])).map(str::trim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_told_from_what_else_the_files_have() {
        let [config, credentials] = FILES;
        let text = "# [profile no]\n[default]\nregion = x\n [ profile  dev ] # ours\n[sso-session s]\n[other]\n[profile\tprod]\n";
        assert_eq!(config.profiles(text), ["default", "dev", "prod"]);
        assert_eq!(credentials.profiles("[dev]\naws_access_key_id = [x]\n[ci]"), ["dev", "ci"]);
    }
}

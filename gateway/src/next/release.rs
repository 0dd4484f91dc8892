//! Releases of Next.js.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// A release, in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    numbers: (u32, u32, u32),
    /// Canaries and their kin come before the release that they lead to.
    is_final: bool,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

impl Release {
    /// The release with these numbers.
    pub const fn of(major: u32, minor: u32, patch: u32) -> Self {
        Self { numbers: (major, minor, patch), is_final: true }
    }

    /// Reads `16.4.5`, `v16.4.5` or `16.4.0-canary.3`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next().unwrap_or(text);
        let (numbers, stage) = text.split_once('-').map_or((text, None), |(n, s)| (n, Some(s)));
        let mut numbers = numbers.split('.').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        let read = (next()?, next()?, next()?);
        numbers.next().is_none().then_some(Self { numbers: read, is_final: stage.is_none() })
    }

    /// The least that a range such as `^16.4.0` of a `package.json` asks for.
    pub fn least_of_range(range: &str) -> Option<Self> {
        Self::parse(range.trim().trim_start_matches(['^', '~', '=', '>', ' ']))
    }

    /// Finds the release that is installed for the application in `folder`, as Node.js resolves
    /// packages.
    pub fn find_installed(folder: &Path) -> Option<Self> {
        let text = folder
            .ancestors()
            .map(|level| level.join("node_modules/next/package.json"))
            .find_map(|file| fs::read_to_string(file).ok())?;
        let manifest: Version = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        Self::parse(&manifest.version)
    }

    /// Whether it is this release, a canary of it, or a later one.
    pub(crate) fn is_since(self, first: Self) -> bool {
        self.numbers >= first.numbers
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.numbers;
        let stage = if self.is_final { "" } else { " (a canary)" };
        write!(f, "{major}.{minor}.{patch}{stage}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_and_perhaps_a_stage() {
        assert_eq!(Release::parse("16.4.5"), Some(Release::of(16, 4, 5)));
        assert_eq!(Release::parse(" v16.4.5+x\n"), Some(Release::of(16, 4, 5)));
        for bad in ["", "16", "16.4", "16.4.x", "latest", "1.2.3.4", "workspace:*"] {
            assert_eq!(Release::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_canary_comes_before_its_release_and_after_the_one_before() {
        let canary = Release::parse("16.4.0-canary.3").unwrap();
        assert!(canary < Release::of(16, 4, 0) && canary > Release::of(16, 3, 9));
        assert!(canary.is_since(Release::of(16, 4, 0)));
        assert!(!canary.is_since(Release::of(16, 4, 1)));
    }

    #[test]
    fn a_range_asks_for_at_least_what_it_begins_with() {
        for range in ["^16.4.0", "~16.4.0", ">=16.4.0", "16.4.0"] {
            assert_eq!(Release::least_of_range(range), Some(Release::of(16, 4, 0)), "{range}");
        }
        assert_eq!(Release::least_of_range("latest"), None);
    }

    #[test]
    fn what_is_installed_further_up_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let next = folder.path().join("node_modules/next");
        fs::create_dir_all(&next).unwrap();
        fs::write(next.join("package.json"), r#"{"version": "14.1.0"}"#).unwrap();
        let shop = folder.path().join("packages/shop");
        assert_eq!(Release::find_installed(&shop), Some(Release::of(14, 1, 0)));
    }
}

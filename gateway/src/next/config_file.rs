//! What `next.config` says, read as text: to run it is to run the application's code.

use std::fs;
use std::path::{Path, PathBuf};

/// The file's names, in the order in which Next.js looks (16.4.5, `CONFIG_FILES`).
const NAMES: [&str; 4] = ["next.config.js", "next.config.mjs", "next.config.ts", "next.config.mts"];

/// What runs before pages, by its names since 16 and before.
const BEFORE_PAGES: [&str; 2] = ["proxy", "middleware"];
const ENDINGS: [&str; 4] = ["ts", "js", "mjs", "cjs"];

/// Longest file read.
const LONGEST: u64 = 1024 * 1024;

/// What can be seen in `next.config` without running it; what is computed there is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigFile {
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// `output: 'standalone'`
    pub is_standalone: bool,
    /// `basePath`, where it is a plain text.
    pub base_path: Option<String>,
    /// `compress: false`
    pub is_uncompressed: bool,
    /// Whether the limit of bodies before `proxy.ts` is set.
    pub has_body_limit: bool,
}

impl ConfigFile {
    /// Reads that of the application in `folder`.
    pub fn read(folder: &Path) -> Self {
        let file = NAMES.iter().map(|name| folder.join(name)).find(|file| file.is_file());
        let is_short =
            |file: &PathBuf| fs::metadata(file).is_ok_and(|found| found.len() <= LONGEST);
        let text = file.as_ref().filter(|file| is_short(file));
        let text = text.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        Self { file, ..Self::of(&text) }
    }

    fn of(text: &str) -> Self {
        let text = without_comments(text);
        let value = |name| value_of(&text, name);
        Self {
            file: None,
            is_standalone: value("output").and_then(quoted) == Some("standalone"),
            base_path: value("basePath")
                .and_then(quoted)
                .filter(|path| !path.is_empty())
                .map(str::to_owned),
            is_uncompressed: value("compress").is_some_and(|value| value.starts_with("false")),
            has_body_limit: ["proxyClientMaxBodySize", "middlewareClientMaxBodySize"]
                .iter()
                .any(|name| value(name).is_some()),
        }
    }
}

/// Finds the application's `proxy.ts` or `middleware.ts`.
pub fn find_before_pages(folder: &Path) -> Option<PathBuf> {
    let levels = [folder.to_path_buf(), folder.join("src")];
    levels.iter().find_map(|level| {
        let names = BEFORE_PAGES.iter().flat_map(|name| ENDINGS.iter().map(move |e| (name, e)));
        names
            .map(|(name, ending)| level.join(format!("{name}.{ending}")))
            .find(|file| file.is_file())
    })
}

/// What stands behind `name:`, where that is a member of an object.
fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.match_indices(name).find_map(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '.';
        let before = text.get(..at)?.trim_end_matches(['"', '\'']).chars().next_back();
        let behind = text.get(at + name.len()..)?.trim_start_matches(['"', '\'']).trim_start();
        let value = behind.strip_prefix(':')?;
        (!before.is_some_and(is_part)).then(|| value.trim_start())
    })
}

/// The text between the quotes that `value` begins with.
fn quoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
    value.get(1..)?.split(quote).next()
}

/// Leaves out whole-line and block comments, in which options lie about.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
    }
    kept.push_str(rest);
    let lines = kept.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_options_are_seen() {
        let read = ConfigFile::of(
            "export default {\n  output: 'standalone',\n  \"basePath\": \"/shop\",\n  compress: false,\n  \
             experimental: { proxyClientMaxBodySize: '50mb' },\n};",
        );
        assert!(read.is_standalone && read.is_uncompressed && read.has_body_limit);
        assert_eq!(read.base_path.as_deref(), Some("/shop"));
    }

    #[test]
    fn what_is_left_out_computed_or_another_option_is_not() {
        for text in [
            "// output: 'standalone'\n/* basePath: '/x', compress: false */",
            "{ output: 'export', basePath: '', compress: true }",
            "{ myoutput: 'standalone', basePath: process.env.BASE, x: config.output }",
            "",
        ] {
            assert_eq!(ConfigFile::of(text), ConfigFile::default(), "{text}");
        }
    }

    #[test]
    fn what_runs_before_pages_is_found_beside_them_and_in_src() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find_before_pages(folder.path()), None);
        fs::create_dir(folder.path().join("src")).unwrap();
        let file = folder.path().join("src/middleware.ts");
        fs::write(&file, "").unwrap();
        assert_eq!(find_before_pages(folder.path()), Some(file));
        let file = folder.path().join("proxy.js");
        fs::write(&file, "").unwrap();
        assert_eq!(find_before_pages(folder.path()), Some(file));
    }
}

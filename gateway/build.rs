//! Tells the program what it was built from.

use std::path::Path;
use std::process::Command;

/// Characters of a commit's hash that are told.
const COMMIT_CHARACTERS: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=NEXTBNB_COMMIT");
    let version = env!("CARGO_PKG_VERSION");
    let version = match given().or_else(from_git) {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(), // As from an archive of the sources.
    };
    println!("cargo::rustc-env=NEXTBNB_VERSION={version}");
}

/// What the builder says, where git is out of reach, as in a container.
fn given() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a setting of the build")]
    let commit = std::env::var("NEXTBNB_COMMIT").ok()?;
    let is_plain = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| commit.chars().take(COMMIT_CHARACTERS).collect())
}

/// The commit of this repository, and not of another that the sources were unpacked in.
///
/// Asked for again after a commit or a checkout, and no more often: all that depends on it is
/// compiled anew then.
fn from_git() -> Option<String> {
    let repository = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&repository).canonicalize().ok()? != Path::new("..").canonicalize().ok()? {
        return None;
    }
    let commit = git(&["rev-parse", &format!("--short={COMMIT_CHARACTERS}"), "HEAD"])?;
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "logs/HEAD"].into_iter().chain(branch.as_deref()) {
        // One that is not there would count as changed each time.
        let file = git(&["rev-parse", "--git-path", name]);
        if let Some(file) = file.filter(|file| Path::new(file).exists()) {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    Some(commit)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).stderr(std::process::Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned()).filter(|text| !text.is_empty())
}

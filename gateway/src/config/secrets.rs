//! Session secrets: read from a file or the environment, or made once and kept.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::TryRng as _;
use tempfile::{NamedTempFile, PersistError};
use tracing::warn;

use super::session_args::SessionArgs;
use super::state_dir::StateDir;
use super::weak_secret;
use crate::error::StartError;
use crate::identity::headers::UpstreamToken;
use crate::session::secrets::Secrets;

/// Shortest secret accepted: as many bytes as the HMAC-SHA256 that it keys (RFC 2104 §3).
pub(super) const SHORTEST_SECRET_BYTES: usize = 32;

const SECRET_FILE: &str = "--session-secret-file";
const TOKEN_FILE: &str = "--upstream-token-file";

/// What a made file lets its owner and group do; the token's group is the upstream's way to it.
const SECRET_MODE: u32 = 0o600;
const TOKEN_MODE: u32 = 0o640;

/// The variable with one secret, or a JSON array of them.
const VARIABLE: &str = "SESSION_SECRET";

/// The secrets given by file or variable; `None` when neither is. `--generate-secret` wants a file
/// to make, of these or of the `token`.
pub(super) fn given(
    args: &SessionArgs,
    token: Option<&Path>,
) -> Result<Option<Secrets>, StartError> {
    let (variable, shortest) = (variable(), shortest(args.allow_short_secret));
    let secrets = match (&args.session_secret_file, variable) {
        (Some(_), Some(_)) => return Err(StartError::SecretTwice),
        (Some(file), None) => {
            if args.generate_secret {
                make_file(file, SECRET_FILE, SECRET_MODE)?;
            }
            from_file(file, shortest)?
        }
        (None, _) if args.generate_secret && token.is_none() => {
            return Err(StartError::SecretFileUnnamed);
        }
        (None, Some(value)) => from_variable(value, shortest)?,
        (None, None) => return Ok(None),
    };
    keys(&secrets).map(Some)
}

/// As [`given`], else those that were kept before; makes none.
pub(super) fn known(
    file: Option<&Path>,
    allow_short: bool,
    kept: Option<&Path>,
) -> Result<Option<Secrets>, StartError> {
    let shortest = shortest(allow_short);
    let secrets = match (file, variable()) {
        (Some(_), Some(_)) => return Err(StartError::SecretTwice),
        (Some(file), None) => from_file(file, shortest)?,
        (None, Some(value)) => from_variable(value, shortest)?,
        (None, None) => match kept.filter(|file| file.exists()) {
            Some(file) => from_file(file, shortest)?,
            None => return Ok(None),
        },
    };
    keys(&secrets).map(Some)
}

/// What is weak about the secrets that [`known`] would find, each thing once. Secrets that cannot be
/// read are [`known`]'s to tell of.
pub(super) fn weaknesses(file: Option<&Path>, kept: &Path) -> Vec<&'static str> {
    let (read, file) = match (file, variable()) {
        (Some(file), None) => (from_file(file, 1), Some(file)),
        (None, Some(value)) => (from_variable(value, 1), None),
        (None, None) if kept.exists() => (from_file(kept, 1), Some(kept)),
        _ => return Vec::new(),
    };
    let mut found: Vec<&str> =
        read.unwrap_or_default().iter().filter_map(|secret| weak_secret::reason(secret)).collect();
    if file.is_some_and(is_open) {
        found.push("others on this machine can read the file: chmod o-rwx");
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn variable() -> Option<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "this is where the setting enters")]
    let variable = std::env::var_os(VARIABLE);
    variable.map(OsStringExt::into_vec)
}

fn shortest(allow_short: bool) -> usize {
    if allow_short { 1 } else { SHORTEST_SECRET_BYTES }
}

/// The token of `file`, made where that is wished for and it is missing.
pub(super) fn upstream_token(file: &Path, make: bool) -> Result<UpstreamToken, StartError> {
    if make {
        make_file(file, TOKEN_FILE, TOKEN_MODE)?;
    }
    let text = fs::read_to_string(file).map_err(|source| unusable(TOKEN_FILE, file, source))?;
    warn_if_open(file);
    UpstreamToken::new(text.trim_end())
        .ok_or_else(|| StartError::UpstreamToken { file: file.to_owned() })
}

/// The secret of the prepared state folder, made when it is missing.
pub(super) fn kept_in(state: &StateDir) -> Result<Secrets, StartError> {
    make_file(&state.secret_file(), SECRET_FILE, SECRET_MODE)?;
    keys(&from_file(&state.secret_file(), SHORTEST_SECRET_BYTES)?)
}

fn keys(secrets: &[Vec<u8>]) -> Result<Secrets, StartError> {
    Secrets::new(secrets).ok_or(StartError::SecretMissing)
}

/// One secret a line; a line's own end is no part of it, and empty lines are none.
fn from_file(file: &Path, shortest: usize) -> Result<Vec<Vec<u8>>, StartError> {
    let text = fs::read(file).map_err(|source| unusable(SECRET_FILE, file, source))?;
    warn_if_open(file);
    let lines = text.split(|&byte| byte == b'\n');
    let secrets = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec());
    let source = format!("--session-secret-file {}", file.display());
    checked(secrets.filter(|secret| !secret.is_empty()).collect(), shortest, &source)
}

fn from_variable(value: Vec<u8>, shortest: usize) -> Result<Vec<Vec<u8>>, StartError> {
    // Taken for one secret, a list with a slip in it would sign everybody out.
    let secrets = if value.starts_with(b"[") {
        let list: Vec<String> = serde_json::from_slice(&value)
            .map_err(|error| StartError::SecretList { source: without_text(&error) })?;
        list.into_iter().map(String::into_bytes).collect()
    } else {
        vec![value]
    };
    checked(secrets, shortest, VARIABLE)
}

/// At least one, none too short.
fn checked(
    secrets: Vec<Vec<u8>>,
    shortest: usize,
    source: &str,
) -> Result<Vec<Vec<u8>>, StartError> {
    let source = || source.to_owned();
    if secrets.is_empty() {
        return Err(StartError::SecretNone { source_name: source() });
    }
    if let Some(bytes) = secrets.iter().map(Vec::len).find(|&bytes| bytes < shortest) {
        return Err(StartError::SecretShort { source_name: source(), bytes, shortest });
    }
    Ok(secrets)
}
/// Where a list is wrong, and not with what text: that may be a secret.
fn without_text(error: &serde_json::Error) -> io::Error {
    io::Error::other(format!("mistake at character {}", error.column()))
}

fn unusable(flag: &'static str, file: &Path, source: io::Error) -> StartError {
    let file = file.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => StartError::SecretFileMissing { flag, file },
        _ => StartError::SecretFile { flag, file, source },
    }
}

/// Makes `file` with one random secret, in `mode` whatever the umask, unless it is there.
///
/// The file appears whole or not at all, so that a replica that starts at the same moment never
/// reads half a secret. The draft's name cannot be guessed, and so no link be put there.
fn make_file(file: &Path, flag: &'static str, mode: u32) -> Result<(), StartError> {
    let failed = |source| unusable(flag, file, source);
    if fs::exists(file).map_err(failed)? {
        return Ok(());
    }
    let mut random = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut random).map_err(|e| failed(io::Error::other(e)))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(failed(io::Error::other(
            "its folder is not there, and the gateway makes none",
        )));
    }
    let mut draft = NamedTempFile::new_in(folder).map_err(failed)?;
    writeln!(draft, "{}", BASE64_URL_SAFE_NO_PAD.encode(random)).map_err(failed)?;
    draft.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    draft.as_file().sync_all().map_err(failed)?;
    match draft.persist_noclobber(file) {
        Err(PersistError { error, .. }) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed(error))
        }
        _ => Ok(()), // Made here, or by another meanwhile.
    }
}

/// Says how to close a file that every user of the machine may read.
fn warn_if_open(file: &Path) {
    if is_open(file) {
        let file = file.display();
        warn!("others on this machine can read a secret: chmod o-rwx {file}");
    }
}

fn is_open(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o007 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "0123456789abcdef0123456789abcdef";

    #[track_caller]
    fn check_variable(value: &str, expected: Result<&[&str], &str>) {
        let read = from_variable(value.as_bytes().to_vec(), SHORTEST_SECRET_BYTES);
        match expected {
            Ok(secrets) => {
                let secrets: Vec<Vec<u8>> = secrets.iter().map(|s| s.as_bytes().to_vec()).collect();
                assert_eq!(read.unwrap(), secrets);
            }
            Err(part) => {
                let error = read.unwrap_err().to_string();
                assert!(error.contains(part), "{error}");
                assert!(!error.contains(LONG), "{error}");
            }
        }
    }

    #[test]
    fn the_variable_is_one_secret_byte_for_byte_or_a_json_array() {
        check_variable(LONG, Ok(&[LONG]));
        check_variable(&format!(" {LONG}\n"), Ok(&[&format!(" {LONG}\n")]));
        check_variable(&format!("[\"{LONG}\",\"{LONG}2\"]"), Ok(&[LONG, &format!("{LONG}2")]));
        check_variable(&format!("[\"{LONG}\""), Err("want one secret, or a JSON array"));
        check_variable(&format!("[\"{LONG}\",1]"), Err("want one secret, or a JSON array"));
        check_variable("[]", Err("holds no secret"));
        check_variable("", Err("holds 0 bytes"));
        check_variable("short", Err("holds 5 bytes"));
        check_variable(&format!("[\"{LONG}\",\"short\"]"), Err("holds 5 bytes"));
    }

    #[test]
    fn a_file_holds_one_secret_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets");
        fs::write(&file, format!("{LONG}\r\n\n{LONG}2\n")).unwrap();
        let secrets = from_file(&file, SHORTEST_SECRET_BYTES).unwrap();
        assert_eq!(secrets, [LONG.as_bytes(), format!("{LONG}2").as_bytes()]);
    }

    #[test]
    fn a_generated_secret_is_private_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        make_file(&file, SECRET_FILE, SECRET_MODE).unwrap();
        let first = fs::read(&file).unwrap();
        make_file(&file, SECRET_FILE, SECRET_MODE).unwrap();
        assert_eq!(fs::read(&file).unwrap(), first);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(from_file(&file, SHORTEST_SECRET_BYTES).is_ok());
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nextbnb/token");
        let told = crate::error::chain(&upstream_token(&file, true).unwrap_err());
        let expected = format!(
            "--upstream-token-file {} is not usable: its folder is not there, and the gateway makes none",
            file.display()
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn a_made_token_is_for_its_group_as_well_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        upstream_token(&file, true).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_draft_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, victim) = (folder.path().join("secret"), folder.path().join("victim"));
        fs::write(&victim, "whole").unwrap();
        let planted = folder.path().join(format!("secret.{}", std::process::id()));
        std::os::unix::fs::symlink(&victim, planted).unwrap();
        make_file(&file, SECRET_FILE, SECRET_MODE).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "whole");
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
    }
}

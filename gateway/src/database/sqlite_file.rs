//! The file of an SQLite database: who serves on it, and whether somebody else wrote to it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sea_orm::sqlx::{self, SqliteConnection};
use sea_orm::{DbBackend, DbErr, RuntimeErr};
use tracing::warn;

use super::Database;
use crate::error::StartError;

/// What the file was when it was asked. Two are equal where nobody but the pool's one connection
/// wrote in between, and it was the same connection that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileVersion {
    connection: i64,
    version: i64,
}

/// That this gateway alone serves on a file; given back when this is dropped, and by the system when
/// the process ends in any way.
#[derive(Debug)]
pub struct HeldFile {
    _lock: Option<File>,
}

impl Database {
    /// What the SQLite file is now.
    ///
    /// `data_version` counts what others commit and tells no two connections the same
    /// (<https://sqlite.org/pragma.html#pragma_data_version>), so that each is marked when it is made.
    pub(crate) async fn file_version(&self) -> Result<FileVersion, DbErr> {
        let pool = self.connection().get_sqlite_connection_pool().clone();
        let query = r#"SELECT "mark", "data_version"
            FROM temp."nextbnb_connection", pragma_data_version"#;
        self.run(async move {
            let asking = sqlx::query_as(query).fetch_one(&pool).await;
            let (connection, version) =
                asking.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?;
            Ok(FileVersion { connection, version })
        })
        .await
    }

    /// Takes the SQLite file for this gateway alone, whatever path leads to it; on Postgres there is
    /// nothing to take.
    ///
    /// `migrate`, `doctor` and shells go on using it. Fails with [`StartError::DatabaseFileHeld`]
    /// where another gateway serves on it.
    pub fn hold_file(&self) -> Result<HeldFile, StartError> {
        if self.backend() != DbBackend::Sqlite {
            return Ok(HeldFile { _lock: None });
        }
        let options = self.connection().get_sqlite_connection_pool().connect_options();
        hold(options.get_filename())
    }
}

/// Marks a connection, where nothing is kept beyond it.
pub(super) async fn mark(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let query = r#"CREATE TEMP TABLE "nextbnb_connection" AS SELECT random() AS "mark""#;
    sqlx::raw_sql(query).execute(connection).await.map(drop)
}

fn hold(path: &Path) -> Result<HeldFile, StartError> {
    let Ok(path) = path.canonicalize() else {
        return Ok(HeldFile { _lock: None }); // In memory.
    };
    let mut lock_path = path.clone().into_os_string();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let opening = || {
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)?;
        let held = file.try_lock();
        Ok::<_, io::Error>((held.map(|()| note_process(&mut file)), file))
    };
    match opening() {
        Ok((Ok(noted), file)) => {
            if let Err(error) = noted {
                warn!(cause = %error, "cannot note this process in {}", lock_path.display());
            }
            Ok(HeldFile { _lock: Some(file) })
        }
        Ok((Err(TryLockError::WouldBlock), mut file)) => {
            Err(StartError::DatabaseFileHeld { path, holder: holder(&mut file) })
        }
        Ok((Err(TryLockError::Error(error)), _)) | Err(error) => {
            // A file system without locks was good enough before there was one.
            let place = lock_path.display();
            warn!(cause = %error, "cannot lock {place}: start no other gateway on this database");
            Ok(HeldFile { _lock: None })
        }
    }
}

fn note_process(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// The process noted there, in words.
fn holder(file: &mut File) -> Option<String> {
    let mut noted = String::new();
    file.read_to_string(&mut noted).ok()?;
    let process: u32 = noted.trim().parse().ok()?;
    Some(format!("process {process}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_held_once_by_whatever_path_and_free_again_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.sqlite"), folder.path().join("link"));
        std::fs::write(&path, "").unwrap();
        symlink(&path, &link).unwrap();
        let held = hold(&path).unwrap();
        for other in [&path, &link] {
            let told = hold(other).unwrap_err().to_string();
            let process = format!("process {} serves on it", std::process::id());
            assert!(told.contains("a.sqlite") && told.contains(&process), "{told}");
        }
        drop(held);
        hold(&link).unwrap();
        let lock = folder.path().join("a.sqlite.lock").metadata().unwrap();
        assert_eq!(lock.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_dead_processs_note_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        std::fs::write(&path, "").unwrap();
        std::fs::write(folder.path().join("a.sqlite.lock"), "4711 and more\n").unwrap();
        let _held = hold(&path).unwrap();
        let noted = std::fs::read_to_string(folder.path().join("a.sqlite.lock")).unwrap();
        assert_eq!(noted, format!("{}\n", std::process::id()));
    }
}

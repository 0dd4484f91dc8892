//! The file of a Unix socket: made, guarded, removed.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use super::holder;
use super::listeners::BACKLOG;
use crate::error::FrontError;

/// The file that clients of a listening socket connect to; gone when this is, unless somebody else
/// has put another in its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

/// What tells a file from another at the same path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of the file at `path` itself, which is not followed where it is a link.
    fn of(path: &Path) -> io::Result<Self> {
        let file = fs::symlink_metadata(path)?;
        Ok(Self { device: file.dev(), inode: file.ino() })
    }
}

impl SocketFile {
    /// Listens at `path`, which those may connect to whom `mode` lets write.
    ///
    /// A file that a dead process left is replaced. Fails where a living one listens, naming it
    /// where the system does, and where anything but a socket is, a link among it.
    pub(super) fn listen(path: &Path, mode: u32) -> Result<(Self, UnixListener), FrontError> {
        let failed = |source| FrontError::Socket { path: path.to_owned(), source };
        // Of two gateways that start at once one waits, and finds the other alive.
        let folder = path.parent().unwrap_or(Path::new("/"));
        let folder = File::open(folder).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => {
                FrontError::NoSocketFolder { path: path.to_owned(), folder: folder.to_owned() }
            }
            _ => failed(source),
        })?;
        folder.lock().map_err(failed)?;
        remove_stale(path)?;
        let bound = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.bind(&SockAddr::unix(path)?)?;
            let file = Self { path: path.to_owned(), identity: Identity::of(path)? };
            // Before it listens, so that nobody comes in whom the mode keeps out.
            fs::set_permissions(path, Permissions::from_mode(mode))?;
            socket.set_nonblocking(true)?;
            socket.listen(BACKLOG)?;
            Ok((file, socket.into()))
        };
        bound().map_err(failed)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether whoever connects to `path` reaches this socket.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let real = path.canonicalize();
        real.and_then(|real| Identity::of(&real)).is_ok_and(|other| other == self.identity)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if Identity::of(&self.path).is_ok_and(|there| there == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(cause = %error, "cannot remove {}", self.path.display());
        }
    }
}

fn remove_stale(path: &Path) -> Result<(), FrontError> {
    let failed = |source| FrontError::Socket { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(file) if !file.file_type().is_socket() => {
            return Err(FrontError::NoSocket { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    let knock = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?; // With a full queue somebody lives, and is not waited for.
        socket.connect(&SockAddr::unix(path)?)
    };
    match knock() {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(failed(error)),
        Ok(()) | Err(_) => {
            let holder = holder::of_socket(path);
            Err(FrontError::SocketTaken { path: path.to_owned(), holder })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixStream;
    use std::sync::Barrier;

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        path: PathBuf,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.sock");
        Place { folder, path }
    }

    #[test]
    fn a_socket_has_its_mode_and_goes_with_its_owner() {
        let Place { folder: _folder, path } = place();
        for mode in [0o660, 0o600, 0o666] {
            let (file, _listener) = SocketFile::listen(&path, mode).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
            UnixStream::connect(&path).unwrap();
            drop(file);
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_dead_processs_file_is_replaced() {
        let Place { folder: _folder, path } = place();
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let (_file, _listener) = SocketFile::listen(&path, 0o600).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn a_living_processs_file_is_left_alone_and_its_holder_named() {
        let Place { folder: _folder, path } = place();
        let other = UnixListener::bind(&path).unwrap();
        let error = SocketFile::listen(&path, 0o600).unwrap_err().to_string();
        assert!(error.contains("gateway.sock"), "{error}");
        if cfg!(target_os = "linux") {
            assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        }
        UnixStream::connect(&path).unwrap();
        drop(other);
    }

    #[test]
    fn of_gateways_that_start_at_once_on_a_dead_ones_file_one_serves() {
        for _ in 0..50 {
            let Place { folder: _folder, path } = place();
            drop(UnixListener::bind(&path).unwrap());
            let together = Barrier::new(4);
            let start = || {
                together.wait();
                SocketFile::listen(&path, 0o600).ok()
            };
            let started: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
                threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(started.len(), 1);
            UnixStream::connect(&path).unwrap();
        }
    }

    #[test]
    fn a_link_or_any_other_file_is_neither_followed_nor_replaced() {
        let Place { folder, path } = place();
        let dead = folder.path().join("dead.sock");
        drop(UnixListener::bind(&dead).unwrap());
        symlink(&dead, &path).unwrap();
        let error = SocketFile::listen(&path, 0o600).unwrap_err().to_string();
        assert!(error.contains("is no socket"), "{error}");
        fs::remove_file(&path).unwrap();
        fs::write(&path, "a file").unwrap();
        assert!(SocketFile::listen(&path, 0o600).is_err());
        assert!(dead.exists() && fs::read_to_string(&path).unwrap() == "a file");
    }

    #[test]
    fn a_successors_file_stays() {
        let Place { folder: _folder, path } = place();
        let (file, _listener) = SocketFile::listen(&path, 0o600).unwrap();
        fs::remove_file(&path).unwrap();
        let _successor = UnixListener::bind(&path).unwrap();
        drop(file);
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn a_path_through_a_link_reaches_the_same_socket() {
        let Place { folder, path } = place();
        let (file, _listener) = SocketFile::listen(&path, 0o600).unwrap();
        let link = folder.path().join("link.sock");
        symlink(&path, &link).unwrap();
        assert!(file.is_at(&path) && file.is_at(&link));
        assert!(!file.is_at(&folder.path().join("other.sock")));
    }
}

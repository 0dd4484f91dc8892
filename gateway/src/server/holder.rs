//! Who has a port or the file of a socket, where the system tells.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// State of a listening socket in `/proc/net/tcp` (Linux, `TCP_LISTEN`).
const LISTENING: &str = "0A";

/// The process that listens on `port`, in words, where the system tells: on Linux, and only for
/// processes that this user may look into.
pub(crate) fn of(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].iter();
    let inodes = tables
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port));
    of_inodes(inodes)
}

/// The process that has the socket whose file is at `path`, where the system tells as for a port.
pub(crate) fn of_socket(path: &Path) -> Option<String> {
    of_inodes(socket_inodes(&fs::read_to_string("/proc/net/unix").ok()?, path))
}

/// The addresses at which anybody on this machine listens on `port`, where the system tells.
pub(crate) fn addresses(port: u16) -> Option<Vec<IpAddr>> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).ok());
    if tables.iter().all(Option::is_none) {
        return None;
    }
    let tables = tables.into_iter().flatten();
    Some(tables.flat_map(|table| listening_addresses(&table, port)).collect())
}

/// The addresses of the sockets that listen on `port`, from a table in the form of `/proc/net/tcp`.
fn listening_addresses(table: &str, port: u16) -> Vec<IpAddr> {
    let of_line = |line: &str| {
        let mut fields = line.split_whitespace();
        let (address, its_port) = fields.nth(1)?.split_once(':')?;
        let is_listening = fields.nth(1)? == LISTENING;
        let is_meant = u16::from_str_radix(its_port, 16).ok()? == port;
        if is_listening && is_meant { address_of(address) } else { None }
    };
    table.lines().filter_map(of_line).collect()
}

/// An address as the kernel writes it: words of 32 bits in hexadecimal, as they lie in memory.
fn address_of(text: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let word = u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    if text.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?];
    let bytes: [u8; 16] = words.concat().try_into().ok()?;
    Some(Ipv6Addr::from(bytes).to_canonical())
}

fn of_inodes(inodes: impl IntoIterator<Item = String>) -> Option<String> {
    let sockets: Vec<String> =
        inodes.into_iter().map(|inode| format!("socket:[{inode}]")).collect();
    let mut entries = fs::read_dir("/proc").ok()?.flatten();
    entries.find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let process = entry.path();
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        has_any(&process, &sockets).then(|| format!("process {pid} ({})", name.trim()))
    })
}

/// The inodes of the sockets that listen on `port`, from a table in the form of `/proc/net/tcp`.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    let of_line = |line: &str| {
        let mut fields = line.split_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        (local.ends_with(&suffix) && state == LISTENING).then(|| inode.to_owned())
    };
    table.lines().filter_map(of_line).collect()
}

/// The inodes of the sockets that were bound to `path`, from a table in the form of
/// `/proc/net/unix`: those of connections name it as well.
fn socket_inodes(table: &str, path: &Path) -> Vec<String> {
    let of_line = |line: &str| {
        let mut fields = line.split_whitespace();
        let inode = fields.nth(6)?;
        (Path::new(fields.next()?) == path).then(|| inode.to_owned())
    };
    table.lines().filter_map(of_line).collect()
}

fn has_any(process: &Path, sockets: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors
        .flatten()
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_socket_is_found_in_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n   1: 0100007F:0BB8 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0\n";
        assert_eq!(listening_inodes(table, 3000), ["4711"]);
        assert!(listening_inodes(table, 3001).is_empty());
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        let line = |address: &str| {
            format!("   0: {address}:0BB8 00000000:0000 0A 0:0 00:0 0 0 0 4711 1 0\n")
        };
        for (written, address) in [
            ("0100007F", "127.0.0.1"),
            ("00000000", "0.0.0.0"),
            ("00000000000000000000000000000000", "::"),
            ("00000000000000000000000001000000", "::1"),
            ("0000000000000000FFFF00000100007F", "127.0.0.1"),
        ] {
            let expected: IpAddr = address.parse().unwrap();
            assert_eq!(listening_addresses(&line(written), 3000), [expected]);
            assert_eq!(listening_addresses(&line(written), 3001), [] as [IpAddr; 0]);
        }
    }

    #[test]
    fn a_socket_is_found_by_its_file() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 4711 /run/a.sock\n0000000000000000: 00000003 00000000 00000000 0001 03 4712\n";
        assert_eq!(socket_inodes(table, Path::new("/run/a.sock")), ["4711"]);
        assert!(socket_inodes(table, Path::new("/run/b.sock")).is_empty());
    }
}

//! Sizes as typed: a number and its unit.

/// Reads `10MiB`, `500kB` or `1048576B` as bytes; more than none.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let wanted = || "want a size with its unit, as in 10MiB".to_owned();
    let read = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let (number, unit) = read.ok_or_else(wanted)?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<u64>().ok().filter(|number| is_number && *number > 0);
    number.and_then(|number| number.checked_mul(*unit)).ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(parse_bytes("10MiB"), Ok(10 * 1024 * 1024));
        assert_eq!(parse_bytes("500kB"), Ok(500_000));
        assert_eq!(parse_bytes("1B"), Ok(1));
        for bad in
            ["", "10", "MiB", "0MiB", "+1B", "-1B", "1.5MiB", "10 MiB", "99999999999GiB", "1mb"]
        {
            assert!(parse_bytes(bad).is_err(), "{bad:?}");
        }
    }
}

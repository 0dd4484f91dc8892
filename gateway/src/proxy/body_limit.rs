//! How large a request's body may be.

use super::routing::PathPrefix;

/// The largest body that is passed on, but for some paths.
#[derive(Debug, Clone)]
pub struct BodyLimit {
    /// In bytes, as they are sent: a compressed body may become more.
    pub bytes: u64,
    /// Below these there is no limit.
    pub except: Vec<PathPrefix>,
}

impl BodyLimit {
    /// The limit at `path`. A path that servers read in several ways is no exception.
    pub fn at(&self, path: &str) -> Option<u64> {
        let is_excepted = self.except.iter().any(|prefix| prefix.covers_plainly(path));
        (!is_excepted).then_some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_is_what_its_prefix_says_and_nothing_else() {
        let limit = BodyLimit { bytes: 5, except: vec![PathPrefix::new("/api/upload/").unwrap()] };
        assert_eq!(limit.at("/api/upload/x"), None);
        for path in
            ["/", "/api/upload", "/api/uploads/x", "/api/upload/../x", "/api/upload/%2e%2e/x"]
        {
            assert_eq!(limit.at(path), Some(5), "{path}");
        }
    }
}

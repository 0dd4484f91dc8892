//! The values of the label `status`.

use http::StatusCode;

/// Statuses that are registered with IANA, and the classes of the others: an upstream may answer
/// with any, and each is a series.
#[derive(Debug)]
pub(super) struct Statuses {
    /// The place of each code from 100 on.
    places: Vec<usize>,
    labels: Vec<String>,
}

/// Where requests are counted whose client left before the head of an answer.
const GONE: &str = "gone";

impl Statuses {
    pub(super) fn new() -> Self {
        let mut labels: Vec<String> = vec![GONE.to_owned()];
        labels.extend((1..=9).map(|class| format!("{class}xx")));
        let mut place_of = |code: u16| {
            let is_registered =
                StatusCode::from_u16(code).is_ok_and(|code| code.canonical_reason().is_some());
            if !is_registered {
                return usize::from(code / 100);
            }
            labels.push(code.to_string());
            labels.len() - 1
        };
        let places = (100..1000).map(&mut place_of).collect();
        Self { places, labels }
    }

    /// The place of a status among the labels; `None` is one that was never answered.
    pub(super) fn place(&self, status: Option<StatusCode>) -> usize {
        let code = status.map(|status| usize::from(status.as_u16()) - 100);
        code.and_then(|code| self.places.get(code).copied()).unwrap_or(0)
    }

    pub(super) fn labels(&self) -> &[String] {
        &self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registered_status_is_itself_and_any_other_its_class() {
        let statuses = Statuses::new();
        let label = |code| &statuses.labels()[statuses.place(StatusCode::from_u16(code).ok())];
        assert_eq!(["200", "404", "503"], [200, 404, 503].map(label).map(String::as_str));
        assert_eq!(["2xx", "4xx", "9xx"], [299, 499, 999].map(label).map(String::as_str));
        assert_eq!(statuses.labels()[statuses.place(None)], GONE);
        assert!(statuses.labels().len() < 80, "{:?}", statuses.labels());
    }
}

//! What log lines of the rooms below carry a request's id by.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;

use tracing::instrument::Instrumented;
use tracing::{Instrument, Span, error_span};

use super::request_id::RequestId;

thread_local! {
    /// The request that this thread works for.
    static CURRENT: Cell<Option<RequestId>> = const { Cell::new(None) };
}

/// Does `work` for the request with this id. Its span is made only where it is asked for: one costs
/// some 6,000 instructions, and most requests ask the database nothing.
pub async fn for_request<F: Future>(request_id: RequestId, mut work: Pin<&mut F>) -> F::Output {
    poll_fn(|context| {
        let _before = Before(CURRENT.replace(Some(request_id)));
        work.as_mut().poll(context)
    })
    .await
}

/// Whom the thread worked for before, told again even after a panic.
struct Before(Option<RequestId>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// The span of the request that this thread works for, if it does for one.
pub(crate) fn request_span() -> Span {
    CURRENT.get().map_or_else(Span::current, |request_id| error_span!("request", %request_id))
}

/// `work` of which every line carries the id of the request that this thread works for.
pub(crate) fn in_request_span<F>(work: F) -> Instrumented<F> {
    work.instrument(request_span())
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::pin::pin;
    use std::sync::{Arc, Mutex};

    use tokio::task::yield_now;
    use tracing::warn;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_carries_the_id_of_the_request_that_it_is_of_and_no_other() {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let _default = tracing::subscriber::set_default(subscriber);
        let ask = async |name: &'static str| {
            yield_now().await;
            in_request_span(async move {
                yield_now().await;
                warn!("{name}");
            })
            .await;
            warn!("{name} apart");
        };
        let (one, other) = (RequestId::of(0x11), RequestId::of(0x22));
        let (first, second) = (pin!(ask("first")), pin!(ask("second")));
        tokio::join!(for_request(one, first), for_request(other, second));
        in_request_span(async { warn!("nobody's") }).await;
        let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let line = |end: &str| log.lines().find(|line| line.ends_with(end)).unwrap();
        assert!(line("first").contains(&one.to_string()), "{log}");
        assert!(line("second").contains(&other.to_string()), "{log}");
        for apart in ["first apart", "second apart", "nobody's"] {
            assert!(!line(apart).contains("request_id"), "{log}");
        }
    }
}

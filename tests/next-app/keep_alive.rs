//! Upstream connections that never fail a request, before real Node.

use std::time::Duration;

use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::load::{Plan, Restart, run};
use nextbnb_tests::next_app::NextApp;
use nextbnb_tests::stack::RunningGateway;

/// The short form of `bench/keep-alive`.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_and_no_order_is_carried_out_twice() {
    let mut next = NextApp::start().await;
    let database = TestDatabase::sqlite().await;
    let gateway = RunningGateway::start(database.url(), next.address(), |_| {}).await;
    let plan = Plan {
        clients: 50,
        burst: 10,
        rests: [0, 4900, 5000, 1000, 5100, 4000].map(Duration::from_millis).to_vec(),
        restarts: [(2, Restart::Terminated), (4, Restart::Killed)].into(),
    };
    let outcome = run(&plan, gateway.address(), &mut next).await;
    assert_eq!(outcome.sent, 3000);
    assert_eq!(outcome.failed, Vec::<String>::new(), "{outcome:?}");
    assert_eq!(outcome.doubled, Vec::<String>::new(), "{outcome:?}");
    let statuses: Vec<_> = outcome.during_restarts.keys().copied().collect();
    assert!(statuses.iter().all(|status| [200, 502].contains(status)), "{outcome:?}");
    assert_eq!(outcome.without_retry_after, 0, "{outcome:?}");
    assert_eq!(outcome.lost, Vec::<String>::new(), "{outcome:?}");
}

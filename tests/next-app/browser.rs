//! In Chromium: what only a browser shows.

use nextbnb_tests::browser::walk;

use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_navigates_acts_and_sees_drafts() {
    let site = Site::built().await;
    walk("next-app", &format!("http://localhost:{}", site.gateway().port()), &[]).await;
}

//! `dev`, with hot reload.

use std::fs;
use std::path::Path;

use nextbnb_tests::browser::walk;
use nextbnb_tests::next::Dev;

/// A page whose text and whose client component's text the journey edits.
fn add_probe(folder: &Path) {
    let page = folder.join("app/probe");
    fs::create_dir_all(&page).unwrap();
    let counter = r"'use client';
import { useState } from 'react';
export default function Counter() {
  const [count, setCount] = useState(0);
  return <button onClick={() => setCount(count + 1)}>client 0, clicked {count}</button>;
}
";
    let server = "import Counter from './counter';
export default function Page() {
  return <main><p>server 0</p><Counter /></main>;
}
";
    fs::write(page.join("counter.tsx"), counter).unwrap();
    fs::write(page.join("page.tsx"), server).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_seen_at_once_and_the_page_keeps_its_state() {
    let dev = Dev::start(add_probe).await;
    let probe = dev.folder().join("app/probe");
    walk("hot-reload", dev.url(), &[probe.to_str().unwrap()]).await;
    let starts = dev.log().matches("ready on ").count();
    assert_eq!(starts, 1, "an edit restarts nothing: {}", dev.log());
    assert!(dev.interrupt().await.success());
}

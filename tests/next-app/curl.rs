//! The real curl, which many scripts and health checks are.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use nextbnb_gateway::config::Config;
use nextbnb_tests::tls::TestCertificate;
use tempfile::TempDir;

use crate::site::Site;

/// Runs curl with `arguments`, `input` at its standard input, and says what it wrote.
async fn curl(arguments: Vec<String>, input: Vec<u8>) -> (Option<i32>, String) {
    let run = move || {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error"]).args(arguments).env_remove("http_proxy");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("there is no curl");
        let mut stdin = child.stdin.take().unwrap();
        let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn words(arguments: &[&str], url: String) -> Vec<String> {
    arguments.iter().map(ToString::to_string).chain([url]).collect()
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_speaks_every_version_of_http_in_plain_text() {
    let site = Site::built().await;
    for (flag, version) in [
        ("--http1.0", "1"),
        ("--http1.1", "1.1"),
        ("--http2", "1.1"), // By `Upgrade: h2c`, which no server has to take (RFC 9113 §3.1).
        ("--http2-prior-knowledge", "2"),
    ] {
        let arguments = [flag, "--write-out", "\n%{http_version} %{http_code}"];
        let (code, said) = curl(words(&arguments, url(site.gateway(), "/plain")), vec![]).await;
        assert_eq!(code, Some(0), "{flag}: {said}");
        assert!(said.contains("<h1>Plain</h1>"), "{flag}: {said}");
        assert!(said.ends_with(&format!("\n{version} 200")), "{flag}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_speaks_http_1_and_2_over_tls() {
    let certificate = TestCertificate::of(&["localhost"]);
    let speak_tls = |config: &mut Config| config.tls = Some(certificate.tls());
    let site = Site::built_with(speak_tls).await;
    let file = certificate.files().certificate;
    let url = format!("https://localhost:{}/dynamic", site.gateway().port());
    let resolve = format!("localhost:{}:127.0.0.1", site.gateway().port());
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let arguments = [
            flag,
            "--cacert",
            file.to_str().unwrap(),
            "--resolve",
            &resolve,
            "--write-out",
            "\n%{http_version} %{http_code}",
        ];
        let (code, said) = curl(words(&arguments, url.clone()), vec![]).await;
        assert_eq!(code, Some(0), "{flag}: {said}");
        assert!(said.ends_with(&format!("\n{version} 200")), "{flag}: {said}");
    }
}

/// curl waits for `100 Continue` before it sends; a wait in vain would end with `--expect100-timeout`.
#[tokio::test(flavor = "multi_thread")]
async fn curl_uploads_after_it_was_told_to_go_on() {
    let site = Site::built().await;
    let body = vec![b'x'; 3_000_000];
    for length in ["Content-Length: 3000000", "Transfer-Encoding: chunked"] {
        let arguments = [
            "--verbose",
            "--upload-file",
            "-",
            "--header",
            length,
            "--header",
            "Expect: 100-continue",
            "--expect100-timeout",
            "60",
            "--max-time",
            "50",
        ];
        let target = url(site.gateway(), "/api/echo");
        let (code, said) = curl(words(&arguments, target), body.clone()).await;
        assert_eq!(code, Some(0), "{length}: {said}");
        assert!(said.contains("HTTP/1.1 100 Continue"), "{length}: {said}");
        assert!(said.contains(r#""bytes":3000000"#), "{length}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_goes_on_with_a_file_where_it_stopped() {
    let site = Site::built().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("letters");
    std::fs::write(&file, "abcdefghij").unwrap();
    let arguments = ["--continue-at", "-", "--output", file.to_str().unwrap()];
    let (code, said) = curl(words(&arguments, url(site.gateway(), "/letters.txt")), vec![]).await;
    assert_eq!(code, Some(0), "{said}");
    let whole = "abcdefghijklmnopqrstuvwxyz".repeat(40);
    assert_eq!(std::fs::read_to_string(file).unwrap(), whole);
}

/// curl that gives up in the middle of a stream harms nobody.
#[tokio::test(flavor = "multi_thread")]
async fn curl_may_give_up() {
    let site = Site::built().await;
    let target = url(site.gateway(), "/api/stream?key=curl");
    let (code, said) = curl(words(&["--no-buffer", "--max-time", "2"], target), vec![]).await;
    assert_eq!(code, Some(28), "{said}");
    assert!(said.contains("data: first"), "{said}");
    let (code, said) = curl(words(&[], url(site.gateway(), "/plain")), vec![]).await;
    assert_eq!(code, Some(0), "{said}");
}

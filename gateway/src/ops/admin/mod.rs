//! What is told to whoever runs the gateway, on a listener of its own: metrics, health with its
//! details, readiness.

pub mod health;
mod host;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tokio::task::spawn_blocking;
use tracing::warn;

use self::health::{Health, Report};
use self::host::is_admins;
use super::metrics::{Exposition, Metrics};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

const PATHS: &str = "/metrics, /health, /ready and /live are here\n";
const FOREIGN_HOST: &str = "ask by an address, by a name without dots, or by the host of --admin\n";

/// Answers operators.
#[derive(Debug)]
pub struct Admin {
    metrics: Metrics,
    health: Arc<Health>,
    /// The host of `--admin`, where one is named.
    host: Option<String>,
}

impl Admin {
    /// Tells of `metrics` and `health`, under the name of `host` too.
    pub fn new(metrics: Metrics, health: Health, host: Option<String>) -> Self {
        Self { metrics, health: Arc::new(health), host }
    }

    /// Answers a request by its head.
    ///
    /// A page of anybody's may have its own name lead to this machine, and would then read what a
    /// browser here is told: so names that could be such a page's are refused.
    pub async fn answer(&self, head: &Parts) -> Response<Full<Bytes>> {
        if !is_admins(head, self.host.as_deref()) {
            return respond(StatusCode::MISDIRECTED_REQUEST, TEXT, FOREIGN_HOST);
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            let mut response =
                respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD are served\n");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match head.uri.path() {
            "/metrics" => self.scrape(Exposition::of(head.headers.get(header::ACCEPT))).await,
            "/health" => respond(StatusCode::OK, JSON, self.health.report().await.told()),
            "/ready" => {
                let report = self.health.report().await;
                ready(&report)
            }
            "/live" => respond(StatusCode::OK, JSON, json!({ "status": "ok" }).to_string()),
            _ => respond(StatusCode::NOT_FOUND, TEXT, PATHS),
        }
    }

    async fn scrape(&self, exposition: Exposition) -> Response<Full<Bytes>> {
        let metrics = self.metrics.clone();
        // The system is asked for what the process uses, and may let it wait.
        let written = spawn_blocking(move || exposition.write(metrics.scrape())).await;
        match written {
            Ok(Ok(text)) => respond(StatusCode::OK, exposition.content_type(), text),
            failed => {
                warn!(cause = ?failed.map(|written| written.map(drop)), "no metrics are told");
                respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the log says why\n")
            }
        }
    }
}

fn ready(report: &Report) -> Response<Full<Bytes>> {
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    respond(status, JSON, report.verdict().to_string())
}

fn respond(
    status: StatusCode,
    content_type: HeaderValue,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

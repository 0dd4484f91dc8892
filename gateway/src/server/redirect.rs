//! The plain port beside the one that speaks TLS: sends browsers there.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::uri::Scheme;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::arrival::{self, Refusals, Refused};
use super::listener::Listener;
use super::listeners::Listeners;
use super::turned_away::TurnedAway;
use super::worker::ACCEPT_PAUSE;
use crate::downstream::crowd::{Crowd, Crowded, Place};
use crate::downstream::front::{Front, ProxyProtocol};
use crate::downstream::peer::{Peer, Source};
use crate::error::StartError;
use crate::ops::drain::Drain;
use crate::ops::health::{HEALTH_PATH, health};
use crate::proxy::socket::Socket;
use crate::proxy::target::{host_and_port, public_host};

/// The port that https addresses may leave out (RFC 9110 §4.2.2).
const HTTPS_PORT: u16 = 443;

/// Where browsers are sent that come in plain HTTP.
#[derive(Debug)]
pub(super) struct Redirect {
    /// What the site is called, where the settings say it.
    front: Arc<Front>,
    /// The connections of all ports.
    crowd: Arc<Crowd>,
    away: TurnedAway,
    refused: Refusals,
    /// The port that speaks TLS.
    https_port: u16,
    drain: Drain,
    /// Longest life of a connection: each is for one request.
    limit: Duration,
}

impl Redirect {
    /// Sends browsers to `https_port`.
    pub(super) fn new(
        front: Arc<Front>,
        crowd: Arc<Crowd>,
        https_port: u16,
        drain: Drain,
        limit: Duration,
    ) -> Self {
        let (away, refused) = (TurnedAway::default(), Refusals::default());
        Self { front, crowd, away, refused, https_port, drain, limit }
    }

    /// Answers on all `listeners` until the drain begins; must be called on a runtime.
    pub(super) fn start(self, listeners: Listeners) -> Result<(), StartError> {
        let redirect = Arc::new(self);
        let (workers, _no_files) = listeners.into_parts();
        for listener in workers.into_iter().flatten() {
            let failed = |source| StartError::System { what: "a listener", source };
            let listener = Listener::watch(listener).map_err(failed)?;
            tokio::spawn(redirect.clone().accept(listener));
        }
        Ok(())
    }

    async fn accept(self: Arc<Self>, listener: Listener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.drain.begun() => return,
            };
            match accepted {
                Ok((socket, source)) => self.serve(socket, source),
                Err(error) => {
                    debug!(cause = %error, "cannot accept a connection to redirect");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Serves a connection in a task of its own.
    fn serve(self: &Arc<Self>, socket: Socket, source: Source) {
        let peer = self.front.trusted.peer(source);
        match arrival::place_of(peer, &self.front, &self.crowd) {
            Ok(place) => {
                tokio::spawn(self.clone().serve_in_time(socket, peer, place));
            }
            Err(crowded) => self.turn_away(socket, crowded),
        }
    }

    fn turn_away(&self, socket: Socket, crowded: Crowded) {
        self.refused.tell(&crowded.into());
        self.away.tell(socket, &Scheme::HTTP);
    }

    async fn serve_in_time(self: Arc<Self>, socket: Socket, peer: Peer, place: Place) {
        match timeout(self.limit, self.serve_one(socket, peer, place)).await {
            Ok(Err(refused)) => self.refused.tell(&refused),
            Ok(Ok(())) => {}
            Err(_) => debug!("a client let the gateway wait too long"),
        }
    }

    async fn serve_one(
        &self,
        mut socket: Socket,
        direct: Peer,
        place: Place,
    ) -> Result<(), Refused> {
        if self.front.proxy_protocol == ProxyProtocol::Required {
            let peer = arrival::peer_behind(&mut socket, direct, &self.front).await?;
            if let Err(crowded) = place.claim(self.front.counted(peer.address, peer)) {
                self.turn_away(socket, crowded);
                return Ok(());
            }
        }
        let service = service_fn(async |request: Request<Incoming>| {
            Ok::<_, Infallible>(self.answer(&request.into_parts().0))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .keep_alive(false)
            .half_close(true) // Whoever has asked may send no more.
            .serve_connection(TokioIo::new(socket), service);
        if let Err(error) = connection.await {
            debug!(cause = %error, "a connection to redirect ended");
        }
        Ok(())
    }

    /// 308 and not 301, after which a form would be sent as a GET.
    fn answer(&self, head: &Parts) -> Response<Full<Bytes>> {
        if head.uri.path() == HEALTH_PATH {
            return health(self.drain.has_begun());
        }
        let mut response = Response::new(Full::default());
        let location = match public_host(head) {
            Ok(host) => host.and_then(|host| self.location(host, head)),
            Err(refused) => {
                *response.status_mut() = refused.status();
                return response;
            }
        };
        *response.status_mut() =
            location.as_ref().map_or(StatusCode::BAD_REQUEST, |_| StatusCode::PERMANENT_REDIRECT);
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }

    fn location(&self, host: &str, head: &Parts) -> Option<HeaderValue> {
        let path = head.uri.path_and_query()?;
        let host = match &self.front.public_url {
            Some(url) => url.origin().host().to_owned(),
            None => match (host_and_port(host)?.0, self.https_port) {
                (name, HTTPS_PORT) => name.to_owned(),
                (name, port) => format!("{name}:{port}"),
            },
        };
        HeaderValue::try_from(format!("https://{host}{path}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::downstream::crowd::CrowdLimits;
    use crate::downstream::public_url::PublicUrl;

    fn redirect(https_port: u16, public_url: Option<&str>) -> Redirect {
        let public_url = public_url.map(|url| PublicUrl::parse(url).unwrap());
        let front = Arc::new(Front { public_url, ..Front::default() });
        let crowd = Crowd::new("connections", CrowdLimits { total: 1, per_client: 1 });
        Redirect::new(front, crowd, https_port, Drain::new(), Duration::from_secs(30))
    }

    #[track_caller]
    fn check(redirect: &Redirect, target: &str, host: &str, expected: (u16, Option<&str>)) {
        let request = Request::post(target).header("host", host).body(()).unwrap();
        let response = redirect.answer(&request.into_parts().0);
        let location = response.headers().get("location").map(|to| to.to_str().unwrap());
        assert_eq!((response.status().as_u16(), location), expected, "{target} {host}");
    }

    #[test]
    fn browsers_are_sent_to_the_same_place_over_tls() {
        let plain = redirect(443, None);
        check(&plain, "/a?b=%20", "a.example", (308, Some("https://a.example/a?b=%20")));
        check(&plain, "/", "a.example:80", (308, Some("https://a.example/")));
        check(
            &plain,
            "//evil.example",
            "a.example",
            (308, Some("https://a.example//evil.example")),
        );
        check(&redirect(3000, None), "/", "[::1]:80", (308, Some("https://[::1]:3000/")));
        let public = redirect(3000, Some("https://shop.example"));
        check(&public, "/a", "evil.example", (308, Some("https://shop.example/a")));
    }

    #[test]
    fn what_names_no_host_is_sent_nowhere_and_health_is_told() {
        check(&redirect(443, None), "/", "a b", (400, None));
        check(&redirect(443, None), "http://a/", "a", (400, None));
        check(&redirect(443, None), "/.nextbnb/health", "10.0.0.1", (200, None));
    }
}

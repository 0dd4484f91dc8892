//! The order of everything that happens to a request.

mod assets;
mod body;
mod forward;
mod held;
pub mod hsts;
mod over_https;
mod refuse;
mod route;
mod sockets;
pub(crate) mod strip;
mod visits;
mod waiting;

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{self, HeaderMap};
use http::request::Parts;
use http::uri::Scheme;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;

use self::assets::Look;
use self::body::AnswerBody;
use self::forward::Forward;
use self::held::Held;
use self::hsts::Hsts;
use self::over_https::OverHttps;
use self::refuse::refuse;
use self::route::Route;
use self::strip::strip;
use self::waiting::{asker_of, news_for, not_there};
use crate::auth::Auth;
use crate::auth::origin::AllowedOrigins;
use crate::auth::who_am_i::who_am_i;
use crate::downstream::client_network::ClientNetwork;
use crate::downstream::crowd::{Crowd, Place};
use crate::downstream::front::Front;
use crate::downstream::origin::Origin;
use crate::downstream::peer::Peer;
use crate::error::{Blame, RequestError};
use crate::identity::headers::UpstreamToken;
use crate::identity::names::IdentityNames;
use crate::next::dev_only::is_dev_only;
use crate::ops::access_log::{AccessLog, TrackedBody};
use crate::ops::drain::Drain;
use crate::ops::health::{UpstreamHealth, health, upstreams_health};
use crate::ops::metrics::worker::WorkerMetrics;
use crate::ops::open_connection::{OpenConnection, Running};
use crate::ops::request_span::{for_request, in_request_span};
use crate::proxy::asker::Asker;
use crate::proxy::body_limit::BodyLimit;
use crate::proxy::framing::check_request;
use crate::proxy::http2_head::put_as_http1;
use crate::proxy::lingering::Lingering;
use crate::proxy::request_body::RequestBody;
use crate::proxy::routing::{PathPrefix, PathRoutes, Target};
use crate::proxy::upstream::Upstream;
use crate::session::Sessions;
use crate::session::clock::Clock;
use crate::session::settle::Visit;
use crate::static_files::StaticFiles;

/// Everything under here is the gateway's; nothing else of the frontend's name space is, but the
/// three POST routes of [`Auth`].
pub const OWN_PREFIX: &str = "/.nextbnb/";

/// What every worker shares: the rooms behind the gateway.
#[derive(Debug, Clone)]
pub struct Services {
    /// Finds the session of a request.
    pub sessions: Sessions,
    /// Answers register, login and logout.
    pub auth: Auth,
    /// Reads the time.
    pub clock: Clock,
    /// Whose pages may open WebSockets.
    pub allowed_origins: AllowedOrigins,
    /// How large bodies may be that upstreams are sent.
    pub max_body: Option<BodyLimit>,
    /// Keeps built files, if any are kept.
    pub static_files: Option<Arc<StaticFiles>>,
    /// How upstreams are told who is signed in.
    pub identity_names: IdentityNames,
    /// Proves to upstreams that a request comes from here, where they want that.
    pub upstream_token: Option<UpstreamToken>,
    /// Tells browsers to come back over https.
    pub hsts: Hsts,
    /// Knows whether the process is ending.
    pub drain: Drain,
    /// Knows what the site is called, and whom to believe about clients.
    pub front: Arc<Front>,
    /// Knows how much is open.
    pub crowds: Crowds,
}

/// What is counted, on all workers together.
#[derive(Debug, Clone)]
pub struct Crowds {
    /// Connections of clients.
    pub connections: Arc<Crowd>,
    /// Requests of clients until their answers have ended.
    pub requests: Arc<Crowd>,
    /// WebSockets.
    pub upgrades: Arc<Crowd>,
}

/// One worker's gateway.
#[derive(Debug)]
pub struct Gateway {
    services: Services,
    routes: PathRoutes<Target<Arc<Upstream>>>,
    metrics: Arc<WorkerMetrics>,
}

/// The connection that a request came on.
#[derive(Debug)]
pub struct Downstream {
    /// Who is at its other end.
    pub peer: Peer,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// The address that it connected to; a Unix socket has none.
    pub local: Option<SocketAddr>,
    /// Its place in the count of open connections.
    pub connection: Arc<OpenConnection>,
    /// Its place among the connections that may be open.
    pub place: Arc<Place>,
}

/// Who asks, and under which name of the site.
#[derive(Debug)]
struct Caller {
    client: IpAddr,
    /// Whom it counts as where clients are counted.
    counted: Option<ClientNetwork>,
    origin: Origin,
}

/// What is asked for, and by whom.
struct Asked<'a> {
    route: Route,
    target: Result<&'a Target<Arc<Upstream>>, RequestError>,
    caller: &'a Caller,
    asker: &'a Asker,
    downstream: &'a Downstream,
}

/// A response to the browser.
pub type Answer = Response<TrackedBody<Held<AnswerBody>>>;

impl Gateway {
    /// Puts `services` in front of the upstreams of `routes`; what happens is counted in `metrics`.
    pub fn new(
        services: Services,
        routes: PathRoutes<Target<Arc<Upstream>>>,
        metrics: Arc<WorkerMetrics>,
    ) -> Self {
        Self { services, routes, metrics }
    }

    /// Answers one request; what fails is turned into an answer too, and every answer is logged.
    ///
    /// `running` lives as long as the request's body and the answer's.
    pub async fn handle(
        &self,
        request: Request<Incoming>,
        running: Running,
        downstream: &Downstream,
    ) -> Answer {
        let (mut head, body) = request.into_parts();
        let rest = self.routes.rest();
        let target = self.routes.of(head.uri.path());
        let pages = &target.as_ref().map_or(rest, |target| *target).pages;
        let route = Route::of(&head, self.services.auth.paths());
        let body = Lingering::new(body, &head.headers, &running);
        let body = RequestBody::streamed(body, rest.upstream.limits().upload, running.clone())
            .counted_in(self.metrics.clone());
        let client = self.services.front.client(&head.headers, downstream.peer);
        let mut log = AccessLog::begin(&head, client, running, route.into(), self.metrics.clone());
        let request_id = log.request_id();
        let asker = asker_of(&head, pages, downstream);
        let received = self.receive(&mut head, client, downstream);
        let over_https = self.over_https(received.as_ref().ok(), downstream);
        let admitted = received.and_then(|caller| Ok((self.admit(route, &caller)?, caller)));
        let (answered, place) = match admitted {
            Ok((place, caller)) => {
                let caller = &caller;
                let request = Asked { route, target, caller, asker: &asker, downstream };
                let answering = pin!(self.answer(head, body, request, &mut log));
                (for_request(request_id, answering).await, place)
            }
            Err(error) => (Err(error), None),
        };
        let mut response = answered.unwrap_or_else(|error| {
            self.metrics.refused(&error);
            refuse(&error, pages, &asker, &mut log)
        });
        request_id.set(response.headers_mut());
        over_https.add(response.headers_mut());
        log.set_status(response.status());
        let long_lived =
            is_event_stream(response.headers()).then(|| downstream.connection.long_lived());
        let log = response.body_mut().hand_over(log);
        response.map(|body| TrackedBody::new(Held::new(body, place), log, long_lived))
    }

    /// Refuses what can be read in two ways; who asks for the rest, and under which origin.
    fn receive(
        &self,
        head: &mut Parts,
        client: IpAddr,
        downstream: &Downstream,
    ) -> Result<Caller, RequestError> {
        if head.version == Version::HTTP_2 {
            put_as_http1(head)?;
        }
        check_request(head)?;
        let Downstream { peer, scheme, local, .. } = downstream;
        let origin = self.services.front.receive(head, *peer, scheme, *local)?;
        let counted = self.services.front.counted(client, *peer);
        Ok(Caller { client, counted, origin })
    }

    /// A place for a client's request, which is refused where there is none; nobody waits for one, so
    /// that pages which call the gateway back never wait for themselves.
    ///
    /// Whether the gateway serves is always told.
    fn admit(&self, route: Route, caller: &Caller) -> Result<Option<Place>, RequestError> {
        if caller.counted.is_none() || route == Route::Health {
            return Ok(None);
        }
        let place = self.services.crowds.requests.enter_as(caller.counted);
        place.map(Some).map_err(|error| RequestError::Crowded(error.into()))
    }

    /// What the answer has besides where the browser speaks TLS; where nobody knows of which origin
    /// it asks, the connection tells.
    fn over_https(&self, caller: Option<&Caller>, downstream: &Downstream) -> OverHttps {
        let Downstream { scheme, .. } = downstream;
        match caller {
            Some(Caller { origin, .. }) => OverHttps {
                is_spoken: origin.known_scheme() == Some(&Scheme::HTTPS),
                hsts: self.services.hsts.due(origin, scheme),
            },
            None => OverHttps { is_spoken: *scheme == Scheme::HTTPS, hsts: None },
        }
    }

    async fn answer(
        &self,
        mut head: Parts,
        body: RequestBody,
        asked: Asked<'_>,
        log: &mut AccessLog,
    ) -> Result<Response<AnswerBody>, RequestError> {
        let Asked { route, target, caller, asker, downstream } = asked;
        let target = target?;
        if target.pages.are_for_visitors() && is_dev_only(head.uri.path()) {
            return Err(RequestError::DevOnly);
        }
        if !target.pages.are_for_visitors()
            && (route == Route::Asset || is_dev_only(head.uri.path()))
        {
            log.set_routine(); // A page is made of dozens, and a developer looks for the page.
        }
        let mut inquiry = None;
        if route == Route::Asset {
            self.visit_asset(&head).await;
            match self.look(&head, &body, caller, target, log) {
                Look::Answer(answer) => return Ok(answer),
                Look::Nothing(worth_asking) => inquiry = worth_asking,
            }
        }
        strip(&mut head.headers, &self.services.identity_names);
        let visit = match route {
            Route::Health => {
                log.set_routine();
                return Ok(own(health(self.services.drain.has_begun())));
            }
            Route::UpstreamsHealth => {
                log.set_routine();
                return Ok(own(self.upstreams_health().await));
            }
            Route::Waiting => {
                log.set_routine();
                return Box::pin(self.answer_waiting(&head, asker)).await;
            }
            Route::Nothing => return Err(RequestError::NothingHere),
            Route::WhoAmI => {
                let visit = self.visit_of(&head, caller.client, log).await?;
                let mut response = who_am_i(visit.session());
                let now = self.services.clock.now();
                self.settle(response.headers_mut(), &visit, caller, now).await;
                return Ok(own(response));
            }
            Route::Auth(action) => {
                let answering = Box::pin(self.authenticate(action, &head, body, caller, log));
                return Ok(own(in_request_span(answering).await?));
            }
            Route::Asset => Visit::Apart,
            Route::Upstream => self.visit_of(&head, caller.client, log).await?,
        };
        let forward = Forward { caller, visit, downstream, target };
        let response = match news_for(&target.pages, asker) {
            None => self.forward(head, body, forward, log).await?,
            Some(news) => tokio::select! {
                biased;
                () = news.until_absent() => return Err(not_there(news)),
                response = Box::pin(self.forward(head, body, forward, log)) => {
                    if response.as_ref().is_err_and(|error| error.blame() == Blame::Upstream) {
                        news.settle().await;
                    }
                    response?
                }
            },
        };
        if let Some(inquiry) = inquiry {
            self.inquire_after(*inquiry, &response, caller, target);
        }
        Ok(response)
    }

    /// Asks every upstream at once whether it takes connections.
    async fn upstreams_health(&self) -> Response<Full<Bytes>> {
        let asked = self.routes.iter().map(async |(prefix, target)| UpstreamHealth {
            prefix: prefix.map_or_else(|| "/".to_owned(), PathPrefix::to_string),
            is_reachable: target.upstream.is_reachable().await,
        });
        upstreams_health(&join_all(asked).await)
    }
}

fn own(response: Response<Full<Bytes>>) -> Response<AnswerBody> {
    response.map(AnswerBody::Own)
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

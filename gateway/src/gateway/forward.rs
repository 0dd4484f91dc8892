//! What happens to a request on its way to an upstream, and to the answer on its way back.

use std::sync::Arc;
use std::time::Instant;

use http::header;
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use http_body::Body as _;
use tracing::warn;

use super::body::AnswerBody;
use super::sockets::Socket;
use super::visits::audience_of;
use super::{Caller, Downstream, Gateway, Services, is_event_stream};
use crate::auth::origin::is_own;
use crate::error::RequestError;
use crate::next::dev_only::is_dev_only;
use crate::next::dev_origin::{come_from_localhost, is_guarded};
use crate::ops::access_log::AccessLog;
use crate::ops::request_id::X_REQUEST_ID;
use crate::ops::request_span::request_span;
use crate::proxy::body::UpstreamBody;
use crate::proxy::bounded_stream::BoundedStream;
use crate::proxy::expectation::keep_only_waiting;
use crate::proxy::forwarding::Forwarding;
use crate::proxy::hop_by_hop::remove_hop_by_hop;
use crate::proxy::location::PublicOrigin;
use crate::proxy::own_fields::OwnFields;
use crate::proxy::request_body::RequestBody;
use crate::proxy::response::clean_response;
use crate::proxy::routing::{PathPrefix, Target};
use crate::proxy::tunnel::Side;
use crate::proxy::upgrade::{grants_websocket, is_websocket, keep_websocket};
use crate::proxy::upstream::{Upgrade, Upstream};
use crate::session::Session;
use crate::session::settle::Visit;

/// What a request that goes to the upstream is sent and cleaned with.
pub(super) struct Forward<'a> {
    pub(super) caller: &'a Caller,
    pub(super) visit: Visit,
    pub(super) downstream: &'a Downstream,
    pub(super) target: &'a Target<Arc<Upstream>>,
}

impl Caller {
    /// What the upstream learns of its connection.
    pub(super) fn forwarding<'a>(&'a self, target: &'a Target<Arc<Upstream>>) -> Forwarding<'a> {
        let (client, origin) = (self.client, &self.origin);
        let (scheme, host, port) = (origin.scheme(), origin.host(), origin.port());
        let prefix = target.stripped.as_ref().map(PathPrefix::without_slash);
        Forwarding { client, host, scheme, port, prefix }
    }
}

impl Gateway {
    /// Sends a request to its upstream, and cleans the answer's head.
    pub(super) async fn forward(
        &self,
        mut head: Parts,
        mut body: RequestBody,
        mut forward: Forward<'_>,
        log: &AccessLog,
    ) -> Result<Response<AnswerBody>, RequestError> {
        let Services { sessions, clock, .. } = &self.services;
        let own = &forward.caller.origin;
        let wants_websocket = is_websocket(&head);
        if wants_websocket && !self.services.allowed_origins.admit(&head.headers, own) {
            return Err(RequestError::ForeignOrigin);
        }
        self.limit_body(&mut body, head.uri.path())?;
        if !wants_websocket && matches!(forward.visit, Visit::Fresh) {
            let begun = sessions.begin_for_guest(forward.visit, own.known_scheme(), clock.now());
            forward.visit = begun.await;
        }
        keep_only_waiting(&mut head, &body);
        remove_hop_by_hop(&mut head.headers);
        if wants_websocket {
            keep_websocket(&mut head.headers);
        }
        if !forward.target.pages.are_for_visitors()
            && is_guarded(head.uri.path())
            && is_own(&head.headers, own)
        {
            come_from_localhost(&mut head.headers);
        }
        sessions.show_cookie(&mut head.headers, &forward.visit);
        let fields = self.own_fields(&head, &forward, log);
        head.version = Version::HTTP_11;
        let is_hot_reload = is_dev_only(head.uri.path());
        if let Some(prefix) = &forward.target.stripped {
            prefix.strip(&mut head.uri);
        }
        let request = Request::from_parts(head, body);
        let mut response = if wants_websocket {
            // A page that is worked on keeps its hot reload, whoever signs out in it.
            let session = forward.visit.session().filter(|_| !is_hot_reload);
            self.upgrade(request, fields, &forward, session).await?
        } else {
            let asked = Instant::now();
            let response = forward.target.upstream.send(request, &fields).await?;
            self.metrics.upstream_answered(asked.elapsed());
            self.in_session(response, &forward.visit)
        };
        self.finish(&mut response, &forward).await;
        Ok(response)
    }

    /// Refuses a body that is declared too large for `path`, and has one end that becomes so.
    fn limit_body(&self, body: &mut RequestBody, path: &str) -> Result<(), RequestError> {
        let max_body = self.services.max_body.as_ref();
        let Some(bytes) = max_body.and_then(|max| max.at(path)) else { return Ok(()) };
        if body.size_hint().lower() > bytes {
            return Err(RequestError::BodyTooLarge(bytes));
        }
        body.limit(bytes);
        Ok(())
    }

    /// What the upstream is told besides what the client said.
    fn own_fields(&self, head: &Parts, forward: &Forward<'_>, log: &AccessLog) -> OwnFields {
        let Services { upstream_token, identity_names, .. } = &self.services;
        let mut fields = OwnFields::new();
        if head.version == Version::HTTP_10 && !head.headers.contains_key(header::HOST) {
            // HTTP/1.0 may leave it out, and the upstream is asked in 1.1.
            fields.add_text(&header::HOST, forward.caller.origin.host());
        }
        forward.caller.forwarding(forward.target).add_to(&mut fields);
        fields.add_text(&X_REQUEST_ID, log.request_id().as_str());
        debug_assert!(
            identity_names.are_absent_in(&head.headers),
            "a client's copy was not stripped"
        );
        if let Some(identity) = forward.visit.session().and_then(Session::identity_fields) {
            identity.inject(identity_names, &mut fields);
        }
        if let Some(token) = upstream_token
            && !token.tell(&mut fields, forward.visit.told().as_deref())
        {
            let told = "a session is too long to be told of: req.session is empty";
            request_span().in_scope(|| warn!("{told}"));
        }
        fields
    }

    /// Passes on a request for a WebSocket; when it is granted, bytes flow until a side ends, or
    /// `session` is over.
    async fn upgrade(
        &self,
        mut request: Request<RequestBody>,
        fields: OwnFields,
        forward: &Forward<'_>,
        session: Option<&Session>,
    ) -> Result<Response<AnswerBody>, RequestError> {
        let Forward { downstream, target, caller, .. } = forward;
        let upgrade = self.services.crowds.upgrades.enter_as(caller.counted);
        let upgrade = upgrade.map_err(|error| RequestError::Crowded(error.into()))?;
        let to_browser = hyper::upgrade::on(&mut request);
        let (response, socket, come) = match target.upstream.upgrade(request, &fields).await? {
            Upgrade::Refused(response) => return Ok(response.map(AnswerBody::Upstream)),
            Upgrade::Granted { response, socket, come } => (response, socket, come),
        };
        if !grants_websocket(response.headers()) {
            return Err(RequestError::UpstreamBroken("an upgrade to something else".into()));
        }
        let limits = target.upstream.limits();
        let to_upstream = BoundedStream::new(socket, limits.response_head);
        let to_upstream = Side { stream: to_upstream, early: come };
        let socket = Socket {
            long_lived: downstream.connection.long_lived(),
            places: (downstream.place.clone(), upgrade),
            session_end: session.map(|session| self.services.sessions.watch(session)),
        };
        let log = socket.start(to_browser, to_upstream, limits.half_closed_upgrade);
        Ok(response.map(|()| AnswerBody::Socket(Some(log))))
    }

    /// An event stream ends with the session that it was opened in.
    fn in_session(&self, response: Response<UpstreamBody>, visit: &Visit) -> Response<AnswerBody> {
        match visit.session() {
            Some(session) if is_event_stream(response.headers()) => {
                let end = self.services.sessions.watch(session);
                response.map(|body| AnswerBody::InSession(body, end))
            }
            _ => response.map(AnswerBody::Upstream),
        }
    }

    /// Cleans the upstream's response head and adds the session's cookie where it is due.
    async fn finish(&self, response: &mut Response<AnswerBody>, forward: &Forward<'_>) {
        let is_upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        *response.version_mut() = Version::HTTP_11; // Ours, whatever the upstream's (RFC 9110 §2.5).
        let headers = response.headers_mut();
        let Target { upstream, stripped, .. } = forward.target;
        let prefix = stripped.as_ref().map_or("", PathPrefix::without_slash);
        let own = &forward.caller.origin;
        let public = PublicOrigin { scheme: own.scheme(), host: own.host(), prefix };
        clean_response(headers, || upstream.authority(), public);
        if is_upgraded {
            return keep_websocket(headers);
        }
        let Services { sessions, clock, .. } = &self.services;
        let (visit, settled) = (&forward.visit, (audience_of(headers), clock.now()));
        if !sessions.filter_set_cookie(headers, visit, settled.0, settled.1).await {
            self.settle(headers, visit, forward.caller, settled).await;
        }
    }
}

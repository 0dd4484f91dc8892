//! Built files, from memory where they are.

use std::sync::Arc;
use std::time::Instant;

use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderMap, HeaderValue, IF_NONE_MATCH};
use http::request::Parts;
use http::uri::Scheme;
use http::{Method, Request, Response, Uri};
use http_body::Body as _;

use super::body::AnswerBody;
use super::{Caller, Gateway, own};
use crate::ops::access_log::AccessLog;
use crate::ops::metrics::labels::StaticFile;
use crate::ops::request_id::{RequestId, X_REQUEST_ID};
use crate::proxy::own_fields::OwnFields;
use crate::proxy::request_body::RequestBody;
use crate::proxy::routing::Target;
use crate::proxy::upstream::Upstream;
use crate::static_files::asked::Asked;
use crate::static_files::file::File;
use crate::static_files::rules::keepable;
use crate::static_files::{Found, Moment, Name};

/// What comes of a look into memory.
pub(super) enum Look {
    /// The answer.
    Answer(Response<AnswerBody>),
    /// Nothing. The upstream's answer will show whether the file is worth asking for.
    Nothing(Option<Box<Inquiry>>),
}

/// What to ask the upstream as a guest.
pub(super) struct Inquiry {
    target: Uri,
    name: Name<Box<str>>,
}

impl Gateway {
    /// Looks for the answer to a request for an asset.
    pub(super) fn look(
        &self,
        head: &Parts,
        body: &RequestBody,
        caller: &Caller,
        target: &Target<Arc<Upstream>>,
        log: &AccessLog,
    ) -> Look {
        let Some(files) = &self.services.static_files else { return Look::Nothing(None) };
        let Some(asked) = Asked::of(head, !body.is_end_stream()) else {
            self.metrics.static_file(StaticFile::Bypass);
            return Look::Nothing(None);
        };
        let origin = &caller.origin;
        let name = Name {
            host: origin.host(),
            target: head.uri.path_and_query().map_or("/", |target| target.as_str()),
            is_https: *origin.scheme() == Scheme::HTTPS,
            codings: asked.codings,
        };
        let inquiry = || Inquiry { target: head.uri.clone(), name: name.to_owned() };
        let at = Moment { losses: target.upstream.losses(), now: log.began() };
        let nothing = match files.find(&name, at) {
            Found::File { file, age, is_due } => {
                if is_due {
                    self.inquire(inquiry(), Some(file.clone()), caller, target);
                }
                if let Some(answer) = file.answer(&asked, age.as_secs()) {
                    self.metrics.static_file(StaticFile::Hit);
                    return Look::Answer(own(answer));
                }
                None
            }
            Found::Unknown(_) if head.method == Method::GET && asked.is_unconditional() => {
                Some(Box::new(inquiry()))
            }
            Found::Unknown(_) | Found::Refused => None,
        };
        self.metrics.static_file(StaticFile::Miss);
        Look::Nothing(nothing)
    }

    /// Asks for a file as a guest where what a client was `answered` may be kept.
    pub(super) fn inquire_after(
        &self,
        inquiry: Inquiry,
        answered: &Response<AnswerBody>,
        caller: &Caller,
        target: &Target<Arc<Upstream>>,
    ) {
        let Some(files) = &self.services.static_files else { return };
        let name = inquiry.name.as_str();
        if keepable(answered.status(), answered.headers(), name.codings).is_none() {
            return;
        }
        // Somebody else may have asked meanwhile.
        let at = Moment { losses: target.upstream.losses(), now: Instant::now() };
        if let Found::Unknown(known) = files.find(&name, at) {
            self.inquire(inquiry, known, caller, target);
        }
    }

    /// Asks for a file as a guest would from the caller's address: with nothing else of a client's.
    fn inquire(
        &self,
        inquiry: Inquiry,
        known: Option<Arc<File>>,
        caller: &Caller,
        target: &Target<Arc<Upstream>>,
    ) {
        let Inquiry { target: uri, name } = inquiry;
        let (codings, etag) = (name.codings, known.as_ref().map(|known| known.etag().clone()));
        let files = self.services.static_files.as_ref();
        let Some(question) = files.and_then(|files| files.begin(name, known)) else { return };
        let mut headers = HeaderMap::new();
        if let Ok(host) = HeaderValue::try_from(caller.origin.host()) {
            headers.insert(HOST, host);
        }
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let told = [(ACCEPT_ENCODING, codings.to_value()), (IF_NONE_MATCH, etag)];
        headers.extend(told.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let mut fields = OwnFields::new();
        caller.forwarding(target).add_to(&mut fields);
        fields.add_text(&X_REQUEST_ID, RequestId::generate().as_str());
        if let Some(token) = &self.services.upstream_token {
            token.tell(&mut fields, None);
        }
        let mut request = Request::new(RequestBody::none());
        (*request.uri_mut(), *request.headers_mut()) = (uri, headers);
        if let Some(prefix) = &target.stripped {
            prefix.strip(request.uri_mut());
        }
        tokio::spawn(question.put(target.upstream.clone(), request, fields));
    }
}

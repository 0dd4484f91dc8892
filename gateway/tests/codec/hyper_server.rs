//! hyper's server, on a pipe.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, duplex};

use crate::requests::{Understood, understood};

/// The one request in `bytes`.
pub(crate) fn read_by_hyper(bytes: &[u8]) -> Understood {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let seen = Arc::<Mutex<Vec<Understood>>>::default();
        let service = service_fn(async |request: Request<Incoming>| {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            let fields = head.headers.iter();
            let fields = fields.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
            let (method, target) = (head.method.as_str(), head.uri.to_string());
            seen.lock().unwrap().push(understood(method, &target, fields, body));
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        });
        let (mut client, server) = duplex(bytes.len() + 4096);
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let server = TokioIo::new(server);
        http1::Builder::new().half_close(true).serve_connection(server, service).await.unwrap();
        let [read] = std::mem::take(&mut *seen.lock().unwrap()).try_into().unwrap();
        read
    })
}

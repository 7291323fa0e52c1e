//! The router as one connection sees it: requests know where they come from, and the connection what goes on.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response, StatusCode},
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{body::Incoming, service::Service};
use tower::Service as _;

use super::connection_activity::{ConnectionActivity, Sending};
use crate::web::middleware::client_address::Connection;

/// The router as one connection sees it.
#[derive(Clone)]
pub(super) struct ConnectionService {
    pub(super) router: Router,
    pub(super) connection: Connection,
    pub(super) pulse: Arc<ConnectionActivity>,
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let handling = self.pulse.request();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.connection);
        // A router takes a request at any time.
        let response = self.router.clone().call(request);
        let pulse = self.pulse.clone();
        Box::pin(async move {
            let response = response.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                pulse.becomes_stream();
            }
            let response = response.map(|body| Answer { body, sending: pulse.answer() });
            drop(handling);
            Ok(response)
        })
    }
}

/// An answer's body, which says when a part of it is asked for: the one before was taken then.
pub(super) struct Answer {
    body: Body,
    sending: Sending,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        this.sending.moves();
        Pin::new(&mut this.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

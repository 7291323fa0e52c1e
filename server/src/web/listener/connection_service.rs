//! The router as one connection sees it: requests know where they come from, and the connection what it is at.

use std::{
    convert::Infallible,
    net::IpAddr,
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

use super::connection_activity::{ConnectionActivity, ResponseGuard};

/// What the connection itself says of where a request comes from; among the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) struct ConnectionInfo {
    pub(in crate::web) address: IpAddr,
    pub(in crate::web) is_tls: bool,
}

/// The router as one connection sees it.
#[derive(Clone)]
pub(super) struct ConnectionService {
    pub(super) router: Router,
    pub(super) info: ConnectionInfo,
    pub(super) activity: Arc<ConnectionActivity>,
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<TrackedBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let guard = self.activity.begin_request();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.info);
        // A router takes a request at any time.
        let response = self.router.clone().call(request);
        let activity = self.activity.clone();
        Box::pin(async move {
            let response = response.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                activity.begin_stream();
            }
            let response = response.map(|body| TrackedBody { body, guard: activity.begin_response() });
            drop(guard);
            Ok(response)
        })
    }
}

/// An answer's body, which says when a part of it is asked for: the one before was taken then.
pub(super) struct TrackedBody {
    body: Body,
    guard: ResponseGuard,
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        this.guard.progress();
        Pin::new(&mut this.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

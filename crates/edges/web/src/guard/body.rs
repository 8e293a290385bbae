use std::error::Error;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::Next,
    response::Response,
};
use futures_util::{future::ready, stream::once};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::limits::{BODY_TIME_MAX, FORM_BYTES_MAX};

/// Reads the body at once, since it is a form at most, and within its time. What is wrong with it
/// is for the page to say: people's pages answer a form that cannot be read like any other.
pub(crate) async fn read_whole(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    next.run(Request::from_parts(head, whole(body).await)).await
}

/// The bytes, or a body that fails whoever reads it for the same reason.
async fn whole(body: Body) -> Body {
    match timeout(BODY_TIME_MAX, Limited::new(body, FORM_BYTES_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes().into(),
        Ok(Err(long)) if long.is::<LengthLimitError>() => {
            Body::new(Limited::new("too long".to_owned(), 0))
        }
        Ok(Err(broken)) => failing(broken),
        Err(late) => failing(late.into()),
    }
}

fn failing(why: Box<dyn Error + Send + Sync>) -> Body {
    Body::from_stream(once(ready(Err::<Bytes, _>(why))))
}

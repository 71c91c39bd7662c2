//! What a handler knows of the request that it answers.

use crate::accounts::Account;
use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::reply::{self, Failure, Reply};
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use scaigrid_types::{Meta, Pagination, SuccessEnvelope};
use serde::Serialize;
use std::sync::Arc;

/// One call of a known user.
pub(crate) struct Call {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) account: Arc<Account>,
    pub(crate) id: RequestId,
}

impl Call {
    /// The answer, with `200` on success.
    pub(crate) fn answer<T: Serialize>(&self, outcome: Result<Reply<T>, Failure>) -> Response {
        self.answer_with(StatusCode::OK, outcome)
    }

    /// The answer, with `201` on success.
    pub(crate) fn created<T: Serialize>(&self, outcome: Result<Reply<T>, Failure>) -> Response {
        self.answer_with(StatusCode::CREATED, outcome)
    }

    fn answer_with<T: Serialize>(&self, status: StatusCode, outcome: Result<Reply<T>, Failure>) -> Response {
        match outcome {
            Ok(Reply { data, pagination }) => {
                let mut envelope = SuccessEnvelope::new(data, Meta::with_request_id(&self.id.0));
                envelope.pagination = pagination;
                reply::json(status, &self.id, &envelope)
            }
            Err(failure) => self.failed(failure),
        }
    }

    /// The answer in the documented list shape of ScaiMatrix: a bare `data[]`, with `has_more` and `next_cursor`
    /// in `meta`.
    pub(crate) fn paged_in_meta<T: Serialize>(&self, outcome: Result<Reply<Vec<T>>, Failure>) -> Response {
        match outcome {
            Ok(Reply { data, pagination }) => {
                let mut meta = Meta::with_request_id(&self.id.0);
                let pagination = pagination.unwrap_or_else(|| Pagination::new(None));
                meta.extra.insert("has_more".to_owned(), pagination.has_more.into());
                meta.extra.insert("next_cursor".to_owned(), pagination.next_cursor.into());
                reply::json(StatusCode::OK, &self.id, &SuccessEnvelope::new(data, meta))
            }
            Err(failure) => self.failed(failure),
        }
    }

    /// `204` without a body on success.
    pub(crate) fn done(&self, outcome: Result<(), Failure>) -> Response {
        match outcome {
            Ok(()) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                reply::set_request_id(response.headers_mut(), &self.id);
                response
            }
            Err(failure) => self.failed(failure),
        }
    }

    pub(crate) fn failed(&self, failure: Failure) -> Response {
        failure.into_response(&self.id)
    }
}

/// Behind [`admit`](crate::admission::admit), which knows the user.
impl FromRequestParts<Arc<Gateway>> for Call {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, StatusCode> {
        let (account, id) = (parts.extensions.get().cloned(), parts.extensions.get().cloned());
        let (Some(account), Some(id)) = (account, id) else {
            // Not reached: no route that takes a call is open to all.
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        };
        Ok(Self { gateway: Arc::clone(gateway), account, id })
    }
}

//! Which tenant a request is for, and whether it may. The credentials are held against the tenant that was found, never
//! the other way round.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::Deserialize;

use super::{Api, error::ApiError};
use crate::config::Tenant;

/// The tenant of a request, whoever makes it.
pub(super) struct Meant(pub Arc<Tenant>);

/// The tenant of a request that carries one of its tokens.
pub(super) struct Allowed(pub Arc<Tenant>);

#[derive(Deserialize)]
struct Prefix {
    tenant: Option<String>,
}

impl FromRequestParts<Api> for Meant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let prefix = Path::<Prefix>::from_request_parts(parts, api).await.ok().and_then(|Path(prefix)| prefix.tenant);
        let none = || {
            ApiError::not_found("no tenant is meant: ask by its host, under /t/TENANT, or with the header X-Tenant-Id")
        };
        api.tenant(prefix.as_deref(), &parts.headers).map(Self).ok_or_else(none)
    }
}

impl FromRequestParts<Api> for Allowed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let Meant(tenant) = Meant::from_request_parts(parts, api).await?;
        let refuse = |message| Err(ApiError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message));
        if tenant.tokens.is_empty() {
            return refuse("the tenant has no API tokens: name a Secret that holds some in spec.api.tokensSecretRef");
        }
        match bearer(&parts.headers) {
            Some(token) if tenant.tokens.allow(token) => Ok(Self(tenant)),
            Some(_) => refuse("this is no token of the tenant"),
            None => refuse("the header Authorization: Bearer TOKEN is missing"),
        }
    }
}

/// The token of the header `Authorization`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        let of = |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bearer(&of("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&of("bearer  abc ")), Some("abc"));
        assert_eq!(bearer(&of("Basic abc")), None);
        assert_eq!(bearer(&of("abc")), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}

//! The answer to a send. 200 means accepted, no more; an error body means certainly not sent; anything that Meta did
//! not write leaves it open whether the message went out.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use wigwag_domain::{clean, cut};

use super::error::{Class, class};
use crate::Outcome;

/// No `Retry-After` may hold a message back longer.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// Meta's error object, as far as it can be shown.
struct GraphError {
    code: i32,
    /// Meta's words, without the token: it quotes a malformed one.
    words: String,
    is_transient: bool,
}

/// Reads an answer. `access_token` is only taken out of what Meta says.
pub(super) fn read(access_token: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Outcome {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let after = retry_after(headers);
    if let Some(error) = GraphError::read(&json, access_token) {
        return of_error(error, status, after);
    }
    let http = i32::from(status.as_u16());
    match status.as_u16() {
        200..=299 => match json["messages"][0]["id"].as_str() {
            Some(id) if !id.is_empty() => Outcome::Accepted { provider_id: clean(id).into_owned() },
            _ => Outcome::Unknown { detail: format!("HTTP {http} without a message id") },
        },
        429 => Outcome::Retry { code: http, after },
        401 => Outcome::Paused { code: http, reason: token_refused(http) },
        // Nobody who knows the path, the method or us: a proxy, or a wrong URL. Every other message would fail alike.
        300..=399 | 403..=407 => Outcome::Paused {
            code: http,
            reason: format!("HTTP {http} from something that is not the Graph API: check baseUrl and proxies"),
        },
        408 | 500.. => Outcome::Unknown { detail: format!("HTTP {http} without an error of the Graph API") },
        _ => Outcome::Failed { code: http, title: format!("HTTP {http} without an error of the Graph API") },
    }
}

fn of_error(error: GraphError, status: StatusCode, after: Option<Duration>) -> Outcome {
    let GraphError { code, words, is_transient } = error;
    let class = class(code).unwrap_or(match status.as_u16() {
        401 => Class::Token,
        429 | 500.. => Class::Retry,
        _ if is_transient => Class::Retry,
        _ => Class::Fail,
    });
    match class {
        Class::Retry => Outcome::Retry { code, after },
        Class::Pair => Outcome::PairLimited { code },
        Class::Throttle => Outcome::Throttled { code, after },
        Class::Later(least) => Outcome::Later { code, after: after.map_or(least, |after| after.max(least)) },
        Class::Token => Outcome::Paused { code, reason: token_refused(code) },
        Class::Account => Outcome::Paused { code, reason: format!("account refused ({code}): {words}") },
        Class::Fail => Outcome::Failed { code, title: words },
    }
}

fn token_refused(code: i32) -> String {
    format!("access token refused ({code}): put a valid one into the key access-token of the provider's Secret")
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

// === impl GraphError ===

impl GraphError {
    fn read(json: &Value, access_token: &str) -> Option<Self> {
        let error = json.get("error")?;
        let code = error["code"].as_i64().or_else(|| error["code"].as_str()?.parse().ok())?;
        let words = error["message"].as_str().unwrap_or_default();
        let words = if access_token.is_empty() { words.to_owned() } else { words.replace(access_token, "…") };
        Some(Self {
            code: i32::try_from(code).ok()?,
            words: cut(&clean(&words), 200).into_owned(),
            is_transient: error["is_transient"] == true,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use http::HeaderValue;

    use super::*;

    const TOKEN: &str = "EAAtoken";

    fn answer(status: u16, body: &str) -> Outcome {
        read(TOKEN, StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    fn error(status: u16, code: i32) -> Outcome {
        let body = format!(r#"{{"error":{{"message":"(#{code}) said","type":"OAuthException","code":{code}}}}}"#);
        answer(status, &body)
    }

    #[test]
    fn an_id_means_accepted_and_a_200_without_one_means_nobody_knows() {
        let body =
            r#"{"messaging_product":"whatsapp","contacts":[{"input":"+1","wa_id":"1"}],"messages":[{"id":"wamid.A"}]}"#;
        assert_eq!(answer(200, body), Outcome::Accepted { provider_id: "wamid.A".to_owned() });
        for unreadable in
            ["", "<html>", "{}", r#"{"messages":[]}"#, r#"{"messages":[{"id":""}]}"#, r#"{"messages":{}}"#]
        {
            assert!(matches!(answer(200, unreadable), Outcome::Unknown { .. }), "{unreadable}");
        }
    }

    #[test]
    fn the_code_decides_and_not_the_status() {
        for status in [200, 400, 429, 500, 503] {
            assert_eq!(error(status, 130429), Outcome::Throttled { code: 130429, after: None });
            assert_eq!(error(status, 131056), Outcome::PairLimited { code: 131056 });
            assert_eq!(error(status, 131047), Outcome::Failed { code: 131047, title: "(#131047) said".to_owned() });
            assert!(matches!(error(status, 190), Outcome::Paused { code: 190, .. }));
            assert_eq!(error(status, 131000), Outcome::Retry { code: 131000, after: None });
        }
    }

    #[test]
    fn the_status_decides_on_a_code_of_tomorrow() {
        assert!(matches!(error(401, 999), Outcome::Paused { .. }));
        assert_eq!(error(429, 999), Outcome::Retry { code: 999, after: None });
        assert_eq!(error(500, 999), Outcome::Retry { code: 999, after: None });
        assert!(matches!(error(400, 999), Outcome::Failed { code: 999, .. }));
        let transient = r#"{"error":{"code":999,"is_transient":true}}"#;
        assert_eq!(answer(400, transient), Outcome::Retry { code: 999, after: None });
    }

    #[test]
    fn without_metas_word_a_5xx_leaves_it_open_whether_the_message_went_out() {
        for body in ["", "<html>Bad Gateway</html>", r#"{"error":"x"}"#, r#"{"error":{"code":null}}"#] {
            for status in [408, 500, 502, 503, 504] {
                assert!(matches!(answer(status, body), Outcome::Unknown { .. }), "{status} {body}");
            }
        }
        assert_eq!(answer(429, ""), Outcome::Retry { code: 429, after: None });
        assert!(matches!(answer(401, ""), Outcome::Paused { code: 401, .. }));
        assert!(matches!(answer(404, "<html>"), Outcome::Paused { code: 404, .. }));
        assert!(matches!(answer(413, "<html>"), Outcome::Failed { code: 413, .. }));
    }

    #[test]
    fn retry_after_is_honoured_within_reason() {
        let wait = |value: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            match read(TOKEN, StatusCode::TOO_MANY_REQUESTS, &headers, b"") {
                Outcome::Retry { after, .. } => after,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("18446744073709551615"), Some(LONGEST_WAIT));
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(wait("-1"), None);
    }

    #[test]
    fn what_meta_quotes_of_the_token_goes_nowhere() {
        for code in [190, 200, 100, 1] {
            let body = format!(r#"{{"error":{{"message":"Malformed access token {TOKEN}\u0000","code":{code}}}}}"#);
            let outcome = format!("{:?}", answer(400, &body));
            assert!(!outcome.contains(TOKEN) && !outcome.contains('\0'), "{outcome}");
        }
    }
}

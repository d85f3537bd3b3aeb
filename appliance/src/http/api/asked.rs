//! A request that changes something: who asks, the body, and the `Idempotency-Key`.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tollhouse_core::record::{By, Once};

use super::caller::{Caller, entry};
use super::entry::InHand;
use super::fields;
use crate::http::problem::Problem;
use crate::users::hex;

/// The largest body of a call that names no other: an import has its own.
pub(in crate::http) const MAX_BODY_BYTES: usize = 1 << 20;
/// The longest `Idempotency-Key`.
const MAX_KEY_CHARS: usize = 255;

/// Who asks for what. As an argument of a handler it answers 401, 400 with the faults field by field, 409, 413 and 415.
#[derive(Debug)]
pub(in crate::http) struct Asked<T> {
    /// Who.
    pub(in crate::http) caller: Caller,
    /// What.
    pub(in crate::http) body: T,
    once: Option<Once>,
    _in_hand: Option<InHand>,
}

impl<T> Asked<T> {
    /// On whose order, for what reason, once under the request's key: for a desk. One change of the handler's takes it.
    pub(in crate::http) fn by(&self, reason: &str) -> By {
        self.caller.by(reason).once(self.once.clone())
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Asked<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let caller = Caller::extract(&request).await?;
            let bytes = read(&request, payload, MAX_BODY_BYTES).await?;
            let value = parse(&request, &bytes)?;
            let once = key_of(&request)?.map(|key| once(&request, &caller, &key, &value));
            let body = fields::body(value)?;
            let in_hand = once.as_ref().map(|once| entry(&request).take(&once.key)).transpose()?;
            Ok(Self { caller, body, once, _in_hand: in_hand })
        })
    }
}

/// The body, no longer than this.
pub(in crate::http) async fn read(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if told.is_some_and(|told: usize| told > limit) {
        return Err(Problem::large_body(limit));
    }
    let mut bytes = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|fault| Problem::bad_request("bad-body", "Bad body", fault.to_string()))?;
        if bytes.len() + piece.len() > limit {
            return Err(Problem::large_body(limit));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

/// JSON, or nothing where there is no body.
fn parse(request: &HttpRequest, bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if kind != "application/json" {
        return Err(Problem::media_type());
    }
    serde_json::from_slice(bytes).map_err(|fault| Problem::bad_request("bad-json", "Bad JSON", fault.to_string()))
}

fn key_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get("Idempotency-Key") else { return Ok(None) };
    let bytes = value.as_bytes();
    let plain = (1..=MAX_KEY_CHARS).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(key) if plain => Ok(Some(key.to_owned())),
        _ => Err(Problem::bad_request("bad-key", "Not a key", "Idempotency-Key has 1 to 255 visible ASCII characters")),
    }
}

/// By route, caller and key; the request is its address and what its body says, however that was written.
fn once(request: &HttpRequest, caller: &Caller, key: &str, body: &Value) -> Once {
    let route = request.match_pattern().unwrap_or_else(|| request.path().to_owned());
    let asked = format!("{}\n{body}", request.path());
    let request = hex(&Sha256::digest(asked.as_bytes()));
    Once { key: format!("{route} {} {key}", caller.name()), request }
}

/// 201 with the address of what was made.
pub(in crate::http) fn created(location: &str, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Created().insert_header((header::LOCATION, location)).json(body)
}

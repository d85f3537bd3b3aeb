//! Errors as RFC 9457 problem documents, and as a plain page for a person with a browser.
//!
//! Owns which mistake has which status. No answer of the box with a status of 400 or more gets out in another form.

use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use tollhouse_core::record::ReadError;
use tollhouse_core::words::Language;
use utoipa::ToSchema;

use super::{language, page};
use crate::actors::payment::messages::PayProblem;
use crate::store::Undone;

/// The longest path with query that is looked at.
const MAX_TARGET_BYTES: usize = 2048;

/// A mistake, before it is known at which address it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// The last word of its type.
    pub(super) word: &'static str,
    pub(super) title: &'static str,
    pub(super) detail: String,
    /// A header that belongs to it.
    pub(super) header: Option<(header::HeaderName, String)>,
    /// Which fields of the request are wrong.
    pub(super) errors: Vec<FieldFault>,
}

/// A field of a request that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct FieldFault {
    /// Where: a JSON pointer into the body, or `?` and a name of the query.
    #[schema(examples("/roles/0", "?limit"))]
    pub(super) pointer: String,
    /// What is wrong with it.
    pub(super) detail: String,
}

/// An RFC 9457 problem document.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemDocument {
    /// What kind of mistake: `urn:tollhouse:problem:` and a word that programs may rely on.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The kind in English.
    pub(super) title: &'static str,
    /// The HTTP status.
    pub(super) status: u16,
    /// This mistake in English, and what can be done.
    pub(super) detail: String,
    /// Where it was made.
    pub(super) instance: String,
    /// Which fields of the request are wrong, if it is they.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) errors: Vec<FieldFault>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, word: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, word, title, detail: detail.into(), header: None, errors: vec![] }
    }

    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-route", "Nothing here", "the box has nothing at this address")
    }

    pub(super) fn method(allow: &str) -> Self {
        let detail = format!("this address answers {allow} only");
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail);
        problem.header = Some((header::ALLOW, allow.to_owned()));
        problem
    }

    pub(super) fn bad_request(word: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, word, title, detail)
    }

    pub(super) fn unauthorised() -> Self {
        let detail =
            "sign in: a bearer token (`tollhouse user token NAME` prints one), a session, or name and password";
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "sign-in", "Sign in first", detail);
        let challenge = "Bearer realm=\"tollhouse\", Basic realm=\"tollhouse\", charset=\"UTF-8\"";
        problem.header = Some((header::WWW_AUTHENTICATE, challenge.to_owned()));
        problem
    }

    /// Fields that cannot be taken, each with what is wrong with it.
    pub(super) fn fields(errors: Vec<FieldFault>) -> Self {
        let of = |fault: &FieldFault| format!("{}: {}", fault.pointer, fault.detail);
        let detail = errors.iter().map(of).collect::<Vec<_>>().join("; ");
        Self { errors, ..Self::bad_request("invalid", "Not as it should be", detail) }
    }

    pub(super) fn large_body(limit: usize) -> Self {
        let detail = format!("the box reads bodies of at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "large-body", "Body too large", detail)
    }

    pub(super) fn media_type() -> Self {
        let detail = "send Content-Type: application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "Not JSON", detail)
    }

    /// Nothing of this name: `what` in a sentence.
    #[allow(dead_code, reason = "for resources to come")]
    pub(super) fn unknown(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown", "Not known", what)
    }

    pub(super) fn key_in_flight() -> Self {
        let detail = "a request with this Idempotency-Key is still in flight: ask again when it is answered";
        Self::new(StatusCode::CONFLICT, "key-in-flight", "Still in flight", detail)
    }

    /// A fault of the box, for its log; outside it is only said that there is one.
    pub(super) fn broken() -> Self {
        let detail = "a fault of the box: its log says more, `tollhouse verify` tells whether its data is whole";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", "A fault of the box", detail)
    }

    pub(super) fn too_often(wait_s: u64) -> Self {
        let detail = format!("too many questions from this address: ask again in {wait_s} s");
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-often", "Too many questions", detail);
        problem.header = Some((header::RETRY_AFTER, wait_s.to_string()));
        problem
    }

    pub(super) fn key_reused() -> Self {
        let detail = "this Idempotency-Key stands for another request: use a new one";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "Key used before", detail)
    }

    pub(super) fn full(what: &str) -> Self {
        let detail = format!("{what}: try again later");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The box is busy", detail)
    }

    fn document(&self, instance: &str) -> ProblemDocument {
        ProblemDocument {
            kind: format!("urn:tollhouse:problem:{}", self.word),
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: instance.to_owned(),
            errors: self.errors.clone(),
        }
    }

    fn answer(&self, instance: &str) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        if let Some((name, value)) = &self.header {
            answer.insert_header((name.clone(), value.as_str()));
        }
        answer.content_type("application/problem+json");
        let text = serde_json::to_string(&self.document(instance)).expect("a problem document is plain JSON");
        answer.body(text)
    }

    fn answer_to(&self, asker: &Asker) -> HttpResponse {
        let Asked::Page(language) = asker.wants else { return self.answer(&asker.path) };
        let mut answer = page::mistake(self, language);
        if let Some((name, value)) = &self.header
            && let Ok(value) = HeaderValue::from_str(value)
        {
            answer.headers_mut().insert(name.clone(), value);
        }
        answer
    }
}

/// What an answer has to know of its request, which itself is gone by then.
struct Asker {
    path: String,
    wants: Asked,
}

/// In which form an error is wanted.
enum Asked {
    Document,
    Page(Language),
}

impl Asker {
    fn of(request: &HttpRequest) -> Self {
        let wants = if wants_page(request) { Asked::Page(language::of(request)) } else { Asked::Document };
        Self { path: request.path().to_owned(), wants }
    }
}

/// A person with a browser looks at a page: not at the API, not a script's `fetch`.
fn wants_page(request: &HttpRequest) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    request.method() == Method::GET && !request.path().starts_with("/api/") && accepts.contains("text/html")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.answer("")
    }
}

impl From<ReadError> for Problem {
    fn from(fault: ReadError) -> Self {
        tracing::error!(%fault, "records cannot be read");
        Self::broken()
    }
}

impl<E: Into<Self>> From<Undone<E>> for Problem {
    fn from(undone: Undone<E>) -> Self {
        match undone {
            Undone::Refused(refusal) => refusal.into(),
            Undone::KeyReused => Self::key_reused(),
            Undone::Busy => Self::full("too much is waiting"),
            Undone::Failed(_) => Self::broken(),
        }
    }
}

impl From<PayProblem> for Problem {
    fn from(problem: PayProblem) -> Self {
        let (status, word, title) = match &problem {
            PayProblem::NoAccount => (StatusCode::NOT_FOUND, "no-account", "No account at this provider"),
            PayProblem::NoCarWaits => (StatusCode::NOT_FOUND, "no-car-waits", "No car waits"),
            PayProblem::Unknown => (StatusCode::NOT_FOUND, "unknown", "Not known"),
            PayProblem::WrongToken => (StatusCode::FORBIDDEN, "wrong-token", "Wrong token"),
            PayProblem::NothingDue => (StatusCode::CONFLICT, "nothing-due", "Nothing due"),
            PayProblem::NotPayable(_) => (StatusCode::CONFLICT, "not-payable", "Not payable"),
            PayProblem::TooManyOrders => (StatusCode::CONFLICT, "too-many-orders", "Too many orders"),
            PayProblem::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "Key used before"),
            PayProblem::UnknownProvider(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unknown-provider", "Unknown provider")
            }
            PayProblem::NotOffered(_) => (StatusCode::UNPROCESSABLE_ENTITY, "not-offered", "Not offered"),
            PayProblem::PayOneByOne => (StatusCode::CONFLICT, "pay-one-by-one", "Two payees"),
            PayProblem::SignInAgain => (StatusCode::CONFLICT, "sign-in-again", "Open the page anew"),
            PayProblem::ProviderAway(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "provider-away", "The provider cannot be reached")
            }
            PayProblem::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "The box is busy"),
        };
        Self::new(status, word, title, problem.to_string())
    }
}

/// Middleware: refuses an address beyond all measure, and gives every error its address and its form.
pub(super) async fn as_documents<B>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<BoxBody>, Error>
where
    B: MessageBody + 'static,
{
    let target_bytes = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target_bytes > MAX_TARGET_BYTES {
        let detail = format!("the box reads addresses of at most {MAX_TARGET_BYTES} bytes");
        let problem = Problem::new(StatusCode::URI_TOO_LONG, "long-address", "Address too long", detail);
        return Ok(request.into_response(problem.answer("")));
    }
    let asker = Asker::of(request.request());
    let answer = next.call(request).await?.map_into_boxed_body();
    let status = answer.status();
    if status.is_success() || status.is_redirection() || is_finished(&answer) {
        return Ok(answer);
    }
    let problem = match answer.response().error().and_then(Error::as_error::<Problem>) {
        Some(problem) => problem.clone(),
        // An error of the framework's own: its words stay inside.
        None => {
            Problem::new(status, "request", status.canonical_reason().unwrap_or("Error"), "the request was refused")
        }
    };
    let (request, _) = answer.into_parts();
    Ok(ServiceResponse::new(request, problem.answer_to(&asker)))
}

/// A handler that answers an error in its own form (a page, `/readyz`) has set a content type and no error.
fn is_finished(answer: &ServiceResponse) -> bool {
    answer.response().error().is_none() && answer.headers().contains_key(header::CONTENT_TYPE)
}

//! The line to a provider: HTTP with time-outs on everything and bounded bodies. Owns sockets; it must not know what is said.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use tokio::sync::Semaphore;

use super::provider::ProviderError;

/// Connecting takes no longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// A call takes no longer, with its answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);
/// A statement may.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(60);
/// So many calls are under way at one account; the others wait their turn.
const AT_ONCE: usize = 16;

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The address is none, or not one that may be used.
    #[error("{0:?} is no address of a provider: https://..., or http:// on loopback, for tests")]
    Address(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}; is the package ca-certificates installed?")]
    Tls(String),
}

/// What a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// An answer of the API, of at most so many bytes.
    Answer(usize),
    /// A statement, of at most so many bytes.
    Download(usize),
}

/// What came.
pub(super) struct Came {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Came {
    /// The headers as texts; what is none is left out.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }
}

/// The line.
pub(super) struct Line {
    client: Client,
    base: String,
    turns: Semaphore,
}

/// An address that a provider may have: https anywhere, http on loopback alone.
pub fn checked_base(text: &str) -> Result<String, LineError> {
    let wrong = || LineError::Address(text.chars().take(100).collect());
    let url = reqwest::Url::parse(text).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default();
    let loopback = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.scheme() {
        "https" if plain && !host.is_empty() => {}
        "http" if plain && loopback => {}
        _ => return Err(wrong()),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

impl Line {
    /// To this address.
    pub(super) fn to(base: &str) -> Result<Self, LineError> {
        static INSTALLED: OnceLock<()> = OnceLock::new();
        INSTALLED.get_or_init(|| {
            // Another part of the program may have been first: it installs the same.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let base = checked_base(base)?;
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .user_agent(concat!("tollhouse/", env!("CARGO_PKG_VERSION")));
        if base.starts_with("http://") {
            // Loopback without TLS needs no authorities, and a machine without any must still run the tests.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|fault| LineError::Tls(chain(&fault)))?;
        Ok(Self { client, base, turns: Semaphore::new(AT_ONCE) })
    }

    /// The address that it goes to, without a slash at the end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// A GET of a path.
    pub(super) fn get(&self, target: &str) -> RequestBuilder {
        self.client.get(format!("{}{target}", self.base))
    }

    /// A POST to a path.
    pub(super) fn post(&self, target: &str) -> RequestBuilder {
        self.client.post(format!("{}{target}", self.base))
    }

    /// A GET of a whole address.
    pub(super) fn get_at(&self, address: &str) -> RequestBuilder {
        self.client.get(address)
    }

    /// Sends a request and takes the whole answer, as long as it is short enough and in time.
    pub(super) async fn call(&self, request: RequestBuilder, size: Size) -> Result<Came, ProviderError> {
        let (timeout, most) = match size {
            Size::Answer(most) => (CALL_TIMEOUT, most),
            Size::Download(most) => (DOWNLOAD_TIMEOUT, most),
        };
        let _turn = self.turns.acquire().await.map_err(|_| ProviderError::Away("the box is ending".into()))?;
        // Without the address: its query may hold a payer's code.
        let away = |fault: reqwest::Error| ProviderError::Away(chain(&fault.without_url()));
        let mut answer = request.timeout(timeout).send().await.map_err(away)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > most {
                return Err(ProviderError::Unsound(format!("more than {most} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Came { status, headers, body })
    }
}

/// An error with its causes, which say what it was.
fn chain(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_spoken_with_in_the_clear() {
        for right in
            ["https://api.mch.weixin.qq.com", "https://example.org/", "http://127.0.0.1:8080", "http://[::1]:9/"]
        {
            assert!(checked_base(right).is_ok_and(|base| !base.ends_with('/')), "{right}");
        }
        for wrong in ["", "api.example.org", "http://example.org", "http://10.0.0.1", "ftp://127.0.0.1", "https://a/?b"]
        {
            assert!(checked_base(wrong).is_err(), "{wrong}");
        }
        assert!(Line::to("http://127.0.0.1:1").is_ok());
    }
}

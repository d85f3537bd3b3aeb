//! Speaking with WeChat Pay: each request signed, each answer verified, the platform's keys fetched and exchanged. Owns the
//! keys and the line; it must not know what is asked.

use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use chrono::{TimeDelta, Utc};
use tollhouse_providers::key::VerifyingKey;
use tollhouse_providers::limits::ANSWER_BYTES;
use tollhouse_providers::wechat::{
    self as wire, ApiV3Key, Call, Distrust, Merchant, Method, Nonce, SignatureHeaders, Trust,
};

use super::{ours, unsound};
use crate::actors::payment::line::{Came, Line, Size};
use crate::actors::payment::provider::ProviderError;
use crate::actors::payment::reach::Reach;
use crate::clock::BoxClock;

/// The platform's certificates are fetched no more often than this. Only answers to our own questions make us fetch them.
const FETCH_GAP: TimeDelta = TimeDelta::seconds(2);
/// And at least this often, so that a change of keys is known before it comes.
const FETCH_EVERY: TimeDelta = TimeDelta::hours(12);
/// Somebody is warned so long before the last certificate ends.
const WARN_BEFORE: TimeDelta = TimeDelta::days(14);

/// Where the platform's keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlatformKeys {
    /// A public key of the merchant's console alone, `PUB_KEY_ID_...`.
    PublicKey(String, VerifyingKey),
    /// Certificates that are fetched, and the public key if there is one: during the change to it both sign.
    Certificates(Option<(String, VerifyingKey)>),
}

pub(super) struct Speaker {
    pub(super) merchant: Merchant,
    pub(super) api_key: ApiV3Key,
    pub(super) reach: Reach,
    pub(super) line: Line,
    keys: PlatformKeys,
    trust: ArcSwap<Trust>,
    fetched_ms: AtomicI64,
    clock: BoxClock,
}

fn random_nonce() -> Result<Nonce, ProviderError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|fault| ProviderError::Refused(format!("no random bytes: {fault}")))?;
    Ok(Nonce::from_randomness(bytes))
}

impl Speaker {
    pub(super) fn new(
        merchant: Merchant,
        api_key: ApiV3Key,
        keys: PlatformKeys,
        line: Line,
        clock: BoxClock,
    ) -> Result<Self, tollhouse_providers::RequestError> {
        let trust = ArcSwap::from_pointee(known(&keys)?);
        let fetched_ms = AtomicI64::new(i64::MIN);
        Ok(Self { merchant, api_key, reach: Reach::default(), line, keys, trust, fetched_ms, clock })
    }

    pub(super) fn now(&self) -> chrono::DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn trust(&self) -> arc_swap::Guard<std::sync::Arc<Trust>> {
        self.trust.load()
    }

    pub(super) fn nonce() -> Result<Nonce, ProviderError> {
        random_nonce()
    }

    /// Sends a call and gives status and body of an answer that WeChat Pay has signed.
    pub(super) async fn ask(&self, call: &Call) -> Result<(u16, Vec<u8>), ProviderError> {
        let came = self.send(call, Size::Answer(ANSWER_BYTES)).await?;
        let mut verdict = self.verify(&came);
        if let Err(Distrust::UnknownSerial(_)) = verdict
            && self.fetch_certificates().await?.is_some()
        {
            verdict = self.verify(&came);
        }
        match verdict {
            Ok(()) => Ok((came.status, came.body)),
            Err(distrust) => Err(ProviderError::Unsound(format!("status {}: {distrust}", came.status))),
        }
    }

    /// Sends a call whose answer carries no signature.
    pub(super) async fn download(&self, call: &Call, most: usize) -> Result<Vec<u8>, ProviderError> {
        let came = self.send(call, Size::Download(most)).await?;
        if came.status == 200 {
            return Ok(came.body);
        }
        Err(ProviderError::Unsound(format!("the download is answered with {}", came.status)))
    }

    async fn send(&self, call: &Call, size: Size) -> Result<Came, ProviderError> {
        let signed = self.merchant.authorization(call, self.clock.now(), &random_nonce()?);
        let authorization = signed.map_err(|fault| ProviderError::Refused(fault.to_string()))?;
        let request = match call.method {
            Method::Get => self.line.get(&call.target),
            Method::Post => {
                self.line.post(&call.target).header("Content-Type", "application/json").body(call.body.clone())
            }
        };
        let request = request.header("Accept", "application/json").header("Authorization", authorization);
        let came = self.line.call(request, size).await;
        match &came {
            Err(ProviderError::Away(_)) => self.reach.silent(self.clock.now()),
            _ => self.reach.answered(self.clock.now()),
        }
        came
    }

    fn verify(&self, came: &Came) -> Result<(), Distrust> {
        let headers = SignatureHeaders::read(came.texts())?;
        self.trust.load().verify(&headers, &came.body, self.clock.now())
    }

    /// Whether the certificates have to be looked at, because it is long ago.
    pub(super) fn fetching_is_due(&self) -> Option<()> {
        let last = self.fetched_ms.load(Ordering::Relaxed);
        let due = self.clock.now().timestamp_millis().saturating_sub(last) >= FETCH_EVERY.num_milliseconds();
        (due && matches!(self.keys, PlatformKeys::Certificates(_))).then_some(())
    }

    /// Fetches the platform's certificates, unless that was just done. They are WeChat Pay's because our APIv3 key opens them,
    /// and what they say of themselves has to be signed with one of them.
    pub(super) async fn fetch_certificates(&self) -> Result<Option<()>, ProviderError> {
        let (now, last) = (self.clock.now().timestamp_millis(), self.fetched_ms.load(Ordering::Relaxed));
        let PlatformKeys::Certificates(_) = &self.keys else { return Ok(None) };
        let recent = now.saturating_sub(last) < FETCH_GAP.num_milliseconds();
        if recent || self.fetched_ms.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return Ok(None);
        }
        let fetched = self.fetch_now().await;
        if fetched.is_err() {
            // Nothing was learnt: the next who needs them may try again.
            self.fetched_ms.store(last, Ordering::Relaxed);
        }
        fetched.map(Some)
    }

    async fn fetch_now(&self) -> Result<(), ProviderError> {
        let call = wire::Requests(&self.merchant).certificates();
        let came = self.send(&call, Size::Answer(ANSWER_BYTES)).await?;
        wire::check_success(came.status, &came.body).map_err(|fault| super::refused(&fault))?;
        let certificates = wire::platform_certificates(&came.body, &self.api_key).map_err(|fault| unsound(&fault))?;
        let mut trust = known(&self.keys).map_err(|fault| ours(&fault))?;
        for certificate in &certificates {
            trust.add_certificate(certificate).map_err(|fault| ours(&fault))?;
        }
        let headers =
            SignatureHeaders::read(came.texts()).map_err(|fault| ProviderError::Unsound(fault.to_string()))?;
        trust
            .verify(&headers, &came.body, self.clock.now())
            .map_err(|fault| ProviderError::Unsound(format!("the platform's certificates: {fault}")))?;
        if let Some(last) = certificates.iter().map(tollhouse_providers::key::Certificate::valid_until).max()
            && last - self.clock.now() < WARN_BEFORE
        {
            tracing::warn!(%last, "the last of WeChat Pay's certificates is about to end");
        }
        self.trust.store(std::sync::Arc::new(trust));
        Ok(())
    }
}

/// What is believed before anything was fetched.
fn known(keys: &PlatformKeys) -> Result<Trust, tollhouse_providers::RequestError> {
    let mut trust = Trust::new();
    let (PlatformKeys::PublicKey(id, key) | PlatformKeys::Certificates(Some((id, key)))) = keys else {
        return Ok(trust);
    };
    trust.add_public_key(id, key.clone())?;
    Ok(trust)
}

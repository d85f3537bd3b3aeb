//! Owns AEAD_AES_256_GCM (RFC 5116, 5.2), in which callbacks and platform certificates come sealed. It must not show the key.
//!
//! Source: 证书和回调报文解密. Key 32 bytes, nonce 12, a tag of 16 behind the ciphertext, associated data maybe empty.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::Deserialize;

use crate::limits::ANSWER_BYTES;

/// Why a seal does not open. Wrong lengths are said as such: they are the sender's or the operator's mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The APIv3 key in the configuration.
    #[error("an APIv3 key has 32 bytes, this one has {0}")]
    KeyLength(usize),
    /// The nonce of the message.
    #[error("a nonce has 12 bytes, this one has {0}")]
    NonceLength(usize),
    /// No base64.
    #[error("the ciphertext is not base64")]
    NotBase64,
    /// Shorter than its tag, or longer than we take.
    #[error("a ciphertext of {0} bytes is not taken")]
    CiphertextLength(usize),
    /// Another algorithm.
    #[error("sealed with an algorithm that we do not know")]
    Algorithm,
    /// Another key, or another text.
    #[error("the seal is broken: another key, or the text was altered")]
    Broken,
}

/// The APIv3 key, set by the operator in the merchant's console and in the box.
pub struct ApiV3Key(LessSafeKey);

impl ApiV3Key {
    /// Takes 32 bytes; a line end behind them, which editors leave, is cut.
    pub fn new(bytes: &[u8]) -> Result<Self, SealError> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.len() != 32 {
            return Err(SealError::KeyLength(bytes.len()));
        }
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| SealError::KeyLength(bytes.len()))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Opens a ciphertext in base64.
    pub fn open(&self, associated: &[u8], nonce: &[u8], ciphertext: &str) -> Result<Vec<u8>, SealError> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::NonceLength(nonce.len()))?;
        if ciphertext.len() > ANSWER_BYTES {
            return Err(SealError::CiphertextLength(ciphertext.len()));
        }
        let mut bytes = STANDARD.decode(ciphertext).map_err(|_| SealError::NotBase64)?;
        if bytes.len() < AES_256_GCM.tag_len() {
            return Err(SealError::CiphertextLength(bytes.len()));
        }
        let opened =
            self.0.open_in_place(nonce, Aad::from(associated), &mut bytes).map_err(|_| SealError::Broken)?.len();
        bytes.truncate(opened);
        Ok(bytes)
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(not shown)")
    }
}

/// A sealed part of a callback or of the list of certificates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Resource {
    /// `AEAD_AES_256_GCM`.
    pub algorithm: String,
    /// 12 characters.
    pub nonce: String,
    /// Base64.
    pub ciphertext: String,
    /// May be absent.
    #[serde(default)]
    pub associated_data: Option<String>,
}

impl Resource {
    /// What was sealed.
    pub fn open(&self, key: &ApiV3Key) -> Result<Vec<u8>, SealError> {
        if self.algorithm != "AEAD_AES_256_GCM" {
            return Err(SealError::Algorithm);
        }
        let associated = self.associated_data.as_deref().unwrap_or_default();
        key.open(associated.as_bytes(), self.nonce.as_bytes(), &self.ciphertext)
    }
}

//! Owns the RSA keys of both providers: ours that signs, theirs that verify. It must not show a key: no `Debug`, no error holds
//! any part of one.
//!
//! RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2), which WeChat Pay calls `WECHATPAY2-SHA256-RSA2048` and Alipay RSA2; moduli from
//! 2048 bits. ring does the arithmetic; the `rsa` crate leaks the private key by timing (RUSTSEC-2023-0071).

mod der;
mod file;
mod pem;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};

pub use file::{KeyFileError, check_permissions, read_key_file};

/// Why bytes are no key. The words never hold a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// More than a key ever has.
    #[error("a key file of {0} bytes is not taken")]
    TooLong(usize),
    /// Neither PEM nor bare base64.
    #[error("not a key in PEM: it should begin with -----BEGIN")]
    NotPem,
    /// A PEM file of something else.
    #[error("this is a PEM file of {found}, wanted is {wanted}")]
    OtherKind {
        /// What it says it is.
        found: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// Its structure is broken.
    #[error("the key's structure is not as agreed: {0}")]
    Structure(&'static str),
    /// It is well formed and cannot be used: too short a modulus, another algorithm, parts that do not fit.
    #[error("the key cannot be used: {0}")]
    Unusable(String),
    /// The machine could not sign.
    #[error("signing failed")]
    Signing,
}

/// A signature does not belong to the message and the key, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is wrong")]
pub struct WrongSignature;

/// Our private key.
pub struct SigningKey(RsaKeyPair);

impl SigningKey {
    /// Reads PKCS#8 or PKCS#1, in PEM or as the bare base64 that Alipay's key tool writes.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, KeyError> {
        let block = pem::read(bytes)?;
        let unusable = |fault: ring::error::KeyRejected| KeyError::Unusable(fault.to_string());
        let pair = match block.label.as_deref() {
            Some("PRIVATE KEY") => RsaKeyPair::from_pkcs8(&block.der).map_err(unusable)?,
            Some("RSA PRIVATE KEY") => RsaKeyPair::from_der(&block.der).map_err(unusable)?,
            None => {
                RsaKeyPair::from_pkcs8(&block.der).or_else(|_| RsaKeyPair::from_der(&block.der)).map_err(unusable)?
            }
            Some(other) => return Err(pem::other_kind(other, "an unencrypted private key")),
        };
        Ok(Self(pair))
    }

    /// The signature of a message, in base64. The same message gives the same signature.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|_| KeyError::Signing)?;
        Ok(STANDARD.encode(signature))
    }

    /// The public half, to hold against what is shown at the provider.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { pkcs1: self.0.public().as_ref().to_vec() }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(not shown)")
    }
}

/// A public key of a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    /// `RSAPublicKey` of PKCS#1.
    pkcs1: Vec<u8>,
}

impl VerifyingKey {
    /// Reads a public key (SPKI or PKCS#1) or a certificate, in PEM or as bare base64.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, KeyError> {
        let block = pem::read(bytes)?;
        let pkcs1 = match block.label.as_deref() {
            Some("PUBLIC KEY") => der::public_key_of_spki(&block.der)?,
            Some("RSA PUBLIC KEY") => der::checked_public_key(&block.der)?,
            Some("CERTIFICATE") => return Ok(Certificate::from_der(&block.der)?.key),
            None => der::public_key_of_spki(&block.der).or_else(|_| der::checked_public_key(&block.der))?,
            Some(other) => return Err(pem::other_kind(other, "a public key or a certificate")),
        };
        Ok(Self { pkcs1: pkcs1.to_vec() })
    }

    /// Whether this signature, in base64, belongs to the message.
    pub fn verify(&self, message: &[u8], signature: &str) -> Result<(), WrongSignature> {
        // A modulus of 8192 bits gives 1368 characters; more is no signature.
        if signature.len() > 1400 {
            return Err(WrongSignature);
        }
        let signature = STANDARD.decode(signature).map_err(|_| WrongSignature)?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.pkcs1)
            .verify(message, &signature)
            .map_err(|_| WrongSignature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey(not shown)")
    }
}

/// A certificate, as far as we need it. Who signed it is not looked at: it is trusted because of where it came from, WeChat Pay's
/// own sealed list or the operator's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    serial: String,
    valid_from: DateTime<Utc>,
    valid_until: DateTime<Utc>,
    key: VerifyingKey,
}

impl Certificate {
    /// Reads a certificate in PEM.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, KeyError> {
        let block = pem::read(bytes)?;
        match block.label.as_deref() {
            Some("CERTIFICATE") | None => Self::from_der(&block.der),
            Some(other) => Err(pem::other_kind(other, "a certificate")),
        }
    }

    fn from_der(bytes: &[u8]) -> Result<Self, KeyError> {
        let parts = der::certificate(bytes)?;
        Ok(Self {
            serial: parts.serial,
            valid_from: parts.valid_from,
            valid_until: parts.valid_until,
            key: VerifyingKey { pkcs1: parts.pkcs1.to_vec() },
        })
    }

    /// Its serial number as the providers write it: hexadecimal capitals without leading zeros.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Since when it is valid.
    pub fn valid_from(&self) -> DateTime<Utc> {
        self.valid_from
    }

    /// Until when it is valid. An operator should be warned well before.
    pub fn valid_until(&self) -> DateTime<Utc> {
        self.valid_until
    }

    /// The key that it certifies.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }
}

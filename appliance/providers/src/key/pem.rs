//! Owns the wrapping of keys: PEM (RFC 7468) and bare base64. It must not know what is inside.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::KeyError;
use crate::limits::KEY_FILE_BYTES;

const INDIFFERENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What was wrapped.
pub(super) struct Block {
    /// What stands after BEGIN; nothing for bare base64.
    pub(super) label: Option<String>,
    pub(super) der: Vec<u8>,
}

/// The first block of a file; what stands before it (openssl writes words there) and after it is left alone.
pub(super) fn read(bytes: &[u8]) -> Result<Block, KeyError> {
    if bytes.len() > KEY_FILE_BYTES {
        return Err(KeyError::TooLong(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| KeyError::NotPem)?;
    let Some((_, begun)) = text.split_once("-----BEGIN ") else {
        return Ok(Block { label: None, der: decode(text)? });
    };
    let (label, rest) = begun.split_once("-----").ok_or(KeyError::NotPem)?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----")).ok_or(KeyError::NotPem)?;
    Ok(Block { label: Some(label.to_owned()), der: decode(body)? })
}

fn decode(text: &str) -> Result<Vec<u8>, KeyError> {
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if packed.is_empty() {
        return Err(KeyError::NotPem);
    }
    INDIFFERENT.decode(packed).map_err(|_| KeyError::NotPem)
}

/// The error for a label that was not wanted; labels are public words, kept short.
pub(super) fn other_kind(found: &str, wanted: &'static str) -> KeyError {
    KeyError::OtherKind { found: found.chars().take(40).collect(), wanted }
}

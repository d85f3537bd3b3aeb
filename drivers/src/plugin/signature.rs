//! A driver's signature: minisign over the whole file, with a statement of which driver in which version it is.
//!
//! It owns the form of the signature and of its trusted comment, and the vendor's tools to make them. Whether a signature
//! is to be believed on this box is for [`super::trust`].

use std::io::Cursor;
use std::path::{Path, PathBuf};

use minisign::{KeyPair as MinisignPair, SecretKeyBox};
use minisign_verify::{Error as Fault, PublicKey, Signature as Minisign};
use semver::Version;

/// What stands before the trusted comment's fields, so that a vendor's other signatures are no drivers'.
const PURPOSE: &str = "tollhouse-driver";
/// A signature file is below 1 KiB.
const MAX_SIGNATURE_BYTES: usize = 4096;
const MOST_ID_CHARS: usize = 64;

/// What a vendor states about a file by signing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Which driver it is: `acme.barrier`, as in its descriptor.
    pub id: String,
    /// In which version: `1.2.0`, as in its descriptor.
    pub version: Version,
}

/// Why a statement, a key or a signature cannot be made or read. Each says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// An id outside the form.
    #[error("{0:?} is no driver id: 1 to 64 letters, digits, '.', '_' and '-' are wanted, as in acme.barrier")]
    Id(String),
    /// A version outside the form.
    #[error("{0:?} is no version: three numbers are wanted, as in 1.2.0")]
    Version(String),
    /// Text that is no minisign signature of a driver.
    #[error("this is no signature of a driver: {0}")]
    Form(String),
    /// Text that is no minisign public key.
    #[error("this is no minisign public key (one line of base64 that begins with RW)")]
    PublicKey,
    /// The secret key cannot be read or used.
    #[error("the secret key cannot be used: {0}")]
    SecretKey(String),
    /// No randomness, most likely.
    #[error("no key can be made: {0}")]
    NoKey(String),
}

impl Statement {
    /// A statement within the form.
    pub fn new(id: &str, version: &str) -> Result<Self, SignatureError> {
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if !plain || !(1..=MOST_ID_CHARS).contains(&id.len()) {
            return Err(SignatureError::Id(id.to_owned()));
        }
        let number = Version::parse(version).map_err(|_| SignatureError::Version(version.to_owned()))?;
        Ok(Self { id: id.to_owned(), version: number })
    }

    /// The trusted comment that says so.
    pub fn comment(&self) -> String {
        format!("{PURPOSE} id={} version={}", self.id, self.version)
    }

    /// Reads a trusted comment. Fields that this release does not know are for later ones.
    fn read(comment: &str) -> Result<Self, SignatureError> {
        let form = |what: &str| SignatureError::Form(format!("its trusted comment {what}"));
        let mut words = comment.split_whitespace();
        if words.next() != Some(PURPOSE) {
            return Err(form(&format!("does not begin with {PURPOSE:?}")));
        }
        let (mut id, mut version) = (None, None);
        for word in words {
            let field = match word.split_once('=') {
                Some(("id", value)) => id.replace(value),
                Some(("version", value)) => version.replace(value),
                _ => None,
            };
            if field.is_some() {
                return Err(form("says the same thing twice"));
            }
        }
        Self::new(id.ok_or_else(|| form("names no id"))?, version.ok_or_else(|| form("names no version"))?)
    }
}

/// A vendor's public key, and the line that it is written as.
#[derive(Debug, Clone)]
pub struct VerifyingKey {
    line: String,
    key: PublicKey,
}

impl VerifyingKey {
    /// Reads one line of base64, or a whole `minisign.pub` with its comment.
    pub fn read(text: &str) -> Result<Self, SignatureError> {
        let line = text.trim().lines().last().unwrap_or_default().trim().to_owned();
        let key = PublicKey::from_base64(&line).map_err(|_| SignatureError::PublicKey)?;
        Ok(Self { line, key })
    }

    /// The key as one line.
    pub fn line(&self) -> &str {
        &self.line
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.line == other.line
    }
}

/// What a key says of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// This key signed these bytes and this statement.
    Genuine,
    /// Another key signed.
    OtherKey,
    /// This key's number stands in it, and yet it does not fit these bytes or this statement.
    Altered,
}

/// A signature, read but not believed.
#[derive(Clone)]
pub(super) struct Signature {
    signature: Minisign,
    statement: Statement,
}

impl Signature {
    /// Reads the text of a `.minisig` file.
    pub(super) fn read(text: &str) -> Result<Self, SignatureError> {
        if text.len() > MAX_SIGNATURE_BYTES {
            return Err(SignatureError::Form("it is longer than 4 KiB".to_owned()));
        }
        let signature = Minisign::decode(text).map_err(|fault| SignatureError::Form(fault.to_string()))?;
        let statement = Statement::read(signature.trusted_comment())?;
        Ok(Self { signature, statement })
    }

    /// What it claims; to be believed only once a key has found it [`Finding::Genuine`].
    pub(super) fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Holds it against a key and the signed bytes.
    pub(super) fn against(&self, key: &VerifyingKey, bytes: &[u8]) -> Finding {
        match key.key.verify(bytes, &self.signature, false) {
            Ok(()) => Finding::Genuine,
            Err(Fault::UnexpectedKeyId) => Finding::OtherKey,
            Err(_) => Finding::Altered,
        }
    }
}

/// Where the signature of a library lies: beside it, with `.minisig` at the end.
pub fn signature_path(library: &Path) -> PathBuf {
    let mut path = library.as_os_str().to_owned();
    path.push(".minisig");
    path.into()
}

/// A vendor's new pair of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// For the boxes: one line of base64.
    pub public: String,
    /// The text of the secret key's file; whoever has it (and its password) is the vendor.
    pub secret: String,
}

/// Makes a pair of keys; without a password the secret key lies open in its file.
pub fn keygen(password: Option<&str>) -> Result<KeyPair, SignatureError> {
    let failed = |fault: minisign::PError| SignatureError::NoKey(fault.to_string());
    let pair = match password {
        Some(password) => MinisignPair::generate_encrypted_keypair(Some(password.to_owned())),
        None => MinisignPair::generate_unencrypted_keypair(),
    }
    .map_err(failed)?;
    let secret = pair.sk.to_box(Some("secret key for tollhouse drivers")).map_err(failed)?.into_string();
    Ok(KeyPair { public: pair.pk.to_base64(), secret })
}

/// Signs the bytes of a library. The answer is the text of its `.minisig` file.
pub fn sign(
    library: &[u8],
    secret: &str,
    password: Option<&str>,
    statement: &Statement,
) -> Result<String, SignatureError> {
    let unusable = |fault: minisign::PError| SignatureError::SecretKey(fault.to_string());
    let boxed = SecretKeyBox::from_string(secret).map_err(unusable)?;
    // Never without a password where the key has one: minisign would ask at the terminal.
    let key = match password {
        Some(password) => boxed.into_secret_key(Some(password.to_owned())),
        None => boxed.into_unencrypted_secret_key(),
    }
    .map_err(unusable)?;
    let comment = statement.comment();
    let signature = minisign::sign(None, &key, Cursor::new(library), Some(&comment), Some("signature of a driver"));
    Ok(signature.map_err(unusable)?.into_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement::new("acme.barrier", "1.2.0").expect("a statement")
    }

    #[test]
    fn what_was_signed_is_genuine_under_its_key_and_no_other() {
        let (ours, theirs) = (keygen(None).expect("a pair"), keygen(None).expect("a pair"));
        let text = sign(b"library", &ours.secret, None, &statement()).expect("signed");
        let signature = Signature::read(&text).expect("a signature");
        assert_eq!(signature.statement(), &statement());
        let key = |pair: &KeyPair| VerifyingKey::read(&pair.public).expect("a key");
        assert_eq!(signature.against(&key(&ours), b"library"), Finding::Genuine);
        assert_eq!(signature.against(&key(&ours), b"Library"), Finding::Altered);
        assert_eq!(signature.against(&key(&theirs), b"library"), Finding::OtherKey);
    }

    #[test]
    fn a_statement_that_was_altered_is_found() {
        let pair = keygen(None).expect("a pair");
        let text = sign(b"library", &pair.secret, None, &statement()).expect("signed");
        let altered = Signature::read(&text.replace("version=1.2.0", "version=1.3.0")).expect("a signature");
        assert_eq!(altered.statement().version, Version::new(1, 3, 0));
        let key = VerifyingKey::read(&pair.public).expect("a key");
        assert_eq!(altered.against(&key, b"library"), Finding::Altered);
    }

    #[test]
    fn a_secret_key_with_a_password_signs_with_it_alone() {
        let pair = keygen(Some("correct horse")).expect("a pair");
        assert!(sign(b"library", &pair.secret, Some("wrong"), &statement()).is_err());
        assert!(sign(b"library", &pair.secret, None, &statement()).is_err());
        let text = sign(b"library", &pair.secret, Some("correct horse"), &statement()).expect("signed");
        let key = VerifyingKey::read(&pair.public).expect("a key");
        let signature = Signature::read(&text).expect("a signature");
        assert_eq!(signature.against(&key, b"library"), Finding::Genuine);
    }

    #[test]
    fn a_key_is_read_from_its_line_and_from_its_file() {
        let pair = keygen(None).expect("a pair");
        let file = format!("untrusted comment: minisign public key\n{}\n", pair.public);
        assert_eq!(VerifyingKey::read(&file), VerifyingKey::read(&pair.public));
        assert_eq!(VerifyingKey::read("RWnonsense"), Err(SignatureError::PublicKey));
    }

    #[test]
    fn only_a_comment_of_the_form_is_a_statement() {
        let cases = [
            ("tollhouse-driver id=a version=1.0.0", true),
            ("tollhouse-driver version=1.0.0 id=a later=7", true),
            ("id=a version=1.0.0", false),
            ("tollhouse-driver id=a", false),
            ("tollhouse-driver version=1.0.0", false),
            ("tollhouse-driver id=a version=1.0", false),
            ("tollhouse-driver id=a/b version=1.0.0", false),
            ("tollhouse-driver id=a id=b version=1.0.0", false),
            ("timestamp:1", false),
        ];
        for (comment, good) in cases {
            assert_eq!(Statement::read(comment).is_ok(), good, "{comment}");
        }
        assert_eq!(Statement::read(&statement().comment()), Ok(statement()));
    }
}

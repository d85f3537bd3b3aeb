//! Which drivers a box runs: whose signature counts, for which drivers, and what was taken back.
//!
//! Pure. It owns the rules; where keys and lists come from is for whoever builds a [`Trust`].

use std::collections::BTreeMap;

use semver::Version;

use super::signature::{Finding, Signature, SignatureError, Statement, VerifyingKey};

/// What happens to a library that nobody signed, or somebody unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Unsigned {
    /// It is refused.
    #[default]
    Refused,
    /// It runs: for a vendor's own bench and for tests.
    Allowed,
    /// It runs if it is one of these drivers, by the id in its descriptor.
    Only(Vec<String>),
}

/// A vendor's key, and what it may sign.
#[derive(Debug, Clone, PartialEq)]
pub struct VendorKey {
    /// Whose it is, for people.
    pub vendor: String,
    /// The key.
    pub key: VerifyingKey,
    /// The driver ids that it is pinned to; one that ends in `.*` stands for all that begin so.
    pub drivers: Vec<String>,
}

impl VendorKey {
    fn may_sign(&self, id: &str) -> bool {
        self.drivers.iter().any(|pin| match pin.strip_suffix('*') {
            Some(stem) if stem.ends_with('.') => id.starts_with(stem) && id.len() > stem.len(),
            _ => pin == id,
        })
    }
}

/// Something that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// All that was signed with this key (its line).
    Key(String),
    /// A driver, in one version or in all.
    Driver(String, Option<Version>),
    /// One file, by its SHA-256 in lower-case hexadecimal digits.
    File(String),
}

impl Revoked {
    /// Reads a line of a revocation list: `key RW...`, `driver acme.barrier 1.2.0`, `driver acme.barrier`, `file SHA256`.
    /// Empty lines and those that begin with `#` say nothing.
    pub fn read_line(line: &str) -> Result<Option<Self>, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let wrong =
            || format!("{line:?} revokes nothing: 'key RW...', 'driver ID [VERSION]' or 'file SHA256' is wanted");
        Ok(Some(match words.as_slice() {
            [] => return Ok(None),
            [first, ..] if first.starts_with('#') => return Ok(None),
            ["key", key] => Self::Key(VerifyingKey::read(key).map_err(|fault| fault.to_string())?.line().to_owned()),
            ["driver", id] => Self::Driver((*id).to_owned(), None),
            ["driver", id, version] => {
                let statement = Statement::new(id, version).map_err(|fault| fault.to_string())?;
                Self::Driver(statement.id, Some(statement.version))
            }
            ["file", digest] if digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Self::File(digest.to_ascii_lowercase())
            }
            _ => return Err(wrong()),
        }))
    }
}

/// Who a library is, as far as it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The file's SHA-256, in lower-case hexadecimal digits.
    pub digest: String,
    /// What its vendor states and which vendor that is, when a known key signed it.
    pub signed: Option<(Statement, String)>,
}

/// Why a box does not trust a library. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No signature lies beside it.
    #[error("it is not signed: no {0} lies beside it; install the file that its vendor signed")]
    Unsigned(String),
    /// What lies beside it is no signature.
    #[error("its signature cannot be read: {0}")]
    Form(#[from] SignatureError),
    /// Signed with a key that the box was not given.
    #[error("it is signed with a key that this box does not know; a vendor's key belongs into the configuration")]
    UnknownKey,
    /// The signature is for other bytes.
    #[error("it was altered: it is not the file that {0} signed")]
    Altered(String),
    /// A key that may not sign this driver.
    #[error("{vendor} signed it as {id}, and that key may not sign drivers of this name")]
    NotPinned {
        /// Whose key it is.
        vendor: String,
        /// What it signed.
        id: String,
    },
    /// Taken back.
    #[error("it was revoked ({0}); install a newer version")]
    Revoked(String),
    /// Older than what ran here.
    #[error(
        "it is version {version} of {id}, and {floor} has run here; going back is a decision that goes on record: tollhouse \
         driver rollback {id} --to {version}"
    )]
    Downgrade {
        /// Which driver.
        id: String,
        /// What is offered.
        version: Version,
        /// The newest that has run.
        floor: Version,
    },
    /// The descriptor says something else than the signature.
    #[error("it calls itself {says}, yet it is signed as {signed}")]
    OtherName {
        /// What its descriptor says.
        says: String,
        /// What its signature says.
        signed: String,
    },
    /// An unsigned driver where only some may be unsigned.
    #[error("it calls itself {0}, and only the box's own drivers may be unsigned here")]
    NotOwn(String),
}

/// Which drivers a box runs. The default trusts nobody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trust {
    /// Whose signature counts for what.
    pub keys: Vec<VendorKey>,
    /// What happens without such a signature.
    pub unsigned: Unsigned,
    /// What was taken back.
    pub revoked: Vec<Revoked>,
    /// The newest version of each driver that has run here; an older one is refused.
    pub floors: BTreeMap<String, Version>,
}

impl Trust {
    /// Takes every library: for `driver check`, for a vendor's bench, and for tests.
    pub fn unsigned() -> Self {
        Self { unsigned: Unsigned::Allowed, ..Self::default() }
    }

    /// Takes unsigned libraries that call themselves one of these, and no others: for the demo.
    pub fn only(ids: &[&str]) -> Self {
        Self { unsigned: Unsigned::Only(ids.iter().map(|id| (*id).to_owned()).collect()), ..Self::default() }
    }

    /// What these bytes are on this box, before anything of them runs. `signature` is the text beside the file, and
    /// `signature_name` what that file is or would be called.
    pub(super) fn identify(
        &self,
        bytes: &[u8],
        digest: String,
        signature: Option<&str>,
        signature_name: &str,
    ) -> Result<Identity, TrustError> {
        if self.revoked.contains(&Revoked::File(digest.clone())) {
            return Err(TrustError::Revoked("this very file".to_owned()));
        }
        let signed = match signature {
            Some(text) => self.signer(bytes, &Signature::read(text)?),
            None => Err(TrustError::Unsigned(signature_name.to_owned())),
        };
        match signed {
            Ok(signed) => Ok(Identity { digest, signed: Some(signed) }),
            // A signature by a known key that does not hold is never let through as unsigned.
            Err(TrustError::Unsigned(_) | TrustError::UnknownKey) if self.unsigned != Unsigned::Refused => {
                Ok(Identity { digest, signed: None })
            }
            Err(fault) => Err(fault),
        }
    }

    fn signer(&self, bytes: &[u8], signature: &Signature) -> Result<(Statement, String), TrustError> {
        let statement = signature.statement();
        for known in &self.keys {
            match signature.against(&known.key, bytes) {
                Finding::OtherKey => {}
                Finding::Altered => return Err(TrustError::Altered(known.vendor.clone())),
                Finding::Genuine if self.revoked.contains(&Revoked::Key(known.key.line().to_owned())) => {
                    return Err(TrustError::Revoked(format!("the key of {}", known.vendor)));
                }
                Finding::Genuine if !known.may_sign(&statement.id) => {
                    return Err(TrustError::NotPinned { vendor: known.vendor.clone(), id: statement.id.clone() });
                }
                Finding::Genuine => {
                    self.still_welcome(&statement.id, Some(&statement.version))?;
                    return Ok((statement.clone(), known.vendor.clone()));
                }
            }
        }
        Err(TrustError::UnknownKey)
    }

    fn still_welcome(&self, id: &str, version: Option<&Version>) -> Result<(), TrustError> {
        let taken_back = self.revoked.iter().any(|revoked| match revoked {
            Revoked::Driver(driver, None) => driver == id,
            Revoked::Driver(driver, Some(bad)) => driver == id && Some(bad) == version,
            Revoked::Key(_) | Revoked::File(_) => false,
        });
        if taken_back {
            return Err(TrustError::Revoked(
                version.map_or_else(|| id.to_owned(), |version| format!("{id} {version}")),
            ));
        }
        match (version, self.floors.get(id)) {
            (Some(version), Some(floor)) if version < floor => {
                Err(TrustError::Downgrade { id: id.to_owned(), version: version.clone(), floor: floor.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Whether what a library says of itself in its descriptor agrees with what was proved.
    pub(super) fn agree(&self, identity: &Identity, id: &str, version: &str) -> Result<(), TrustError> {
        match &identity.signed {
            Some((statement, _)) if statement.id == id && statement.version.to_string() == version => Ok(()),
            Some((statement, _)) => Err(TrustError::OtherName {
                says: format!("{id} {version}"),
                signed: format!("{} {}", statement.id, statement.version),
            }),
            None => {
                if let Unsigned::Only(own) = &self.unsigned
                    && !own.iter().any(|own| own == id)
                {
                    return Err(TrustError::NotOwn(id.to_owned()));
                }
                self.still_welcome(id, Version::parse(version).ok().as_ref())
            }
        }
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;

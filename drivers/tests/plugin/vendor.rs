//! A vendor of one driver: it compiles its releases and signs them.

use std::path::{Path, PathBuf};

use tollhouse_drivers::plugin::signature::{KeyPair, Statement, VerifyingKey, keygen, sign, signature_path};
use tollhouse_drivers::plugin::{Trust, VendorKey};

use crate::rig::c_library;

/// A vendor with a key.
pub(crate) struct Vendor {
    pair: KeyPair,
    folder: tempfile::TempDir,
}

impl Vendor {
    pub(crate) fn new() -> Self {
        Self { pair: keygen(None).expect("a pair"), folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A box that trusts this vendor, for these drivers.
    pub(crate) fn trust(&self, drivers: &[&str]) -> Trust {
        let key = VerifyingKey::read(&self.pair.public).expect("a key");
        let drivers = drivers.iter().map(|id| (*id).to_owned()).collect();
        Trust { keys: vec![VendorKey { vendor: "Acme".to_owned(), key, drivers }], ..Trust::default() }
    }

    /// The line of its public key.
    pub(crate) fn public(&self) -> &str {
        &self.pair.public
    }

    /// A library of this version, unsigned, under a name of its own.
    pub(crate) fn library(&self, version: &str, defines: &[&str]) -> PathBuf {
        let version_define = format!("VERSION=\"{version}\"");
        let defines: Vec<&str> = [&[version_define.as_str()], defines].concat();
        let built = c_library(self.folder.path(), "tests/plugin/versions.c", &defines);
        let path = self.folder.path().join(format!("barrier-{version}-{}.so", defines.len()));
        std::fs::rename(built, &path).expect("renamed");
        path
    }

    /// Signs a library as this driver in this version.
    pub(crate) fn sign(&self, library: &Path, id: &str, version: &str) {
        let bytes = std::fs::read(library).expect("a library");
        let statement = Statement::new(id, version).expect("a statement");
        let text = sign(&bytes, &self.pair.secret, None, &statement).expect("signed");
        std::fs::write(signature_path(library), text).expect("written");
    }

    /// A library of this version, signed as what it is.
    pub(crate) fn release(&self, version: &str, defines: &[&str]) -> PathBuf {
        let library = self.library(version, defines);
        self.sign(&library, "acme.barrier", version);
        library
    }
}

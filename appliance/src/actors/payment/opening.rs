//! From the configuration of an account to the account: its files are read, its keys are tried. Owns what can be wrong with
//! them, said for the key of the configuration that names the file; `tollhouse check` calls it too.

use std::path::Path;
use std::sync::Arc;

use tollhouse_providers::alipay as alipay_wire;
use tollhouse_providers::key::{SigningKey, VerifyingKey, read_key_file};
use tollhouse_providers::limits::KEY_FILE_BYTES;
use tollhouse_providers::wechat::{ApiV3Key, Merchant};

use super::alipay::{self, Alipay};
use super::provider::Provider;
use super::wechat::{self, PlatformKeys, WeChat};
use crate::clock::BoxClock;
use crate::config::{AccountConfig, AtProvider, PlatformCertificates};

const WECHAT_GATEWAY: &str = "https://api.mch.weixin.qq.com";
const WECHAT_PAYERS: &str = "https://api.weixin.qq.com";
const WECHAT_SIGN_IN: &str = "https://open.weixin.qq.com";
const ALIPAY_GATEWAY: &str = "https://openapi.alipay.com";

/// What is wrong, and with which key of the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFault {
    /// The key.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Opens an account, or tells everything that is wrong with it.
pub fn open(config: &AccountConfig, clock: BoxClock) -> Result<Arc<dyn Provider>, Vec<AccountFault>> {
    let mut faults = Faults::default();
    let private = faults.private(&config.private_key_file);
    let base = |own: &str| config.base_url.clone().unwrap_or_else(|| own.to_owned());
    match &config.at {
        AtProvider::WeChat {
            appid,
            mchid,
            certificate_serial,
            api_v3_key_file,
            public_key,
            certificates,
            app_secret_file,
        } => {
            let api_key = faults.read("api_v3_key_file", api_v3_key_file, ApiV3Key::new);
            let public = public_key.as_ref().map(|(id, file)| (id.clone(), faults.public("public_key_file", file)));
            let app_secret = app_secret_file.as_ref().and_then(|file| faults.read("app_secret_file", file, line_of));
            let merchant =
                private.and_then(|key| faults.keep("mchid", Merchant::new(appid, mchid, certificate_serial, key)));
            let public = match public {
                Some((id, Some(key))) => Some((id, key)),
                _ => None,
            };
            let platform = match (certificates, public) {
                (PlatformCertificates::Off, Some((id, key))) => PlatformKeys::PublicKey(id, key),
                (_, public) => PlatformKeys::Certificates(public),
            };
            let (Some(merchant), Some(api_key)) = (merchant, api_key) else { return Err(faults.0) };
            let identity = wechat::Identity {
                payee: config.payee,
                ways: config.ways.clone(),
                merchant,
                api_key,
                platform,
                app_secret,
                base: base(WECHAT_GATEWAY),
                payers_base: base(WECHAT_PAYERS),
                sign_in_base: base(WECHAT_SIGN_IN),
            };
            let account = faults.keep("base_url", WeChat::new(identity, clock));
            faults.done(account.map(|account| Arc::new(account) as Arc<dyn Provider>))
        }
        AtProvider::Alipay { app_id, seller_id, public_key_file, next_public_key_file } => {
            let mut keys: Vec<VerifyingKey> = faults.public("public_key_file", public_key_file).into_iter().collect();
            keys.extend(next_public_key_file.as_ref().and_then(|file| faults.public("next_public_key_file", file)));
            let app = private.and_then(|key| faults.keep("app_id", alipay_wire::App::new(app_id, seller_id, key)));
            let Some(app) = app else { return Err(faults.0) };
            let identity = alipay::Identity {
                payee: config.payee,
                ways: config.ways.clone(),
                app,
                keys,
                base: base(ALIPAY_GATEWAY),
            };
            let account = faults.keep("base_url", Alipay::new(identity, clock));
            faults.done(account.map(|account| Arc::new(account) as Arc<dyn Provider>))
        }
    }
}

/// The first line of a file that holds one secret word.
fn line_of(bytes: &[u8]) -> Result<String, &'static str> {
    let text = std::str::from_utf8(bytes).ok().and_then(|text| text.lines().next()).unwrap_or_default().trim();
    let plain = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if plain { Ok(text.to_owned()) } else { Err("its first line is no secret of an application") }
}

#[derive(Default)]
struct Faults(Vec<AccountFault>);

impl Faults {
    fn add(&mut self, key: &'static str, message: String) {
        self.0.push(AccountFault { key, message });
    }

    fn keep<T, E: std::fmt::Display>(&mut self, key: &'static str, made: Result<T, E>) -> Option<T> {
        made.map_err(|fault| self.add(key, fault.to_string())).ok()
    }

    /// A secret file: for its owner alone.
    fn read<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        file: &Path,
        read: impl Fn(&[u8]) -> Result<T, E>,
    ) -> Option<T> {
        let bytes = self.keep(key, read_key_file(file))?;
        let shown = file.display();
        self.keep(key, read(&bytes).map_err(|fault| format!("{shown}: {fault}")))
    }

    fn private(&mut self, file: &Path) -> Option<SigningKey> {
        self.read("private_key_file", file, SigningKey::from_pem)
    }

    /// A public key is no secret: who may read its file does not matter.
    fn public(&mut self, key: &'static str, file: &Path) -> Option<VerifyingKey> {
        let shown = file.display();
        let size = std::fs::metadata(file).map(|about| about.len());
        let bytes = match size {
            Ok(size) if size > KEY_FILE_BYTES as u64 => Err(format!("{shown} is longer than a key")),
            Ok(_) => std::fs::read(file).map_err(|fault| format!("the key file {shown} cannot be read: {fault}")),
            Err(fault) => Err(format!("the key file {shown} cannot be read: {fault}")),
        };
        let bytes = self.keep(key, bytes)?;
        self.keep(key, VerifyingKey::from_pem(&bytes).map_err(|fault| format!("{shown}: {fault}")))
    }

    fn done(self, account: Option<Arc<dyn Provider>>) -> Result<Arc<dyn Provider>, Vec<AccountFault>> {
        match account {
            Some(account) if self.0.is_empty() => Ok(account),
            _ => Err(self.0),
        }
    }
}

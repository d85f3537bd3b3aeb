//! `[[payment_accounts]]`: our accounts at payment providers. Owns which keys stand there and within which limits; the files that
//! they name are read when the box starts, and by `tollhouse check`.

use std::path::PathBuf;

use tollhouse_core::books::Payee;
use tollhouse_core::pay::Way;

use super::reader::{At, Document, Section};
use super::sections::{absolute_path, one_of};
use crate::actors::payment::line::checked_base;

/// The most accounts: two payees at each of two providers, and room.
const MAX_ACCOUNTS: usize = 8;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountConfig {
    /// Whose money goes there.
    pub payee: Payee,
    /// In which ways it is paid.
    pub ways: Vec<Way>,
    /// Our private key's file.
    pub private_key_file: PathBuf,
    /// Another gateway than the provider's own: for tests.
    pub base_url: Option<String>,
    /// What only one provider has.
    pub at: AtProvider,
}

/// What only one provider has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtProvider {
    /// WeChat Pay.
    WeChat {
        /// The application.
        appid: String,
        /// The merchant.
        mchid: String,
        /// The serial number of our API certificate.
        certificate_serial: String,
        /// The APIv3 key's file.
        api_v3_key_file: PathBuf,
        /// The id and the file of WeChat Pay's public key, if the console shows one.
        public_key: Option<(String, PathBuf)>,
        /// Whether platform certificates are fetched.
        certificates: PlatformCertificates,
        /// The file of the public account's secret: for JSAPI.
        app_secret_file: Option<PathBuf>,
    },
    /// Alipay.
    Alipay {
        /// The application.
        app_id: String,
        /// The account that the money goes to.
        seller_id: String,
        /// Alipay's public key's file.
        public_key_file: PathBuf,
        /// The next one, during a change.
        next_public_key_file: Option<PathBuf>,
    },
}

/// Whether WeChat Pay's certificates are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformCertificates {
    /// They are.
    Fetched,
    /// The public key is enough.
    Off,
}

impl AccountConfig {
    /// Which account it is: provider and merchant.
    pub fn identity(&self) -> (&'static str, &str) {
        match &self.at {
            AtProvider::WeChat { mchid, .. } => ("wechat", mchid),
            AtProvider::Alipay { seller_id, .. } => ("alipay", seller_id),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WeChat,
    Alipay,
}

impl Kind {
    fn ways(self) -> &'static [Way] {
        match self {
            Self::WeChat => &[Way::Jsapi, Way::H5, Way::Native, Way::Code],
            Self::Alipay => &[Way::Wap, Way::Precreate, Way::Code],
        }
    }
}

/// Reads all accounts; one that lacks something is told and left out.
pub(super) fn accounts(document: &mut Document<'_>) -> Vec<AccountConfig> {
    let sections = document.sections("payment_accounts", MAX_ACCOUNTS);
    let mut accounts: Vec<AccountConfig> = vec![];
    for section in sections {
        let line = section.line;
        let Some(account) = account(document, section) else { continue };
        let (provider, merchant) = account.identity();
        if accounts.iter().any(|other| other.identity() == (provider, merchant)) {
            document.fault(line, format!("the account {merchant} at {provider} is there already"));
        } else if accounts.iter().any(|other| other.identity().0 == provider && other.payee == account.payee) {
            document.fault(line, format!("there is an account at {provider} for this payee already"));
        }
        accounts.push(account);
    }
    accounts
}

fn word(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain && (1..=64).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("1 to 64 letters and digits are wanted here, as the provider's console shows them")
}

/// Payee, ways and the like, which all accounts have.
struct Shared {
    payee: Option<At<Payee>>,
    ways: Vec<Way>,
    private_key_file: Option<At<PathBuf>>,
    base_url: Option<At<String>>,
}

fn shared<'t>(document: &mut Document<'t>, section: &mut Section<'t>, kind: Kind) -> Shared {
    let payee =
        section.optional(document, "payee", |text| one_of(text, &[("firm", Payee::Firm), ("owners", Payee::Owners)]));
    let known: Vec<(&str, Way)> = kind.ways().iter().map(|way| (way.as_str(), *way)).collect();
    let ways: Vec<Way> =
        section.list(document, "ways", |text| one_of(text, &known)).into_iter().map(|at| at.value).collect();
    let private_key_file = section.required(document, "private_key_file", absolute_path);
    let base_url = section.optional(document, "base_url", checked_base);
    Shared { payee, ways, private_key_file, base_url }
}

fn account<'t>(document: &mut Document<'t>, mut section: Section<'t>) -> Option<AccountConfig> {
    let kind = section
        .required(document, "provider", |text| one_of(text, &[("wechat", Kind::WeChat), ("alipay", Kind::Alipay)]));
    let kind = kind?.value;
    let mut ours = shared(document, &mut section, kind);
    let at = match kind {
        Kind::WeChat => wechat(document, section, &mut ours.ways),
        Kind::Alipay => alipay(document, section),
    };
    if ours.ways.is_empty() {
        ours.ways = kind.ways().to_vec();
        if matches!(&at, Some(AtProvider::WeChat { app_secret_file: None, .. })) {
            ours.ways.retain(|way| *way != Way::Jsapi);
        }
    }
    Some(AccountConfig {
        payee: ours.payee.map_or(Payee::Firm, |at| at.value),
        ways: ours.ways,
        private_key_file: ours.private_key_file?.value,
        base_url: ours.base_url.map(|at| at.value),
        at: at?,
    })
}

const SHARED_KEYS: [&str; 5] = ["provider", "payee", "ways", "private_key_file", "base_url"];

fn wechat<'t>(document: &mut Document<'t>, mut section: Section<'t>, ways: &mut [Way]) -> Option<AtProvider> {
    let appid = section.required(document, "appid", word);
    let mchid = section.required(document, "mchid", word);
    let certificate_serial = section.required(document, "certificate_serial", word);
    let api_v3_key_file = section.required(document, "api_v3_key_file", absolute_path);
    let public_key_id = section.optional(document, "public_key_id", word);
    let public_key_file = section.optional(document, "public_key_file", absolute_path);
    let certificates = section.optional(document, "platform_certificates", |text| {
        one_of(text, &[("fetched", PlatformCertificates::Fetched), ("off", PlatformCertificates::Off)])
    });
    let app_secret_file = section.optional(document, "app_secret_file", absolute_path);
    let line = section.line;
    let public_key = match (public_key_id, public_key_file) {
        (Some(id), Some(file)) => Some((id.value, file.value)),
        (None, None) => None,
        (Some(At { line, .. }), None) | (None, Some(At { line, .. })) => {
            document.fault(line, "public_key_id and public_key_file belong together");
            None
        }
    };
    let certificates = certificates.map_or(PlatformCertificates::Fetched, |at| at.value);
    if certificates == PlatformCertificates::Off && public_key.is_none() {
        document.fault(line, "without platform_certificates the box needs public_key_id and public_key_file");
    }
    if ways.contains(&Way::Jsapi) && app_secret_file.is_none() {
        document.fault(line, "the way \"jsapi\" needs app_secret_file: WeChat tells who pays only for it");
    }
    let own = [
        "appid",
        "mchid",
        "certificate_serial",
        "api_v3_key_file",
        "public_key_id",
        "public_key_file",
        "platform_certificates",
        "app_secret_file",
    ];
    document.close(section, &[&SHARED_KEYS[..], &own[..]].concat());
    Some(AtProvider::WeChat {
        appid: appid?.value,
        mchid: mchid?.value,
        certificate_serial: certificate_serial?.value,
        api_v3_key_file: api_v3_key_file?.value,
        public_key,
        certificates,
        app_secret_file: app_secret_file.map(|at| at.value),
    })
}

fn alipay<'t>(document: &mut Document<'t>, mut section: Section<'t>) -> Option<AtProvider> {
    let app_id = section.required(document, "app_id", word);
    let seller_id = section.required(document, "seller_id", word);
    let public_key_file = section.required(document, "public_key_file", absolute_path);
    let next_public_key_file = section.optional(document, "next_public_key_file", absolute_path);
    let own = ["app_id", "seller_id", "public_key_file", "next_public_key_file"];
    document.close(section, &[&SHARED_KEYS[..], &own[..]].concat());
    Some(AtProvider::Alipay {
        app_id: app_id?.value,
        seller_id: seller_id?.value,
        public_key_file: public_key_file?.value,
        next_public_key_file: next_public_key_file.map(|at| at.value),
    })
}

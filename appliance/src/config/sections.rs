//! What each section of the file holds, and within which limits.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use rust_decimal::Decimal;
use tollhouse_core::books::Payee;
use tollhouse_core::id::{AreaId, DeviceId, LaneId, LotId};
use tollhouse_core::money::Currency;

use super::accounts::accounts;
use super::bills::bills;
use super::books::books;
use super::charging::charging;
use super::cross::{LinedLane, check_areas, check_together};
use super::drivers::{drivers, plugin};
use super::invoices::documents;
use super::limits::limits;
use super::reader::{At, Document, Section};
use super::{
    AreaConfig, Config, ConfirmedBy, Direction, ExitWithoutEntry, HolderOwes, HttpConfig, LaneConfig, LivePage,
    LotConfig, MAX_AREAS, MAX_LANES, MAX_PLUGINS, MAX_TARIFF_VERSIONS, MqttConfig, PassedBy, PaymentConfig,
    PolicyConfig, SANDBOX_WORDS, Sandbox, StoreConfig, TariffSource,
};

/// The most proxies whose word is taken.
const MAX_PROXIES: usize = 16;

/// Reads all sections; `None` when one of them lacks something (then told).
pub(super) fn read(document: &mut Document<'_>) -> Option<Config> {
    let lot = lot(document);
    let store = store(document);
    let http = http(document);
    let mqtt = mqtt(document);
    let policy = policy(document);
    let charging = charging(document);
    let payment = payment(document);
    let accounts = accounts(document);
    let drivers = drivers(document);
    let areas = document.sections("areas", MAX_AREAS).into_iter().map(|s| area(document, s)).collect::<Vec<_>>();
    let areas: Vec<(AreaConfig, usize)> = areas.into_iter().flatten().collect();
    let lanes = document.sections("lanes", MAX_LANES).into_iter().map(|s| lane(document, s)).collect::<Vec<_>>();
    let bills = bills(document);
    let limits = limits(document, lot.as_ref().map(|lot| lot.currency));
    let books = books(document, lot.as_ref().map(|lot| lot.currency));
    let documents = documents(document, http.as_ref().and_then(|http| http.public_url.clone()));
    let plugins =
        document.sections("plugins", MAX_PLUGINS).into_iter().map(|s| plugin(document, s)).collect::<Vec<_>>();
    let (lanes, plugins): (Vec<_>, Vec<_>) =
        (lanes.into_iter().flatten().collect(), plugins.into_iter().flatten().collect());
    check_together(document, &lanes, &plugins);
    if let Some(http) = http.as_ref().filter(|http| http.public_url.is_none() && !accounts.is_empty()) {
        document
            .fault(0, format!("[http] needs public_url: providers and phones must find {} from outside", http.listen));
    }
    check_areas(document, &areas, &lanes);
    Some(Config {
        lot: lot?,
        store: store?,
        http: http?,
        mqtt: mqtt?,
        policy: policy?,
        charging: charging?,
        payment: payment?,
        accounts,
        drivers,
        areas: areas.into_iter().map(|(area, _)| area).collect(),
        lanes: lanes.into_iter().map(|lined| lined.lane).collect(),
        plugins: plugins.into_iter().map(|lined| lined.plugin).collect(),
        limits,
        books,
        bills: bills?,
        documents,
    })
}

fn lot(document: &mut Document<'_>) -> Option<LotConfig> {
    let mut section = document.section("lot");
    let id = section.required(document, "id", |text| LotId::new(text));
    let name = section.required(document, "name", short_text);
    let zone = section.required(document, "zone", |text| {
        text.parse::<chrono_tz::Tz>().map_err(|_| format!("{text:?} is no time zone; write it like \"Asia/Shanghai\""))
    });
    let currency = section.required(document, "currency", str::parse::<Currency>);
    let capacity = section.integer(document, "capacity", 1..=1_000_000_i64, None);
    let tax_rate = section.required(document, "tax_rate", tax_rate);
    let tariff = section.one_or_more(document, "tariff", MAX_TARIFF_VERSIONS, absolute_path);
    document.close(section, &["id", "name", "zone", "currency", "capacity", "tax_rate", "tariff"]);
    Some(LotConfig {
        id: id?.value,
        name: name?.value,
        zone: zone?.value,
        currency: currency?.value,
        capacity: capacity?,
        tax_rate: tax_rate?.value,
        tariff: TariffSource::Files(tariff?.into_iter().map(|at| at.value).collect()),
    })
}

fn store(document: &mut Document<'_>) -> Option<StoreConfig> {
    let mut section = document.section("store");
    let data = section.required(document, "data", absolute_path);
    document.close(section, &["data"]);
    Some(StoreConfig { data: data?.value })
}

fn http(document: &mut Document<'_>) -> Option<HttpConfig> {
    let mut section = document.section("http");
    let listen = section.required(document, "listen", |text| {
        text.parse::<SocketAddr>().map_err(|_| format!("{text:?} is no address; write it like \"127.0.0.1:8080\""))
    });
    let public_url = section.optional(document, "public_url", public_url);
    let live_page = section
        .optional(document, "live_page", |text| one_of(text, &[("open", LivePage::Open), ("off", LivePage::Off)]));
    let admin_password_file = section.optional(document, "admin_password_file", absolute_path);
    let trusted_proxies = section.list(document, "trusted_proxies", |text| {
        text.parse::<IpAddr>().map_err(|_| format!("{text:?} is no address; write it like \"127.0.0.1\""))
    });
    if trusted_proxies.len() > MAX_PROXIES {
        document.fault(trusted_proxies[MAX_PROXIES].line, format!("trusted_proxies holds at most {MAX_PROXIES}"));
    }
    document.close(section, &["listen", "public_url", "live_page", "admin_password_file", "trusted_proxies"]);
    Some(HttpConfig {
        listen: listen?.value,
        public_url: public_url.map(|at| at.value),
        live_page: live_page.map_or(LivePage::Off, |at| at.value),
        admin_password_file: admin_password_file.map(|at| at.value),
        trusted_proxies: trusted_proxies.into_iter().map(|at| at.value).collect(),
    })
}

fn mqtt(document: &mut Document<'_>) -> Option<MqttConfig> {
    let mut section = document.section("mqtt");
    let host = section.required(document, "host", short_text);
    let port = section.integer(document, "port", 1..=u16::MAX, Some(1883));
    let client_id = section.optional(document, "client_id", code);
    let username = section.optional(document, "username", short_text);
    let password_file = section.optional(document, "password_file", absolute_path);
    if let (Some(file), None) = (&password_file, &username) {
        document.fault(file.line, "password_file needs a username beside it");
    }
    document.close(section, &["host", "port", "client_id", "username", "password_file"]);
    Some(MqttConfig {
        host: host?.value,
        port: port?,
        client_id: client_id.map_or_else(|| "tollhouse".to_owned(), |at| at.value),
        username: username.map(|at| at.value),
        password_file: password_file.map(|at| at.value),
    })
}

fn policy(document: &mut Document<'_>) -> Option<PolicyConfig> {
    let mut section = document.section("policy");
    let exit_without_entry = section.optional(document, "exit_without_entry", |text| {
        one_of(text, &[("open", ExitWithoutEntry::Open), ("attend", ExitWithoutEntry::Attend)])
    });
    let holder_owes = section.optional(document, "holder_owes", |text| {
        one_of(text, &[("arrears", HolderOwes::Arrears), ("pays", HolderOwes::Pays)])
    });
    let stale_after_s = section.integer(document, "stale_after_s", 1..=3_600, Some(60));
    let command_ttl_s = section.integer(document, "command_ttl_s", 1..=60, Some(10));
    let passed_after_s = section.integer(document, "passed_after_s", 1..=120, Some(10));
    document.close(section, &["exit_without_entry", "holder_owes", "stale_after_s", "command_ttl_s", "passed_after_s"]);
    Some(PolicyConfig {
        exit_without_entry: exit_without_entry.map_or(ExitWithoutEntry::Attend, |at| at.value),
        holder_owes: holder_owes.map_or(HolderOwes::Arrears, |at| at.value),
        stale_after_s: stale_after_s?,
        command_ttl_s: command_ttl_s?,
        passed_after_s: passed_after_s?,
    })
}

fn payment(document: &mut Document<'_>) -> Option<PaymentConfig> {
    let mut section = document.section("payment");
    let sandbox = section.optional(document, "sandbox", |text| {
        if text == SANDBOX_WORDS {
            return Ok(());
        }
        Err(format!("only the words {SANDBOX_WORDS:?} switch it on; leave the key out to have it off"))
    });
    let order_minutes = section.integer(document, "order_minutes", 1..=60, Some(5));
    let inside_token = section.optional(document, "inside_token", code);
    let temporary_payee = section.optional(document, "temporary_payee", |text| {
        one_of(text, &[("firm", Payee::Firm), ("owners", Payee::Owners)])
    });
    let code_seconds = section.integer(document, "code_seconds", 10..=120, Some(45));
    document.close(section, &["sandbox", "order_minutes", "code_seconds", "inside_token", "temporary_payee"]);
    Some(PaymentConfig {
        sandbox: sandbox.map_or(Sandbox::Off, |_| Sandbox::On),
        order_minutes: order_minutes?,
        inside_token: inside_token.map(|at| at.value),
        code_seconds: code_seconds?,
        temporary_payee: temporary_payee.map_or(Payee::Firm, |at| at.value),
    })
}

/// An area's own places, with the line of its name.
fn area<'t>(document: &mut Document<'t>, mut section: Section<'t>) -> Option<(AreaConfig, usize)> {
    let id = section.required(document, "id", |text| AreaId::new(text));
    if let Some(id) = &id {
        section.name = format!("[[areas]] {}", id.value);
    }
    let capacity = section.integer(document, "capacity", 1..=1_000_000_i64, None);
    document.close(section, &["id", "capacity"]);
    let id = id?;
    Some((AreaConfig { id: id.value, capacity: capacity? }, id.line))
}

/// How long a spare camera's read waits for a main camera's, unless told.
pub(crate) const SPARE_AFTER_MS: u32 = 2_000;

const LANE_KEYS: [&str; 15] = [
    "id",
    "direction",
    "area",
    "within",
    "code",
    "barrier",
    "display",
    "cameras",
    "spare_cameras",
    "spare_after_ms",
    "loop",
    "passed_by",
    "confirmed_by",
    "self_opening",
    "whitelist_limit",
];

/// Plates on a camera's list, unless told, and at most: a camera of the trade holds some ten thousand.
pub(crate) const LISTED_PLATES: u32 = 5_000;
const MAX_LISTED_PLATES: u32 = 50_000;

fn confirmed_by(text: &str) -> Result<ConfirmedBy, String> {
    let words = [
        ("signal", ConfirmedBy::Signal),
        ("position", ConfirmedBy::Position),
        ("passing", ConfirmedBy::Passing),
        ("nothing", ConfirmedBy::Nothing),
    ];
    one_of(text, &words)
}

fn lane<'t>(document: &mut Document<'t>, mut section: Section<'t>) -> Option<LinedLane> {
    let id = section.required(document, "id", |text| LaneId::new(text));
    if let Some(id) = &id {
        section.name = format!("[[lanes]] {}", id.value);
    }
    let direction = section.required(document, "direction", |text| {
        one_of(text, &[("entry", Direction::Entry), ("exit", Direction::Exit)])
    });
    let area = section.required(document, "area", |text| AreaId::new(text));
    let within = section.optional(document, "within", |text| AreaId::new(text));
    let code = section.required(document, "code", code);
    let barrier = section.required(document, "barrier", |text| DeviceId::new(text));
    let display = section.optional(document, "display", |text| DeviceId::new(text));
    let cameras = section.list(document, "cameras", |text| DeviceId::new(text));
    let loop_device = section.optional(document, "loop", |text| DeviceId::new(text));
    let passed_by = section.optional(document, "passed_by", |text| {
        one_of(text, &[("event", PassedBy::Event), ("opening", PassedBy::Opening)])
    });
    let spare_cameras = section.list(document, "spare_cameras", |text| DeviceId::new(text));
    let spare_after_ms = section.integer(document, "spare_after_ms", 200..=10_000, Some(SPARE_AFTER_MS));
    let confirmed_by = section.optional(document, "confirmed_by", confirmed_by);
    let self_opening = section.list(document, "self_opening", |text| DeviceId::new(text));
    let whitelist_limit = section.integer(document, "whitelist_limit", 1..=MAX_LISTED_PLATES, Some(LISTED_PLATES));
    if cameras.is_empty() {
        document.fault(section.line, format!("{} needs at least one camera: cameras = [\"...\"]", section.name));
    }
    for spare in spare_cameras.iter().filter(|spare| cameras.iter().any(|camera| camera.value == spare.value)) {
        document
            .fault(spare.line, format!("{} is one of the lane's cameras already, and cannot stand in", spare.value));
    }
    for camera in self_opening.iter().filter(|named| !cameras.iter().any(|camera| camera.value == named.value)) {
        document.fault(camera.line, format!("{} is none of the lane's cameras, and opens for nobody", camera.value));
    }
    let all_cameras = cameras.iter().chain(&spare_cameras);
    let devices =
        barrier.iter().chain(&display).chain(all_cameras).chain(&loop_device).cloned().collect::<Vec<At<DeviceId>>>();
    document.close(section, &LANE_KEYS);
    let (id, code) = (id?, code?);
    Some(LinedLane {
        id_line: id.line,
        code_line: code.line,
        within_line: within.as_ref().map_or(0, |at| at.line),
        devices,
        lane: LaneConfig {
            id: id.value,
            direction: direction?.value,
            area: area?.value,
            within: within.map(|at| at.value),
            code: code.value,
            barrier: barrier?.value,
            display: display.map(|at| at.value),
            cameras: cameras.into_iter().map(|at| at.value).collect(),
            loop_device: loop_device.map(|at| at.value),
            passed_by: passed_by.map_or(PassedBy::Event, |at| at.value),
            spare_cameras: spare_cameras.into_iter().map(|at| at.value).collect(),
            spare_after_ms: spare_after_ms?,
            self_opening: self_opening.into_iter().map(|at| at.value).collect(),
            whitelist_limit: whitelist_limit?,
            confirmed_by: confirmed_by.map_or(ConfirmedBy::Signal, |at| at.value),
        },
    })
}

pub(super) fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        format!("{text:?} is not one of {}", words.join(", "))
    })
}

pub(super) fn short_text(text: &str) -> Result<String, &'static str> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 100 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("1 to 100 characters are wanted here") }
}

/// What stands in addresses and QR codes.
pub(super) fn code(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if plain && (1..=64).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("1 to 64 characters of A-Z, a-z, 0-9, '_' and '-' are wanted here".to_owned())
}

/// A path that means the same wherever the box is started from.
pub(super) fn absolute_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err(format!("{text:?} has to begin with a slash")) }
}

fn public_url(text: &str) -> Result<String, &'static str> {
    let text = text.trim_end_matches('/');
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or("");
    let plain = text.len() <= 200 && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'"'));
    if host.is_empty() || !plain {
        return Err("an address like \"https://park.example.org\" is wanted here");
    }
    Ok(text.to_owned())
}

fn tax_rate(text: &str) -> Result<Decimal, String> {
    let rate = text.parse::<Decimal>().ok().filter(|rate| (Decimal::ZERO..Decimal::ONE).contains(rate));
    rate.ok_or_else(|| format!("{text:?} is no tax rate; write 9 % as \"0.09\""))
}

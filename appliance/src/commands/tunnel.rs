//! What `tollhouse check` finds of the tunnel to the public front: `tunnel.env` beside the configuration, if there is one.
//! docs/front.md says how it is set up.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::check::Weight;
use crate::config::Config;

/// What the tunnel's unit wants to be told.
const KEYS: [&str; 7] =
    ["FRONT_HOST", "FRONT_PORT", "FRONT_USER", "FRONT_LISTEN", "BOX_ADDRESS", "TUNNEL_KEY", "TUNNEL_KNOWN_HOSTS"];
const PROGRAM: &str = "/usr/bin/autossh";

/// Everything that is wrong with it. Nothing where there is no tunnel.
pub(super) fn findings(config_file: &Path, config: &Config) -> Vec<(Weight, String)> {
    let file = config_file.with_file_name("tunnel.env");
    let Ok(text) = fs::read_to_string(&file) else { return vec![] };
    let told = read(&text);
    let shown = file.display();
    let mut found: Vec<(Weight, String)> = vec![];
    for key in KEYS.iter().filter(|key| told.get(*key).is_none_or(|value| value.is_empty())) {
        found.push((Weight::Fault, format!("{shown} lacks {key}: the tunnel to the front does not start")));
    }
    let of = |key: &str| told.get(key).copied().unwrap_or_default();
    let listen = config.http.listen;
    let ends_here = of("BOX_ADDRESS").rsplit_once(':').is_some_and(|(_, port)| port == listen.port().to_string());
    if !ends_here && !of("BOX_ADDRESS").is_empty() {
        let why = format!("the tunnel ends at {}, but the box listens at {listen}", of("BOX_ADDRESS"));
        found.push((Weight::Fault, format!("{shown}: {why}")));
    }
    for key in ["FRONT_PORT", "FRONT_LISTEN"].into_iter().filter(|key| !of(key).is_empty()) {
        if of(key).parse::<u16>().is_err() {
            found.push((Weight::Fault, format!("{shown}: {key} is no port")));
        }
    }
    found.extend(key_file(of("TUNNEL_KEY")));
    found.extend(known_hosts(of("TUNNEL_KNOWN_HOSTS"), of("FRONT_HOST")));
    if !Path::new(PROGRAM).is_file() {
        found.push((Weight::Fault, format!("{PROGRAM} is missing, which holds the tunnel: apt-get install autossh")));
    }
    if !config.http.trusted_proxies.iter().any(std::net::IpAddr::is_loopback) {
        let why = "all phones behind the tunnel count as one client";
        found.push((Weight::Warning, format!("{why}: trusted_proxies = [\"127.0.0.1\"] under [http]")));
    }
    found
}

/// `KEY=value` in lines, as systemd reads them.
fn read(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim().trim_matches('"')))
        .collect()
}

fn key_file(path: &str) -> Option<(Weight, String)> {
    if path.is_empty() {
        return None;
    }
    match fs::metadata(path) {
        Err(fault) => Some((Weight::Fault, format!("the tunnel's key {path} cannot be found: {fault}"))),
        Ok(about) if about.mode() & 0o077 != 0 => {
            Some((Weight::Fault, format!("others may read the tunnel's key, so ssh refuses it: chmod 600 {path}")))
        }
        Ok(_) => None,
    }
}

fn known_hosts(path: &str, host: &str) -> Option<(Weight, String)> {
    if path.is_empty() || host.is_empty() {
        return None;
    }
    match fs::read_to_string(path) {
        Err(fault) => Some((Weight::Fault, format!("the front's host key {path} cannot be read: {fault}"))),
        // Names may stand there hashed; then nobody can look for them.
        Ok(text) if !text.contains(host) && !text.contains("|1|") => {
            Some((Weight::Fault, format!("{path} has no key of {host}: ssh-keyscan -t ed25519 {host}")))
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn config() -> Config {
        let text = include_str!("../../../systemd/tollhouse.toml");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tollhouse.toml");
        fs::write(&file, text).expect("written");
        crate::config::load(&file).expect("the example loads")
    }

    /// The shipped file with key and host key beside it.
    fn folder(change: impl Fn(String) -> String) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("tunnel_key"), "key").expect("written");
        fs::set_permissions(at("tunnel_key"), fs::Permissions::from_mode(0o600)).expect("mode");
        fs::write(at("tunnel_known_hosts"), "park.example.org ssh-ed25519 AAAA\n").expect("written");
        let text = include_str!("../../../systemd/tunnel/tunnel.env").replace("/etc/tollhouse/", &at(""));
        fs::write(at("tunnel.env"), change(text)).expect("written");
        folder
    }

    fn told(change: impl Fn(String) -> String, config: &Config) -> String {
        let folder = folder(change);
        let found = findings(&folder.path().join("tollhouse.toml"), config);
        // Whether this machine has autossh is not the question.
        found.into_iter().map(|(_, text)| text).filter(|text| !text.contains(PROGRAM)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_shipped_tunnel_is_sound_once_the_box_trusts_it() {
        let mut config = config();
        assert!(told(|text| text, &config).contains("trusted_proxies"));
        config.http.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
        assert_eq!(told(|text| text, &config), "");
    }

    #[test]
    fn what_would_keep_the_tunnel_down_is_told() {
        let mut config = config();
        config.http.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
        let cases = [
            ("BOX_ADDRESS=127.0.0.1:8080", "BOX_ADDRESS=127.0.0.1:9090", "the box listens at 127.0.0.1:8080"),
            ("FRONT_HOST=park.example.org", "", "lacks FRONT_HOST"),
            ("FRONT_LISTEN=18080", "FRONT_LISTEN=eighty", "is no port"),
            ("tunnel_key", "no_key", "cannot be found"),
            ("FRONT_HOST=park.example.org", "FRONT_HOST=other.example.org", "has no key of other.example.org"),
        ];
        for (from, to, wanted) in cases {
            let found =
                told(|text| text.replacen(from, to, if from == "tunnel_key" { usize::MAX } else { 1 }), &config);
            assert!(found.contains(wanted), "{to}: {found}");
        }
    }

    #[test]
    fn a_box_without_a_tunnel_has_nothing_to_say_of_it() {
        assert_eq!(findings(Path::new("/nowhere/tollhouse.toml"), &config()), []);
    }
}

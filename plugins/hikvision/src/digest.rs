//! Digest authentication (RFC 7616), MD5 and SHA-256, `qop=auth` or none.
//!
//! Pure but for the client's nonce, which is given. It must not know what is asked.

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest, Sha256};

/// What a device demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    qop: Qop,
    /// Only the nonce was too old: the password may well be right.
    pub(crate) stale: Stale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Qop {
    None,
    Auth,
}

/// Why credentials were asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stale {
    Yes,
    No,
}

/// Who we are.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Challenge {
    /// Reads a `WWW-Authenticate`; `None` for another scheme or an algorithm that is not ours.
    pub(crate) fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let fields = fields(rest);
        let get = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let algorithm = match get("algorithm").map(|name| name.to_ascii_uppercase()).as_deref() {
            None | Some("MD5") => Algorithm::Md5,
            Some("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let qop = match get("qop") {
            None => Qop::None,
            Some(offers) if offers.split(',').any(|offer| offer.trim().eq_ignore_ascii_case("auth")) => Qop::Auth,
            Some(_) => return None,
        };
        let stale = get("stale").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let stale = if stale { Stale::Yes } else { Stale::No };
        Some(Self { realm: get("realm")?, nonce: get("nonce")?, opaque: get("opaque"), algorithm, qop, stale })
    }

    /// The `Authorization` of one request: the `count`th with this nonce.
    pub(crate) fn answer(&self, who: &Credentials, method: &str, target: &str, count: u32, cnonce: &str) -> String {
        let Self { realm, nonce, .. } = self;
        let Credentials { user, password } = who;
        let first = self.hash(&format!("{user}:{realm}:{password}"));
        let second = self.hash(&format!("{method}:{target}"));
        let algorithm = if self.algorithm == Algorithm::Md5 { "MD5" } else { "SHA-256" };
        let (response, with_qop) = match self.qop {
            Qop::None => (self.hash(&format!("{first}:{nonce}:{second}")), String::new()),
            Qop::Auth => (
                self.hash(&format!("{first}:{nonce}:{count:08x}:{cnonce}:auth:{second}")),
                format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""),
            ),
        };
        let opaque = self.opaque.as_ref().map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
        format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{target}\", \
             algorithm={algorithm}, response=\"{response}\"{with_qop}{opaque}"
        )
    }

    fn hash(&self, text: &str) -> String {
        match self.algorithm {
            Algorithm::Md5 => hexadecimal(&Md5::digest(text)),
            Algorithm::Sha256 => hexadecimal(&Sha256::digest(text)),
        }
    }
}

/// Two digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `name="value", name=value`, names in lower case.
fn fields(mut text: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let name = name.trim_matches(|c: char| c == ',' || c.is_whitespace()).to_ascii_lowercase();
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        fields.push((name, value.trim().to_owned()));
        text = after;
    }
    fields
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn who() -> Credentials {
        Credentials { user: "Mufasa".to_owned(), password: "Circle of Life".to_owned() }
    }

    /// RFC 7616, 3.9.1.
    #[test]
    fn the_examples_of_the_rfc_come_out() {
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let header = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, nonce=\"{nonce}\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let challenge = Challenge::read(&header).expect("a challenge");
            let answer = challenge.answer(&who(), "GET", "/dir/index.html", 1, cnonce);
            assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
            assert!(answer.contains("nc=00000001") && answer.contains("opaque=\"FQhe"), "{answer}");
        }
    }

    /// RFC 2069 as corrected: no qop.
    #[test]
    fn an_old_device_without_qop_is_answered_in_the_old_way() {
        let challenge = Challenge::read("digest realm=\"r\",nonce=\"n\",stale=TRUE").expect("a challenge");
        assert_eq!(challenge.stale, Stale::Yes);
        let answer = challenge.answer(&who(), "GET", "/", 1, "c");
        assert!(!answer.contains("qop") && answer.contains("uri=\"/\""), "{answer}");
    }

    #[test]
    fn what_we_cannot_answer_is_no_challenge() {
        for header in
            ["Basic realm=\"x\"", "Digest realm=\"x\"", "Digest nonce=\"x\", realm=\"r\", algorithm=MD5-sess", ""]
        {
            assert_eq!(Challenge::read(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_a_challenge_or_none(text in ".{0,120}") {
            Challenge::read(&text);
            Challenge::read(&format!("Digest {text}"));
        }
    }
}

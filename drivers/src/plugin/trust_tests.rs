//! Each way in which a box does not trust a library, and the words for it.

use super::super::signature::{KeyPair, keygen, sign};
use super::*;

const FILE: &[u8] = b"the library";
const DIGEST: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

struct Vendor {
    pair: KeyPair,
    trust: Trust,
}

fn vendor(pins: &[&str]) -> Vendor {
    let pair = keygen(None).expect("a pair");
    let key = VerifyingKey::read(&pair.public).expect("a key");
    let drivers = pins.iter().map(|pin| (*pin).to_owned()).collect();
    let keys = vec![VendorKey { vendor: "Acme".to_owned(), key, drivers }];
    Vendor { pair, trust: Trust { keys, ..Trust::default() } }
}

impl Vendor {
    fn signature(&self, id: &str, version: &str) -> String {
        let statement = Statement::new(id, version).expect("a statement");
        sign(FILE, &self.pair.secret, None, &statement).expect("signed")
    }
}

fn identify(trust: &Trust, bytes: &[u8], signature: Option<&str>) -> Result<Identity, TrustError> {
    trust.identify(bytes, DIGEST.to_owned(), signature, "lib.so.minisig")
}

#[test]
fn what_a_known_vendor_signed_is_that_vendors_driver() {
    let acme = vendor(&["acme.barrier"]);
    let identity = identify(&acme.trust, FILE, Some(&acme.signature("acme.barrier", "1.2.0"))).expect("trusted");
    let (statement, vendor) = identity.signed.clone().expect("signed");
    assert_eq!((statement.id.as_str(), vendor.as_str()), ("acme.barrier", "Acme"));
    assert_eq!(acme.trust.agree(&identity, "acme.barrier", "1.2.0"), Ok(()));
    let other = acme.trust.agree(&identity, "acme.barrier", "1.2.1").expect_err("another version");
    assert!(other.to_string().contains("calls itself acme.barrier 1.2.1, yet it is signed as acme.barrier 1.2.0"));
}

#[test]
fn whatever_is_not_to_be_trusted_is_refused_in_words() {
    let acme = vendor(&["acme.barrier", "acme.light.*"]);
    let stranger = vendor(&["acme.barrier"]);
    let good = acme.signature("acme.barrier", "1.2.0");
    let with = |revoked: Revoked| Trust { revoked: vec![revoked], ..acme.trust.clone() };
    let floor = Version::new(1, 10, 0);
    let floors = Trust { floors: [("acme.barrier".to_owned(), floor)].into(), ..acme.trust.clone() };
    let cases: Vec<(&str, Trust, &[u8], Option<String>)> = vec![
        ("not signed: no lib.so.minisig", acme.trust.clone(), FILE, None),
        ("cannot be read", acme.trust.clone(), FILE, Some("nonsense".to_owned())),
        (
            "a key that this box does not know",
            acme.trust.clone(),
            FILE,
            Some(stranger.signature("acme.barrier", "1.2.0")),
        ),
        ("it was altered: it is not the file that Acme signed", acme.trust.clone(), b"another", Some(good.clone())),
        ("may not sign drivers of this name", acme.trust.clone(), FILE, Some(acme.signature("other.camera", "1.0.0"))),
        ("may not sign drivers of this name", acme.trust.clone(), FILE, Some(acme.signature("acme.light.", "1.0.0"))),
        ("revoked (the key of Acme)", with(Revoked::Key(acme.pair.public.clone())), FILE, Some(good.clone())),
        ("revoked (this very file)", with(Revoked::File(DIGEST.to_owned())), FILE, Some(good.clone())),
        (
            "revoked (acme.barrier 1.2.0)",
            with(Revoked::Driver("acme.barrier".to_owned(), Some(Version::new(1, 2, 0)))),
            FILE,
            Some(good.clone()),
        ),
        ("revoked", with(Revoked::Driver("acme.barrier".to_owned(), None)), FILE, Some(good.clone())),
        ("1.10.0 has run here", floors, FILE, Some(good.clone())),
    ];
    for (words, trust, bytes, signature) in cases {
        let refusal = identify(&trust, bytes, signature.as_deref()).expect_err(words).to_string();
        assert!(refusal.contains(words), "{refusal}, not {words}");
    }
    let light = acme.signature("acme.light.strip", "1.0.0");
    assert!(identify(&acme.trust, FILE, Some(&light)).is_ok(), "a pin with a star stands for what begins so");
}

#[test]
fn where_unsigned_is_allowed_a_broken_signature_of_a_known_key_is_refused_all_the_same() {
    let acme = vendor(&["acme.barrier"]);
    let lenient = Trust { unsigned: Unsigned::Allowed, ..acme.trust.clone() };
    assert_eq!(identify(&lenient, FILE, None).expect("unsigned").signed, None);
    let altered = identify(&lenient, b"another", Some(&acme.signature("acme.barrier", "1.2.0")));
    assert!(matches!(altered, Err(TrustError::Altered(_))), "{altered:?}");
}

#[test]
fn only_the_boxs_own_drivers_run_unsigned_in_the_demo() {
    let demo = Trust::only(&["tollhouse.sim"]);
    let identity = identify(&demo, FILE, None).expect("perhaps");
    assert_eq!(demo.agree(&identity, "tollhouse.sim", "0.1.0"), Ok(()));
    assert!(demo.agree(&identity, "acme.barrier", "1.0.0").expect_err("not ours").to_string().contains("own drivers"));
}

#[test]
fn a_revocation_list_is_read_line_by_line() {
    let acme = vendor(&[]);
    let key = format!("key {}", acme.pair.public);
    let file = format!("file {}", DIGEST.to_uppercase());
    let cases = [
        ("", Ok(None)),
        ("# a remark", Ok(None)),
        (key.as_str(), Ok(Some(Revoked::Key(acme.pair.public.clone())))),
        ("driver acme.barrier", Ok(Some(Revoked::Driver("acme.barrier".to_owned(), None)))),
        (
            "driver acme.barrier 1.2.0",
            Ok(Some(Revoked::Driver("acme.barrier".to_owned(), Some(Version::new(1, 2, 0))))),
        ),
        (file.as_str(), Ok(Some(Revoked::File(DIGEST.to_owned())))),
    ];
    for (line, read) in cases {
        assert_eq!(Revoked::read_line(line), read, "{line}");
    }
    for line in ["key nonsense", "driver acme.barrier one", "file 12", "acme.barrier"] {
        assert!(Revoked::read_line(line).is_err(), "{line}");
    }
}

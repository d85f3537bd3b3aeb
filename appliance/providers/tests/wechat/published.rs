//! The published vectors hold: notify, signature, string to sign, lengths that must be refused.

use tollhouse_providers::key::{Certificate, VerifyingKey};
use tollhouse_providers::wechat::{
    ApiV3Key, CallbackError, Distrust, Event, Resource, SealError, SignatureHeaders, Trust, read_callback, signed_by_us,
};
use tollhouse_providers::wechat::{Call, Method, Nonce};

use crate::vectors::{api_key, at, headers, pairs, text, vector};

const SIGNED_AT: i64 = 1_624_523_846;

fn published_trust() -> Trust {
    let case = vector("published/notify_case.json");
    let certificate = Certificate::from_pem(text(&case, "platform_cert_pem").as_bytes()).expect("a certificate");
    assert_eq!(certificate.serial(), "D7CE59D1F522D701");
    let mut trust = Trust::new();
    trust.add_certificate(&certificate).expect("room");
    trust
}

#[test]
fn the_published_callback_is_verified_within_300_s_of_its_time() {
    let case = vector("published/notify_case.json");
    let (trust, headers, body) = (published_trust(), headers(&case), text(&case, "body").as_bytes());
    let signed = SignatureHeaders::read(pairs(&headers)).expect("headers");
    for (away, verdict) in [
        (0, Ok(())),
        (299, Ok(())),
        (-299, Ok(())),
        (300, Err(Distrust::Stale(300))),
        (-300, Err(Distrust::Stale(300))),
        (1_000_000, Err(Distrust::Stale(1_000_000))),
    ] {
        assert_eq!(trust.verify(&signed, body, at(SIGNED_AT + away)), verdict, "{away} s");
    }
}

#[test]
fn one_changed_byte_anywhere_in_the_published_callback_is_noticed() {
    let case = vector("published/notify_case.json");
    let (trust, headers, body) = (published_trust(), headers(&case), text(&case, "body").as_bytes().to_vec());
    let signed = SignatureHeaders::read(pairs(&headers)).expect("headers");
    for place in 0..body.len() {
        let mut altered = body.clone();
        altered[place] ^= 1;
        assert_eq!(trust.verify(&signed, &altered, at(SIGNED_AT)), Err(Distrust::WrongSignature), "byte {place}");
    }
    let mut other = signed.clone();
    other.nonce.push('x');
    assert_eq!(trust.verify(&other, &body, at(SIGNED_AT)), Err(Distrust::WrongSignature));
    let mut other = signed.clone();
    other.timestamp += 1;
    assert_eq!(trust.verify(&other, &body, at(SIGNED_AT)), Err(Distrust::WrongSignature));
}

#[test]
fn the_published_callback_is_of_a_kind_that_we_do_not_ask_for() {
    let case = vector("published/notify_case.json");
    let headers = headers(&case);
    let read =
        read_callback(pairs(&headers), text(&case, "body").as_bytes(), at(SIGNED_AT), &published_trust(), &api_key());
    let callback = read.expect("verified");
    assert_eq!(callback.id, "3119dfba-e649-5eec-ab1e-3412bc4d2e17");
    assert_eq!(callback.event, Event::Other("PAYSCORE.USER_OPEN_SERVICE".to_owned()));
    let late = read_callback(
        pairs(&headers),
        text(&case, "body").as_bytes(),
        at(SIGNED_AT + 3 * 3600),
        &published_trust(),
        &api_key(),
    );
    assert_eq!(late, Err(CallbackError::Distrust(Distrust::Stale(10_800))));
}

#[test]
fn the_published_signature_verifies_and_its_certificate_has_its_serial() {
    let case = vector("published/rsa_sha256_source.json");
    let certificate = Certificate::from_pem(text(&case, "certificate_pem").as_bytes()).expect("a certificate");
    assert_eq!(certificate.serial(), text(&case, "serial"));
    assert_eq!(certificate.valid_from().to_rfc3339(), "2021-04-27T08:40:32+00:00");
    assert_eq!(certificate.valid_until().to_rfc3339(), "2031-04-25T08:40:32+00:00");
    let (message, signature) = (text(&case, "message"), text(&case, "signature_b64"));
    assert!(certificate.key().verify(message.as_bytes(), signature).is_ok());
    assert!(certificate.key().verify(b"sourcf", signature).is_err());
    let from_same_file = VerifyingKey::from_pem(text(&case, "certificate_pem").as_bytes()).expect("a key");
    assert_eq!(&from_same_file, certificate.key());
    for wrong in ["", "AAAA", "not base64!", &signature[4..], &"A".repeat(4000)] {
        assert!(certificate.key().verify(message.as_bytes(), wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_published_strings_to_sign_are_ours() {
    let cases = vector("published/authorization_message.json");
    let cases = cases["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let call = Call {
            method: if text(case, "method") == "GET" { Method::Get } else { Method::Post },
            target: text(case, "url").to_owned(),
            body: text(case, "body").to_owned(),
        };
        let nonce = Nonce::new(text(case, "nonce")).expect("a nonce");
        assert_eq!(signed_by_us(&call, case["ts"].as_i64().expect("seconds"), &nonce), text(case, "message"));
    }
}

#[test]
fn a_key_of_16_bytes_is_refused() {
    for name in ["published/aes128_gcm_must_reject.json", "published/notify_case.json"] {
        let key = ApiV3Key::new(text(&vector(name), "apiv3_key").as_bytes());
        assert_eq!(key.err(), Some(SealError::KeyLength(16)), "{name}");
    }
}

#[test]
fn every_published_malformed_resource_is_an_error_and_none_a_panic() {
    let case = vector("published/wechat_gopay_malformed_resource.json");
    let key = ApiV3Key::new(text(&case, "apiv3_key").as_bytes()).expect("32 bytes");
    let resource = |nonce: &str, ciphertext: &str| Resource {
        algorithm: "AEAD_AES_256_GCM".to_owned(),
        nonce: nonce.to_owned(),
        ciphertext: ciphertext.to_owned(),
        associated_data: Some("transaction".to_owned()),
    };
    let lists = &case["must_error_not_panic"];
    let list = |name: &str| {
        let items = lists[name].as_array().expect("a list");
        items.iter().map(|item| item.as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    for nonce in list("nonces") {
        let opened = resource(&nonce, "O9EOFzUdQESzEGqSo511CbQmt7ZlPuX/yg8n+agktdns0kFG2L0BCg==").open(&key);
        assert_eq!(opened, Err(SealError::NonceLength(nonce.len())));
        for ciphertext in list("ciphertexts") {
            assert!(resource(&nonce, &ciphertext).open(&key).is_err(), "{nonce} {ciphertext}");
        }
    }
    let found: Vec<SealError> = list("ciphertexts")
        .iter()
        .map(|ciphertext| resource("gopaynonce12", ciphertext).open(&key).expect_err("an error"))
        .collect();
    assert_eq!(found, [SealError::CiphertextLength(0), SealError::NotBase64, SealError::CiphertextLength(3)]);
}

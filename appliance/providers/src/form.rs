//! Owns `application/x-www-form-urlencoded`, both ways, within limits. It must not know what the parameters mean.

use std::collections::BTreeMap;

use crate::limits::{CALLBACK_BYTES, FORM_PARAMETERS};
use crate::malformed::Malformed;

/// One value, percent-encoded; everything but letters, digits and `-_.~`, so that it stands in a path, a query and a form.
pub(crate) fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// `k=v&...` with both percent-encoded.
pub(crate) fn encode_all<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> =
        parameters.into_iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    pairs.join("&")
}

/// Decodes once. A `%` that begins no byte is refused, so that what was signed and what is read cannot differ.
fn decode(text: &str) -> Result<String, Malformed> {
    let wrong = |why: &str| Malformed::field("form", why);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                match (digit(rest.next()), digit(rest.next())) {
                    (Some(high), Some(low)) => {
                        u8::try_from(high << 4 | low).expect("two hexadecimal digits are a byte")
                    }
                    _ => return Err(wrong("a % without two hexadecimal digits")),
                }
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong("not UTF-8"))
}

/// A body's parameters, decoded once. One that stands twice is refused: which of them was signed?
pub(crate) fn read(body: &[u8]) -> Result<BTreeMap<String, String>, Malformed> {
    crate::bounded::length("form", body, CALLBACK_BYTES)?;
    let text = std::str::from_utf8(body).map_err(|_| Malformed::field("form", "not UTF-8"))?;
    let mut parameters = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key)?;
        if parameters.len() == FORM_PARAMETERS {
            return Err(Malformed::field("form", "too many parameters"));
        }
        if parameters.insert(key.clone(), decode(value)?).is_some() {
            return Err(Malformed::Repeated(key.chars().take(40).collect()));
        }
    }
    Ok(parameters)
}

#[test]
fn a_form_is_decoded_once_and_what_is_ambiguous_is_refused() {
    let form = read(b"a=1%2B1&b=x+y&c=%2525&empty=&&flag").expect("a form");
    let value = |key: &str| form.get(key).map(String::as_str);
    assert_eq!((value("a"), value("b"), value("c")), (Some("1+1"), Some("x y"), Some("%25")));
    assert_eq!((value("empty"), value("flag")), (Some(""), Some("")));
    for wrong in ["a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%zz", "a=%ff", "%=1"] {
        assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
    }
    let many = (0..=FORM_PARAMETERS).fold(String::new(), |form, n| form + &format!("p{n}=1&"));
    assert!(read(many.as_bytes()).is_err());
    assert!(read(&vec![b'a'; CALLBACK_BYTES + 1]).is_err());
    assert!(read(&[0xFF, b'=']).is_err());
}

#[test]
fn what_is_encoded_is_read_back() {
    let text = "语雀空间 500%+&=|*\u{0}";
    let form = read(encode_all([("键", text)]).as_bytes()).expect("a form");
    assert_eq!(form.get("键").map(String::as_str), Some(text));
    assert_eq!(encode("a|*b~c-d_e.f /"), "a%7C%2Ab~c-d_e.f%20%2F");
}

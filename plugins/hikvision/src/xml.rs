//! ISAPI's XML as names and texts: the namespace and the case of a name differ from firmware to firmware, so neither
//! counts.
//!
//! Bounded: what is deeper, longer or more than the limits is no document. It must not know what names mean.

use std::borrow::Cow;

use encoding_rs::GBK;
use quick_xml::Reader;
use quick_xml::events::Event;

const MAX_XML_BYTES: usize = 256 * 1024;
const MAX_DEPTH: usize = 24;
const MAX_LEAVES: usize = 1024;

/// The texts of a document, under the names of their elements in lower case and without prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Texts(Vec<(String, String)>);

impl Texts {
    /// Reads a document; `None` when it is none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_XML_BYTES {
            return None;
        }
        // Some firmware says UTF-8 and writes GBK.
        let text = std::str::from_utf8(bytes).map_or_else(|_| GBK.decode(bytes).0, Cow::Borrowed);
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
        reader.config_mut().allow_dangling_amp = true;
        let (mut path, mut leaves) = (Vec::<(String, String)>::new(), Vec::new());
        let mut elements = 0;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    elements += 1;
                    path.push((start.local_name().as_ref().to_ascii_lowercase(), String::new()));
                }
                Event::End(_) => {
                    let (name, text) = path.pop()?;
                    if !text.trim().is_empty() {
                        leaves.push((name, text.trim().to_owned()));
                    }
                }
                Event::Text(text) => path.last_mut().into_iter().for_each(|(_, known)| known.push_str(&text)),
                Event::CData(text) => path.last_mut().into_iter().for_each(|(_, known)| known.push_str(&text)),
                Event::GeneralRef(reference) => {
                    let named = match reference.resolve_char_ref().ok().flatten() {
                        Some(character) => Some(character.to_string()),
                        None => quick_xml::escape::resolve_xml_entity(&reference).map(str::to_owned),
                    };
                    path.last_mut().into_iter().for_each(|(_, known)| known.extend(named.clone()));
                }
                Event::Eof => return (path.is_empty() && elements > 0).then_some(Self(leaves)),
                _ => {}
            }
            if path.len() > MAX_DEPTH || elements > MAX_LEAVES {
                return None;
            }
        }
    }

    /// All names and texts, in the order of the document.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The first text under that name, in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }
}

/// A text as it stands in a document.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neither_namespace_nor_prefix_nor_case_counts() {
        for xml in [
            r#"<A xmlns="http://www.isapi.org/ver20/XMLSchema"><eventType>ANPR</eventType></A>"#,
            r#"<a xmlns="http://www.hikvision.com/ver20/XMLSchema"><EVENTTYPE>ANPR</EVENTTYPE></a>"#,
            r#"<?xml version="1.0"?><h:A xmlns:h="x"><h:EventType> ANPR </h:EventType></h:A>"#,
            "\u{feff}<A><eventType><![CDATA[ANPR]]></eventType></A>\r\n",
        ] {
            let texts = Texts::read(xml.as_bytes()).expect(xml);
            assert_eq!(texts.get("eventtype"), Some("ANPR"), "{xml}");
        }
    }

    #[test]
    fn entities_and_gbk_are_read() {
        let texts = Texts::read(b"<a><b>1 &lt; 2 &amp; &#65;</b></a>").expect("XML");
        assert_eq!(texts.get("b"), Some("1 < 2 & A"));
        let gbk = [b"<a><licensePlate>".as_slice(), &[0xCB, 0xD5], b"A8HK52</licensePlate></a>"].concat();
        assert_eq!(Texts::read(&gbk).expect("XML").get("licenseplate"), Some("苏A8HK52"));
    }

    #[test]
    fn what_is_no_document_or_beyond_the_limits_is_none() {
        let deep = format!("{}{}", "<a>".repeat(MAX_DEPTH + 1), "</a>".repeat(MAX_DEPTH + 1));
        let many = format!("<a>{}</a>", "<b>1</b>".repeat(MAX_LEAVES));
        let long = format!("<a>{}</a>", "x".repeat(MAX_XML_BYTES));
        for xml in ["", "text", "<a>", "<a></b>", "</a>", &deep, &many, &long] {
            assert_eq!(Texts::read(xml.as_bytes()), None, "{xml:.40}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_document_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[<>/a&;#x1 ]{0,80}") {
            Texts::read(&bytes);
            Texts::read(text.as_bytes());
        }
    }
}

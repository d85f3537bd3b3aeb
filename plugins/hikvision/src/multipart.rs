//! A body of parts that never ends, taken apart as it comes: what a camera sends on its alert stream, and what it posts.
//!
//! Pure: bytes in, parts out, in any pieces. A part beyond its limit is left out and the next one is found again. It must
//! not know what parts say.

/// The longest part that is kept: the largest picture that the box takes.
pub const MAX_PART_BYTES: usize = 2 * 1024 * 1024;
const MAX_HEAD_BYTES: usize = 8 * 1024;
const MAX_BOUNDARY_BYTES: usize = 128;

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its `Content-Type` in lower case, or empty.
    pub content_type: String,
    /// Its body.
    pub body: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub struct Multipart {
    /// What a line begins with that ends a part: with the two dashes of RFC 2046, and without for cameras whose boundary
    /// brings its own.
    delimiters: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Before a boundary.
    Between,
    /// Among a part's headers.
    Head,
    /// In a part that says how long it is.
    Counted { content_type: String, left: usize, kept: Vec<u8>, keep: Keep },
    /// In a part that ends with the next boundary.
    Open { content_type: String, seen: usize, keep: Keep },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Yes,
    TooLong,
}

/// How far the bytes reached.
enum Step {
    /// More are needed.
    Starved,
    /// To the next place.
    On,
    /// To the end of a part.
    Whole(Part),
}

impl Step {
    fn over(keep: Keep, content_type: String, body: Vec<u8>) -> Self {
        if keep == Keep::Yes { Self::Whole(Part { content_type, body }) } else { Self::On }
    }
}

impl Multipart {
    /// For a `Content-Type` of `multipart/...`; `None` for any other.
    pub fn of(content_type: &str) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';')?;
        if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
            return None;
        }
        let named = parameters.split(';').filter_map(|one| one.split_once('='));
        let boundary = named.filter(|(name, _)| name.trim().eq_ignore_ascii_case("boundary")).map(|(_, value)| value);
        let boundary = boundary.map(|value| value.trim().trim_matches('"')).next()?;
        if boundary.is_empty() || boundary.len() > MAX_BOUNDARY_BYTES {
            return None;
        }
        let mut delimiters = vec![format!("--{boundary}").into_bytes()];
        if boundary.starts_with("--") {
            delimiters.push(boundary.as_bytes().to_vec());
        }
        Some(Self { delimiters, buffer: Vec::new(), place: Place::Between })
    }

    /// Takes the next bytes; the parts that are whole with them come back.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Part> {
        self.buffer.extend_from_slice(bytes);
        let mut parts = Vec::new();
        loop {
            match self.step() {
                Step::Starved => return parts,
                Step::On => {}
                Step::Whole(part) => parts.push(part),
            }
        }
    }

    /// What is left is a part too, when the body ends without a last boundary.
    pub fn finish(mut self) -> Option<Part> {
        match std::mem::replace(&mut self.place, Place::Between) {
            Place::Open { content_type, keep: Keep::Yes, .. } if !self.buffer.is_empty() => {
                Some(Part { content_type, body: self.buffer })
            }
            _ => None,
        }
    }

    /// Goes on by one place.
    fn step(&mut self) -> Step {
        match std::mem::replace(&mut self.place, Place::Between) {
            Place::Between => self.between(),
            Place::Head => self.head(),
            Place::Counted { content_type, left, kept, keep } => self.counted(content_type, left, kept, keep),
            Place::Open { content_type, seen, keep } => self.open(content_type, seen, keep),
        }
    }

    fn between(&mut self) -> Step {
        if let Some((at, length)) = self.delimiter(0) {
            // The rest of its line: nothing, two dashes at the very end, or blanks.
            let after = at + length;
            let end = self.buffer[after..].iter().position(|byte| *byte == b'\n');
            match end {
                Some(end) => {
                    self.buffer.drain(..=after + end);
                    self.place = Place::Head;
                    return Step::On;
                }
                None if self.buffer.len() - after > MAX_HEAD_BYTES => self.buffer.clear(),
                None => {
                    self.buffer.drain(..at);
                }
            }
            return Step::Starved;
        }
        self.keep_tail();
        Step::Starved
    }

    fn head(&mut self) -> Step {
        let Some((length, content_type, counted)) = read_head(&self.buffer) else {
            if self.buffer.len() > MAX_HEAD_BYTES {
                // No head: look for the next boundary.
                self.place = Place::Between;
                return Step::On;
            }
            self.place = Place::Head;
            return Step::Starved;
        };
        self.buffer.drain(..length);
        self.place = match counted {
            Some(left) => {
                let keep = if left > MAX_PART_BYTES { Keep::TooLong } else { Keep::Yes };
                Place::Counted { content_type, left, kept: Vec::new(), keep }
            }
            None => Place::Open { content_type, seen: 0, keep: Keep::Yes },
        };
        Step::On
    }

    fn counted(&mut self, content_type: String, left: usize, mut kept: Vec<u8>, keep: Keep) -> Step {
        let now = left.min(self.buffer.len());
        let taken = self.buffer.drain(..now);
        if keep == Keep::Yes {
            kept.extend(taken);
        } else {
            drop(taken);
        }
        if now < left {
            self.place = Place::Counted { content_type, left: left - now, kept, keep };
            return Step::Starved;
        }
        Step::over(keep, content_type, kept)
    }

    fn open(&mut self, content_type: String, seen: usize, keep: Keep) -> Step {
        if let Some((at, _)) = self.delimiter(seen) {
            let mut body: Vec<u8> = self.buffer.drain(..at).collect();
            // The line break before a boundary belongs to the boundary.
            for byte in [b'\n', b'\r'] {
                if body.last() == Some(&byte) {
                    body.pop();
                }
            }
            return Step::over(keep, content_type, body);
        }
        let keep = if self.buffer.len() > MAX_PART_BYTES { Keep::TooLong } else { keep };
        if keep == Keep::TooLong {
            self.keep_tail();
        }
        let seen = self.buffer.len().saturating_sub(self.longest_delimiter());
        self.place = Place::Open { content_type, seen, keep };
        Step::Starved
    }

    fn longest_delimiter(&self) -> usize {
        self.delimiters.iter().map(Vec::len).max().unwrap_or_default() + 1
    }

    /// Forgets all but what may be the beginning of a boundary.
    fn keep_tail(&mut self) {
        let excess = self.buffer.len().saturating_sub(self.longest_delimiter());
        self.buffer.drain(..excess);
    }

    /// The first boundary at the beginning of a line, looked for from there on.
    fn delimiter(&self, from: usize) -> Option<(usize, usize)> {
        let begins_line = |at: usize| at == 0 || self.buffer[at - 1] == b'\n';
        let begins = |at: usize| {
            let fits = self.delimiters.iter().filter(|delimiter| self.buffer[at..].starts_with(delimiter));
            fits.map(Vec::len).max()
        };
        (from..self.buffer.len()).filter(|at| begins_line(*at)).find_map(|at| Some((at, begins(at)?)))
    }
}

/// The headers at the front: how long they are, the type, the length of the body.
fn read_head(bytes: &[u8]) -> Option<(usize, String, Option<usize>)> {
    let (mut content_type, mut length, mut at) = (String::new(), None, 0);
    loop {
        let end = bytes[at..].iter().position(|byte| *byte == b'\n')? + at;
        if end > MAX_HEAD_BYTES {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[at..end]);
        at = end + 1;
        if line.trim().is_empty() {
            return Some((at, content_type, length));
        }
        match line.split_once(':').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())) {
            Some((name, value)) if name == "content-type" => content_type = value.to_ascii_lowercase(),
            Some((name, value)) if name == "content-length" => length = value.parse().ok(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str = "--b\r\nContent-Type: application/xml; charset=\"UTF-8\"\r\nContent-Length: 4\r\n\r\n<a/>\r\n\
        --b\r\nContent-Disposition: form-data; name=\"x\"\r\ncontent-type: image/jpeg\r\n\r\nJP\r\nEG\r\n--b--\r\n";

    fn part(content_type: &str, body: &[u8]) -> Part {
        Part { content_type: content_type.to_owned(), body: body.to_vec() }
    }

    fn wanted() -> Vec<Part> {
        vec![part("application/xml; charset=\"utf-8\"", b"<a/>"), part("image/jpeg", b"JP\r\nEG")]
    }

    #[test]
    fn parts_with_and_without_a_length_are_taken_apart_in_any_pieces() {
        for size in 1..BODY.len() {
            let mut multipart = Multipart::of("multipart/mixed; boundary=b").expect("multipart");
            let parts: Vec<Part> = BODY.as_bytes().chunks(size).flat_map(|piece| multipart.push(piece)).collect();
            assert_eq!(parts, wanted(), "in pieces of {size}");
        }
    }

    #[test]
    fn a_boundary_that_begins_with_dashes_is_found_with_two_more_and_without() {
        for body in [BODY.replace("--b", "----b"), BODY.to_owned()] {
            let mut multipart = Multipart::of("multipart/form-data; charset=x; Boundary=\"--b\"").expect("multipart");
            assert_eq!(multipart.push(body.as_bytes()), wanted(), "{body}");
        }
    }

    #[test]
    fn a_boundary_inside_a_counted_part_ends_nothing() {
        let mut multipart = Multipart::of("multipart/mixed; boundary=b").expect("multipart");
        let parts = multipart.push(b"--b\nContent-Length: 8\n\nxx\n--b\nx\n--b\n\n--b\n");
        assert_eq!(parts, [part("", b"xx\n--b\nx"), part("", b"")]);
    }

    #[test]
    fn a_part_beyond_the_limit_is_left_out_and_the_next_is_found() {
        let long = vec![b'x'; MAX_PART_BYTES + 1];
        for head in [format!("Content-Length: {}\r\n", long.len()), String::new()] {
            let mut multipart = Multipart::of("multipart/mixed; boundary=b").expect("multipart");
            let first = [format!("--b\r\n{head}\r\n").as_bytes(), &long, b"\r\n"].concat();
            let parts: Vec<Part> = first.chunks(50_000).flat_map(|piece| multipart.push(piece)).collect();
            assert_eq!(parts, []);
            assert_eq!(multipart.push(BODY.as_bytes()), wanted());
            assert!(multipart.buffer.len() < 100);
        }
    }

    #[test]
    fn what_is_no_multipart_is_none() {
        for kind in ["application/xml", "multipart/mixed", "multipart/mixed; boundary=", "text/plain; boundary=b"] {
            assert!(Multipart::of(kind).is_none(), "{kind}");
        }
    }

    #[test]
    fn the_last_part_may_lack_its_boundary() {
        let mut multipart = Multipart::of("multipart/mixed; boundary=b").expect("multipart");
        assert_eq!(multipart.push(b"--b\r\nContent-Type: a/b\r\n\r\nrest"), []);
        assert_eq!(multipart.finish(), Some(part("a/b", b"rest")));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_make_bounded_parts(
            pieces in prop::collection::vec(prop_oneof![
                Just(b"--b\r\n".to_vec()), Just(b"\r\n\r\n".to_vec()), Just(b"Content-Length: 3\r\n".to_vec()),
                prop::collection::vec(any::<u8>(), 0..40)], 0..40),
        ) {
            let mut multipart = Multipart::of("multipart/mixed; boundary=b").expect("multipart");
            for piece in pieces {
                for part in multipart.push(&piece) {
                    prop_assert!(part.body.len() <= MAX_PART_BYTES);
                }
            }
            multipart.finish();
        }
    }
}

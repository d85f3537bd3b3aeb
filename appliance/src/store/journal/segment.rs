//! A segment file: its name, its header, and reading frames out of it one after the other.

use std::io;

use sha2::{Digest, Sha256};
use tollhouse_core::record::Revision;

use super::frame::{FRAME_HEAD, Frame, Hash, MOST_CHAINED, MOST_PERSONAL};
use crate::store::disk::{Disk, DiskFile};

/// The folder of the segments within the data folder.
pub(crate) const FOLDER: &str = "journal";
const MAGIC: &[u8; 8] = b"TOLLJRNL";
const FORMAT: u32 = 1;
/// Magic, format, zeros, first position, previous hash; then the SHA-256 of these.
const HEADER_BODY: usize = 8 + 4 + 4 + 8 + 32;
pub(super) const HEADER: usize = HEADER_BODY + 32;
const CHUNK: usize = 256 << 10;

/// What a segment says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) first: Revision,
    pub(super) previous: Hash,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Stop {
    Medium(io::Error),
    Content(String),
}

impl From<io::Error> for Stop {
    fn from(fault: io::Error) -> Self {
        Self::Medium(fault)
    }
}

/// The name of the segment that begins with `first`.
pub(crate) fn name(first: Revision) -> String {
    format!("{FOLDER}/{first:020}.seg")
}

/// The name under which what was cut off is kept.
pub(crate) fn torn_name(position: Revision, attempt: u32) -> String {
    format!("{FOLDER}/torn-{position:020}-{attempt}.bin")
}

/// The first positions of all segments, in order.
pub(crate) fn list(disk: &dyn Disk) -> io::Result<Vec<Revision>> {
    let names = disk.list(FOLDER)?;
    let mut firsts: Vec<Revision> = names.iter().filter_map(|n| n.strip_suffix(".seg")?.parse().ok()).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Makes a segment, durable with its name before anything stands in it.
pub(super) fn start_segment(disk: &dyn Disk, first: Revision, previous: &Hash) -> io::Result<(Box<dyn DiskFile>, u64)> {
    let file = disk.create(&name(first))?;
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&FORMAT.to_le_bytes());
    header.extend_from_slice(&[0; 4]);
    header.extend_from_slice(&first.to_le_bytes());
    header.extend_from_slice(previous);
    let check = Sha256::digest(&header);
    header.extend_from_slice(&check);
    file.write_at(0, &header)?;
    file.sync()?;
    disk.sync_folder(FOLDER)?;
    Ok((file, HEADER as u64))
}

/// Whether a segment was torn while it was made: nothing beyond a header, and that one not whole.
pub(crate) fn is_headless(disk: &dyn Disk, first: Revision) -> io::Result<bool> {
    if disk.open(&name(first))?.len()? > HEADER as u64 {
        return Ok(false);
    }
    match SegmentReader::open(disk, first) {
        Ok(_) => Ok(false),
        Err(Stop::Content(_)) => Ok(true),
        Err(Stop::Medium(fault)) => Err(fault),
    }
}

fn parse_header(bytes: &[u8]) -> Result<Header, String> {
    let body = bytes.get(..HEADER_BODY).ok_or("the header is cut short")?;
    if &body[..8] != MAGIC {
        return Err("it does not begin like a journal segment".into());
    }
    if bytes.get(HEADER_BODY..HEADER) != Some(Sha256::digest(body).as_slice()) {
        return Err("the header does not fit its check".into());
    }
    let format = u32::from_le_bytes(array(&body[8..12]));
    if format != FORMAT {
        return Err(format!("format {format} belongs to a later release"));
    }
    Ok(Header { first: u64::from_le_bytes(array(&body[16..24])), previous: array(&body[24..56]) })
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the slice was cut to this length")
}

/// Reads one segment from its beginning, or from a frame that is known.
pub(super) struct SegmentReader {
    file: Box<dyn DiskFile>,
    pub(super) len: u64,
    /// Where the next frame begins.
    pub(super) offset: u64,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    buffer_start: u64,
}

impl SegmentReader {
    /// Opens a segment and reads its header.
    pub(super) fn open(disk: &dyn Disk, first: Revision) -> Result<(Self, Header), Stop> {
        let file = disk.open(&name(first))?;
        let len = file.len()?;
        let mut reader = Self { file, len, offset: 0, buffer: vec![], buffer_start: 0 };
        let available = HEADER.min(usize::try_from(len).unwrap_or(HEADER));
        let header = parse_header(reader.bytes(0, available)?).map_err(Stop::Content)?;
        if header.first != first {
            return Err(Stop::Content(format!("the header is that of segment {}", header.first)));
        }
        reader.offset = HEADER as u64;
        Ok((reader, header))
    }

    /// The next frame; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Stop> {
        let left = self.len - self.offset.min(self.len);
        if left == 0 {
            return Ok(None);
        }
        if left < FRAME_HEAD as u64 {
            return Err(Stop::Content("the entry is cut short".into()));
        }
        let offset = self.offset;
        let head = self.bytes(offset, FRAME_HEAD)?;
        let (chained, personal) = (u32::from_le_bytes(array(&head[..4])), u32::from_le_bytes(array(&head[4..8])));
        let hash = array(&head[8..FRAME_HEAD]);
        let (chained, personal) = (chained as usize, personal as usize);
        if chained == 0 || chained > MOST_CHAINED || personal > MOST_PERSONAL {
            return Err(Stop::Content("the lengths are none that were ever written".into()));
        }
        let whole = FRAME_HEAD + chained + personal;
        if left < whole as u64 {
            return Err(Stop::Content("the entry is cut short".into()));
        }
        let bytes = self.bytes(offset, whole)?;
        let (chained, personal) = bytes[FRAME_HEAD..].split_at(chained);
        let frame = Frame { offset, hash, chained: chained.to_vec(), personal: personal.to_vec() };
        self.offset = offset + whole as u64;
        Ok(Some(frame))
    }

    /// The bytes from `offset`, which are known to be in the file.
    fn bytes(&mut self, offset: u64, count: usize) -> Result<&[u8], Stop> {
        let buffered = offset.checked_sub(self.buffer_start).and_then(|from| usize::try_from(from).ok());
        let held = buffered.filter(|from| from + count <= self.buffer.len());
        let from = if let Some(from) = held {
            from
        } else {
            self.buffer.resize(count.max(CHUNK), 0);
            let got = self.file.read_at(offset, &mut self.buffer)?;
            self.buffer.truncate(got);
            self.buffer_start = offset;
            0
        };
        self.buffer.get(from..from + count).ok_or_else(|| Stop::Content("the file has become shorter".into()))
    }
}

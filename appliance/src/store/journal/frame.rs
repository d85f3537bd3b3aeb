//! One entry as bytes: what the chain covers, and the personal texts beside it (docs/journal.md).
//!
//! It knows nothing of files and of who writes them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tollhouse_core::audit::{JournalEntry, Texts};
use tollhouse_core::record::{Change, Op, Refusal, Revision};

use super::personal::{Commitment, MARK, Redactor, opened, restored};

/// SHA-256 over the hash before it, both lengths and the chained bytes.
pub(crate) type Hash = [u8; 32];

/// Two lengths and a hash.
pub(super) const FRAME_HEAD: usize = 4 + 4 + 32;
/// A change is a decision, not a document: the most that its JSON and its personal texts may take.
pub(super) const MOST_CHAINED: usize = 4 << 20;
pub(super) const MOST_PERSONAL: usize = 1 << 20;

/// A change as it will stand in the journal, but for its position. Made on the submitter's thread.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// `"personal":[...],"change":{...}}`
    body: Vec<u8>,
    personal: Vec<u8>,
}

impl Encoded {
    /// Bytes that it will take.
    pub(crate) fn len(&self) -> usize {
        self.body.len() + self.personal.len() + FRAME_HEAD + 32
    }
}

/// Encodes a change; refuses one that the journal cannot hold.
pub(crate) fn encode(change: &Change) -> Result<Encoded, Refusal> {
    let mut redactor = Redactor::new(&change.personal);
    let mut json = Vec::with_capacity(1024);
    write_change(change, &mut redactor, &mut json)?;
    let (commitments, personal) = redactor.seal().map_err(|fault| Refusal::Unfit(format!("no randomness: {fault}")))?;
    let mut body = Vec::with_capacity(json.len() + 32 + 96 * commitments.len());
    if !commitments.is_empty() {
        body.extend_from_slice(b"\"personal\":");
        body.extend_from_slice(&to_json(&commitments));
        body.push(b',');
    }
    body.extend_from_slice(b"\"change\":");
    body.extend_from_slice(&json);
    body.push(b'}');
    if body.len() + 64 > MOST_CHAINED || personal.len() > MOST_PERSONAL {
        return Err(Refusal::Unfit(format!("{} bytes are too many", body.len() + personal.len())));
    }
    Ok(Encoded { body, personal })
}

/// The change's JSON. Written piece by piece, because personal texts are replaced in keys, records and the cause, and
/// nowhere else: so an erased text never takes a piece of the structure with it.
fn write_change(change: &Change, redactor: &mut Redactor, out: &mut Vec<u8>) -> Result<(), Refusal> {
    // Named one by one, so that a new field cannot be forgotten here.
    let Change { kind, at, lane, cause, relied: _, ops, postings, personal: _ } = change;
    out.extend_from_slice(b"{\"kind\":");
    out.extend_from_slice(&to_json(kind));
    out.extend_from_slice(b",\"at\":");
    out.extend_from_slice(&to_json(at));
    if let Some(lane) = lane {
        out.extend_from_slice(b",\"lane\":");
        out.extend_from_slice(&to_json(lane));
    }
    out.extend_from_slice(b",\"cause\":");
    let cause = to_text(cause)?;
    if cause.starts_with('{') {
        redactor.redact(&cause, out);
    } else {
        out.extend_from_slice(cause.as_bytes());
    }
    out.extend_from_slice(b",\"ops\":[");
    for (index, op) in ops.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_op(op, redactor, out)?;
    }
    out.push(b']');
    if !postings.is_empty() {
        out.extend_from_slice(b",\"postings\":");
        out.extend_from_slice(&to_json(postings));
    }
    out.push(b'}');
    Ok(())
}

fn write_op(op: &Op, redactor: &mut Redactor, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let (verb, table, key, record) = match op {
        Op::Put { table, key, record } => ("put", table, key, Some(record)),
        Op::Delete { table, key } => ("delete", table, key, None),
        Op::Count { .. } => {
            out.extend_from_slice(&to_json(op));
            return Ok(());
        }
    };
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(verb.as_bytes());
    out.extend_from_slice(b"\":{\"table\":");
    out.extend_from_slice(&to_json(table));
    out.extend_from_slice(b",\"key\":");
    redactor.redact(&to_text(key)?, out);
    if let Some(record) = record {
        out.extend_from_slice(b",\"record\":");
        refuse_marks(record.get())?;
        redactor.redact(record.get(), out);
    }
    out.extend_from_slice(b"}}");
    Ok(())
}

fn to_json(value: &(impl serde::Serialize + ?Sized)) -> Vec<u8> {
    serde_json::to_vec(value).expect("changes serialise: text keys, no fallible types")
}

fn to_text(value: &impl serde::Serialize) -> Result<String, Refusal> {
    let json = serde_json::to_string(value).expect("changes serialise: text keys, no fallible types");
    refuse_marks(&json)?;
    Ok(json)
}

fn refuse_marks(json: &str) -> Result<(), Refusal> {
    if json.as_bytes().contains(&MARK) {
        return Err(Refusal::Unfit("it holds the character DEL (0x7f)".into()));
    }
    Ok(())
}

/// Appends the frame of `encoded` at `position` to `batch`, and returns its hash.
pub(crate) fn append_frame(batch: &mut Vec<u8>, encoded: &Encoded, position: Revision, previous: &Hash) -> Hash {
    let start = batch.len();
    batch.extend_from_slice(&[0; FRAME_HEAD]);
    batch.extend_from_slice(format!("{{\"position\":{position},").as_bytes());
    batch.extend_from_slice(&encoded.body);
    let chained = batch.len() - start - FRAME_HEAD;
    let lengths = lengths(chained, encoded.personal.len());
    let hash = chain_hash(previous, lengths, &batch[start + FRAME_HEAD..]);
    batch[start..start + 8].copy_from_slice(&lengths);
    batch[start + 8..start + FRAME_HEAD].copy_from_slice(&hash);
    batch.extend_from_slice(&encoded.personal);
    hash
}

fn lengths(chained: usize, personal: usize) -> [u8; 8] {
    let length = |bytes: usize| u32::try_from(bytes).expect("bounded when it was encoded").to_le_bytes();
    let mut both = [0; 8];
    both[..4].copy_from_slice(&length(chained));
    both[4..].copy_from_slice(&length(personal));
    both
}

fn chain_hash(previous: &Hash, lengths: [u8; 8], chained: &[u8]) -> Hash {
    Sha256::new().chain_update(previous).chain_update(lengths).chain_update(chained).finalize().into()
}

/// A frame as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Where it begins in its segment.
    pub(crate) offset: u64,
    pub(crate) hash: Hash,
    pub(crate) chained: Vec<u8>,
    pub(crate) personal: Vec<u8>,
}

#[derive(Deserialize)]
struct Chained<'a> {
    position: Revision,
    #[serde(default)]
    personal: Vec<Commitment>,
    #[serde(borrow)]
    change: &'a RawValue,
}

impl Frame {
    /// Whether it follows `previous`.
    pub(crate) fn follows(&self, previous: &Hash) -> Result<(), String> {
        let lengths = lengths(self.chained.len(), self.personal.len());
        if chain_hash(previous, lengths, &self.chained) == self.hash {
            return Ok(());
        }
        Err("the hash does not fit what stands there".into())
    }

    /// The entry, with its personal texts put back where they have not been erased.
    pub(crate) fn entry(&self) -> Result<JournalEntry, String> {
        let chained: Chained<'_> = self.chained()?;
        let texts = opened(&chained.personal, &self.personal)?;
        let json: Cow<'_, str> = restored(chained.change.get(), &texts)?;
        let change = serde_json::from_str(&json).map_err(|fault| format!("no change: {fault}"))?;
        let texts = if texts.contains(&None) { Texts::Erased } else { Texts::Whole };
        Ok(JournalEntry { position: chained.position, change, texts })
    }

    /// For each personal text: where its salt begins within the frame, its length, and the text unless erased.
    pub(crate) fn personal_texts(&self) -> Result<Vec<(usize, usize, Option<String>)>, String> {
        let chained: Chained<'_> = self.chained()?;
        let texts = opened(&chained.personal, &self.personal)?;
        let mut at = FRAME_HEAD + self.chained.len();
        let mut found = vec![];
        for (commitment, text) in chained.personal.iter().zip(texts) {
            found.push((at, commitment.length, text.map(str::to_owned)));
            at += super::personal::SALT + commitment.length;
        }
        Ok(found)
    }

    fn chained(&self) -> Result<Chained<'_>, String> {
        serde_json::from_slice(&self.chained).map_err(|fault| format!("no entry: {fault}"))
    }
}

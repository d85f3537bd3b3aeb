//! Owns the archive in which Alipay's statement comes, against bombs and strange names. It must not read the table inside, and
//! writes nothing to any disk.
//!
//! Source: `alipay.data.dataservice.bill.downloadurl.query`: a ZIP whose names are in GBK, one file 业务明细 and one of its totals, 汇总.

use std::io::{Cursor, Read};

use encoding_rs::GBK;
use zip::ZipArchive;

use crate::limits::{ARCHIVE_FILES, STATEMENT_BYTES, STATEMENT_PACKED_BYTES};
use crate::malformed::StatementError;
use crate::table::check_size;

fn packing(fault: &dyn std::fmt::Display) -> StatementError {
    StatementError::Packing(fault.to_string().chars().take(200).collect())
}

/// The bytes of 业务明细, still in GBK. There has to be exactly one.
pub fn unpack(bytes: &[u8]) -> Result<Vec<u8>, StatementError> {
    if bytes.len() > STATEMENT_PACKED_BYTES {
        return Err(StatementError::TooLarge { what: "packed bytes", limit: STATEMENT_PACKED_BYTES });
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|fault| packing(&fault))?;
    if archive.len() > ARCHIVE_FILES {
        return Err(StatementError::TooLarge { what: "files in the archive", limit: ARCHIVE_FILES });
    }
    let mut details = None;
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|fault| packing(&fault))?;
        let name = decoded(file.name_raw())?;
        check_name(&name)?;
        if !name.contains("业务明细") || name.contains("汇总") {
            continue;
        }
        if details.is_some() {
            return Err(StatementError::Packing("more than one 业务明细".to_owned()));
        }
        // What the archive says of a size is a claim: the reader is cut where the limit is, whatever was claimed.
        let mut text = Vec::new();
        file.take(STATEMENT_BYTES as u64 + 1).read_to_end(&mut text).map_err(|fault| packing(&fault))?;
        check_size(&text)?;
        details = Some(text);
    }
    details.ok_or(StatementError::NoTable("业务明细"))
}

/// UTF-8 where it is, else GBK.
fn decoded(name: &[u8]) -> Result<String, StatementError> {
    if let Ok(text) = std::str::from_utf8(name) {
        return Ok(text.to_owned());
    }
    let text = GBK.decode_without_bom_handling_and_without_replacement(name);
    text.map(Into::into).ok_or(StatementError::CharacterSet("GBK"))
}

/// A name that would leave its folder. We write no files, and an archive that tries is not Alipay's.
fn check_name(name: &str) -> Result<(), StatementError> {
    let leaves =
        name.starts_with(['/', '\\']) || name.contains(['\0', ':']) || name.split(['/', '\\']).any(|part| part == "..");
    if leaves || name.len() > 512 {
        return Err(StatementError::Packing("a name that leads out of its folder".to_owned()));
    }
    Ok(())
}

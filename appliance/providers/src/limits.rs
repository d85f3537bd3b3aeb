//! Owns how much of anything from outside is taken. It must not know what the bytes mean.

/// A callback's body, either provider's. Real ones have 1 to 4 KiB.
pub const CALLBACK_BYTES: usize = 64 * 1024;
/// An answer of an API. Certificates are the longest.
pub const ANSWER_BYTES: usize = 256 * 1024;
/// One header's value.
pub const HEADER_BYTES: usize = 1024;
/// Parameters of one form.
pub const FORM_PARAMETERS: usize = 128;
/// A key or certificate file.
pub const KEY_FILE_BYTES: usize = 64 * 1024;
/// Keys of a provider that are trusted at one time: two during a change, and room.
pub const TRUSTED_KEYS: usize = 16;
/// A statement as it comes over the line, packed or not.
pub const STATEMENT_PACKED_BYTES: usize = 16 * 1024 * 1024;
/// A statement unpacked. A row has about 350 bytes, so this is a day of 190,000 payments.
pub const STATEMENT_BYTES: usize = 64 * 1024 * 1024;
/// One row of a statement.
pub const STATEMENT_ROW_BYTES: usize = 8 * 1024;
/// Rows of one statement.
pub const STATEMENT_ROWS: usize = 200_000;
/// Columns of one statement.
pub const STATEMENT_COLUMNS: usize = 64;
/// Files in one statement archive. Alipay's has two.
pub const ARCHIVE_FILES: usize = 16;
/// The highest amount taken from outside, in minor units: a thousand million yuan.
pub const AMOUNT_MINOR: i64 = 100_000_000_000;
/// How far a signature's time may lie from ours, in seconds; this far is too far (WeChat Pay, 签名验证).
pub const SIGNATURE_AGE_SECONDS: u64 = 300;

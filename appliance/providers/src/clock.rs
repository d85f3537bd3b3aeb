//! Owns how both providers write the time: Beijing's, whatever the box's zone. It must not know what time it is.

use chrono::{DateTime, Duration, FixedOffset, NaiveDateTime, TimeZone, Utc};

const OFFSET_SECONDS: i32 = 8 * 3600;

fn beijing() -> FixedOffset {
    FixedOffset::east_opt(OFFSET_SECONDS).expect("eight hours are an offset")
}

/// `2018-06-08T10:34:56+08:00`.
pub(crate) fn rfc3339(at: DateTime<Utc>) -> String {
    at.with_timezone(&beijing()).format("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// `2018-06-08 10:34:56`, in Beijing.
pub(crate) fn plain(at: DateTime<Utc>) -> String {
    at.with_timezone(&beijing()).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads `2018-06-08 10:34:56`, with milliseconds or without, as Beijing's time.
pub(crate) fn read_plain(text: &str) -> Option<DateTime<Utc>> {
    if text.len() > 32 {
        return None;
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    let shifted = naive.checked_sub_signed(Duration::seconds(i64::from(OFFSET_SECONDS)))?;
    Some(Utc.from_utc_datetime(&shifted))
}

#[test]
fn beijings_time_is_written_and_read_back() {
    let at = DateTime::from_timestamp(1_624_523_846, 0).expect("a time");
    assert_eq!(rfc3339(at), "2021-06-24T16:37:26+08:00");
    assert_eq!(plain(at), "2021-06-24 16:37:26");
    assert_eq!(read_plain("2021-06-24 16:37:26"), Some(at));
    assert_eq!(read_plain("2021-06-24 16:37:26.500").map(|at| at.timestamp_subsec_millis()), Some(500));
    for wrong in ["", "2021-06-24", "2021-06-24 16:37:26 +0800", "2021-13-24 16:37:26", "-262143-01-01 00:00:00"] {
        assert_eq!(read_plain(wrong), None, "{wrong}");
    }
}
